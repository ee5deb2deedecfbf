/* The bytes of a speech answer in any pieces → 8 kHz µ-law. Raw samples or a WAV file (RIFF, 16-bit
 * PCM or µ-law, 1–2 channels, 8–48 kHz). No I/O; one thread per object. */
#ifndef RLX_PROVIDER_TTS_DECODE_H
#define RLX_PROVIDER_TTS_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_tts_decoder;

typedef void rlx_tts_decoded_h(const uint8_t *ulaw, size_t length, void *arg);

/* `ulaw`/`rate_hz`: what bytes without a WAV header are (mono). */
int rlx_tts_decoder_create(struct rlx_tts_decoder **decoderp, TALLOC_CTX *ctx, bool ulaw,
                           uint32_t rate_hz, rlx_tts_decoded_h *out, void *arg)
    __attribute__((warn_unused_result));
/* 0, RLX_EPROTO (mp3, Ogg, FLAC or JSON came, or a WAV that can't be played), -ENOMEM. `out` must
 * not free the decoder. */
int rlx_tts_decoder_feed(struct rlx_tts_decoder *decoder, const void *bytes, size_t length)
    __attribute__((warn_unused_result));
/* No more bytes: gives out what the filter still holds. */
int rlx_tts_decoder_end(struct rlx_tts_decoder *decoder) __attribute__((warn_unused_result));
const char *rlx_tts_decoder_why(const struct rlx_tts_decoder *decoder);

#endif
