/* Speech bytes of every kind and cut → µ-law. */
#include "../rlx_test.h"

#include <math.h>

#include "audio/g711.h"
#include "audio/wav.h"
#include "base/err.h"
#include "provider/tts_decode.h"

struct seen {
    uint8_t ulaw[32000];
    size_t length;
};

static void on_out(const uint8_t *ulaw, size_t length, void *arg)
{
    struct seen *seen = arg;
    assert_true(seen->length + length <= sizeof seen->ulaw);
    memcpy(seen->ulaw + seen->length, ulaw, length);
    seen->length += length;
}

static void put_sine(uint8_t *to, size_t samples, unsigned rate_hz, unsigned channels)
{
    for (size_t i = 0; i < samples; i++) {
        int16_t sample = (int16_t)(8000 * sin(2 * M_PI * 440 * (double)i / rate_hz));
        for (unsigned c = 0; c < channels; c++) {
            to[(i * channels + c) * 2] = (uint8_t)sample;
            to[(i * channels + c) * 2 + 1] = (uint8_t)((uint16_t)sample >> 8);
        }
    }
}

/* Feeds in pieces of `step` bytes. */
static int decode(struct seen *seen, TALLOC_CTX *ctx, bool ulaw, uint32_t rate_hz,
                  const uint8_t *bytes, size_t length, size_t step)
{
    struct rlx_tts_decoder *decoder;
    seen->length = 0;
    assert_int_equal(rlx_tts_decoder_create(&decoder, ctx, ulaw, rate_hz, on_out, seen), 0);
    int err = 0;
    for (size_t at = 0; !err && at < length; at += step)
        err = rlx_tts_decoder_feed(decoder, bytes + at, length - at < step ? length - at : step);
    if (!err)
        err = rlx_tts_decoder_end(decoder);
    if (err)
        assert_true(strlen(rlx_tts_decoder_why(decoder)) > 10);
    talloc_free(decoder);
    return err;
}

static void check_sine(const struct seen *seen, size_t samples)
{
    assert_in_range(seen->length, samples, samples + 100);
    double error = 0;
    for (size_t i = 400; i < samples - 400; i++) {
        double want = 8000 * sin(2 * M_PI * 440 * (double)i / 8000);
        error += fabs(want - rlx_ulaw_sample(seen->ulaw[i]));
    }
    assert_true(error / (double)(samples - 800) < 400);
}

static void raw_pcm_in_any_pieces(void **state)
{
    static uint8_t pcm[12000 * 2];
    static struct seen whole, cut;
    put_sine(pcm, 12000, 24000, 1);
    assert_int_equal(decode(&whole, *state, false, 24000, pcm, sizeof pcm, sizeof pcm), 0);
    check_sine(&whole, 4000);
    for (size_t step = 1; step < 5000; step = step * 3 + 1) {
        assert_int_equal(decode(&cut, *state, false, 24000, pcm, sizeof pcm, step), 0);
        assert_int_equal(cut.length, whole.length);
        assert_memory_equal(cut.ulaw, whole.ulaw, cut.length);
    }
}

static void raw_ulaw_passes(void **state)
{
    uint8_t ulaw[1000];
    static struct seen seen;
    for (size_t i = 0; i < sizeof ulaw; i++)
        ulaw[i] = (uint8_t)(i * 7);
    for (size_t step = 1; step <= sizeof ulaw; step *= 10) {
        assert_int_equal(decode(&seen, *state, true, 8000, ulaw, sizeof ulaw, step), 0);
        assert_int_equal(seen.length, sizeof ulaw);
        assert_memory_equal(seen.ulaw, ulaw, sizeof ulaw);
    }
    assert_int_equal(decode(&seen, *state, true, 8000, ulaw, 2, 1), 0); /* shorter than a magic */
    assert_int_equal(seen.length, 2);
    assert_int_equal(decode(&seen, *state, false, 24000, ulaw, 0, 1), 0);
    assert_int_equal(seen.length, 0);
}

static void wav_is_understood(void **state)
{
    static uint8_t file[RLX_WAV_HEADER + 11025 * 4 + 50];
    static struct seen seen;
    size_t bytes = 11025 * 4;
    rlx_wav_header(file, 22050, 2, (uint32_t)bytes);
    put_sine(file + RLX_WAV_HEADER, 11025, 22050, 2);
    memset(file + RLX_WAV_HEADER + bytes, 0x7e, 50); /* a chunk behind the data is no sound */
    for (size_t step = 1; step < sizeof file; step = step * 7 + 2) {
        assert_int_equal(decode(&seen, *state, false, 24000, file, sizeof file, step), 0);
        check_sine(&seen, 4000);
    }
    memset(file + 40, 0xff, 4); /* a streamed header tells no length */
    assert_int_equal(decode(&seen, *state, true, 8000, file, sizeof file - 50, 100), 0);
    check_sine(&seen, 4000);
}

static void others_are_refused(void **state)
{
    static struct seen seen;
    uint8_t wav[RLX_WAV_HEADER];
    rlx_wav_header(wav, 24000, 1, 100);
    static const char *const other[] = {"ID3\3abcdef", "OggSabcdef", "fLaCabcdef", "{\"error\":1}",
                                        "RIFFabcdAVI LIST"};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_int_equal(
            decode(&seen, *state, false, 24000, (const uint8_t *)other[i], strlen(other[i]), 1),
            RLX_EPROTO);
    for (size_t cut = 4; cut < RLX_WAV_HEADER; cut++)
        assert_int_equal(decode(&seen, *state, false, 24000, wav, cut, 3), RLX_EPROTO);
    wav[34] = 24;
    assert_int_equal(decode(&seen, *state, false, 24000, wav, sizeof wav, 3), RLX_EPROTO);
    wav[34] = 16;
    wav[24] = 0xff;
    wav[26] = 0xff;
    assert_int_equal(decode(&seen, *state, false, 24000, wav, sizeof wav, 3), RLX_EPROTO);
    assert_int_equal(seen.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(raw_pcm_in_any_pieces),
        RLX_TEST(raw_ulaw_passes),
        RLX_TEST(wav_is_understood),
        RLX_TEST(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
