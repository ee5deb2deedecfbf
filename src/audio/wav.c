#include "audio/wav.h"

#include <errno.h>
#include <string.h>

#include "audio/g711.h"
#include "base/err.h"

#define FORMAT_PCM 1
#define FORMAT_ULAW 7
#define FORMAT_EXTENSIBLE 0xfffe
#define FMT_MIN 16
#define FMT_EXTENSIBLE_MIN 40

struct wav_format {
    unsigned tag, channels, bits;
    uint32_t rate_hz;
};

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value & 0xffff);
    put16(p + 2, value >> 16);
}

static unsigned get16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

void rlx_wav_header(uint8_t header[RLX_WAV_HEADER], uint32_t rate_hz, uint16_t channels,
                    uint32_t data_bytes)
{
    uint32_t riff_max = UINT32_MAX - (RLX_WAV_HEADER - 8);

    /* NOLINTBEGIN(bugprone-not-null-terminated-result): chunk names have no NUL */
    memcpy(header, "RIFF", 4);
    put32(header + 4, (data_bytes > riff_max ? riff_max : data_bytes) + RLX_WAV_HEADER - 8);
    memcpy(header + 8, "WAVEfmt ", 8);
    put32(header + 16, FMT_MIN);
    put16(header + 20, FORMAT_PCM);
    put16(header + 22, channels);
    put32(header + 24, rate_hz);
    put32(header + 28, rate_hz * channels * 2);
    put16(header + 32, channels * 2u);
    put16(header + 34, 16);
    memcpy(header + 36, "data", 4);
    /* NOLINTEND(bugprone-not-null-terminated-result) */
    put32(header + 40, data_bytes);
}

static int fail(TALLOC_CTX *ctx, char **whyp, const char *why)
{
    if (whyp)
        *whyp = talloc_strdup(ctx, why);
    return RLX_EINVAL;
}

/* NULL when the format is one we read, else what is wrong with it. */
static const char *parse_format(struct wav_format *format, const uint8_t *chunk, size_t size)
{
    if (size < FMT_MIN)
        return "the WAV's format chunk is too short";
    format->tag = get16(chunk);
    format->channels = get16(chunk + 2);
    format->rate_hz = get32(chunk + 4);
    format->bits = get16(chunk + 14);
    if (format->tag == FORMAT_EXTENSIBLE) {
        if (size < FMT_EXTENSIBLE_MIN)
            return "the WAV's extensible format chunk is too short";
        format->tag = get16(chunk + 24); /* the first two bytes of the sub-format's GUID */
    }
    if (!(format->tag == FORMAT_PCM && format->bits == 16) &&
        !(format->tag == FORMAT_ULAW && format->bits == 8))
        return "the WAV is neither 16-bit PCM nor 8-bit u-law: convert it, e.g. sox IN -b 16 "
               "OUT.wav";
    if (format->channels < 1 || format->channels > 2)
        return "the WAV must have 1 or 2 channels";
    if (format->rate_hz < 8000 || format->rate_hz > 48000)
        return "the WAV's sample rate must be between 8000 and 48000 Hz";
    return NULL;
}

static int read_samples(struct rlx_wav **wavp, TALLOC_CTX *ctx, const struct wav_format *format,
                        const uint8_t *data, size_t size)
{
    struct rlx_wav *wav = talloc_zero(ctx, struct rlx_wav);
    size_t count;

    if (!wav || size > INT32_MAX) {
        talloc_free(wav);
        return -ENOMEM;
    }
    wav->rate_hz = format->rate_hz;
    wav->channels = (uint16_t)format->channels;
    wav->frames = size / ((size_t)format->channels * (format->bits / 8));
    count = wav->frames * format->channels;
    wav->samples = talloc_array(wav, int16_t, count ? (unsigned)count : 1);
    if (!wav->samples) {
        talloc_free(wav);
        return -ENOMEM;
    }
    if (format->tag == FORMAT_ULAW)
        rlx_ulaw_to_pcm(wav->samples, data, count);
    else
        for (size_t i = 0; i < count; i++)
            wav->samples[i] = (int16_t)get16(data + 2 * i);
    *wavp = wav;
    return 0;
}

int rlx_wav_read(struct rlx_wav **wavp, TALLOC_CTX *ctx, const void *data, size_t length,
                 char **whyp)
{
    const uint8_t *bytes = data;
    struct wav_format format = {0};
    size_t at = 12;

    if (!wavp || !data)
        return RLX_EINVAL;
    if (length < 12 || memcmp(bytes, "RIFF", 4) != 0 || memcmp(bytes + 8, "WAVE", 4) != 0)
        return fail(ctx, whyp, "this is no WAV file");
    while (length - at >= 8) {
        const uint8_t *chunk = bytes + at + 8;
        size_t room = length - at - 8;
        size_t size = get32(bytes + at + 4);
        const char *why;

        if (size > room)
            size = room;
        if (memcmp(bytes + at, "data", 4) == 0) {
            if (format.channels == 0)
                return fail(ctx, whyp, "the WAV has no format chunk before its data");
            return read_samples(wavp, ctx, &format, chunk, size);
        }
        if (memcmp(bytes + at, "fmt ", 4) == 0) {
            why = parse_format(&format, chunk, size);
            if (why)
                return fail(ctx, whyp, why);
        }
        at += 8 + size + (size & 1 && size < room ? 1 : 0);
    }
    return fail(ctx, whyp, "the WAV has no data chunk");
}
