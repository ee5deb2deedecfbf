#include "api/validate.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"

#define ERRORS_MAX 30
#define FIELD_MAX 256

void rlx_validate_error(json_t *errors, const char *field, const char *message)
{
    if (json_array_size(errors) < ERRORS_MAX)
        json_array_append_new(errors, json_pack("{s:s,s:s}", "field", field, "message", message));
}

/* ---- strings ---- */

static bool pattern_matches(struct rlx_pattern *pattern, const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    if (!atomic_load(&pattern->state)) {
        pthread_mutex_lock(&lock);
        if (!atomic_load(&pattern->state))
            atomic_store(&pattern->state,
                         regcomp(&pattern->compiled, pattern->text, REG_EXTENDED | REG_NOSUB) ? 2
                                                                                              : 1);
        pthread_mutex_unlock(&lock);
    }
    return atomic_load(&pattern->state) == 1 && !regexec(&pattern->compiled, text, 0, NULL, 0);
}

/* The white space of ECMAScript's \s, and U+001C to U+001F and U+0085, which others count to it: what the description's
 * pattern says (NOT_BLANK in openapi.py). */
static bool is_blank(const char *text)
{
    static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                       "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                       "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf"};

    while (*text) {
        size_t n = strspn(text, " \t\r\n\v\f\x1c\x1d\x1e\x1f");
        for (size_t i = 0; !n && i < sizeof wide / sizeof wide[0]; i++)
            if (!strncmp(text, wide[i], strlen(wide[i])))
                n = strlen(wide[i]);
        if (!n && !strncmp(text, "\xe2\x80", 2) && text[2] && (unsigned char)text[2] <= 0x8a)
            n = 3; /* U+2000 to U+200A */
        if (!n)
            return false;
        text += n;
    }
    return true;
}

static bool listed(const char *text, const char *const *one_of)
{
    while (*one_of && strcmp(*one_of, text) != 0)
        one_of++;
    return *one_of;
}

static const char *choices(TALLOC_CTX *ctx, const char *const *one_of)
{
    char *text = talloc_strdup(ctx, "must be one of ");

    for (size_t i = 0; text && one_of[i]; i++)
        text = talloc_asprintf_append_buffer(text, "%s%s", i ? ", " : "", one_of[i]);
    return text ? text : "is none of the allowed values";
}

static bool is_web_address(const char *text)
{
    size_t scheme = !strncasecmp(text, "http://", 7)    ? 7
                    : !strncasecmp(text, "https://", 8) ? 8
                                                        : 0;

    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>\"\\^`{|}", *p))
            return false;
    return scheme && text[scheme] && !strchr("/?#:", text[scheme]);
}

static const char *check_format(const struct rlx_schema *schema, const char *text)
{
    switch (schema->format) {
    case RLX_FORMAT_NONE:
    case RLX_FORMAT_BINARY:
        break;
    case RLX_FORMAT_UUID:
        return strlen(text) == 36 && rlx_uuid_valid(text) ? NULL : "must be a UUID";
    case RLX_FORMAT_EMAIL:
        return rlx_is_email(text) ? NULL : "must be an e-mail address";
    case RLX_FORMAT_DATE_TIME:
        return rlx_is_date_time(text) ? NULL : "must be a time such as 2026-01-02T03:04:05Z";
    case RLX_FORMAT_DATE:
        return rlx_is_date(text) ? NULL : "must be a date such as 2026-01-02";
    case RLX_FORMAT_URI:
        return is_web_address(text) ? NULL
                                    : "must be an address that begins with http:// or https://";
    }
    return NULL;
}

static const char *sized(TALLOC_CTX *ctx, const struct rlx_schema *schema, size_t size,
                         const char *unit)
{
    if (size >= schema->min_size && (!schema->has_max_size || size <= schema->max_size))
        return NULL;
    if (!schema->has_max_size)
        return talloc_asprintf(ctx, "must have at least %zu %s", schema->min_size, unit);
    if (!schema->min_size)
        return talloc_asprintf(ctx, "must have at most %zu %s", schema->max_size, unit);
    return talloc_asprintf(ctx, "must have between %zu and %zu %s", schema->min_size,
                           schema->max_size, unit);
}

