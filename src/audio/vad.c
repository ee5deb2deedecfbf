#include "audio/vad.h"

#include <errno.h>
#include <stddef.h>

#include "audio/level.h"
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

/* A steady noise that begins in mid-call is "voice" to the detector for seconds, a loud one for ever. Speech has dips: a frame
 * counts only when it is louder than the softest of the last three seconds by this much. */
#define ABOVE_FLOOR_DB 5.0f
#define FLOOR_SLOTS 6
#define SLOT_FRAMES 25 /* half a second */

/* The medians that docs/internals/audio.md lists; tests/unit/audio/test_vad.c measures them again
 * on synthetic vowels. */
static const uint32_t hangover_ms[4] = {140, 140, 100, 100};

struct rlx_vad {
    VadInst *instance;
    int mode;
    float softest_db[FLOOR_SLOTS]; /* of each half second, the running one at `slot` */
    unsigned slot, frames;         /* frames in the running slot */
    uint32_t quiet_ms;             /* since the last frame above the floor; the hang-over is let through */
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
    vad->quiet_ms = UINT32_MAX / 2;
    for (unsigned i = 0; i < FLOOR_SLOTS; i++)
        vad->softest_db[i] = RLX_LEVEL_SILENCE_DB;
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

/* The softest frame of the last three seconds, this one included; what was before the first is silence. */
static float floor_db(struct rlx_vad *vad, float level_db)
{
    if (vad->frames == SLOT_FRAMES) {
        vad->slot = (vad->slot + 1) % FLOOR_SLOTS;
        vad->frames = 0;
    }
    float *softest = &vad->softest_db[vad->slot];
    if (vad->frames++ == 0 || level_db < *softest)
        *softest = level_db;
    float floor = level_db;
    for (unsigned i = 0; i < FLOOR_SLOTS; i++)
        floor = vad->softest_db[i] < floor ? vad->softest_db[i] : floor;
    return floor;
}

bool rlx_vad_frame(struct rlx_vad *vad, const int16_t pcm[RLX_FRAME_SAMPLES])
{
    float level = rlx_level_db(pcm, RLX_FRAME_SAMPLES);
    bool above = level >= floor_db(vad, level) + ABOVE_FLOOR_DB;

    vad->quiet_ms = above ? 0 : vad->quiet_ms + RLX_FRAME_MS;
    return WebRtcVad_Process(vad->instance, RATE_HZ, pcm, RLX_FRAME_SAMPLES) == 1 &&
           vad->quiet_ms <= hangover_ms[vad->mode];
}

uint32_t rlx_vad_hangover_ms(const struct rlx_vad *vad)
{
    return hangover_ms[vad->mode];
}
