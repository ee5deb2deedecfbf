/* G.711 µ-law (ITU-T G.711) by table. Any thread. */
#ifndef RLX_AUDIO_G711_H
#define RLX_AUDIO_G711_H

#include <stddef.h>
#include <stdint.h>

#define RLX_ULAW_SILENCE 0xff

void rlx_ulaw_to_pcm(int16_t *pcm, const uint8_t *ulaw, size_t samples);
void rlx_pcm_to_ulaw(uint8_t *ulaw, const int16_t *pcm, size_t samples);
int16_t rlx_ulaw_sample(uint8_t ulaw);

#endif
