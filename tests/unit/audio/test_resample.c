#include "../rlx_test.h"

#include <math.h>

#include "audio/resample.h"
#include "base/err.h"

#define IN 4800

static int16_t tone(int i, unsigned rate_hz)
{
    return (int16_t)lrint(8000 * sin(2 * M_PI * 440 * i / rate_hz));
}

/* Converts a tone in odd pieces and compares it with the tone made at the other rate: aligned, not
 * delayed. */
static void check_tone(TALLOC_CTX *ctx, unsigned from_hz, unsigned to_hz)
{
    struct rlx_resampler *resampler;
    static int16_t in[IN], out[IN * 7];
    size_t made = 0, used, at = 0;

    assert_int_equal(rlx_resampler_create(&resampler, ctx, from_hz, to_hz), 0);
    for (int i = 0; i < IN; i++)
        in[i] = tone(i, from_hz);
    while (at < IN) {
        size_t piece = IN - at < 147 ? IN - at : 147;

        assert_true(rlx_resampler_bound(resampler, piece) <= sizeof(out) / sizeof(out[0]) - made);
        made += rlx_resampler_run(resampler, in + at, piece, &used, out + made,
                                  rlx_resampler_bound(resampler, piece));
        assert_int_equal(used, piece);
        at += piece;
    }
    assert_in_range(made, (size_t)IN * to_hz / from_hz - to_hz / 40,
                    (size_t)IN * to_hz / from_hz + 2);
    for (size_t i = to_hz / 100; i < made; i++)
        assert_in_range(out[i] - tone((int)i, to_hz) + 1000, 0, 2000);
}

static void tones_line_up(void **state)
{
    check_tone(*state, 8000, 16000);
    check_tone(*state, 16000, 8000);
    check_tone(*state, 24000, 8000);
    check_tone(*state, 22050, 8000);
    check_tone(*state, 8000, 48000);
    check_tone(*state, 8000, 8000);
}

static void reset_starts_anew(void **state)
{
    struct rlx_resampler *resampler;
    int16_t in[480], first[160], second[160];
    size_t used, a, b;

    assert_int_equal(rlx_resampler_create(&resampler, *state, 24000, 8000), 0);
    for (int i = 0; i < 480; i++)
        in[i] = tone(i, 24000);
    a = rlx_resampler_run(resampler, in, 480, &used, first, 160);
    rlx_resampler_reset(resampler);
    b = rlx_resampler_run(resampler, in, 480, &used, second, 160);
    assert_int_equal(a, b);
    assert_memory_equal(first, second, a * sizeof(*first));
}

static void a_small_output_is_no_loss(void **state)
{
    struct rlx_resampler *resampler;
    int16_t in[480] = {0}, out[16];
    size_t used = 0, total = 0;

    assert_int_equal(rlx_resampler_create(&resampler, *state, 16000, 8000), 0);
    for (size_t at = 0; at < 480; at += used)
        total += rlx_resampler_run(resampler, in + at, 480 - at, &used, out, 16);
    assert_in_range(total, 200, 240);
}

static void bad_rates_are_refused(void **state)
{
    struct rlx_resampler *resampler;

    assert_int_equal(rlx_resampler_create(&resampler, *state, 0, 8000), RLX_EINVAL);
    assert_int_equal(rlx_resampler_create(&resampler, *state, 8000, 1 << 30), RLX_EINVAL);
    assert_int_equal(rlx_resampler_create(NULL, *state, 8000, 8000), RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(tones_line_up),
        RLX_TEST(reset_starts_anew),
        RLX_TEST(a_small_output_is_no_loss),
        RLX_TEST(bad_rates_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
