#include "../rlx_test.h"

#include <math.h>

#include "audio/wav.h"
#include "base/err.h"
#include "phone/voice.h"

/* Power of one frequency, relative to full scale (Goertzel). */
static double power_db(const int16_t *pcm, size_t count, double hz)
{
    double c = 2 * cos(2 * M_PI * hz / 8000), s1 = 0, s2 = 0;

    for (size_t i = 0; i < count; i++) {
        double s = pcm[i] + c * s1 - s2;

        s2 = s1;
        s1 = s;
    }
    return 10 * log10((s1 * s1 + s2 * s2 - c * s1 * s2) / ((double)count * (double)count / 4) /
                          (32768.0 * 32768.0) +
                      1e-12);
}

static void keys_are_two_tones(void **state)
{
    static const struct {
        char key;
        uint32_t low, high;
    } known[] = {
        {'1', 697, 1209}, {'5', 770, 1336}, {'#', 941, 1477}, {'0', 941, 1336}, {'*', 941, 1209}};
    uint32_t hz1, hz2;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct rlx_sound *sound;

        assert_int_equal(rlx_voice_key(known[i].key, &hz1, &hz2), 0);
        assert_int_equal(hz1, known[i].low);
        assert_int_equal(hz2, known[i].high);
        assert_int_equal(rlx_voice_tone(&sound, *state, hz1, hz2, 100), 0);
        assert_int_equal(sound->samples, 800);
        assert_true(fabs(power_db(sound->pcm, 800, hz1) + 12) < 0.5);
        assert_true(fabs(power_db(sound->pcm, 800, hz2) + 12) < 0.5);
        assert_true(power_db(sound->pcm, 800, 2500) < -40);
    }
    assert_int_equal(rlx_voice_key('x', &hz1, &hz2), RLX_EINVAL);
    assert_int_equal(rlx_voice_key('\0', &hz1, &hz2), RLX_EINVAL);
}

/* A WAV with equal tones at several frequencies. */
static uint8_t *make_wav(TALLOC_CTX *ctx, uint32_t rate_hz, const double *hz, size_t count,
                         size_t *lengthp)
{
    size_t frames = rate_hz;
    uint8_t *file = talloc_size(ctx, RLX_WAV_HEADER + 2 * frames);

    rlx_wav_header(file, rate_hz, 1, (uint32_t)(2 * frames));
    for (size_t i = 0; i < frames; i++) {
        double sum = 0;

        for (size_t k = 0; k < count; k++)
            sum += 4000 * sin(2 * M_PI * hz[k] * (double)i / rate_hz);
        file[RLX_WAV_HEADER + 2 * i] = (uint8_t)((int)sum & 0xff);
        file[RLX_WAV_HEADER + 2 * i + 1] = (uint8_t)((int)sum >> 8 & 0xff);
    }
    *lengthp = RLX_WAV_HEADER + 2 * frames;
    return file;
}

static void a_wav_gets_the_telephones_band(void **state)
{
    static const double hz[] = {100, 300, 1000, 3400, 3900};
    struct rlx_sound *sound = NULL;
    size_t length;
    uint8_t *file = make_wav(*state, 22050, hz, 5, &length);

    assert_int_equal(rlx_voice_wav(&sound, *state, file, length, NULL), 0);
    assert_in_range(sound->samples, 7900, 8500);
    double middle = power_db(sound->pcm + 800, 6400, 1000);

    assert_true(fabs(middle - 20 * log10(4000.0 / 32768)) < 0.5);
    assert_true(power_db(sound->pcm + 800, 6400, 100) < middle - 30);
    assert_true(fabs(power_db(sound->pcm + 800, 6400, 300) - (middle - 3)) < 1);
    assert_true(power_db(sound->pcm + 800, 6400, 3400) < middle - 2);
    assert_true(power_db(sound->pcm + 800, 6400, 3900) < middle - 20);
    assert_true(sound->loud_start < 80 && sound->loud_end > 7900);
}

static void a_bad_wav_is_refused(void **state)
{
    struct rlx_sound *sound = NULL;
    char *why = NULL;

    assert_int_equal(rlx_voice_wav(&sound, *state, "nonsense", 8, &why), RLX_EINVAL);
    assert_non_null(why);
    assert_string_equal(why, "this is no WAV file");
    talloc_free(why); /* it lives on the caller's context */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(keys_are_two_tones),
        RLX_TEST(a_wav_gets_the_telephones_band),
        RLX_TEST(a_bad_wav_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
