/* Templates: what is refused when they are kept, and what they become in a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "call/template.h"

static void refused(const char *text, const char *want)
{
    char *why = NULL;

    assert_int_equal(rlx_template_check(NULL, text, &why), RLX_EINVAL);
    assert_string_equal(why, want);
    talloc_free(why);
}

static void checks(void **state)
{
    static const char *const good[] = {
        "",
        "plain",
        "{ {x} }",
        "}} {x}",
        "{{contact.name}}",
        "{{ contact.name | there }}",
        "{{contact.home.city|}}",
        "{{variables.order_no|your order}}",
        "{{call.weekday}}",
        "{{agent.name}} calls {{call.phone_number}}",
        "{{contact.a-b}}",
    };
    char *why = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(rlx_template_check(NULL, good[i], &why), 0);
    assert_int_equal(rlx_template_check(NULL, NULL, &why), 0);
    refused("Hi {{name}}",
            "line 1, column 4: \"name\" is not known: a value of the call is {{variables.name}}");
    refused("é\nab {{contakt.name}}",
            "line 2, column 4: \"contakt\" is not known: use contact, variables, call or agent");
    refused("{{contact}}", "line 1, column 1: \"contact\" needs a field: {{contact.name}}");
    refused("{{contact.}}", "line 1, column 1: \"contact.\" is no name like contact.name");
    refused("{{}}", "line 1, column 1: \"\" is no name like contact.name");
    refused("{{contact.na me}}",
            "line 1, column 1: \"contact.na me\" is no name like contact.name");
    refused("{{call.cost}}", "line 1, column 1: call has no field \"cost\"");
    refused("a {{contact.name", "line 1, column 3: {{ is never closed by }}");
    refused("{{contact.name {{contact.x}}", "line 1, column 1: {{ is never closed by }}");
    refused("{{#if contact.name}}x{{/if}}",
            "line 1, column 1: \"#if contact.name\" is no name like contact.name");
}

static void check_fill(const json_t *values, const char *text, const char *want)
{
    char *got = rlx_template_fill(NULL, text, values);

    assert_string_equal(got, want);
    talloc_free(got);
}

static void fills(void **state)
{
    json_t *call = json_pack("{s:s,s:s,s:n,s:s,s:{s:s,s:s,s:{s:s}},s:{s:s,s:s},s:{s:s,s:s,s:s}}",
                             "id", "1", "phone_number", "+12025550123", "caller_id", "created_at",
                             "2026-11-24T10:00:00.000Z", "variables", "order", "A7", "gap", " ",
                             "contact", "name", "Bea", "contact", "name", "Ann", "email", "a@b.c",
                             "agent", "name", "Emma", "language", "en", "prompt_text", "secret");
    json_t *values = rlx_template_values(call);

    (void)state;
    check_fill(values, "Hi {{contact.name|there}}, {{contact.email}}", "Hi Bea, a@b.c");
    check_fill(values, "{{variables.order}} {{order}}", "A7 A7");
    check_fill(values, "{{variables.none| your order }}", "your order");
    check_fill(values, "{{variables.gap|x}}{{variables.none}}", "x");
    check_fill(values, "{{call.date}} {{call.weekday}} {{call.phone_number}}",
               "2026-11-24 Tuesday +12025550123");
    check_fill(values, "{{call.caller_id|ours}}", "ours");
    check_fill(values, "{{agent.name}}{{agent.prompt_text}}", "Emma");
    check_fill(values, "{{contact.phone_number}}", "+12025550123");
    json_decref(values);
    json_decref(call);
    call = json_object();
    values = rlx_template_values(call);
    check_fill(values, "Hi {{contact.name|there}}", "Hi there");
    json_decref(values);
    json_decref(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checks), cmocka_unit_test(fills)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
