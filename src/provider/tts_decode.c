#include "provider/tts_decode.h"

#include <errno.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/resample.h"
#include "base/err.h"

#define HEAD_MAX 4096
#define BLOCK 960 /* samples converted at a time */
#define PHONE_HZ 8000u
#define WAV_PCM 1u
#define WAV_ULAW 7u
#define WAV_EXTENSIBLE 0xfffeu

struct rlx_tts_decoder {
    rlx_tts_decoded_h *out;
    void *arg;
    bool ulaw;
    uint32_t rate_hz;
    unsigned channels;
    bool begun; /* the format is known */
    uint8_t head[HEAD_MAX];
    size_t head_length;
    uint8_t frame[4]; /* a sample frame cut by a piece's end */
    size_t frame_length;
    int16_t pcm[BLOCK];
    size_t pcm_length;
    uint64_t left; /* bytes of audio that may follow; UINT64_MAX = all */
    struct rlx_resampler *resampler;
    const char *why;
};

static int fail(struct rlx_tts_decoder *d, const char *why)
{
    d->why = why;
    return RLX_EPROTO;
}

static unsigned get16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

int rlx_tts_decoder_create(struct rlx_tts_decoder **decoderp, TALLOC_CTX *ctx, bool ulaw,
                           uint32_t rate_hz, rlx_tts_decoded_h *out, void *arg)
{
    struct rlx_tts_decoder *d = talloc_zero(ctx, struct rlx_tts_decoder);
    if (!d)
        return -ENOMEM;
    d->ulaw = ulaw;
    d->rate_hz = rate_hz;
    d->channels = 1;
    d->left = UINT64_MAX;
    d->out = out;
    d->arg = arg;
    d->why = "";
    *decoderp = d;
    return 0;
}

/* ---- samples ---- */

static int convert(struct rlx_tts_decoder *d)
{
    uint8_t ulaw[BLOCK];
    int16_t narrow[BLOCK];
    size_t at = 0;

    if (d->rate_hz == PHONE_HZ) {
        rlx_pcm_to_ulaw(ulaw, d->pcm, d->pcm_length);
        if (d->pcm_length)
            d->out(ulaw, d->pcm_length, d->arg);
        d->pcm_length = 0;
        return 0;
    }
    if (!d->resampler) {
        int err = rlx_resampler_create(&d->resampler, d, d->rate_hz, PHONE_HZ);
        if (err)
            return err;
    }
    while (at < d->pcm_length) {
        size_t used = 0;
        size_t made =
            rlx_resampler_run(d->resampler, d->pcm + at, d->pcm_length - at, &used, narrow, BLOCK);
        if (!used && !made)
            break;
        at += used;
        rlx_pcm_to_ulaw(ulaw, narrow, made);
        if (made)
            d->out(ulaw, made, d->arg);
    }
    d->pcm_length = 0;
    return 0;
}

static int16_t sample_at(const struct rlx_tts_decoder *d, const uint8_t *at)
{
    return d->ulaw ? rlx_ulaw_sample(*at) : (int16_t)get16(at);
}

static int take_frame(struct rlx_tts_decoder *d, const uint8_t *frame)
{
    int sum = sample_at(d, frame);
    if (d->channels == 2)
        sum = (sum + sample_at(d, frame + (d->ulaw ? 1 : 2))) / 2;
    d->pcm[d->pcm_length++] = (int16_t)sum;
    return d->pcm_length == BLOCK ? convert(d) : 0;
}

static int take_samples(struct rlx_tts_decoder *d, const uint8_t *bytes, size_t length)
{
    size_t size = (size_t)d->channels * (d->ulaw ? 1 : 2);
    int err = 0;

    if (length > d->left)
        length = (size_t)d->left;
    if (d->left != UINT64_MAX)
        d->left -= length;
    if (d->ulaw && d->channels == 1 && d->rate_hz == PHONE_HZ) {
        if (length)
            d->out(bytes, length, d->arg);
        return 0;
    }
    for (size_t i = 0; !err && i < length;) {
        if (!d->frame_length && length - i >= size) {
            err = take_frame(d, bytes + i);
            i += size;
            continue;
        }
        d->frame[d->frame_length++] = bytes[i++];
        if (d->frame_length == size) {
            d->frame_length = 0;
            err = take_frame(d, d->frame);
        }
    }
    return err ? err : convert(d);
}

