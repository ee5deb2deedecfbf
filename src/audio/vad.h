/* WebRTC voice activity detection on 20 ms frames of 8 kHz PCM. One thread per object. */
#ifndef RLX_AUDIO_VAD_H
#define RLX_AUDIO_VAD_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_FRAME_MS 20
#define RLX_FRAME_SAMPLES 160 /* 20 ms at 8 kHz */

struct rlx_vad;

/* mode 0 (eager to hear voice) … 3 (strict), as WebRTC numbers them. */
int rlx_vad_create(struct rlx_vad **vadp, TALLOC_CTX *ctx, int mode)
    __attribute__((warn_unused_result));

/* True when the frame holds voice. */
bool rlx_vad_frame(struct rlx_vad *vad, const int16_t pcm[RLX_FRAME_SAMPLES]);

/* How long the detector goes on saying "voice" after speech has ended, measured (docs/internals/audio.md). */
uint32_t rlx_vad_hangover_ms(const struct rlx_vad *vad);

#endif
