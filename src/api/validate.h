/* Validation of JSON values, query parameters and form fields by the schemas of docs/api. The tables are made at build
 * by openapi.py. Pure; any thread. */
#ifndef RLX_API_VALIDATE_H
#define RLX_API_VALIDATE_H

#include <jansson.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* Types of JSON Schema, as bits. */
enum rlx_type {
    RLX_T_NULL = 1,
    RLX_T_BOOL = 2,
    RLX_T_INT = 4, /* 1.0 is one too, and comes out as 1 */
    RLX_T_NUMBER = 8,
    RLX_T_STRING = 16,
    RLX_T_ARRAY = 32,
    RLX_T_OBJECT = 64,
};

enum rlx_format {
    RLX_FORMAT_NONE,
    RLX_FORMAT_UUID, /* comes out in lower case */
    RLX_FORMAT_EMAIL,
    RLX_FORMAT_DATE_TIME, /* RFC 3339 */
    RLX_FORMAT_DATE,
    RLX_FORMAT_URI,    /* http or https */
    RLX_FORMAT_BINARY, /* a file of a form */
};

/* Fields of an object that its schema does not name. */
enum rlx_unknown { RLX_UNKNOWN_DROP, RLX_UNKNOWN_KEEP, RLX_UNKNOWN_REFUSE };

struct rlx_pattern {
    const char *text;  /* POSIX extended regular expression */
    const char *shown; /* as the description has it */
    regex_t compiled;  /* at the first use */
    atomic_int state;
};

struct rlx_schema {
    unsigned types; /* 0 = any value, as it is */
    enum rlx_format format;
    bool has_min, has_max, over_min, under_max; /* of numbers; over, under: the bound itself is out */
    double min, max;
    bool has_max_size;
    size_t min_size, max_size; /* characters, items or fields */
    size_t max_bytes;          /* of a string, or of the JSON text of anything else; 0 = no limit */
    bool not_blank;
    struct rlx_pattern *pattern;
    const char *message;       /* instead of the text about pattern or format */
    const char *const *one_of; /* for strings; NULL ends it */
    const struct rlx_property *properties;
    size_t property_count;
    enum rlx_unknown unknown;
    const struct rlx_schema *additional, *items;
    const struct rlx_schema *const *any; /* one of them at least; NULL ends it */
};

struct rlx_property {
    const char *name;
    bool required;
    const struct rlx_schema *schema;
};

/* Checks a value. The result (the caller's to drop) holds only what the schema keeps; NULL when something is wrong: then
 * errors, an array, got items {field, message}. `field` names the value itself ("" for a body). */
json_t *rlx_validate(const struct rlx_schema *schema, json_t *value, const char *field,
                     json_t *errors);
/* The same for text of a query, a header or a form: numbers and booleans are read from it. */
json_t *rlx_validate_text(const struct rlx_schema *schema, const char *text, size_t length,
                          const char *field, json_t *errors);
/* Appends {field, message}. */
void rlx_validate_error(json_t *errors, const char *field, const char *message);

bool rlx_is_phone(const char *text);
bool rlx_is_email(const char *text);
/* RFC 3339: 2026-01-02T03:04:05(.678)?(Z|+01:00), or the date alone. */
bool rlx_is_date_time(const char *text);
bool rlx_is_date(const char *text);
/* Number of characters of UTF-8 text. */
size_t rlx_utf8_length(const char *text);
/* Bytes of the text, at most max, that end between two characters: for %.*s. */
int rlx_utf8_clip(const char *text, size_t max);

#endif
