/* RIFF WAVE reading and writing (PCM 16 bit; µ-law is read too). Any thread. */
#ifndef RLX_AUDIO_WAV_H
#define RLX_AUDIO_WAV_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_WAV_HEADER 44

/* The 44-byte header of 16-bit PCM with data_bytes of samples (a RIFF size that would overflow is capped). */
void rlx_wav_header(uint8_t header[RLX_WAV_HEADER], uint32_t rate_hz, uint16_t channels,
                    uint32_t data_bytes);

struct rlx_wav {
    uint32_t rate_hz;
    uint16_t channels;
    size_t frames;    /* samples per channel; 0 is valid (a recording that has just begun) */
    int16_t *samples; /* interleaved, talloc child of the wav; never NULL */
};

/* Parses a whole file in memory: 16-bit PCM or 8-bit µ-law (plain or WAVE_FORMAT_EXTENSIBLE), any rate 8–48 kHz, 1–2
 * channels; unknown chunks are skipped; a data size that runs past the end (a recording cut by a kill, a streamed header of
 * 0xffffffff) is taken up to the end, half a frame at the end is dropped. The wav is a talloc child of ctx. RLX_EINVAL with
 * a sentence in *whyp (on ctx, optional) otherwise; -ENOMEM. Safe on hostile input: memory is bounded by 2 × length. */
int rlx_wav_read(struct rlx_wav **wavp, TALLOC_CTX *ctx, const void *data, size_t length,
                 char **whyp) __attribute__((warn_unused_result));

#endif
