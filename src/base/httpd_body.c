#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/httpd_private.h"

/* A body with more fields than this is not one of ours. */
#define FIELDS_MAX 256

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *rlx_percent_decode(TALLOC_CTX *ctx, const char *text, size_t length, bool plus,
                         size_t *lengthp)
{
    char *out = talloc_size(ctx, length + 1);
    size_t n = 0;

    if (!out)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' && i + 2 < length && hex_value(text[i + 1]) >= 0 &&
            hex_value(text[i + 2]) >= 0) {
            out[n++] = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out[n++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    out[n] = '\0';
    if (lengthp)
        *lengthp = n;
    return out;
}

bool rlx_utf8_valid(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p) {
        int more = *p < 0x80   ? 0
                   : *p < 0xc2 ? -1
                   : *p < 0xe0 ? 1
                   : *p < 0xf0 ? 2
                   : *p < 0xf5 ? 3
                               : -1;
        if (more < 0 || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
            (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
            return false;
        for (p++; more; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return false;
    }
    return true;
}

struct rlx_field *rlx_field_parse_urlencoded(TALLOC_CTX *ctx, const char *text, size_t length)
{
    struct rlx_field *first = NULL, **tail = &first;
    const char *end = text + length;

    for (int count = 0; text < end && count < FIELDS_MAX; count++) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        const char *stop = amp ? amp : end;
        const char *equals = memchr(text, '=', (size_t)(stop - text));
        if (stop > text) {
            struct rlx_field *field = talloc_zero(ctx, struct rlx_field);
            if (!field)
                break;
            const char *value = equals ? equals + 1 : stop;
            field->name = rlx_percent_decode(field, text, (size_t)((equals ? equals : stop) - text),
                                             true, NULL);
            field->value =
                rlx_percent_decode(field, value, (size_t)(stop - value), true, &field->length);
            if (!field->name || !field->value)
                break;
            *tail = field;
            tail = &field->next;
        }
        text = stop + 1;
    }
    return first;
}

/* The value of `name` in a header such as `form-data; name="a"; filename="b"`; NULL when it is not
 * there. */
static char *header_parameter(TALLOC_CTX *ctx, const char *header, size_t length, const char *name)
{
    const char *p = header, *end = header + length;
    size_t name_length = strlen(name);

    while ((p = memchr(p, ';', (size_t)(end - p)))) {
        for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
            ;
        if ((size_t)(end - p) <= name_length || strncasecmp(p, name, name_length) != 0 ||
            p[name_length] != '=')
            continue;
        p += name_length + 1;
        bool quoted = p < end && *p == '"';
        char *out = talloc_size(ctx, (size_t)(end - p) + 1);
        size_t n = 0;
        for (p += quoted; out && p < end && (quoted ? *p != '"' : *p != ';' && *p != ' '); p++) {
            if (quoted && *p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\'))
                p++;
            out[n++] = *p;
        }
        if (out)
            out[n] = '\0';
        return out;
    }
    return NULL;
}

/* The value of a part's Content-Disposition header; its length in *lengthp. */
static const char *disposition(const char *headers, size_t length, size_t *lengthp)
{
    static const char name[] = "content-disposition:";
    const char *end = headers + length;

    while (headers < end) {
        const char *eol = memmem(headers, (size_t)(end - headers), "\r\n", 2);
        const char *stop = eol ? eol : end;
        if ((size_t)(stop - headers) > sizeof name - 1 &&
            !strncasecmp(headers, name, sizeof name - 1)) {
            *lengthp = (size_t)(stop - headers) - (sizeof name - 1);
            return headers + sizeof name - 1;
        }
        headers = stop + 2;
    }
    return NULL;
}

/* One part: headers, an empty line, the value. NULL when it is not a field with a name. */
static struct rlx_field *parse_part(TALLOC_CTX *ctx, const char *part, size_t length)
{
    const char *blank = memmem(part, length, "\r\n\r\n", 4);
    size_t header_length;

    if (!blank)
        return NULL;
    const char *header = disposition(part, (size_t)(blank - part), &header_length);
    if (!header)
        return NULL;
    struct rlx_field *field = talloc_zero(ctx, struct rlx_field);
    if (!field)
        return NULL;
    field->name = header_parameter(field, header, header_length, "name");
    field->filename = header_parameter(field, header, header_length, "filename");
    field->length = length - (size_t)(blank + 4 - part);
    bool borrowed = field->length > RLX_FIELD_COPY;
    field->value =
        borrowed ? (char *)(uintptr_t)(blank + 4) : talloc_size(field, field->length + 1);
    if (!field->name || !field->value) {
        talloc_free(field);
        return NULL;
    }
    if (!borrowed) {
        memcpy(field->value, blank + 4, field->length);
        field->value[field->length] = '\0';
    }
    return field;
}

struct rlx_field *rlx_field_parse_multipart(TALLOC_CTX *ctx, const char *content_type,
                                            const char *body, size_t length)
{
    struct rlx_field *first = NULL, **tail = &first;
    const char *end = body + length;
    char *boundary = header_parameter(ctx, content_type, strlen(content_type), "boundary");

    if (!boundary || !*boundary)
        return NULL;
    char *mark = talloc_asprintf(ctx, "\r\n--%s", boundary);
    size_t mark_length = mark ? strlen(mark) : 0;
    if (!mark)
        return NULL;
    /* The first delimiter may stand at the very beginning, without the line break that belongs to
     * the others. */
    const char *part = length >= mark_length - 2 && !memcmp(body, mark + 2, mark_length - 2)
                           ? body + mark_length - 2
                           : memmem(body, length, mark, mark_length);
    if (part && part != body + mark_length - 2)
        part += mark_length;
    for (int count = 0; part && count < FIELDS_MAX; count++) {
        if (end - part < 2 || part[0] != '\r' || part[1] != '\n')
            break; /* "--" ends the list; anything else is no part */
        part += 2;
        const char *next = memmem(part, (size_t)(end - part), mark, mark_length);
        if (!next)
            break;
        struct rlx_field *field = parse_part(ctx, part, (size_t)(next - part));
        if (field) {
            *tail = field;
            tail = &field->next;
        }
        part = next + mark_length;
    }
    return first;
}

const struct rlx_field *rlx_field_find(const struct rlx_field *fields, const char *name)
{
    while (fields && strcmp(fields->name, name) != 0)
        fields = fields->next;
    return fields;
}

/* ---- what the header promises about bodies ---- */

const char *rlx_request_body(const struct rlx_request *req, size_t *lengthp)
{
    if (lengthp)
        *lengthp = req->length;
    return req->body ? req->body : "";
}

static bool content_type_is(const char *type, const char *wanted)
{
    size_t n = strlen(wanted);

    return type && !strncasecmp(type, wanted, n) && (!type[n] || strchr("; \t", type[n]));
}

static bool content_type_is_json(const char *type)
{
    size_t n = type ? strcspn(type, "; \t") : 0;

    return !type || content_type_is(type, "application/json") ||
           (n > 5 && !strncasecmp(type + n - 5, "+json", 5));
}

bool rlx_request_is(const struct rlx_request *req, const char *content_type)
{
    return content_type_is(rlx_request_header(req, "Content-Type"), content_type);
}

/* False when arrays and objects are nested deeper than we take: parsers and printers recurse. */
static bool shallow(const char *text, size_t length)
{
    int depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else
                quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > RLX_HTTPD_DEPTH_MAX)
                return false;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return true;
}

int rlx_request_json(struct rlx_request *req, json_t **jsonp)
{
    json_error_t error;

    if (!req || !jsonp)
        return -EINVAL;
    if (!content_type_is_json(rlx_request_header(req, "Content-Type")))
        return RLX_EMEDIA;
    if (!req->json) {
        if (!shallow(req->body, req->length))
            return RLX_EJSON;
        req->json = json_loadb(req->body ? req->body : "", req->length, JSON_DECODE_ANY, &error);
        /* Integers beyond 64 bits are numbers all the same. */
        if (!req->json && json_error_code(&error) == json_error_numeric_overflow)
            req->json = json_loadb(req->body, req->length,
                                   JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
        if (!req->json)
            return json_error_code(&error) == json_error_null_character ||
                           json_error_code(&error) == json_error_null_byte_in_key
                       ? RLX_EINVAL
                       : RLX_EJSON;
    }
    *jsonp = req->json;
    return 0;
}

static const struct rlx_field *form_of(struct rlx_request *req)
{
    const char *type;

    if (req->form_parsed)
        return req->fields;
    req->form_parsed = true;
    type = rlx_request_header(req, "Content-Type");
    if (content_type_is(type, "application/x-www-form-urlencoded"))
        req->fields = rlx_field_parse_urlencoded(req, req->body ? req->body : "", req->length);
    else if (content_type_is(type, "multipart/form-data"))
        req->fields = rlx_field_parse_multipart(req, type, req->body ? req->body : "", req->length);
    /* The body is ours: a long value ends where the line break before the next boundary was. */
    for (struct rlx_field *field = req->fields; field; field = field->next)
        if (field->length > RLX_FIELD_COPY)
            field->value[field->length] = '\0';
    return req->fields;
}

const char *rlx_request_field(struct rlx_request *req, const char *name, size_t *lengthp)
{
    const struct rlx_field *field = rlx_field_find(form_of(req), name);

    if (lengthp)
        *lengthp = field ? field->length : 0;
    return field ? field->value : NULL;
}

const char *rlx_request_filename(struct rlx_request *req, const char *name)
{
    const struct rlx_field *field = rlx_field_find(form_of(req), name);

    return field ? field->filename : NULL;
}

void rlx_request_each_field(struct rlx_request *req, rlx_field_h *each, void *arg)
{
    for (const struct rlx_field *field = form_of(req); field; field = field->next)
        each(field->name, field->value, field->length, arg);
}
