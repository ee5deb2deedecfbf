/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Turns synthesized samples into the bytes of an answer. One thread per object.
 */
#ifndef RLX_SPEECH_ENCODE_H
#define RLX_SPEECH_ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

enum rlx_format {
    RLX_FORMAT_PCM,  /* 24 kHz 16-bit little-endian mono, as OpenAI's */
    RLX_FORMAT_WAV,  /* the same behind a header whose sizes say "unknown", as it is streamed */
    RLX_FORMAT_ULAW, /* 8 kHz G.711 µ-law without a header, for the telephone */
};

struct rlx_encoder;

/* The format of a name ("pcm", "wav", "mulaw", "ulaw"): 0 or RLX_EINVAL. */
int rlx_format_parse(enum rlx_format *formatp, const char *name)
    __attribute__((warn_unused_result));

/* The content type of the answer; static memory. */
const char *rlx_format_type(enum rlx_format format);

/* An encoder for speech of rate_hz. */
int rlx_encoder_create(struct rlx_encoder **encoderp, TALLOC_CTX *ctx, enum rlx_format format,
                       uint32_t rate_hz) __attribute__((warn_unused_result));

/* Encodes samples (full scale ±1) and then silence_ms of silence; the bytes wait to be taken.
 * -ENOMEM. */
int rlx_encoder_add(struct rlx_encoder *encoder, const float *samples, size_t count,
                    uint32_t silence_ms) __attribute__((warn_unused_result));

/* Takes up to `size` waiting bytes; 0 when there are none. */
size_t rlx_encoder_take(struct rlx_encoder *encoder, void *buffer, size_t size);

#endif
