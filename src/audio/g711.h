/* G.711 µ-law (ITU-T G.711 table 2a/2b) by table. Any thread; nothing allocates. */
#ifndef RLX_AUDIO_G711_H
#define RLX_AUDIO_G711_H

#include <stddef.h>
#include <stdint.h>

/* The code of +0: what a silent line carries. */
#define RLX_ULAW_SILENCE 0xff

/* Decodes `samples` codes to 16-bit PCM (peak ±32124). `pcm` and `ulaw` must not overlap. */
void rlx_ulaw_to_pcm(int16_t *pcm, const uint8_t *ulaw, size_t samples);

/* Encodes 16-bit PCM; values beyond ±32635 saturate. Decoding the result and encoding it again gives the same codes, except
 * that 0x7f (-0) becomes 0xff (+0). */
void rlx_pcm_to_ulaw(uint8_t *ulaw, const int16_t *pcm, size_t samples);

/* One decoded sample. */
int16_t rlx_ulaw_sample(uint8_t ulaw);

#endif
