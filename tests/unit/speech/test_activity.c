#include "../rlx_test.h"

#include <math.h>
#include <stdlib.h>

#include "activity.h"
#include "pitch.h"

#define HZ 8000

/* A vowel-like sound: the harmonics of 120 Hz under two formants, opening and closing four times a
 * second. */
static void speak(int16_t *pcm, size_t from_ms, size_t to_ms)
{
    for (size_t i = from_ms * HZ / 1000; i < to_ms * HZ / 1000; i++) {
        double t = (double)i / HZ, x = 0.0;

        for (int h = 1; h < 25; h++) {
            double f = 120.0 * h;
            double gain =
                exp(-pow((f - 600.0) / 250.0, 2)) + 0.5 * exp(-pow((f - 1500.0) / 300.0, 2));

            x += gain * sin(2.0 * M_PI * f * t);
        }
        pcm[i] = (int16_t)(pcm[i] + 3000.0 * x * fabs(sin(2.0 * M_PI * 2.0 * t)));
    }
}

static void add_noise(int16_t *pcm, size_t count, int amplitude)
{
    uint32_t seed = 1;

    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        pcm[i] = (int16_t)(pcm[i] + (int)(seed >> 16) % (2 * amplitude + 1) - amplitude);
    }
}

static struct rlx_activity *find(void *ctx, const int16_t *pcm, size_t ms)
{
    struct rlx_activity *a;

    assert_int_equal(rlx_activity_find(&a, ctx, pcm, ms * HZ / 1000), 0);
    return a;
}

static void nothing_is_found_in_silence_and_noise(void **state)
{
    int16_t *pcm = talloc_zero_array(*state, int16_t, 3 * HZ);

    assert_int_equal(find(*state, pcm, 0)->count, 0);
    assert_int_equal(find(*state, pcm, 5)->count, 0);
    assert_int_equal(find(*state, pcm, 3000)->voiced_ms, 0);
    add_noise(pcm, 3 * HZ, 1500);
    assert_int_equal(find(*state, pcm, 3000)->pitched_ms, 0);
}

static void a_word_is_found_with_its_margins(void **state)
{
    int16_t *pcm = talloc_zero_array(*state, int16_t, 3 * HZ);

    add_noise(pcm, 3 * HZ, 30);
    speak(pcm, 1000, 1500);
    struct rlx_activity *a = find(*state, pcm, 3000);
    assert_int_equal(a->count, 1);
    assert_in_range(a->voiced_ms, 300, 700);
    assert_in_range(a->pitched_ms, 200, RLX_PITCHED_ENOUGH_MS);
    assert_in_range(a->pieces[0].start_ms, 600, 800);
    assert_in_range(a->pieces[0].end_ms, 1700, 2000);
}

static void long_pauses_part_pieces(void **state)
{
    int16_t *pcm = talloc_zero_array(*state, int16_t, 10 * HZ);

    add_noise(pcm, 10 * HZ, 30);
    speak(pcm, 500, 1500);
    speak(pcm, 2500, 3500); /* after one second: the same piece */
    speak(pcm, 8000, 9000);
    struct rlx_activity *a = find(*state, pcm, 10000);
    assert_int_equal(a->count, 2);
    assert_true(a->pieces[0].end_ms > 3500 && a->pieces[0].end_ms < 4200);
    assert_true(a->pieces[1].start_ms > 7000);
}

static void long_speech_is_cut(void **state)
{
    const size_t seconds = 70;
    int16_t *pcm = talloc_zero_array(*state, int16_t, (unsigned)(seconds * HZ));

    add_noise(pcm, seconds * HZ, 30);
    speak(pcm, 200, seconds * 1000 - 200);
    struct rlx_activity *a = find(*state, pcm, seconds * 1000);
    assert_true(a->count >= 4);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(a->pieces[i].end_ms > a->pieces[i].start_ms);
        assert_true(a->pieces[i].end_ms - a->pieces[i].start_ms <= RLX_PIECE_MAX_MS);
        if (i)
            assert_true(a->pieces[i].start_ms < a->pieces[i - 1].end_ms);
    }
    assert_true(a->pieces[a->count - 1].end_ms >= seconds * 1000 - 400);
}

static void pitch(void **state)
{
    int16_t pcm[RLX_PITCH_SAMPLES] = {0};

    (void)state;
    assert_true(rlx_pitch_clarity(pcm) == 0.0f);
    for (int i = 0; i < RLX_PITCH_SAMPLES; i++)
        pcm[i] = (int16_t)(8000.0 * sin(2.0 * M_PI * 150.0 * i / HZ));
    assert_true(rlx_pitch_clarity(pcm) > 0.95f);
    memset(pcm, 0, sizeof pcm);
    add_noise(pcm, RLX_PITCH_SAMPLES, 8000);
    assert_true(rlx_pitch_clarity(pcm) < 0.4f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(nothing_is_found_in_silence_and_noise),
        RLX_TEST(a_word_is_found_with_its_margins),
        RLX_TEST(long_pauses_part_pieces),
        RLX_TEST(long_speech_is_cut),
        RLX_TEST(pitch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