static const char *check_string(TALLOC_CTX *ctx, const struct rlx_schema *schema, const char *text)
{
    if (schema->one_of)
        return listed(text, schema->one_of) ? NULL : choices(ctx, schema->one_of);
    const char *why = sized(ctx, schema, rlx_utf8_length(text), "characters");
    if (!why && schema->not_blank && is_blank(text))
        why = "must not be empty";
    if (!why && schema->max_bytes && strlen(text) > schema->max_bytes)
        why = talloc_asprintf(ctx, "must not be longer than %zu bytes", schema->max_bytes);
    if (why)
        return why;
    why = check_format(schema, text);
    if (!why && schema->pattern && !pattern_matches(schema->pattern, text))
        why = talloc_asprintf(ctx, "must match %s", schema->pattern->shown);
    return why && schema->message ? schema->message : why;
}

static json_t *lower_case(const char *text)
{
    char lower[37];
    size_t i;

    for (i = 0; i < sizeof lower - 1 && text[i]; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
    lower[i] = '\0';
    return json_string(lower);
}

/* ---- numbers ---- */

static bool is_whole(const json_t *value)
{
    double real = json_number_value(value);

    return json_is_integer(value) ||
           (json_is_real(value) && floor(real) == real && fabs(real) < 9e18);
}

static const char *check_number(TALLOC_CTX *ctx, const struct rlx_schema *schema, double value)
{
    bool low = schema->has_min && !(schema->over_min ? value > schema->min : value >= schema->min);
    bool high =
        schema->has_max && !(schema->under_max ? value < schema->max : value <= schema->max);

    if (!low && !high)
        return NULL;
    if (schema->has_min && schema->has_max && !schema->over_min && !schema->under_max)
        return talloc_asprintf(ctx, "must be between %.15g and %.15g", schema->min, schema->max);
    if (low)
        return talloc_asprintf(ctx, "must be %s %.15g",
                               schema->over_min ? "greater than" : "at least", schema->min);
    return talloc_asprintf(ctx, "must be %s %.15g", schema->under_max ? "less than" : "at most",
                           schema->max);
}

/* ---- any value ---- */

static unsigned type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return RLX_T_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return RLX_T_BOOL;
    case JSON_INTEGER:
        return RLX_T_INT | RLX_T_NUMBER;
    case JSON_REAL:
        return is_whole(value) ? RLX_T_INT | RLX_T_NUMBER : RLX_T_NUMBER;
    case JSON_STRING:
        return RLX_T_STRING;
    case JSON_ARRAY:
        return RLX_T_ARRAY;
    case JSON_OBJECT:
        return RLX_T_OBJECT;
    }
    return 0;
}

static const char *wanted(unsigned types)
{
    if (types & RLX_T_STRING)
        return "must be a string";
    if (types & RLX_T_NUMBER)
        return "must be a number";
    if (types & RLX_T_INT)
        return "must be an integer";
    if (types & RLX_T_BOOL)
        return "must be true or false";
    if (types & RLX_T_ARRAY)
        return "must be an array";
    return types & RLX_T_OBJECT ? "must be an object" : "must be null";
}

static json_t *clean_array(const struct rlx_schema *schema, json_t *value, const char *field,
                           json_t *errors)
{
    json_t *clean = json_array(), *item;
    size_t i;
    char name[FIELD_MAX];

    json_array_foreach (value, i, item) {
        snprintf(name, sizeof name, "%.180s[%zu]", field, i);
        json_t *kept =
            schema->items ? rlx_validate(schema->items, item, name, errors) : json_incref(item);
        if (kept)
            json_array_append_new(clean, kept);
        if (json_array_size(errors) >= ERRORS_MAX)
            break;
    }
    return clean;
}

static const struct rlx_property *property_of(const struct rlx_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->property_count; i++)
        if (!strcmp(schema->properties[i].name, name))
            return &schema->properties[i];
    return NULL;
}

