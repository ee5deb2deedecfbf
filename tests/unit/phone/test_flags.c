#include "../rlx_test.h"

#include "base/err.h"
#include "phone/flags.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(serve_and_load), RLX_TEST(mistakes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
