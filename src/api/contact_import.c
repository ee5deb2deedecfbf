#include "api/contact_import.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api/csv.h"
#include "api/phone_number.h"
#include "api/validate.h"
#include "base/err.h"

#define NAME_MAX_CHARS 200
#define FIELD_MAX_BYTES 2000
#define TAG_MAX_CHARS 64
#define TAGS_MAX 50
#define CUSTOM_NAME_MAX 64
#define CUSTOM_MAX 50

enum part { IGNORE, PHONE, NAME, FIRST, LAST, EMAIL, ZONE, TAGS, CUSTOM };

static const char *const part_names[] = {"",      "phone_number", "name", "first_name", "last_name",
                                         "email", "time_zone",    "tags", "custom"};

struct column {
    enum part part;
    char *header, *custom; /* custom: the field's name */
};

struct state {
    struct rlx_import *import;
    const struct rlx_import_options *options;
    rlx_import_batch_h *batch;
    void *arg;
    struct column *columns; /* NULL before the header */
    size_t count;
    json_t *seen;    /* number → true, of the whole file */
    json_t *pending; /* number → contact, of the batch */
    json_t *list;    /* the same contacts in their order */
    char *why;
};

/* ---- the header ---- */

/* "E-Mail address" → "e_mail_address"; bytes that are not ASCII stay. */
static char *key_of(TALLOC_CTX *ctx, const char *header)
{
    char *key = talloc_size(ctx, strlen(header) + 1);
    size_t n = 0;

    if (!key)
        return NULL;
    for (const char *p = header; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (isalnum(c) || c >= 0x80)
            key[n++] = (char)tolower(c);
        else if (n && key[n - 1] != '_')
            key[n++] = '_';
    }
    while (n && key[n - 1] == '_')
        n--;
    key[n] = '\0';
    return key;
}

static enum part part_of_key(const char *key)
{
    static const struct {
        const char *key;
        enum part part;
    } known[] = {
        {"phone_number", PHONE},
        {"phone", PHONE},
        {"mobile", PHONE},
        {"mobile_phone", PHONE},
        {"cell", PHONE},
        {"cell_phone", PHONE},
        {"telephone", PHONE},
        {"tel", PHONE},
        {"number", PHONE},
        {"phone_1_value", PHONE},
        {"e164", PHONE},
        {"name", NAME},
        {"full_name", NAME},
        {"contact_name", NAME},
        {"first_name", FIRST},
        {"firstname", FIRST},
        {"given_name", FIRST},
        {"last_name", LAST},
        {"lastname", LAST},
        {"surname", LAST},
        {"family_name", LAST},
        {"email", EMAIL},
        {"e_mail", EMAIL},
        {"email_address", EMAIL},
        {"e_mail_address", EMAIL},
        {"mail", EMAIL},
        {"time_zone", ZONE},
        {"timezone", ZONE},
        {"tz", ZONE},
        {"tags", TAGS},
        {"tag", TAGS},
        {"labels", TAGS},
        {"id", IGNORE},
        {"do_not_call", IGNORE},
        {"created_at", IGNORE},
        {"updated_at", IGNORE},
        {"list_ids", IGNORE},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!strcmp(known[i].key, key))
            return known[i].part;
    }
    return *key ? CUSTOM : IGNORE;
}

static int bad_header(struct state *s, const char *column, const char *what)
{
    s->why = talloc_asprintf(s->import, "column \"%s\" %s", column, what);
    return s->why ? RLX_EINVAL : -ENOMEM;
}

