/* RIFF WAVE reading and writing (PCM 16 bit; µ-law is read too). Any thread. */
#ifndef RLX_AUDIO_WAV_H
#define RLX_AUDIO_WAV_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_WAV_HEADER 44

/* The 44-byte header of 16-bit PCM with data_bytes of samples. */
void rlx_wav_header(uint8_t header[RLX_WAV_HEADER], uint32_t rate_hz, uint16_t channels,
                    uint32_t data_bytes);

struct rlx_wav {
    uint32_t rate_hz;
    uint16_t channels;
    size_t frames;    /* samples per channel */
    int16_t *samples; /* interleaved, talloc child of the wav */
};

/* Parses a whole file in memory: 16-bit PCM or 8-bit µ-law, any rate 8–48 kHz, 1–2 channels; a data size that runs past
 * the end (a recording cut by a kill, a streamed header of 0xffffffff) is taken up to the end. RLX_EINVAL with *whyp (on
 * ctx, optional) otherwise. */
int rlx_wav_read(struct rlx_wav **wavp, TALLOC_CTX *ctx, const void *data, size_t length,
                 char **whyp) __attribute__((warn_unused_result));

#endif
