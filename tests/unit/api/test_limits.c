/* Rate limits: buckets, classes, the setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "api/limits.h"
#include "base/err.h"

static void buckets(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_limits *limits = NULL;
    char *why = NULL;

    (void)state;
    assert_int_equal(rlx_limits_create(&limits, ctx, "read=60,write=6", &why), 0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(rlx_limits_take(limits, RLX_RATE_READ, "ann", 1000), 0);
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_READ, "ann", 1000), 2);
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_READ, "bob", 1000), 0);  /* another user */
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_WRITE, "ann", 1000), 0); /* another class */
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_READ, "ann", 2001),
                     0); /* one a second comes back */
    assert_true(rlx_limits_take(limits, RLX_RATE_READ, "ann", 2001) > 0);
    assert_true(rlx_limits_take(limits, RLX_RATE_READ, "ann", 500) >
                0);              /* a clock that went back gives nothing */
    for (int i = 0; i < 60; i++) /* a minute's worth gathers, and no more */
        assert_int_equal(rlx_limits_take(limits, RLX_RATE_READ, "ann", 10000000), 0);
    assert_true(rlx_limits_take(limits, RLX_RATE_READ, "ann", 10000000) > 0);
    for (int i = 0; i < 6; i++)
        rlx_limits_take(limits, RLX_RATE_WRITE, "cid", 1000);
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_WRITE, "cid", 1000),
                     11); /* six a minute: one in 10 s */
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_NONE, "ann", 1000), 0);
    assert_int_equal(rlx_limits_of(limits, RLX_RATE_AUTH), 60);
    for (int i = 0; i < 6; i++)
        rlx_limits_take(limits, RLX_RATE_WRITE, "2001:db8::1", 1000);
    assert_true(rlx_limits_take(limits, RLX_RATE_WRITE, "2001:db8::ffff", 1000) > 0);
    assert_int_equal(rlx_limits_take(limits, RLX_RATE_WRITE, "2001:db8:0:1::1", 1000), 0);
    talloc_free(ctx);
}

/* However many there are, memory stays what it was, and each still has a bucket. */
static void many(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_limits *limits = NULL;
    char *why = NULL, who[24];

    (void)state;
    assert_int_equal(rlx_limits_create(&limits, ctx, "", &why), 0);
    for (int i = 0; i < 100000; i++) {
        snprintf(who, sizeof who, "user %d", i);
        assert_int_equal(rlx_limits_take(limits, RLX_RATE_READ, who, 1000), 0);
    }
    talloc_free(ctx);
}

static void settings(void **state)
{
    static const char *const bad[] = {"read",   "read=",    "read=0",  "read=-1",
                                      "read=x", "read=1x",  "reads=5", "read=99999999999",
                                      ",",      "read=1,,", "none=1"};
    TALLOC_CTX *ctx = talloc_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rlx_limits *limits = NULL;
        char *why = NULL;
        if (rlx_limits_create(&limits, ctx, bad[i], &why) != RLX_ECONFIG || !why)
            fail_msg("%s was taken", bad[i]);
    }
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets),
        cmocka_unit_test(many),
        cmocka_unit_test(settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
