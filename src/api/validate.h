/* Validation of JSON bodies by tables. Pure; any thread. */
#ifndef RLX_API_VALIDATE_H
#define RLX_API_VALIDATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

enum rlx_field_type {
    RLX_FIELD_STRING, /* min, max: characters */
    RLX_FIELD_INT,    /* min, max: value */
    RLX_FIELD_NUMBER,
    RLX_FIELD_BOOL,
    RLX_FIELD_OBJECT, /* max: bytes of its JSON text */
    RLX_FIELD_ARRAY,  /* min, max: items */
    RLX_FIELD_UUID,
    RLX_FIELD_EMAIL,
    RLX_FIELD_PHONE, /* E.164: ^\+[1-9]\d{7,14}$ */
};

struct rlx_field_rule {
    const char *name;
    enum rlx_field_type type;
    bool required, nullable;
    double min, max;    /* max 0 = none */
    const char *one_of; /* "a|b|c" for strings */
    /* A further check: NULL when the value is good, else a sentence on ctx. */
    const char *(*check)(const json_t *value, TALLOC_CTX *ctx);
};

/* Checks an object. The result holds only the fields that the rules name; *errorsp is an array of
 * {field, message}, empty when all is well. Both are the caller's to drop. `partial`: required
 * fields may be absent. NULL when out of memory. */
json_t *rlx_validate(const json_t *body, const struct rlx_field_rule *rules, size_t count,
                     bool partial, json_t **errorsp);

bool rlx_is_phone(const char *text);
bool rlx_is_email(const char *text);
/* Number of characters of UTF-8 text. */
size_t rlx_utf8_length(const char *text);
/* Bytes of the text, at most max, that end between two characters: for %.*s. */
int rlx_utf8_clip(const char *text, size_t max);

#endif
