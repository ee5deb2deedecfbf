#include "../rlx_test.h"

#include <math.h>

#include "audio/g711.h"
#include "base/err.h"
#include "encode.h"

#define RATE 22050

static size_t encoded(void *ctx, uint8_t *bytes, size_t size, enum rlx_format format)
{
    struct rlx_encoder *e;
    float samples[RATE / 2];
    size_t total = 0, n;

    for (int i = 0; i < RATE / 2; i++)
        samples[i] = 0.5f * (float)sin(2.0 * M_PI * 440.0 * i / RATE);
    assert_int_equal(rlx_encoder_create(&e, ctx, format, RATE), 0);
    assert_int_equal(rlx_encoder_add(e, samples, RATE / 2, 500), 0);
    while ((n = rlx_encoder_take(e, bytes + total, size - total < 1000 ? size - total : 1000)) > 0)
        total += n;
    return total;
}

static void names(void **state)
{
    enum rlx_format format;

    (void)state;
    assert_int_equal(rlx_format_parse(&format, "ulaw"), 0);
    assert_int_equal(format, RLX_FORMAT_ULAW);
    assert_int_equal(rlx_format_parse(&format, "mp3"), RLX_EINVAL);
    assert_string_equal(rlx_format_type(RLX_FORMAT_WAV), "audio/wav");
}

static void one_second_of_each(void **state)
{
    uint8_t bytes[60000];
    size_t n;

    n = encoded(*state, bytes, sizeof bytes, RLX_FORMAT_ULAW);
    assert_in_range(n, 7950, 8010);
    assert_true(abs(rlx_ulaw_sample(bytes[7000])) < 16); /* the silence */
    n = encoded(*state, bytes, sizeof bytes, RLX_FORMAT_PCM);
    assert_in_range(n, 47800, 48010);
    assert_int_equal(n % 2, 0);
    n = encoded(*state, bytes, sizeof bytes, RLX_FORMAT_WAV);
    assert_in_range(n, 47844, 48054);
    assert_memory_equal(bytes, "RIFF", 4);
}

static void loud_samples_are_limited(void **state)
{
    const float samples[] = {2.0f, -2.0f, 2.0f, -2.0f};
    struct rlx_encoder *e;
    int16_t pcm[64];

    assert_int_equal(rlx_encoder_create(&e, *state, RLX_FORMAT_PCM, 24000), 0);
    assert_int_equal(rlx_encoder_add(e, samples, 4, 0), 0);
    assert_int_equal(rlx_encoder_take(e, pcm, sizeof pcm), 8);
    assert_int_equal(pcm[0], 32767);
    assert_int_equal(pcm[1], -32768);
    assert_int_equal(rlx_encoder_take(e, pcm, sizeof pcm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(names),
        RLX_TEST(one_second_of_each),
        RLX_TEST(loud_samples_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
