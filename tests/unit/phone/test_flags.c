#include "../rlx_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "phone/flags.h"
#include "phone/phone.h"

static int read_flags(TALLOC_CTX *ctx, struct rlx_phone_flags *flags, char **whyp, int argc,
                      const char **argv)
{
    struct rlx_config *config = NULL;

    assert_int_equal(rlx_config_load(&config, ctx, argc, (char **)(uintptr_t)argv, whyp), 0);
    return rlx_phone_flags_read(flags, ctx, config, whyp);
}

#define READ(...)                                                                                  \
    read_flags(*state, &flags, &why, sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *), \
               (const char *[]){__VA_ARGS__, NULL})

static void serve_and_load(void **state)
{
    struct rlx_phone_flags flags;
    char *why = NULL;

    assert_int_equal(READ("--phone-port", "9"), 0);
    assert_false(flags.load);
    assert_int_equal(flags.seed, 1);
    assert_int_equal(flags.ring_ms, 400);
    assert_int_equal(READ("serve", "--kind", "--port", "8010", "--seed=44", "--callee", "a.txt",
                          "--callee=b.txt", "--ring-ms", "0"),
                     0);
    assert_true(flags.kind);
    assert_int_equal(flags.port, 8010);
    assert_int_equal(flags.seed, 44);
    assert_int_equal(flags.ring_ms, 0);
    assert_int_equal(flags.callee_count, 2);
    assert_string_equal(flags.callees[1], "b.txt");
    assert_int_equal(READ("load", "--webhook", "http://x/{n}", "--calls", "50"), 0);
    assert_true(flags.load);
    assert_int_equal(flags.concurrent, 50);
    assert_string_equal(flags.webhook, "http://x/{n}");
}

static void mistakes(void **state)
{
    struct rlx_phone_flags flags;
    char *why = NULL;

    assert_int_equal(READ("ring"), RLX_ECONFIG);
    assert_non_null(strstr(why, "\"ring\""));
    assert_int_equal(READ("serve", "--colour"), RLX_ECONFIG);
    assert_non_null(strstr(why, "--colour"));
    assert_int_equal(READ("--port", "0"), RLX_ECONFIG);
    assert_int_equal(READ("--port"), RLX_ECONFIG);
    assert_int_equal(READ("--seed", "-1"), RLX_ECONFIG);
    assert_int_equal(READ("--kind=yes"), RLX_ECONFIG);
    assert_int_equal(READ("load"), RLX_ECONFIG);
    assert_non_null(strstr(why, "--webhook"));
    assert_int_equal(READ("load", "--webhook", "http://x", "--calls", "5001"), RLX_ECONFIG);
}

/* A bad value's message names the flag, the value and what is expected. */
static void bad_values(void **state)
{
    static const struct {
        const char *flag, *value, *says[3];
    } CASES[] = {
        {"--port", "0", {"--port", "\"0\"", "1 to 65535"}},
        {"--port", NULL, {"--port", "needs a value", "1 to 65535"}},
        {"--ring-ms", "soon", {"--ring-ms", "\"soon\"", "0 to 120000"}},
        {"--seed", "-1", {"--seed", "\"-1\"", "whole number"}},
        {"--calls", "5001", {"--calls", "\"5001\"", "1 to 5000"}},
        {"--limit", "12x", {"--limit", "\"12x\"", "1 to 3600"}},
        {"--cps=", NULL, {"--cps", "\"\"", "0 to 1000"}},
        {"--kind=yes", NULL, {"--kind", "\"yes\"", "takes no value"}},
        {"--callee", NULL, {"--callee", "needs a value", "--callee"}},
        {"--webhook", NULL, {"--webhook", "needs a value", "--webhook"}},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct rlx_phone_flags flags;
        char *why = NULL;
        const char *argv[] = {"serve", CASES[i].flag, CASES[i].value, NULL};
        assert_int_equal(read_flags(*state, &flags, &why, CASES[i].value ? 3 : 2, argv),
                         RLX_ECONFIG);
        for (unsigned j = 0; j < 3; j++)
            if (!why || !strstr(why, CASES[i].says[j]))
                fail_msg("%s: \"%s\" has no %s", CASES[i].flag, why, CASES[i].says[j]);
    }
}

/* The help lists every flag that is read. */
static void help(void **state)
{
    static const char *const FLAGS[] = {"--port",       "--callee", "--kind",     "--seed",
                                        "--ring-ms",    "--cps",    "--insecure", "--webhook",
                                        "--api",        "--agent",  "--token",    "--calls",
                                        "--concurrent", "--script", "--limit"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    rlx_phone_help(out);
    fclose(out);
    for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++)
        if (!strstr(text, FLAGS[i]))
            fail_msg("the help has no %s", FLAGS[i]);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(serve_and_load), RLX_TEST(mistakes),
                                       RLX_TEST(bad_values), RLX_TEST(help)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
