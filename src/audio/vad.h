/* WebRTC voice activity detection on 20 ms frames of 8 kHz PCM. One thread per object. */
#ifndef RLX_AUDIO_VAD_H
#define RLX_AUDIO_VAD_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_FRAME_MS 20
#define RLX_FRAME_SAMPLES 160 /* 20 ms at 8 kHz */

struct rlx_vad;

/* mode 0 (eager to hear voice) … 3 (strict), as WebRTC numbers them. RLX_EINVAL, -ENOMEM. */
int rlx_vad_create(struct rlx_vad **vadp, TALLOC_CTX *ctx, int mode)
    __attribute__((warn_unused_result));

/* True when the frame holds voice: the detector says so, and it is 5 dB louder than the softest frame of the last 3 s, so that a
 * steady noise is voice for 3 s at most. 1.7 µs; allocates nothing. */
bool rlx_vad_frame(struct rlx_vad *vad, const int16_t pcm[RLX_FRAME_SAMPLES]);

/* How long the detector goes on saying "voice" after the last 20 ms frame above -45 dBFS: median measured on phone-band speech
 * over noise (docs/internals/audio.md); subtract it from the last voiced frame to get the speech's end. */
uint32_t rlx_vad_hangover_ms(const struct rlx_vad *vad);

#endif