#define NAMED_MAX 12
#define ALIKE_MIN 3 /* characters that two names must begin with to be taken for the same */

/* What to say of a field that nobody knows: the name that begins like it, or all names. */
static char *not_known(TALLOC_CTX *ctx, const struct rlx_schema *schema, const char *key)
{
    const char *nearest = NULL;
    size_t most = ALIKE_MIN - 1, n;

    for (size_t i = 0; i < schema->property_count; i++) {
        const char *name = schema->properties[i].name;
        for (n = 0; name[n] && name[n] == key[n]; n++)
            ;
        if (n > most) {
            most = n;
            nearest = name;
        }
    }
    if (nearest)
        return talloc_asprintf(ctx, "is not known here: did you mean %s?", nearest);
    char *text = talloc_strdup(ctx, "is not known here");
    for (size_t i = 0; text && i < schema->property_count && i < NAMED_MAX; i++)
        text = talloc_asprintf_append_buffer(text, "%s%s", i ? ", " : ": there are ",
                                             schema->properties[i].name);
    return text;
}

static void refuse_unknown(const struct rlx_schema *schema, const char *key, const char *field,
                           json_t *errors)
{
    char *text = not_known(NULL, schema, key);

    rlx_validate_error(errors, field, text ? text : "is not known here");
    talloc_free(text);
}

static void keep_unknown(const struct rlx_schema *schema, json_t *value, json_t *clean,
                         const char *prefix, json_t *errors)
{
    const char *key;
    json_t *item;
    char name[FIELD_MAX];

    if (schema->unknown == RLX_UNKNOWN_DROP && !schema->additional)
        return;
    json_object_foreach (value, key, item) {
        if (property_of(schema, key))
            continue;
        snprintf(name, sizeof name, "%.*s%.*s", rlx_utf8_clip(prefix, 120), prefix,
                 rlx_utf8_clip(key, 60), key);
        if (schema->additional)
            json_object_set_new(clean, key, rlx_validate(schema->additional, item, name, errors));
        else if (schema->unknown == RLX_UNKNOWN_KEEP)
            json_object_set(clean, key, item);
        else
            refuse_unknown(schema, key, name, errors);
    }
}

static json_t *clean_object(const struct rlx_schema *schema, json_t *value, const char *field,
                            json_t *errors)
{
    json_t *clean = json_object();
    char prefix[FIELD_MAX], name[FIELD_MAX];

    snprintf(prefix, sizeof prefix, "%.*s%s", rlx_utf8_clip(field, 120), field, *field ? "." : "");
    for (size_t i = 0; i < schema->property_count; i++) {
        const struct rlx_property *property = &schema->properties[i];
        json_t *item = json_object_get(value, property->name);
        snprintf(name, sizeof name, "%.140s%.50s", prefix, property->name);
        if (item) {
            json_t *kept = rlx_validate(property->schema, item, name, errors);
            if (kept)
                json_object_set_new(clean, property->name, kept);
        } else if (property->required) {
            rlx_validate_error(errors, name, "is required");
        }
    }
    keep_unknown(schema, value, clean, prefix, errors);
    return clean;
}

/* The first schema that takes the value; else the complaints of the only one that is not about
 * null. */
static json_t *clean_any(const struct rlx_schema *schema, json_t *value, const char *field,
                         json_t *errors)
{
    const struct rlx_schema *only = NULL;
    json_t *clean = NULL;
    size_t forms = 0;

    for (size_t i = 0; schema->any[i] && !clean; i++) {
        json_t *complaints = json_array();
        clean = rlx_validate(schema->any[i], value, field, complaints);
        json_decref(complaints);
        if (schema->any[i]->types != RLX_T_NULL) {
            only = schema->any[i];
            forms++;
        }
    }
    if (!clean && forms == 1)
        return rlx_validate(only, value, field, errors);
    if (!clean)
        rlx_validate_error(errors, field, "has none of the allowed forms");
    return clean;
}

