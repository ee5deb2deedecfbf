#include "audio/vad.h"

#include <errno.h>
#include <stddef.h>

#include "base/err.h"

/* Exported by libwebrtc_audio_processing 0.3, whose package ships no header for them (BSD-3,
 * webrtc_vad.h). */
typedef struct WebRtcVadInst VadInst;
VadInst *WebRtcVad_Create(void);
void WebRtcVad_Free(VadInst *handle);
int WebRtcVad_Init(VadInst *handle);
int WebRtcVad_set_mode(VadInst *handle, int mode);
int WebRtcVad_Process(VadInst *handle, int rate_hz, const int16_t *pcm, size_t samples);

#define RATE_HZ 8000

/* The medians that docs/internals/audio.md lists; tests/unit/audio/test_vad.c measures them again
 * on synthetic vowels. */
static const uint32_t hangover_ms[4] = {140, 140, 100, 100};

struct rlx_vad {
    VadInst *instance;
    int mode;
};

static int vad_destroy(struct rlx_vad *vad)
{
    WebRtcVad_Free(vad->instance);
    return 0;
}

int rlx_vad_create(struct rlx_vad **vadp, TALLOC_CTX *ctx, int mode)
{
    struct rlx_vad *vad;

    if (!vadp || mode < 0 || mode > 3)
        return RLX_EINVAL;
    vad = talloc_zero(ctx, struct rlx_vad);
    if (!vad)
        return -ENOMEM;
    vad->mode = mode;
    vad->instance = WebRtcVad_Create();
    if (!vad->instance) {
        talloc_free(vad);
        return -ENOMEM;
    }
    talloc_set_destructor(vad, vad_destroy);
    if (WebRtcVad_Init(vad->instance) != 0 || WebRtcVad_set_mode(vad->instance, mode) != 0) {
        talloc_free(vad);
        return RLX_EINTERNAL;
    }
    *vadp = vad;
    return 0;
}

bool rlx_vad_frame(struct rlx_vad *vad, const int16_t pcm[RLX_FRAME_SAMPLES])
{
    return WebRtcVad_Process(vad->instance, RATE_HZ, pcm, RLX_FRAME_SAMPLES) == 1;
}

uint32_t rlx_vad_hangover_ms(const struct rlx_vad *vad)
{
    return hangover_ms[vad->mode];
}
