#include "api/validate.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

size_t rlx_utf8_length(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

int rlx_utf8_clip(const char *text, size_t max)
{
    size_t n = strnlen(text, max + 1);

    if (n > max)
        for (n = max; n && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
            ;
    return (int)n;
}

bool rlx_is_phone(const char *text)
{
    size_t digits = *text == '+' ? strspn(text + 1, "0123456789") : 0;

    return digits >= 8 && digits <= 15 && !text[1 + digits] && text[1] != '0';
}

/* One @, a name before it, a domain with a dot behind it, nothing that would need quoting. */
bool rlx_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    const char *dot = at ? strrchr(at, '.') : NULL;

    if (!at || at == text || strchr(at + 1, '@') || strlen(text) > 254 || at - text > 64)
        return false;
    if (!dot || dot == at + 1 || !dot[1] || at[1] == '.' || strstr(at, ".."))
        return false;
    for (const char *p = text; *p; p++)
        if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p) || strchr("\"(),:;<>[]\\", *p))
            return false;
    return true;
}

static bool listed(const char *text, const char *one_of)
{
    size_t length = strlen(text);

    for (const char *p = one_of; *p;) {
        size_t n = strcspn(p, "|");
        if (n == length && !memcmp(p, text, n))
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static const char *between(TALLOC_CTX *ctx, const struct rlx_field_rule *rule, double value,
                           const char *unit)
{
    if (value >= rule->min && (rule->max == 0 || value <= rule->max))
        return NULL;
    if (rule->max == 0)
        return talloc_asprintf(ctx, "must be at least %.10g%s", rule->min, unit);
    return talloc_asprintf(ctx, "must be between %.10g and %.10g%s", rule->min, rule->max, unit);
}

static const char *check_string(TALLOC_CTX *ctx, const struct rlx_field_rule *rule,
                                const json_t *value)
{
    const char *text = json_string_value(value);

    if (!text)
        return "must be a string";
    if (rule->one_of && !listed(text, rule->one_of))
        return talloc_asprintf(ctx, "must be one of %s", rule->one_of);
    if (rule->type == RLX_FIELD_UUID)
        return rlx_uuid_valid(text) ? NULL : "must be a UUID";
    if (rule->type == RLX_FIELD_PHONE)
        return rlx_is_phone(text) ? NULL : "must be a number in E.164 form, e.g. +12025550123";
    if (rule->type == RLX_FIELD_EMAIL)
        return rlx_is_email(text) ? NULL : "must be an e-mail address";
    if (rule->min > 0 && !text[strspn(text, " \t\r\n")])
        return "must not be empty";
    return between(ctx, rule, (double)rlx_utf8_length(text), " characters");
}

static const char *check_size(TALLOC_CTX *ctx, const struct rlx_field_rule *rule,
                              const json_t *value)
{
    if (rule->type == RLX_FIELD_ARRAY)
        return between(ctx, rule, (double)json_array_size(value), " items");
    size_t length = json_dumpb(value, NULL, 0, JSON_COMPACT);
    return rule->max > 0 && (double)length > rule->max
               ? talloc_asprintf(ctx, "must not be larger than %.0f bytes as JSON", rule->max)
               : NULL;
}

static const char *check_value(TALLOC_CTX *ctx, const struct rlx_field_rule *rule,
                               const json_t *value)
{
    const char *why = NULL;

    switch (rule->type) {
    case RLX_FIELD_INT:
        why = json_is_integer(value) ? between(ctx, rule, (double)json_integer_value(value), "")
                                     : "must be an integer";
        break;
    case RLX_FIELD_NUMBER:
        why = json_is_number(value) && isfinite(json_number_value(value))
                  ? between(ctx, rule, json_number_value(value), "")
                  : "must be a number";
        break;
    case RLX_FIELD_BOOL:
        why = json_is_boolean(value) ? NULL : "must be true or false";
        break;
    case RLX_FIELD_OBJECT:
        why = json_is_object(value) ? check_size(ctx, rule, value) : "must be an object";
        break;
    case RLX_FIELD_ARRAY:
        why = json_is_array(value) ? check_size(ctx, rule, value) : "must be an array";
        break;
    case RLX_FIELD_STRING:
    case RLX_FIELD_UUID:
    case RLX_FIELD_EMAIL:
    case RLX_FIELD_PHONE:
        why = check_string(ctx, rule, value);
        break;
    }
    if (!why && rule->check)
        why = rule->check(value, ctx);
    return why;
}

static void add_error(json_t *errors, const char *field, const char *message)
{
    json_array_append_new(errors, json_pack("{s:s,s:s}", "field", field, "message", message));
}

json_t *rlx_validate(const json_t *body, const struct rlx_field_rule *rules, size_t count,
                     bool partial, json_t **errorsp)
{
    json_t *clean = json_object(), *errors = json_array();
    TALLOC_CTX *tmp = talloc_new(NULL);

    if (!clean || !errors || !tmp) {
        json_decref(clean);
        json_decref(errors);
        talloc_free(tmp);
        return NULL;
    }
    if (!json_is_object(body))
        add_error(errors, "", "the body must be an object");
    for (size_t i = 0; i < count && json_is_object(body); i++) {
        const struct rlx_field_rule *rule = &rules[i];
        json_t *value = json_object_get(body, rule->name);
        const char *why = NULL;
        if (!value) {
            why = rule->required && !partial ? "is required" : NULL;
        } else if (!(json_is_null(value) && rule->nullable)) {
            why = check_value(tmp, rule, value);
        }
        if (why)
            add_error(errors, rule->name, why);
        else if (value)
            json_object_set(clean, rule->name, value);
    }
    talloc_free(tmp);
    *errorsp = errors;
    return clean;
}