static bool small_enough(const struct rlx_schema *schema, const json_t *value)
{
    return !schema->max_bytes ||
           json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) <= schema->max_bytes;
}

static json_t *clean_whole(const struct rlx_schema *schema, json_t *value, const char *field,
                           json_t *errors)
{
    size_t before = json_array_size(errors);
    bool array = json_is_array(value);
    TALLOC_CTX *tmp = talloc_new(NULL);
    const char *why = array ? sized(tmp, schema, json_array_size(value), "items")
                            : sized(tmp, schema, json_object_size(value), "fields");

    if (!why && !small_enough(schema, value))
        why = talloc_asprintf(tmp, "must not be larger than %zu bytes as JSON", schema->max_bytes);
    if (why)
        rlx_validate_error(errors, field, why);
    talloc_free(tmp);
    if (json_array_size(errors) > before)
        return NULL;
    json_t *clean = array ? clean_array(schema, value, field, errors)
                          : clean_object(schema, value, field, errors);
    if (!clean)
        rlx_validate_error(errors, field, "is too large");
    if (json_array_size(errors) == before)
        return clean;
    json_decref(clean);
    return NULL;
}

json_t *rlx_validate(const struct rlx_schema *schema, json_t *value, const char *field,
                     json_t *errors)
{
    unsigned type = type_of(value);
    const char *why = NULL;

    if (schema->any)
        return clean_any(schema, value, field, errors);
    if (schema->types && !(schema->types & type)) {
        rlx_validate_error(errors, field,
                           *field ? wanted(schema->types) : "the body must be an object");
        return NULL;
    }
    if (type & (RLX_T_ARRAY | RLX_T_OBJECT))
        return clean_whole(schema, value, field, errors);
    TALLOC_CTX *tmp = talloc_new(NULL);
    if (type == RLX_T_STRING)
        why = check_string(tmp, schema, json_string_value(value));
    else if (type & RLX_T_NUMBER)
        why = check_number(tmp, schema, json_number_value(value));
    if (why)
        rlx_validate_error(errors, field, why);
    talloc_free(tmp);
    if (why)
        return NULL;
    if (type == RLX_T_STRING && schema->format == RLX_FORMAT_UUID)
        return lower_case(json_string_value(value));
    if (json_is_real(value) && (schema->types & RLX_T_INT) && !(schema->types & RLX_T_NUMBER))
        return json_integer((json_int_t)json_real_value(value));
    return json_incref(value);
}

/* ---- text that stands for a value ---- */

static json_t *read_number(const char *text, bool whole)
{
    char *end = NULL;
    bool plain = *text && !text[strspn(text, whole ? "-0123456789" : "-+.eE0123456789")];

    errno = 0;
    if (plain && whole) {
        long long value = strtoll(text, &end, 10);
        return !errno && !*end ? json_integer(value) : NULL;
    }
    double real = plain ? strtod(text, &end) : 0;
    return plain && !errno && !*end ? json_real(real) : NULL;
}

json_t *rlx_validate_text(const struct rlx_schema *schema, const char *text, size_t length,
                          const char *field, json_t *errors)
{
    json_t *value = NULL;

    if (strlen(text) != length) {
        rlx_validate_error(errors, field, "holds U+0000");
        return NULL;
    }
    if (schema->types & (RLX_T_INT | RLX_T_NUMBER))
        value = read_number(text, !(schema->types & RLX_T_NUMBER));
    else if (schema->types & RLX_T_BOOL)
        value = !strcmp(text, "true") ? json_true() : !strcmp(text, "false") ? json_false() : NULL;
    else if (!(value = json_stringn(text, length)))
        rlx_validate_error(errors, field, "is not valid UTF-8");
    else if (schema->types & RLX_T_ARRAY)
        value = json_pack("[o]", value);
    if (!value) {
        if (!json_array_size(errors))
            rlx_validate_error(errors, field, wanted(schema->types));
        return NULL;
    }
    json_t *clean = rlx_validate(schema, value, field, errors);
    json_decref(value);
    return clean;
}