/* What the mapping says of a column; without a word of it, its header decides. */
static int place_column(struct state *s, struct column *c)
{
    const json_t *told =
        s->options->mapping ? json_object_get(s->options->mapping, c->header) : NULL;
    const char *to = json_string_value(told);
    char *key = key_of(s->columns, c->header);

    if (!key)
        return -ENOMEM;
    if (!told) {
        c->part = part_of_key(key);
        c->custom = key;
    } else if (to && !strncmp(to, "custom:", 7)) {
        c->part = CUSTOM;
        c->custom = key_of(s->columns, to + 7);
        if (!c->custom)
            return -ENOMEM;
    } else {
        for (c->part = IGNORE; c->part < CUSTOM && to && strcmp(to, part_names[c->part]) != 0;)
            c->part++;
        if (c->part == CUSTOM)
            return bad_header(s, c->header, "is mapped to something that is no field");
    }
    if (s->options->numbers_only && c->part != PHONE)
        c->part = IGNORE;
    if (c->part == CUSTOM && (!*c->custom || strlen(c->custom) > CUSTOM_NAME_MAX))
        return bad_header(s, c->header, "has no name that a field can have (1 to 64 bytes)");
    return 0;
}

static int check_columns(struct state *s)
{
    size_t phones = 0, customs = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct column *a = &s->columns[i];
        phones += a->part == PHONE;
        customs += a->part == CUSTOM;
        for (size_t k = 0; k < i; k++) {
            const struct column *b = &s->columns[k];
            bool same = a->part == b->part && a->part != IGNORE && a->part != TAGS;
            if (same && a->part == PHONE) { /* the first number counts */
                a->part = IGNORE;
                phones--;
            } else if (same && (a->part != CUSTOM || !strcmp(a->custom, b->custom))) {
                return bad_header(s, a->header, "is there twice");
            }
        }
    }
    if (customs > CUSTOM_MAX)
        return bad_header(s, s->columns[s->count - 1].header, "is one too many: 50 fields at most");
    if (phones)
        return 0;
    s->why = talloc_asprintf(s->import, "no column holds telephone numbers: name one "
                                        "\"phone_number\", or map it (columns: ");
    for (size_t i = 0; i < s->count && i < 20; i++)
        s->why = talloc_asprintf_append_buffer(s->why, "%s\"%.40s\"", i ? ", " : "",
                                               s->columns[i].header);
    s->why = talloc_asprintf_append_buffer(s->why, ")");
    return s->why ? RLX_EINVAL : -ENOMEM;
}

static int take_header(struct state *s, const char *const *fields, size_t count)
{
    const char *named;
    json_t *ignored;

    s->columns = talloc_zero_array(s->import, struct column, (unsigned)count);
    if (!s->columns)
        return -ENOMEM;
    s->count = count;
    for (size_t i = 0; i < count; i++) {
        s->columns[i].header = talloc_strdup(s->columns, rlx_csv_bare(fields[i]));
        int err = s->columns[i].header ? place_column(s, &s->columns[i]) : -ENOMEM;
        if (err)
            return err;
    }
    json_object_foreach ((json_t *)s->options->mapping, named, ignored) {
        size_t i = 0;
        while (i < count && strcmp(s->columns[i].header, named) != 0)
            i++;
        if (i == count)
            return bad_header(s, named, "is mapped but is not in the file");
    }
    int err = check_columns(s);
    for (size_t i = 0; i < count && !err; i++) {
        const struct column *c = &s->columns[i];
        char *field = c->part == CUSTOM ? talloc_asprintf(s->columns, "custom:%s", c->custom)
                                        : talloc_strdup(s->columns, part_names[c->part]);
        if (!field ||
            json_array_append_new(s->import->columns,
                                  json_pack("{s:s,s:s}", "column", c->header, "field", field)))
            err = -ENOMEM;
    }
    return err;
}

/* ---- a row ---- */

static void wrong(struct state *s, size_t line, const char *column, const char *message)
{
    if (json_array_size(s->import->errors) < RLX_IMPORT_ERRORS)
        json_array_append_new(s->import->errors,
                              json_pack("{s:I,s:s,s:s}", "line", (json_int_t)line, "column", column,
                                        "message", message));
}

