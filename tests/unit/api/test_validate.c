/* Validation by schema tables: JSON, query text, scopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/private.h"

#define USER "0190a0b0-0000-7000-8000-000000000001"

static const char *const choices[] = {"x", "yy", NULL};
static struct rlx_pattern word = {.text = "^[a-z]+$", .shown = "^[a-z]+$"};
static const struct rlx_schema text3 = {
    .types = RLX_T_STRING, .min_size = 1, .has_max_size = true, .max_size = 3, .not_blank = true};
static const struct rlx_schema maybe3 = {
    .types = RLX_T_STRING | RLX_T_NULL, .has_max_size = true, .max_size = 3};
static const struct rlx_schema whole = {
    .types = RLX_T_INT, .has_min = true, .min = 1, .has_max = true, .max = 9};
static const struct rlx_schema real = {
    .types = RLX_T_NUMBER, .has_min = true, .min = 0, .over_min = true, .has_max = true, .max = 2};
static const struct rlx_schema flag = {.types = RLX_T_BOOL};
static const struct rlx_schema open_object = {
    .types = RLX_T_OBJECT, .max_bytes = 20, .unknown = RLX_UNKNOWN_KEEP};
static const struct rlx_schema uuid = {.types = RLX_T_STRING, .format = RLX_FORMAT_UUID};
static const struct rlx_schema choice = {.types = RLX_T_STRING, .one_of = choices};
static const struct rlx_schema words = {.types = RLX_T_STRING, .pattern = &word};
static const struct rlx_property inner[] = {{"k", true, &words}, {"n", false, &whole}};
static const struct rlx_schema closed = {
    .types = RLX_T_OBJECT, .properties = inner, .property_count = 2, .unknown = RLX_UNKNOWN_REFUSE};
static const struct rlx_schema list = {
    .types = RLX_T_ARRAY, .items = &closed, .has_max_size = true, .max_size = 2};
static const struct rlx_schema ints = {.types = RLX_T_OBJECT, .additional = &whole};
static const struct rlx_schema null = {.types = RLX_T_NULL};
static const struct rlx_schema *const either_of[] = {&closed, &null, NULL};
static const struct rlx_schema either = {.any = either_of};
static const struct rlx_property fields[] = {
    {"s", true, &text3}, {"n", false, &maybe3},      {"i", false, &whole}, {"f", false, &real},
    {"b", false, &flag}, {"o", false, &open_object}, {"u", false, &uuid},  {"e", false, &choice},
    {"a", false, &list}, {"m", false, &ints},        {"y", false, &either}};
static const struct rlx_schema body_schema = {.types = RLX_T_OBJECT,
                                              .properties = fields,
                                              .property_count = sizeof fields / sizeof fields[0]};

static void bodies(void **state)
{
    static const struct {
        const char *body, *bad; /* names of the fields that are wrong, in their order */
    } rows[] = {
        {"{\"s\":\"abc\"}", ""},
        {"{\"s\":\"äöü\"}", ""},
        {"{\"s\":\"abcd\"}", "s "},
        {"{\"s\":\"\"}", "s "},
        {"{\"s\":\"  \"}", "s "},
        {"{\"s\":\"\xc2\xa0\xe2\x80\x83\"}", "s "},
        {"{\"s\":\"\\u001c\\u001f\"}", "s "},
        {"{\"s\":\"\\u0085\\ufeff\"}", "s "},
        {"{\"s\":\"\\u001b\"}", ""},
        {"{\"s\":\"\\u200b\"}", ""},
        {"{\"s\":null}", "s "},
        {"{}", "s "},
        {"{\"s\":7,\"i\":\"1\"}", "s i "},
        {"{\"s\":\"a\",\"n\":null,\"i\":1,\"f\":2,\"b\":true,\"o\":{},\"e\":\"yy\"}", ""},
        {"{\"s\":\"a\",\"i\":0}", "i "},
        {"{\"s\":\"a\",\"i\":1.0}", ""},
        {"{\"s\":\"a\",\"i\":1.5}", "i "},
        {"{\"s\":\"a\",\"i\":10}", "i "},
        {"{\"s\":\"a\",\"i\":true}", "i "},
        {"{\"s\":\"a\",\"f\":0}", "f "},
        {"{\"s\":\"a\",\"f\":0.1}", ""},
        {"{\"s\":\"a\",\"b\":1}", "b "},
        {"{\"s\":\"a\",\"o\":{\"long\":\"0123456789\"}}", "o "},
        {"{\"s\":\"a\",\"u\":\"x\"}", "u "},
        {"{\"s\":\"a\",\"u\":\"" USER "\"}", ""},
        {"{\"s\":\"a\",\"e\":\"y\"}", "e "},
        {"{\"s\":\"a\",\"e\":\"\"}", "e "},
        {"{\"s\":\"a\",\"a\":[{\"k\":\"w\"}]}", ""},
        {"{\"s\":\"a\",\"a\":[{\"k\":\"w\"},{\"k\":\"W\",\"z\":1}]}", "a[1].k a[1].z "},
        {"{\"s\":\"a\",\"a\":[{},7]}", "a[0].k a[1] "},
        {"{\"s\":\"a\",\"a\":[{},{},{}]}", "a "},
        {"{\"s\":\"a\",\"a\":{}}", "a "},
        {"{\"s\":\"a\",\"m\":{\"q\":1,\"r\":2}}", ""},
        {"{\"s\":\"a\",\"m\":{\"q\":1,\"r\":\"2\"}}", "m.r "},
        {"{\"s\":\"a\",\"y\":null}", ""},
        {"{\"s\":\"a\",\"y\":{\"k\":\"w\"}}", ""},
        {"{\"s\":\"a\",\"y\":{\"k\":7}}", "y.k "},
        {"{\"s\":\"a\",\"y\":7}", "y "},
        {"[]", " "},
        {"7", " "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *body = json_loads(rows[i].body, JSON_DECODE_ANY, NULL), *errors = json_array();
        char bad[200] = "";
        assert_non_null(body);
        json_t *clean = rlx_validate(&body_schema, body, "", errors);
        for (size_t k = 0; k < json_array_size(errors); k++) {
            const json_t *error = json_array_get(errors, k);
            size_t n = strlen(bad);
            snprintf(bad + n, sizeof bad - n, "%s ",
                     json_string_value(json_object_get(error, "field")));
        }
        if (strcmp(bad, rows[i].bad) != 0)
            fail_msg("%s: %s", rows[i].body, bad);
        assert_true(!*bad == !!clean);
        json_decref(clean);
        json_decref(errors);
        json_decref(body);
    }
}