/* ---- the head ---- */

static int take_format(struct rlx_tts_decoder *d, const uint8_t *fmt, size_t size)
{
    unsigned tag = get16(fmt), bits = get16(fmt + 14);
    if (tag == WAV_EXTENSIBLE && size >= 26)
        tag = get16(fmt + 24);
    d->channels = get16(fmt + 2);
    d->rate_hz = get32(fmt + 4);
    d->ulaw = tag == WAV_ULAW;
    if (!(tag == WAV_PCM && bits == 16) && !(tag == WAV_ULAW && bits == 8))
        return fail(d, "the speech is a WAV that is neither 16-bit PCM nor \xc2\xb5-law");
    if (d->channels < 1 || d->channels > 2 || d->rate_hz < 8000 || d->rate_hz > 48000)
        return fail(d, "the speech is a WAV with a rate or channels that can't be played");
    return 0;
}

/* Walks the RIFF chunks: *afterp = where the samples begin, 0 = more bytes are needed. */
static int walk_riff(struct rlx_tts_decoder *d, size_t *afterp)
{
    const uint8_t *head = d->head;
    bool format = false;
    *afterp = 0;
    if (d->head_length >= 12 && memcmp(head + 8, "WAVE", 4) != 0)
        return fail(d, "the speech is a RIFF file, but no WAV");
    for (size_t at = 12; at + 8 <= d->head_length;) {
        uint32_t size = get32(head + at + 4);
        if (!memcmp(head + at, "data", 4)) {
            if (!format)
                return fail(d, "the speech is a WAV without a format");
            /* a streamed header tells no length */
            d->left = !size || size >= 0x7ffff000u ? UINT64_MAX : size;
            *afterp = at + 8;
            return 0;
        }
        if (size > HEAD_MAX)
            return fail(d, "the speech's WAV header is too long");
        if (!memcmp(head + at, "fmt ", 4)) {
            if (size < 16)
                return fail(d, "the speech's WAV format is cut");
            if (at + 8 + size > d->head_length)
                return 0;
            int err = take_format(d, head + at + 8, size);
            if (err)
                return err;
            format = true;
        }
        at += 8 + size + (size & 1);
    }
    return d->head_length == HEAD_MAX ? fail(d, "the speech's WAV header is too long") : 0;
}

/* Anything that is no sample must not become noise in someone's ear. */
static int refuse_other(struct rlx_tts_decoder *d)
{
    const uint8_t *h = d->head;
    if (!memcmp(h, "ID3", 3) || !memcmp(h, "OggS", 4) || !memcmp(h, "fLaC", 4))
        return fail(d, "the speech came as a compressed file although raw samples were asked");
    if (!memcmp(h, "{\"", 2))
        return fail(d, "the speech came as JSON although raw samples were asked");
    return 0;
}

static int begin(struct rlx_tts_decoder *d, bool last)
{
    size_t after = 0;
    int err = 0;
    if (d->head_length < 4 && !last)
        return 0;
    if (d->head_length >= 4 && !memcmp(d->head, "RIFF", 4)) {
        err = walk_riff(d, &after);
        if (!err && !after && last)
            err = fail(d, "the speech ended inside its WAV header");
        if (err || !after)
            return err;
    } else if (d->head_length >= 4) {
        err = refuse_other(d);
        if (err)
            return err;
    }
    d->begun = true;
    return take_samples(d, d->head + after, d->head_length - after);
}

int rlx_tts_decoder_feed(struct rlx_tts_decoder *d, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    while (!d->begun && length) {
        size_t room = HEAD_MAX - d->head_length;
        size_t part = length < room ? length : room;
        memcpy(d->head + d->head_length, at, part);
        d->head_length += part;
        at += part;
        length -= part;
        int err = begin(d, false);
        if (err)
            return err;
    }
    return length ? take_samples(d, at, length) : 0;
}

int rlx_tts_decoder_end(struct rlx_tts_decoder *d)
{
    int err = 0;
    if (!d->begun && d->head_length)
        err = begin(d, true);
    if (err || !d->begun || !d->resampler)
        return err;
    memset(d->pcm, 0, sizeof d->pcm);
    d->pcm_length = d->rate_hz / 100;
    return convert(d);
}

const char *rlx_tts_decoder_why(const struct rlx_tts_decoder *d)
{
    return d->why;
}