static void add_tags(json_t *tags, const char *text)
{
    for (const char *p = text; *p;) {
        p += strspn(p, ";,| \t\r\n");
        size_t n = strcspn(p, ";,|\r\n");
        size_t end = n;
        while (end && (p[end - 1] == ' ' || p[end - 1] == '\t'))
            end--;
        if (end)
            json_array_append_new(tags, json_stringn(p, end));
        p += n;
    }
}

static const char *check_tags(const json_t *tags)
{
    const json_t *tag;
    size_t i;

    if (json_array_size(tags) > TAGS_MAX)
        return "holds more than 50 tags";
    json_array_foreach ((json_t *)tags, i, tag) {
        if (rlx_utf8_length(json_string_value(tag)) > TAG_MAX_CHARS)
            return "holds a tag of more than 64 characters";
    }
    return NULL;
}

static bool is_zone(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");

    return !text[n] && n <= 64 && isalpha((unsigned char)*text);
}

/* One field into the contact; a sentence when it is wrong. */
static const char *take_value(json_t *contact, const struct column *c, const char *text,
                              const char *region)
{
    char e164[20];
    const char *why = NULL;

    switch (c->part) {
    case PHONE:
        if (!rlx_phone_e164(text, region, e164, &why))
            return why;
        json_object_set_new(contact, "phone_number", json_string(e164));
        return NULL;
    case NAME:
    case FIRST:
    case LAST:
        if (rlx_utf8_length(text) > NAME_MAX_CHARS)
            return "is longer than 200 characters";
        json_object_set_new(contact, part_names[c->part], json_string(text));
        return NULL;
    case EMAIL:
        if (!rlx_is_email(text) || strlen(text) > 254)
            return "is no e-mail address";
        json_object_set_new(contact, "email", json_string(text));
        return NULL;
    case ZONE:
        if (!is_zone(text))
            return "is no time zone such as Europe/Berlin";
        json_object_set_new(contact, "time_zone", json_string(text));
        return NULL;
    case TAGS:
        add_tags(json_object_get(contact, "tags"), text);
        return check_tags(json_object_get(contact, "tags"));
    case CUSTOM:
        if (strlen(text) > FIELD_MAX_BYTES)
            return "is longer than 2000 bytes";
        json_object_set_new(json_object_get(contact, "custom_fields"), c->custom,
                            json_string(text));
        return NULL;
    default:
        return NULL;
    }
}

/* First and last name are fields of their own, and make the name when there is none. */
static void join_names(json_t *contact)
{
    const char *first = json_string_value(json_object_get(contact, "first_name"));
    const char *last = json_string_value(json_object_get(contact, "last_name"));
    json_t *custom = json_object_get(contact, "custom_fields");

    if (!first && !last)
        return;
    if (!json_object_get(contact, "name"))
        json_object_set_new(
            contact, "name",
            json_sprintf("%s%s%s", first ? first : "", first && last ? " " : "", last ? last : ""));
    if (first)
        json_object_set_new(custom, "first_name", json_string(first));
    if (last)
        json_object_set_new(custom, "last_name", json_string(last));
    json_object_del(contact, "first_name");
    json_object_del(contact, "last_name");
}

/* A later row of the same number: what it has counts, tags and fields come together. */
static void merge(json_t *into, json_t *more)
{
    json_array_extend(json_object_get(into, "tags"), json_object_get(more, "tags"));
    json_object_update(json_object_get(into, "custom_fields"),
                       json_object_get(more, "custom_fields"));
    json_object_del(more, "tags");
    json_object_del(more, "custom_fields");
    json_object_update(into, more);
}

static int flush(struct state *s)
{
    if (!json_array_size(s->list))
        return 0;
    int err = s->batch(s->list, s->arg);
    json_object_clear(s->pending);
    json_array_clear(s->list);
    return err;
}