/* Unknown fields are dropped or kept, integers come out as integers, UUIDs in lower case. */
static void cleaned(void **state)
{
    json_t *errors = json_array();
    json_t *body = json_loads("{\"s\":\"a\",\"no\":1,\"i\":3.0,\"o\":{\"z\":1},"
                              "\"u\":\"0190A0B0-0000-7000-8000-000000000001\"}",
                              0, NULL);
    json_t *clean = rlx_validate(&body_schema, body, "", errors);

    (void)state;
    assert_non_null(clean);
    assert_null(json_object_get(clean, "no"));
    assert_true(json_is_integer(json_object_get(clean, "i")));
    assert_non_null(json_object_get(json_object_get(clean, "o"), "z"));
    assert_string_equal(json_string_value(json_object_get(clean, "u")),
                        "0190a0b0-0000-7000-8000-000000000001");
    json_decref(clean);
    json_decref(body);
    json_decref(errors);
}

/* However much is wrong, the answer stays small. */
static void many_errors(void **state)
{
    json_t *errors = json_array(), *array = json_array();
    static const struct rlx_schema no_limit = {.types = RLX_T_ARRAY, .items = &whole};

    (void)state;
    for (int i = 0; i < 100000; i++)
        json_array_append_new(array, json_string("x"));
    assert_null(rlx_validate(&no_limit, array, "a", errors));
    assert_true(json_array_size(errors) <= 30);
    json_decref(array);
    json_decref(errors);
}

static void query_text(void **state)
{
    static const struct {
        const struct rlx_schema *schema;
        const char *text;
        bool good;
    } rows[] = {
        {&whole, "5", true},     {&whole, "", false},     {&whole, "5x", false},
        {&whole, " 5", false},   {&whole, "10", false},   {&whole, "99999999999999999999", false},
        {&whole, "1.5", false},  {&real, "1.5", true},    {&real, "nan", false},
        {&real, "0x1p0", false}, {&real, "1e999", false}, {&flag, "true", true},
        {&flag, "1", false},     {&uuid, USER, true},     {&uuid, USER "0", false},
        {&choice, "x", true},    {&choice, "z", false},   {&words, "a\xff", false},
        {&text3, "a", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *errors = json_array();
        json_t *value =
            rlx_validate_text(rows[i].schema, rows[i].text, strlen(rows[i].text), "q", errors);
        if (!value != !rows[i].good || (json_array_size(errors) > 0) == rows[i].good)
            fail_msg("row %zu: %s", i, rows[i].text);
        json_decref(value);
        json_decref(errors);
    }
    json_t *errors = json_array();
    assert_null(rlx_validate_text(&text3, "a\0b", 3, "q", errors));
    assert_int_equal(json_array_size(errors), 1);
    json_decref(errors);
}

static void dates(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"2026-01-02T03:04:05Z", true},   {"2026-01-02T03:04:05.678+01:00", true},
        {"2026-01-02t03:04:05z", true},   {"2024-02-29T00:00:00Z", true},
        {"2026-02-29T00:00:00Z", false},  {"2026-13-01T00:00:00Z", false},
        {"2026-01-02T24:00:00Z", false},  {"2026-01-02", false},
        {"2026-01-02T03:04:05", false},   {"2026-01-02T03:04:05.Z", false},
        {"2026-01-02T03:04:05Z ", false}, {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rlx_is_date_time(rows[i].text), rows[i].good);
    assert_true(rlx_is_date("2026-12-31"));
    assert_false(rlx_is_date("2026-12-32"));
    assert_false(rlx_is_date("2026-12-31T"));
}

static void scopes(void **state)
{
    static const struct {
        const char *scopes, *wanted;
        bool good;
    } rows[] = {
        {"calls:read", "calls:read", true},
        {"calls:read", "calls:write", false},
        {"calls:write", "calls:read", true},
        {"agents:read calls:write", "calls:write", true},
        {"read", "calls:read", true},
        {"read", "calls:write", false},
        {"write", "calls:read", true},
        {"write", "agents:write", true},
        {"*", "agents:write", true},
        {"*", "none", false},
        {"", "calls:read", false},
        {"call:read calls", "calls:read", false},
        {"write", "none", false},
        {"callsX:write", "calls:read", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rlx_scope_allows(rows[i].scopes, rows[i].wanted), rows[i].good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),     cmocka_unit_test(cleaned), cmocka_unit_test(many_errors),
        cmocka_unit_test(query_text), cmocka_unit_test(dates),   cmocka_unit_test(scopes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
