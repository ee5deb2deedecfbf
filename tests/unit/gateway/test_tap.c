/* Bytes from the loop to a listener: in order, bounded, and freed by whoever goes last. */
#include <pthread.h>

#include "../rlx_test.h"
#include "gateway/tap.h"

#define BLOCK 3200

static void what_is_put_is_taken_in_order(void **state)
{
    struct rlx_tap *tap;
    uint8_t block[BLOCK], out[1000];
    uint8_t put = 0, taken = 0;

    (void)state;
    assert_int_equal(rlx_tap_create(&tap), 0);
    assert_int_equal(rlx_tap_state(tap), RLX_TAP_ASKED);
    rlx_tap_set(tap, RLX_TAP_OPEN);
    for (unsigned round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = put++;
        rlx_tap_put(tap, block, sizeof block);
        rlx_tap_wait(tap, 0);
        size_t n;
        while ((n = rlx_tap_take(tap, out, sizeof out)))
            for (size_t i = 0; i < n; i++)
                assert_int_equal(out[i], taken++);
    }
    assert_int_equal(put, taken);
    rlx_tap_drop_call(tap);
    assert_int_equal(rlx_tap_state(tap), RLX_TAP_ENDED);
    rlx_tap_drop_listener(tap);
}

static void a_listener_that_does_not_read_loses_whole_blocks(void **state)
{
    struct rlx_tap *tap;
    uint8_t block[BLOCK], out[BLOCK];
    unsigned blocks = 0;

    (void)state;
    assert_int_equal(rlx_tap_create(&tap), 0);
    for (unsigned round = 0; round < 100; round++) {
        memset(block, (int)round, sizeof block);
        rlx_tap_put(tap, block, sizeof block);
    }
    for (; rlx_tap_take(tap, out, sizeof out) == sizeof out; blocks++)
        assert_int_equal(out[0], blocks); /* the oldest are kept: a listener hears on without a jump, then one */
    assert_int_equal(blocks, 40);         /* 4 s */
    rlx_tap_drop_listener(tap);
    assert_true(rlx_tap_left(tap));
    rlx_tap_drop_call(tap);
}

static void *listen(void *arg)
{
    struct rlx_tap *tap = arg;
    uint8_t out[777];

    for (;;) {
        bool over = rlx_tap_state(tap) == RLX_TAP_ENDED;
        if (rlx_tap_take(tap, out, sizeof out))
            continue;
        if (over)
            break;
        rlx_tap_wait(tap, 1000);
    }
    rlx_tap_drop_listener(tap);
    return NULL;
}

static void two_threads(void **state)
{
    struct rlx_tap *tap;
    pthread_t thread;
    uint8_t block[BLOCK] = {0};

    (void)state;
    assert_int_equal(rlx_tap_create(&tap), 0);
    rlx_tap_set(tap, RLX_TAP_OPEN);
    assert_int_equal(pthread_create(&thread, NULL, listen, tap), 0);
    for (unsigned round = 0; round < 2000; round++)
        rlx_tap_put(tap, block, sizeof block);
    rlx_tap_drop_call(tap);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(what_is_put_is_taken_in_order),
        RLX_TEST(a_listener_that_does_not_read_loses_whole_blocks),
        RLX_TEST(two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