static int keep(struct state *s, json_t *contact)
{
    const char *number = json_string_value(json_object_get(contact, "phone_number"));
    json_t *before = json_object_get(s->pending, number);

    if (json_object_get(s->seen, number))
        s->import->duplicates++;
    else
        s->import->good++;
    if (before) {
        merge(before, contact);
        return 0;
    }
    if (json_object_set_new(s->seen, number, json_true()) ||
        json_object_set(s->pending, number, contact) || json_array_append(s->list, contact))
        return -ENOMEM;
    return json_array_size(s->list) >= RLX_IMPORT_BATCH ? flush(s) : 0;
}

static json_t *new_contact(const struct state *s)
{
    json_t *tags = s->options->tags ? json_copy((json_t *)s->options->tags) : json_array();

    return json_pack("{s:o,s:{}}", "tags", tags, "custom_fields");
}

static int take_row(size_t line, const char *const *fields, size_t count, void *arg)
{
    struct state *s = arg;
    const char *why = NULL, *column = "";
    int err = 0;

    if (!s->columns)
        return take_header(s, fields, count);
    if (++s->import->rows > RLX_IMPORT_ROWS) {
        s->why =
            talloc_asprintf(s->import, "the file has more than %d rows: split it", RLX_IMPORT_ROWS);
        return RLX_EINVAL;
    }
    json_t *contact = new_contact(s);
    if (!contact)
        return -ENOMEM;
    if (count > s->count)
        why = "there are more fields than columns: is a delimiter not quoted?";
    for (size_t i = 0; i < count && !why; i++) {
        const char *text = rlx_csv_bare(fields[i]);
        column = s->columns[i].header;
        if (*text)
            why = take_value(contact, &s->columns[i], text, s->options->region);
    }
    if (!why && !json_object_get(contact, "phone_number")) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->columns[i].part == PHONE)
                column = s->columns[i].header;
        }
        why = "is empty: a contact needs a number";
    }
    if (why) {
        s->import->failed++;
        wrong(s, line, column, why);
    } else {
        join_names(contact);
        err = keep(s, contact);
    }
    json_decref(contact);
    return err;
}

/* ---- a file ---- */

static int drop_import(struct rlx_import *import)
{
    json_decref(import->errors);
    json_decref(import->columns);
    return 0;
}

static struct rlx_import *new_import(TALLOC_CTX *ctx)
{
    struct rlx_import *import = talloc_zero(ctx, struct rlx_import);

    if (!import)
        return NULL;
    talloc_set_destructor(import, drop_import);
    import->errors = json_array();
    import->columns = json_array();
    import->encoding = "utf-8";
    if (import->errors && import->columns)
        return import;
    talloc_free(import);
    return NULL;
}

int rlx_import_read(struct rlx_import **importp, TALLOC_CTX *ctx, const char *data, size_t length,
                    const struct rlx_import_options *options, rlx_import_batch_h *batch, void *arg,
                    char **whyp)
{
    const char *text, *why = NULL;
    size_t line = 0;

    if (!importp || !data || !options || !batch || !whyp)
        return -EINVAL;
    struct state s = {.options = options, .batch = batch, .arg = arg};
    s.import = new_import(ctx);
    if (!s.import)
        return -ENOMEM;
    s.seen = json_object();
    s.pending = json_object();
    s.list = json_array();
    int err = s.seen && s.pending && s.list ? 0 : -ENOMEM;
    if (!err)
        err = rlx_csv_text(s.import, data, length, &text, &length, &s.import->encoding, &why);
    if (err == RLX_EINVAL)
        s.why = talloc_strdup(s.import, why);
    if (!err)
        err =
            rlx_csv_read(text, length, rlx_csv_delimiter(text, length), take_row, &s, &line, &why);
    if (err == RLX_EINVAL && !s.why)
        s.why = talloc_asprintf(s.import, "line %zu: %s", line, why);
    if (!err)
        err = flush(&s);
    if (!err && !s.columns) {
        s.why = talloc_strdup(s.import, "the file is empty");
        err = RLX_EINVAL;
    }
    json_decref(s.seen);
    json_decref(s.pending);
    json_decref(s.list);
    *importp = s.import;
    *whyp = s.why;
    return err;
}
