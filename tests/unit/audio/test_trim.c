#include "../rlx_test.h"

#include <string.h>

#include "audio/g711.h"
#include "audio/trim.h"
#include "base/err.h"

struct sink {
    uint8_t bytes[100000];
    size_t length;
};

static void collect(const uint8_t *ulaw, size_t length, void *arg)
{
    struct sink *sink = arg;

    assert_true(sink->length + length <= sizeof(sink->bytes));
    memcpy(sink->bytes + sink->length, ulaw, length);
    sink->length += length;
}

/* Feeds in pieces of odd size. */
static void feed(struct rlx_trim *trim, uint8_t code, size_t length)
{
    uint8_t piece[37];

    while (length > 0) {
        size_t n = length < sizeof(piece) ? length : sizeof(piece);

        for (size_t i = 0; i < n; i++)
            piece[i] = code == 0xff ? 0xff : (i & 1 ? code : code ^ 0x80);
        rlx_trim_feed(trim, piece, n);
        length -= n;
    }
}

static void edges_go_and_the_inside_stays(void **state)
{
    struct sink *sink = talloc_zero(*state, struct sink);
    struct rlx_trim *trim;

    assert_int_equal(rlx_trim_create(&trim, *state, 40, collect, sink), 0);
    for (int round = 0; round < 2; round++) {
        sink->length = 0;
        feed(trim, 0xff, 4000);
        feed(trim, 0x90, 1600);
        feed(trim, 0xff, 2400); /* inside */
        feed(trim, 0x90, 800);
        feed(trim, 0xff, 8000);
        rlx_trim_end(trim);
        assert_int_equal(sink->length, 320 + 1600 + 2400 + 800 + 320);
        assert_int_equal(sink->bytes[0], 0xff);
        assert_int_equal(sink->bytes[319], 0xff);
        assert_true(sink->bytes[320] != 0xff);
        assert_true(sink->bytes[320 + 1599] != 0xff);
        assert_int_equal(sink->bytes[320 + 1600], 0xff);
        assert_true(sink->bytes[320 + 1600 + 2400] != 0xff);
    }
}

static void silence_alone_is_nothing(void **state)
{
    struct sink *sink = talloc_zero(*state, struct sink);
    struct rlx_trim *trim;

    assert_int_equal(rlx_trim_create(&trim, *state, 40, collect, sink), 0);
    rlx_trim_end(trim);
    feed(trim, 0xff, 16000);
    rlx_trim_end(trim);
    assert_int_equal(sink->length, 0);
}

static void a_long_pause_inside_is_kept(void **state)
{
    struct sink *sink = talloc_zero(*state, struct sink);
    struct rlx_trim *trim;

    assert_int_equal(rlx_trim_create(&trim, *state, 0, collect, sink), 0);
    feed(trim, 0x90, 800);
    feed(trim, 0xff, 8 * 6000);
    feed(trim, 0x90, 800);
    rlx_trim_end(trim);
    assert_int_equal(sink->length, 800 + 8 * 6000 + 800);
}

static void bad_arguments(void **state)
{
    struct rlx_trim *trim;

    assert_int_equal(rlx_trim_create(&trim, *state, 501, collect, NULL), RLX_EINVAL);
    assert_int_equal(rlx_trim_create(&trim, *state, 40, NULL, NULL), RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(edges_go_and_the_inside_stays),
        RLX_TEST(silence_alone_is_nothing),
        RLX_TEST(a_long_pause_inside_is_kept),
        RLX_TEST(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
