/* A webhook's signature and its waits. */
#include "../rlx_test.h"

#include "worker/tasks.h"

static void test_signature(void **state)
{
    /* printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_abc */
    assert_string_equal(rlx_webhook_signature(*state, "whsec_abc", 1700000000, "{\"a\":1}"),
                        "t=1700000000,v1="
                        "3b843bacfb18cc5554542fdcc84d815b399c52758e508a6fcecf0a2af4efea2b");
}

static void test_waits(void **state)
{
    static const int64_t waits_s[] = {10, 60, 300, 1800, 7200, 21600};
    (void)state;

    for (int i = 0; i < 6; i++)
        assert_int_equal(rlx_webhook_wait_ms(i + 1), waits_s[i] * 1000);
    assert_int_equal(rlx_webhook_wait_ms(7), 0);
    assert_int_equal(rlx_webhook_wait_ms(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(test_signature), RLX_TEST(test_waits)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
