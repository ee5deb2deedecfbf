/* Times in queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "api/query_time.h"

static void times(void **state)
{
    static const struct {
        const char *text, *want;
    } good[] = {
        {"2026-11-24", "2026-11-24T00:00:00.000Z"},
        {"2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000Z"},
        {"2026-11-24t10:00:00.1z", "2026-11-24T10:00:00.100Z"},
        {"2026-11-24T10:00:00.123456789Z", "2026-11-24T10:00:00.123Z"},
        {"2026-11-24T00:30:00+02:00", "2026-11-23T22:30:00.000Z"},
        {"2026-11-24T23:30:00-01:30", "2026-11-25T01:00:00.000Z"},
        {"1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z"},
    };
    static const char *const bad[] = {"",
                                      "now",
                                      "2026",
                                      "2026-13-01",
                                      "2026-11-24T10:00",
                                      "2026-11-24T10:00:00",
                                      "2026-11-24T10:00:00+2",
                                      "2026-11-24x",
                                      "2026-11-24T10:00:00Zx"};
    char text[RLX_TIME_TEXT];
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(rlx_time_parse(good[i].text, &ms));
        rlx_time_text(text, ms);
        assert_string_equal(text, good[i].want);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(rlx_time_parse(bad[i], &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
