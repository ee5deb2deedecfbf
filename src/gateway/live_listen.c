/* Who listens in to a live call: both sides of it, a little late, so that what an interruption takes out is not heard there either. */
#include <string.h>

#include "audio/g711.h"
#include "gateway/live_private.h"

#define DELAY_MS 500 /* what lies so far back is final */
#define BLOCK_MS 100
#define SAMPLES_PER_MS 8

/* Called often; a block goes out every 100 ms. */
void rlx_live_listeners_tick(struct rlx_live *live)
{
    uint8_t callee[BLOCK_MS * SAMPLES_PER_MS], agent[BLOCK_MS * SAMPLES_PER_MS];
    int16_t stereo[2 * BLOCK_MS * SAMPLES_PER_MS];
    uint64_t now_ms = rlx_live_time(live);

    if (!live->tap_count || !live->recorder || now_ms < live->listened_ms + BLOCK_MS + DELAY_MS)
        return;
    rlx_recorder_copy(live->recorder, live->listened_ms, callee, agent, sizeof callee);
    live->listened_ms += BLOCK_MS;
    for (size_t i = 0; i < sizeof callee; i++) {
        stereo[2 * i] = rlx_ulaw_sample(callee[i]);
        stereo[2 * i + 1] = rlx_ulaw_sample(agent[i]);
    }
    for (size_t i = 0; i < live->tap_count;) {
        rlx_tap_put(live->taps[i], stereo, sizeof stereo);
        if (rlx_tap_left(live->taps[i])) {
            rlx_tap_drop_call(live->taps[i]);
            live->taps[i] = live->taps[--live->tap_count];
        } else {
            i++;
        }
    }
}

void rlx_live_listen(struct rlx_live *live, struct rlx_tap *tap)
{
    if (!live->started_ms || live->over) {
        rlx_tap_set(tap, RLX_TAP_NO_CALL);
        rlx_tap_drop_call(tap);
        return;
    }
    if (live->tap_count == RLX_LIVE_LISTENERS) {
        rlx_tap_set(tap, RLX_TAP_FULL);
        rlx_tap_drop_call(tap);
        return;
    }
    uint64_t now_ms = rlx_live_time(live);
    if (!live->tap_count)
        live->listened_ms = now_ms > DELAY_MS ? now_ms - DELAY_MS : 0;
    live->taps[live->tap_count++] = tap;
    rlx_tap_set(tap, RLX_TAP_OPEN);
}

void rlx_live_listeners_end(struct rlx_live *live)
{
    while (live->tap_count)
        rlx_tap_drop_call(live->taps[--live->tap_count]);
}
