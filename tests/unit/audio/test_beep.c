/* What is a machine's beep, and what is not. */
#include "../rlx_test.h"

#include <math.h>
#include <stdio.h>

#include "audio/beep.h"
#include "audio/g711.h"

struct line {
    struct rlx_beep *beep;
    unsigned heard;
    uint32_t noise;
    float noise_level; /* RMS of full scale */
};

static struct line line_open(void **state)
{
    struct line line = {.noise = 1, .noise_level = 0.001f};

    assert_int_equal(rlx_beep_create(&line.beep, *state), 0);
    return line;
}

/* Uniform noise in -1…1. */
static float noise(struct line *line)
{
    line->noise = line->noise * 1664525u + 1013904223u;
    return (float)(line->noise >> 8) / 8388608.0f - 1.0f;
}

static void play(struct line *line, float hz, float second_hz, float level, unsigned ms)
{
    for (unsigned i = 0; i < ms * 8; i++) {
        float t = (float)i / 8000.0f * 2.0f * 3.14159265f;
        float value = level * (sinf(hz * t) + (second_hz > 0 ? sinf(second_hz * t) : 0)) +
                      noise(line) * line->noise_level * 1.7f;
        int16_t pcm = (int16_t)(value * 32767.0f);
        uint8_t ulaw;
        rlx_pcm_to_ulaw(&ulaw, &pcm, 1);
        line->heard += rlx_beep_feed(line->beep, &ulaw, 1);
    }
}

static void quiet(struct line *line, unsigned ms)
{
    play(line, 0, 0, 0, ms);
}

static void every_frequency_length_and_level(void **state)
{
    static const float LEVELS[] = {0.05f, 0.2f, 0.45f};
    static const unsigned LENGTHS[] = {150, 157, 200, 500, 1500, 3000};
    struct line line = line_open(state);
    unsigned count = 0;

    for (float hz = 400; hz <= 2100; hz += 85)
        for (unsigned l = 0; l < 3; l++)
            for (unsigned n = 0; n < 6; n++) {
                quiet(&line, 37 + 11 * n);
                play(&line, hz, 0, LEVELS[l], LENGTHS[n]);
                quiet(&line, 310);
                count++;
                if (line.heard != count)
                    fail_msg("%.0f Hz, %u ms, level %.2f: heard %u of %u", (double)hz, LENGTHS[n],
                             (double)LEVELS[l], line.heard, count);
            }
}

static void noise_on_the_line(void **state)
{
    struct line line = line_open(state);

    line.noise_level = 0.02f; /* 20 dB below the tone */
    for (unsigned i = 0; i < 10; i++) {
        quiet(&line, 200);
        play(&line, 800.0f + 100.0f * (float)i, 0, 0.3f, 400);
        quiet(&line, 400);
    }
    assert_true(line.heard >= 9);
}

static void none(const struct line *line, const char *what)
{
    if (line->heard)
        fail_msg("%s was taken for a beep", what);
}

static void what_is_no_beep(void **state)
{
    static const float KEYS[][2] = {{697, 1209}, {770, 1336}, {852, 1477}, {941, 1633}};
    struct line line = line_open(state);

    play(&line, 1000, 0, 0.3f, 100);
    quiet(&line, 500);
    none(&line, "a short tone");
    play(&line, 1000, 0, 0.3f, 1000);
    for (unsigned i = 0; i < 20; i++) {
        quiet(&line, 150);
        play(&line, 300, 0, 0.3f, 150);
    }
    quiet(&line, 500);
    none(&line, "a tone without quiet behind it");
    play(&line, 2600, 0, 0.3f, 500);
    quiet(&line, 500);
    play(&line, 250, 0, 0.3f, 500);
    quiet(&line, 500);
    none(&line, "a tone too high or too low");
    play(&line, 1000, 0, 0.01f, 500);
    quiet(&line, 500);
    none(&line, "a soft tone");
    for (unsigned i = 0; i < 4; i++) {
        play(&line, KEYS[i][0], KEYS[i][1], 0.2f, 300);
        quiet(&line, 500);
        none(&line, "a key");
    }
    play(&line, 440, 480, 0.2f, 2000);
    quiet(&line, 500);
    none(&line, "the ringing tone");
    for (unsigned hz = 500; hz < 2000; hz += 10)
        play(&line, (float)hz, 0, 0.3f, 5);
    quiet(&line, 500);
    none(&line, "a siren");
}

static void speech_is_no_beep(void **state)
{
    static const char *const NAMES[] = {"bye", "hello", "interrupt", "mmhm", "question", "yes"};
    struct line line = line_open(state);

    for (unsigned i = 0; i < 6; i++) {
        char path[200];
        uint8_t ulaw[160];
        size_t length;
        snprintf(path, sizeof path, RLX_SOURCE_DIR "/tests/fixtures/speech/%s.ulaw", NAMES[i]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        while ((length = fread(ulaw, 1, sizeof ulaw, file)) > 0)
            line.heard += rlx_beep_feed(line.beep, ulaw, length);
        fclose(file);
        quiet(&line, 500);
    }
    assert_int_equal(line.heard, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(every_frequency_length_and_level),
        RLX_TEST(noise_on_the_line),
        RLX_TEST(what_is_no_beep),
        RLX_TEST(speech_is_no_beep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
