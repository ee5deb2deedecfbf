#include "../rlx_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "audio/vad.h"
#include "base/err.h"

static uint32_t seed = 1;

static double noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (double)(seed >> 8) / (1 << 23) - 1.0;
}

/* A vowel: harmonics of 120 Hz below three formants, with a slow tremor, at about -20 dBFS over a
 * noise of -60 dBFS. */
static int16_t sample(int i, bool voice)
{
    double t = i / 8000.0, sum = 33.0 * noise();
    double f0 = 120 + 6 * sin(2 * M_PI * 5 * t);

    for (int h = 1; voice && h <= 25; h++) {
        double f = h * f0;
        double gain = exp(-pow((f - 500) / 200, 2)) + 0.5 * exp(-pow((f - 1500) / 250, 2)) +
                      0.25 * exp(-pow((f - 2500) / 300, 2)) + 0.02;

        sum += 2500 * gain * sin(2 * M_PI * f * t);
    }
    return (int16_t)lrint(sum);
}

/* Runs bursts of 600 ms voice and 1000 ms of near-silence; returns the median of the time that
 * voice outlasts speech. */
static int measure(TALLOC_CTX *ctx, int mode, int *voicedp)
{
    struct rlx_vad *vad;
    int16_t pcm[RLX_FRAME_SAMPLES];
    int after[20], count = 0, run = 0, voiced = 0;

    assert_int_equal(rlx_vad_create(&vad, ctx, mode), 0);
    for (int frame = 0; frame < 20 * 80; frame++) {
        bool voice = frame % 80 >= 30 && frame % 80 < 60;

        for (int i = 0; i < RLX_FRAME_SAMPLES; i++)
            pcm[i] = sample(frame * RLX_FRAME_SAMPLES + i, voice);
        if (frame % 80 == 60)
            run = 0;
        if (rlx_vad_frame(vad, pcm)) {
            if (voice)
                voiced++;
            else if (run >= 0 && frame % 80 >= 60)
                run++;
        } else if (frame % 80 >= 60 && run >= 0) {
            after[count++] = run * RLX_FRAME_MS;
            run = -1;
        }
    }
    assert_int_equal(count, 20);
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && after[j - 1] > after[j]; j--) {
            int swap = after[j];

            after[j] = after[j - 1];
            after[j - 1] = swap;
        }
    *voicedp = voiced * 100 / (20 * 30);
    return after[count / 2];
}

static void hangover_is_what_we_say(void **state)
{
    for (int mode = 0; mode <= 3; mode++) {
        struct rlx_vad *vad;
        int voiced, median = measure(*state, mode, &voiced);

        assert_int_equal(rlx_vad_create(&vad, *state, mode), 0);
        print_message("mode %d: voice in %d%% of voiced frames, hang-over %d ms\n", mode, voiced,
                      median);
        assert_true(abs(median - (int)rlx_vad_hangover_ms(vad)) <= 20);
        assert_true(voiced >= 90);
    }
}

static void silence_and_soft_noise_are_no_voice(void **state)
{
    for (int mode = 0; mode <= 3; mode++) {
        struct rlx_vad *vad;
        int16_t pcm[RLX_FRAME_SAMPLES] = {0};
        int voiced = 0;

        assert_int_equal(rlx_vad_create(&vad, *state, mode), 0);
        for (int frame = 0; frame < 50; frame++)
            voiced += rlx_vad_frame(vad, pcm);
        assert_int_equal(voiced, 0);
        for (int frame = 0; frame < 500; frame++) {
            for (int i = 0; i < RLX_FRAME_SAMPLES; i++)
                pcm[i] = (int16_t)(100 * noise());
            voiced += rlx_vad_frame(vad, pcm);
        }
        assert_true(voiced < 50);
    }
}

/* A drill, an engine, a loud line: begun in mid-call it must not be a turn that never ends. */
static void steady_noise_is_no_voice_for_long(void **state)
{
    struct rlx_vad *vad;
    int16_t pcm[RLX_FRAME_SAMPLES] = {0};
    int late = 0;

    assert_int_equal(rlx_vad_create(&vad, *state, 2), 0);
    for (int frame = 0; frame < 250; frame++)
        (void)!rlx_vad_frame(vad, pcm);
    for (int frame = 0; frame < 1000; frame++) {
        for (int i = 0; i < RLX_FRAME_SAMPLES; i++)
            pcm[i] = (int16_t)(3000 * noise());
        bool voice = rlx_vad_frame(vad, pcm);
        late += voice && frame >= 150;
    }
    assert_int_equal(late, 0);
}

static void bad_modes_are_refused(void **state)
{
    struct rlx_vad *vad;

    assert_int_equal(rlx_vad_create(&vad, *state, 4), RLX_EINVAL);
    assert_int_equal(rlx_vad_create(&vad, *state, -1), RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(hangover_is_what_we_say),
        RLX_TEST(silence_and_soft_noise_are_no_voice),
        RLX_TEST(steady_noise_is_no_voice_for_long),
        RLX_TEST(bad_modes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
