/* Times as Cal.com takes them. The rest is tested against a double
 * (tests/integration/test_api_calendar.py). */
#include "../rlx_test.h"

#include <errno.h>

#include "provider/cal.h"

static void test_utc(void **state)
{
    static const char *const good[][2] = {
        {"2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"},
        {"2026-12-01T10:00:00.123-05:30", "2026-12-01T15:30:00Z"},
        {"2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
        {"2026-12-01t10:00:00z", "2026-12-01T10:00:00Z"},
        {"2026-12-01", "2026-12-01T00:00:00Z"},
    };
    static const char *const bad[] = {"",
                                      "x",
                                      "2026-13-01",
                                      "2026-12-01T",
                                      "2026-12-01T10:00:00",
                                      "2026-12-01T10:00:00+1",
                                      "2026-12-01T10:00:00+99:00",
                                      "2026-12-01T10:00:00Zx",
                                      "2026-12-01 10:00:00Z"};
    char utc[24];
    (void)state;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(rlx_cal_utc(utc, good[i][0]));
        assert_string_equal(utc, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (rlx_cal_utc(utc, bad[i]))
            fail_msg("%s was taken for %s", bad[i], utc);
    }
    assert_false(rlx_cal_utc(utc, NULL));
}

static void test_arguments(void **state)
{
    json_t *json;
    (void)state;

    assert_int_equal(rlx_cal_slots(&json, NULL, NULL, 1, "a", "b", NULL, NULL), -EINVAL);
    assert_int_equal(rlx_cal_cancel(&json, NULL, NULL, "x", NULL, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(test_utc), RLX_TEST(test_arguments)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
