#include "../rlx_test.h"

#include "base/err.h"
#include "phone/buffer.h"

struct log {
    uint32_t numbers[20];
    bool cleared[20];
    size_t count;
};

static void on_mark(uint32_t number, bool cleared, void *arg)
{
    struct log *log = arg;

    log->numbers[log->count] = number;
    log->cleared[log->count++] = cleared;
}

static struct rlx_buffer *create(TALLOC_CTX *ctx, struct log **logp)
{
    struct rlx_buffer *buffer;

    *logp = talloc_zero(ctx, struct log);
    assert_int_equal(rlx_buffer_create(&buffer, ctx, on_mark, *logp), 0);
    return buffer;
}

static void put(struct rlx_buffer *buffer, uint8_t code, size_t length)
{
    uint8_t bytes[4000];

    memset(bytes, code, length);
    assert_int_equal(rlx_buffer_put(buffer, bytes, length), 0);
}

/* Simulated time: a play is 20 ms. */
static void marks_come_when_their_audio_has_played(void **state)
{
    struct log *log;
    struct rlx_buffer *buffer = create(*state, &log);
    uint8_t out[160];

    put(buffer, 0x10, 400);
    assert_int_equal(rlx_buffer_mark(buffer, 7), 0);
    put(buffer, 0x20, 160);
    assert_int_equal(rlx_buffer_mark(buffer, 8), 0);
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 160);
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 160);
    assert_int_equal(log->count, 0);
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 160);
    assert_int_equal(out[79], 0x10);
    assert_int_equal(out[80], 0x20);
    assert_int_equal(log->count, 1);
    assert_int_equal(log->numbers[0], 7);
    assert_false(log->cleared[0]);
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 80);
    assert_int_equal(out[80], 0xff);
    assert_int_equal(log->count, 2);
    assert_int_equal(rlx_buffer_played(buffer), 560);
    assert_int_equal(rlx_buffer_mark(buffer, 9), 0); /* nothing before it */
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 0);
    assert_int_equal(log->count, 3);
}

static void clear_drops_and_gives_marks_back(void **state)
{
    struct log *log;
    struct rlx_buffer *buffer = create(*state, &log);
    uint8_t out[160];

    put(buffer, 0x10, 160);
    assert_int_equal(rlx_buffer_mark(buffer, 1), 0);
    put(buffer, 0x10, 1600);
    assert_int_equal(rlx_buffer_mark(buffer, 2), 0);
    put(buffer, 0x10, 1600);
    assert_int_equal(rlx_buffer_mark(buffer, 3), 0);
    (void)rlx_buffer_play(buffer, out, 160);
    (void)rlx_buffer_play(buffer, out, 160);
    assert_int_equal(rlx_buffer_clear(buffer), 160 + 3200 - 320);
    assert_int_equal(log->count, 3);
    assert_false(log->cleared[0]);
    assert_true(log->cleared[1]);
    assert_true(log->cleared[2]);
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 0);
    assert_int_equal(rlx_buffer_waiting(buffer), 0);
    put(buffer, 0x30, 160); /* it goes on as before */
    assert_int_equal(rlx_buffer_mark(buffer, 4), 0);
    assert_int_equal(rlx_buffer_play(buffer, out, 160), 160);
    assert_int_equal(log->count, 4);
    assert_false(log->cleared[3]);
    assert_int_equal(rlx_buffer_played(buffer), 480);
}

static void it_has_limits(void **state)
{
    struct log *log;
    struct rlx_buffer *buffer = create(*state, &log);
    uint8_t *half_hour = talloc_zero_size(*state, 8000 * 1800);

    assert_int_equal(rlx_buffer_put(buffer, half_hour, 8000 * 1800), 0);
    assert_int_equal(rlx_buffer_put(buffer, half_hour, 1), RLX_ETOOBIG);
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(rlx_buffer_mark(buffer, i), 0);
    assert_int_equal(rlx_buffer_mark(buffer, 0), RLX_ELIMIT);
    log->count = 0;
}

static void hours_of_audio_pass_through(void **state)
{
    struct log *log;
    struct rlx_buffer *buffer = create(*state, &log);
    uint8_t out[160];

    for (uint32_t i = 0; i < 20000; i++) {
        put(buffer, (uint8_t)(i & 0x7f), i % 3 == 0 ? 320 : 80);
        assert_int_equal(rlx_buffer_mark(buffer, i), 0);
        (void)rlx_buffer_play(buffer, out, 160);
        log->count = 0;
    }
    assert_true(rlx_buffer_waiting(buffer) < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(marks_come_when_their_audio_has_played),
        RLX_TEST(clear_drops_and_gives_marks_back),
        RLX_TEST(hours_of_audio_pass_through),
        RLX_TEST(it_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
