#include "call/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

#define FILLED_MAX 32768
#define VALUE_MAX 500
#define PATH_MAX_CHARS 128

/* NULL-terminated; an empty list: any field. */
struct root {
    const char *name;
    const char *fields[8];
};
static const struct root ROOTS[] = {
    {"contact", {NULL}},
    {"variables", {NULL}},
    {"call", {"id", "phone_number", "caller_id", "purpose", "date", "weekday", NULL}},
    {"agent", {"name", "language", NULL}},
};
#define ROOT_COUNT (sizeof ROOTS / sizeof ROOTS[0])

/* What stands between {{ and }}: a path, and a default when there is a bar. */
struct slot {
    const char *path, *fallback;
    size_t path_length, fallback_length;
};

static void trim(const char **textp, size_t *lengthp)
{
    while (*lengthp && isspace((unsigned char)**textp))
        (*textp)++, (*lengthp)--;
    while (*lengthp && isspace((unsigned char)(*textp)[*lengthp - 1]))
        (*lengthp)--;
}

static struct slot slot_read(const char *text, size_t length)
{
    const char *bar = memchr(text, '|', length);
    struct slot slot = {.path = text, .path_length = bar ? (size_t)(bar - text) : length};

    if (bar) {
        slot.fallback = bar + 1;
        slot.fallback_length = length - slot.path_length - 1;
        trim(&slot.fallback, &slot.fallback_length);
    }
    trim(&slot.path, &slot.path_length);
    return slot;
}

/* ---- checking ---- */

/* Dots part names of letters, digits, _ and -. */
static bool is_path(const struct slot *slot)
{
    bool begins = true;

    for (size_t i = 0; i < slot->path_length; i++) {
        char c = slot->path[i];
        bool dot = c == '.';
        if (dot ? begins : !isalnum((unsigned char)c) && c != '_' && (c != '-' || begins))
            return false;
        begins = dot;
    }
    return !begins && slot->path_length < PATH_MAX_CHARS;
}

static bool is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && !memcmp(text, name, length);
}

/* What is wrong with a slot, on ctx; NULL = nothing. */
static char *complaint(TALLOC_CTX *ctx, const struct slot *slot)
{
    int length = (int)slot->path_length;
    const char *dot = memchr(slot->path, '.', slot->path_length);
    size_t root_length = dot ? (size_t)(dot - slot->path) : slot->path_length;

    if (!is_path(slot))
        return talloc_asprintf(ctx, "\"%.*s\" is no name like contact.name",
                               length > 60 ? 60 : length, slot->path);
    for (size_t i = 0; i < ROOT_COUNT; i++) {
        const struct root *root = &ROOTS[i];
        if (!is(slot->path, root_length, root->name))
            continue;
        if (!dot)
            return talloc_asprintf(ctx, "\"%s\" needs a field: {{%s.name}}", root->name,
                                   root->name);
        const char *field = dot + 1;
        size_t field_length = slot->path_length - root_length - 1;
        for (size_t n = 0; root->fields[n]; n++) {
            if (is(field, field_length, root->fields[n]))
                return NULL;
        }
        return root->fields[0] ? talloc_asprintf(ctx, "%s has no field \"%.*s\"", root->name,
                                                 (int)field_length, field)
                               : NULL;
    }
    if (!dot)
        return talloc_asprintf(ctx,
                               "\"%.*s\" is not known: a value of the call is {{variables.%.*s}}",
                               length, slot->path, length, slot->path);
    return talloc_asprintf(ctx, "\"%.*s\" is not known: use contact, variables, call or agent",
                           (int)root_length, slot->path);
}

static void place(const char *text, const char *at, unsigned *linep, unsigned *columnp)
{
    *linep = *columnp = 1;
    for (const char *p = text; p < at; p++) {
        if (*p == '\n')
            (*linep)++, *columnp = 1;
        else
            *columnp += ((unsigned char)*p & 0xC0) != 0x80;
    }
}

int rlx_template_check(TALLOC_CTX *ctx, const char *text, char **whyp)
{
    unsigned line, column;

    if (!text)
        return 0;
    for (const char *at = strstr(text, "{{"), *next; at; at = strstr(next, "{{")) {
        const char *close = strstr(at, "}}"), *again = strstr(at + 2, "{{");
        bool open = !close || (again && again < close);
        char *why = NULL;
        if (!open) {
            const struct slot slot = slot_read(at + 2, (size_t)(close - at) - 2);
            why = complaint(ctx, &slot);
        }
        if (open || why) {
            place(text, at, &line, &column);
            *whyp = talloc_asprintf(ctx, "line %u, column %u: %s", line, column,
                                    why ? why : "{{ is never closed by }}");
            talloc_free(why);
            return RLX_EINVAL;
        }
        next = close + 2;
    }
    return 0;
}

/* ---- filling ---- */

