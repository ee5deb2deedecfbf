/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "encode.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/resample.h"
#include "audio/wav.h"
#include "base/err.h"

#define PCM_HZ 24000
#define ULAW_HZ 8000
#define WAITING_MAX (64u << 20) /* bytes: more than the longest input makes */

static const struct {
    const char *name;
    enum rlx_format format;
} names[] = {
    {"pcm", RLX_FORMAT_PCM},
    {"wav", RLX_FORMAT_WAV},
    {"mulaw", RLX_FORMAT_ULAW},
    {"ulaw", RLX_FORMAT_ULAW},
};

struct rlx_encoder {
    enum rlx_format format;
    uint32_t rate_hz, out_hz;
    struct rlx_resampler *resampler;
    uint8_t *bytes;
    size_t length, taken;
};

int rlx_format_parse(enum rlx_format *formatp, const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!strcmp(names[i].name, name)) {
            *formatp = names[i].format;
            return 0;
        }
    }
    return RLX_EINVAL;
}

const char *rlx_format_type(enum rlx_format format)
{
    switch (format) {
    case RLX_FORMAT_WAV:
        return "audio/wav";
    case RLX_FORMAT_ULAW:
        return "audio/basic";
    case RLX_FORMAT_PCM:
    default:
        return "audio/pcm";
    }
}

/* Room for `more` bytes behind the waiting ones. */
static uint8_t *reserve(struct rlx_encoder *e, size_t more)
{
    if (e->taken == e->length)
        e->taken = e->length = 0;
    if (e->length + more > WAITING_MAX)
        return NULL;
    if (e->length + more > talloc_array_length(e->bytes)) {
        uint8_t *bytes = talloc_realloc(e, e->bytes, uint8_t, (unsigned)(e->length + more));

        if (!bytes)
            return NULL;
        e->bytes = bytes;
    }
    return e->bytes + e->length;
}

int rlx_encoder_create(struct rlx_encoder **encoderp, TALLOC_CTX *ctx, enum rlx_format format,
                       uint32_t rate_hz)
{
    struct rlx_encoder *e = talloc_zero(ctx, struct rlx_encoder);
    int err;

    if (!e)
        return -ENOMEM;
    e->format = format;
    e->rate_hz = rate_hz;
    e->out_hz = format == RLX_FORMAT_ULAW ? ULAW_HZ : PCM_HZ;
    err = rlx_resampler_create(&e->resampler, e, rate_hz, e->out_hz);
    if (!err && format == RLX_FORMAT_WAV) {
        uint8_t *header = reserve(e, RLX_WAV_HEADER);

        if (header) {
            /* "unknown": readers take what follows up to the end */
            rlx_wav_header(header, e->out_hz, 1, UINT32_MAX);
            e->length += RLX_WAV_HEADER;
        } else {
            err = -ENOMEM;
        }
    }
    if (err)
        talloc_free(e);
    else
        *encoderp = e;
    return err;
}

static int16_t *to_pcm(TALLOC_CTX *ctx, const float *samples, size_t count, size_t silence)
{
    int16_t *pcm = talloc_zero_array(ctx, int16_t, (unsigned)(count + silence) + 1);

    for (size_t i = 0; pcm && i < count; i++) {
        float x = samples[i] * 32767.0f;

        pcm[i] = (int16_t)lrintf(x > 32767.0f ? 32767.0f : x < -32768.0f ? -32768.0f : x);
    }
    return pcm;
}

/* Resamples into the bytes that wait. The host is little-endian, as x86 and every ARM that Debian
 * runs on. */
static int resample(struct rlx_encoder *e, const int16_t *pcm, size_t count)
{
    size_t room = rlx_resampler_bound(e->resampler, count), made = 0, used;
    int16_t *out = talloc_array(e, int16_t, (unsigned)room);
    bool ulaw = e->format == RLX_FORMAT_ULAW;

    while (out && count > 0 && made < room) {
        made += rlx_resampler_run(e->resampler, pcm, count, &used, out + made, room - made);
        if (used == 0)
            break;
        pcm += used;
        count -= used;
    }
    size_t bytes = ulaw ? made : made * sizeof *out;
    uint8_t *to = out ? reserve(e, bytes) : NULL;
    if (to && ulaw)
        rlx_pcm_to_ulaw(to, out, made);
    else if (to)
        memcpy(to, out, bytes);
    talloc_free(out);
    if (!to)
        return -ENOMEM;
    e->length += bytes;
    return 0;
}

int rlx_encoder_add(struct rlx_encoder *encoder, const float *samples, size_t count,
                    uint32_t silence_ms)
{
    size_t silence = (size_t)silence_ms * encoder->rate_hz / 1000;
    int16_t *pcm = to_pcm(encoder, samples, count, silence);
    int err = pcm ? resample(encoder, pcm, count + silence) : -ENOMEM;

    talloc_free(pcm);
    return err;
}

size_t rlx_encoder_take(struct rlx_encoder *encoder, void *buffer, size_t size)
{
    size_t n = encoder->length - encoder->taken;

    if (n > size)
        n = size;
    if (n > 0)
        memcpy(buffer, encoder->bytes + encoder->taken, n);
    encoder->taken += n;
    return n;
}
