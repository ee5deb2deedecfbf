#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/region.h"

static void regions(void **state)
{
    static const struct {
        const char *number, *region;
        bool premium;
    } cases[] = {
        {"+12025550123", "US", false},
        {"+14165550123", "CA", false},
        {"+18765551234", "JM", false},
        {"+4930123456", "DE", false},
        {"+499001654321", "DE", true},
        {"+19002345678", "US", true},
        {"+442079460123", "GB", false},
        {"+881612345678", "", false},
        {"+99912345678", "", false},
        {"nonsense", "", false},
        {"", "", false},
    };
    char region[RLX_REGION_TEXT];
    bool premium;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rlx_region_of(region, cases[i].number, &premium);
        assert_string_equal(region, cases[i].region);
        assert_int_equal(premium, cases[i].premium);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(regions)};

    return cmocka_run_group_tests_name("region", tests, NULL, NULL);
}