/* Appends `length` bytes within the cap. */
static char *append(char *out, const char *text, size_t length)
{
    size_t have = out ? talloc_get_size(out) - 1 : 0;

    if (!out || have >= FILLED_MAX)
        return out;
    if (length > FILLED_MAX - have)
        length = FILLED_MAX - have;
    return talloc_strndup_append_buffer(out, text, length);
}

/* The value at a dotted path, or NULL. */
static const json_t *value_at(const json_t *variables, const char *path, size_t length)
{
    char copy[PATH_MAX_CHARS];
    if (length == 0 || length >= sizeof(copy))
        return NULL;
    memcpy(copy, path, length);
    copy[length] = '\0';
    const json_t *value = variables;
    char *rest = copy;
    for (char *name; value && (name = strsep(&rest, "."));)
        value = json_object_get(value, name);
    return value;
}

/* A value as text on one line: it comes from a contact list and must not look like a part of the
 * prompt. */
static char *value_text(TALLOC_CTX *ctx, const json_t *value)
{
    char *text;
    if (json_is_string(value))
        text = talloc_strndup(ctx, json_string_value(value), VALUE_MAX);
    else if (json_is_integer(value))
        text = talloc_asprintf(ctx, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        text = talloc_asprintf(ctx, "%.10g", json_real_value(value));
    else if (json_is_boolean(value))
        text = talloc_strdup(ctx, json_is_true(value) ? "yes" : "no");
    else
        text = talloc_strdup(ctx, "");
    size_t length = text ? strlen(text) : 0;
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)text[i]))
            text[i] = ' ';
    }
    /* The cap may have cut a character in half. */
    if (length == VALUE_MAX) {
        while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
            length--;
        if (length > 0 && (unsigned char)text[length - 1] >= 0xC0)
            length--;
        text[length] = '\0';
    }
    return text;
}

/* Fills one slot. */
static char *fill_slot(char *out, const struct slot *slot, const json_t *values)
{
    char *value = value_text(NULL, value_at(values, slot->path, slot->path_length));

    if (value && value[strspn(value, " ")])
        out = append(out, value, strlen(value));
    else if (slot->fallback)
        out = append(out, slot->fallback, slot->fallback_length);
    talloc_free(value);
    return out;
}

char *rlx_template_fill(TALLOC_CTX *ctx, const char *text, const json_t *values)
{
    char *out = talloc_strdup(ctx, "");
    const char *at = text ? text : "";

    while (out && *at) {
        const char *open = strstr(at, "{{");
        const char *close = open ? strstr(open, "}}") : NULL;
        if (!close)
            return append(out, at, strlen(at));
        out = append(out, at, (size_t)(open - at));
        const struct slot slot = slot_read(open + 2, (size_t)(close - open) - 2);
        out = fill_slot(out, &slot, values);
        at = close + 2;
    }
    return out;
}

/* ---- values ---- */

/* RFC 3339 to the day of the week; NULL when it is none. */
static const char *weekday_of(const char *time)
{
    static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};
    struct tm day = {0};

    if (!time || !strptime(time, "%Y-%m-%d", &day))
        return NULL;
    timegm(&day); /* sets the day of the week */
    return names[day.tm_wday];
}

static json_t *call_values(const json_t *call)
{
    static const char *const names[] = {"id", "phone_number", "caller_id", "purpose"};
    const char *began = json_string_value(json_object_get(call, "created_at"));
    const char *weekday = weekday_of(began);
    json_t *values = json_object();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_object_set(values, names[i], json_object_get(call, names[i]));
    if (weekday) {
        json_object_set_new(values, "date", json_stringn(began, 10));
        json_object_set_new(values, "weekday", json_string(weekday));
    }
    return values;
}

json_t *rlx_template_values(const json_t *call)
{
    const json_t *variables = json_object_get(call, "variables");
    const json_t *agent = json_object_get(call, "agent"), *known = json_object_get(call, "contact");
    json_t *values =
        json_is_object(variables) ? json_copy((json_t *)(uintptr_t)variables) : json_object();
    json_t *contact = json_object();

    json_object_set(contact, "phone_number", json_object_get(call, "phone_number"));
    if (json_is_object(known))
        json_object_update(contact, (json_t *)(uintptr_t)known);
    if (json_is_object(json_object_get(variables, "contact")))
        json_object_update(contact, json_object_get(variables, "contact"));
    json_object_set_new(values, "contact", contact);
    if (json_is_object(variables))
        json_object_set(values, "variables", (json_t *)(uintptr_t)variables);
    json_object_set_new(values, "call", call_values(call));
    json_object_set_new(values, "agent", json_object());
    json_object_set(json_object_get(values, "agent"), "name", json_object_get(agent, "name"));
    json_object_set(json_object_get(values, "agent"), "language",
                    json_object_get(agent, "language"));
    return values;
}
