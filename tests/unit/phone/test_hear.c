#include "../rlx_test.h"

#include "phone/hear.h"

static void feed(struct rlx_hear *hear, uint8_t code, unsigned ms)
{
    uint8_t bytes[80];

    for (; ms > 0; ms -= 10) {
        memset(bytes, code, sizeof(bytes));
        rlx_hear_feed(hear, bytes, sizeof(bytes));
    }
}

static void segments(void **state)
{
    struct rlx_hear *hear = rlx_hear_create(*state);
    const struct rlx_segment *list;
    size_t count;

    feed(hear, 0xff, 500);
    (void)rlx_hear_segments(hear, &count);
    assert_int_equal(count, 0);
    assert_null(rlx_hear_first_after(hear, UINT64_MAX));
    feed(hear, 0x90, 200);
    feed(hear, 0xff, 300); /* a gap inside */
    feed(hear, 0x90, 100);
    feed(hear, 0xff, 400); /* splits */
    feed(hear, 0x90, 50);
    list = rlx_hear_segments(hear, &count);
    assert_int_equal(count, 2);
    assert_int_equal(list[0].start_ms, 500);
    assert_int_equal(list[0].end_ms, 1099);
    assert_int_equal(list[0].longest_gap_ms, 300);
    assert_int_equal(list[1].start_ms, 1500);
    assert_int_equal(list[1].longest_gap_ms, 0);
    assert_ptr_equal(rlx_hear_first_after(hear, 500), &list[1]);
    assert_ptr_equal(rlx_hear_first_after(hear, 499), &list[0]);
    assert_ptr_equal(rlx_hear_first_after(hear, UINT64_MAX), &list[0]);
    assert_null(rlx_hear_first_after(hear, 1500));
    assert_int_equal(rlx_hear_now_ms(hear), 1550);
}

static void soft_noise_is_not_heard(void **state)
{
    struct rlx_hear *hear = rlx_hear_create(*state);
    size_t count;

    feed(hear, 0xf0, 1000); /* magnitude 120: below -45 dBFS */
    (void)rlx_hear_segments(hear, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(segments), RLX_TEST(soft_noise_is_not_heard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
