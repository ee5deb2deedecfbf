/* The callee's audio: frames, voice detection, and the last seconds kept for speech to text. */
#include <errno.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/level.h"
#include "base/clock.h"
#include "gateway/live_private.h"

#define BYTES_PER_MS ((size_t)8)
#define KEEP_IDLE_MS 4000   /* kept while nobody's turn is being heard: pre-roll and first words */
#define KEEP_MAX_MS 40000   /* kept at most, in a long turn */
#define GAP_MAX_MS 2000     /* a longer hole in the timestamps is not filled: the time line jumps */
#define FUTURE_MAX_MS 60000 /* timestamps so far ahead of the clock are nonsense: the audio is taken as the next one */

struct rlx_ears {
    struct rlx_live *live;
    struct rlx_vad *vad;
    uint8_t *kept; /* µ-law; kept[0] is at base_ms */
    size_t length, size;
    uint64_t base_ms;
    uint64_t next_ms; /* where the next audio is expected */
    uint8_t partial[RLX_FRAME_SAMPLES];
    size_t partial_length;
};

int rlx_ears_create(struct rlx_ears **earsp, struct rlx_live *live)
{
    struct rlx_ears *ears = talloc_zero(live, struct rlx_ears);

    if (!ears)
        return -ENOMEM;
    ears->live = live;
    ears->size = BYTES_PER_MS * KEEP_IDLE_MS * 2;
    ears->kept = talloc_array(ears, uint8_t, (unsigned)ears->size);
    int err = ears->kept ? rlx_vad_create(&ears->vad, ears, 2) : -ENOMEM;
    if (err) {
        talloc_free(ears);
        return err;
    }
    live->setup->options.hangover_ms = rlx_vad_hangover_ms(ears->vad);
    *earsp = ears;
    return 0;
}

static void forget_before(struct rlx_ears *ears, size_t keep_bytes)
{
    size_t drop = ears->length - keep_bytes;

    memmove(ears->kept, ears->kept + drop, keep_bytes);
    ears->length = keep_bytes;
    ears->base_ms += drop / BYTES_PER_MS;
}

/* Room for one more frame: shortened while nobody's turn runs, grown to the cap in a long one. */
static void make_room(struct rlx_ears *ears)
{
    enum rlx_conv_state state = rlx_conv_state(ears->live->conv);
    bool idle = state == RLX_CONV_LISTENING || state == RLX_CONV_AI_SPEAKING ||
                state == RLX_CONV_GREETING || state == RLX_CONV_ON_HOLD;

    if (ears->length + RLX_FRAME_SAMPLES <= ears->size)
        return;
    if (!idle && ears->size < KEEP_MAX_MS * BYTES_PER_MS) {
        size_t size = ears->size * 2;
        if (size > KEEP_MAX_MS * BYTES_PER_MS)
            size = KEEP_MAX_MS * BYTES_PER_MS;
        uint8_t *grown = talloc_realloc(ears, ears->kept, uint8_t, (unsigned)size);
        if (grown) {
            ears->kept = grown;
            ears->size = size;
            return;
        }
    }
    forget_before(ears, idle ? KEEP_IDLE_MS * BYTES_PER_MS : ears->length / 2);
}

static void keep(struct rlx_ears *ears, const uint8_t *frame)
{
    make_room(ears);
    memcpy(ears->kept + ears->length, frame, RLX_FRAME_SAMPLES);
    ears->length += RLX_FRAME_SAMPLES;
}

static void frame_heard(struct rlx_ears *ears, const uint8_t *frame)
{
    struct rlx_live *live = ears->live;
    int16_t pcm[RLX_FRAME_SAMPLES];
    uint64_t ts_ms = ears->next_ms;

    keep(ears, frame);
    ears->next_ms += RLX_FRAME_MS;
    if (live->recorder)
        rlx_recorder_callee(live->recorder, ts_ms, frame, RLX_FRAME_SAMPLES);
    rlx_ulaw_to_pcm(pcm, frame, RLX_FRAME_SAMPLES);
    struct rlx_conv_event event = {
        .kind = RLX_EV_FRAME,
        .frame = {.ts_ms = ts_ms,
                  .voiced = rlx_vad_frame(ears->vad, pcm),
                  .level_db = rlx_level_db(pcm, RLX_FRAME_SAMPLES),
                  .agent_db = rlx_voice_echo_db(live->voice, rlx_now_ms())},
    };
    rlx_live_input(live, &event);
}

/* Lines the time line up with the stream's: lost frames become silence, a long hole a jump. */
static void align(struct rlx_ears *ears, uint64_t timestamp_ms)
{
    uint8_t silence[RLX_FRAME_SAMPLES];

    if (timestamp_ms < ears->next_ms + RLX_FRAME_MS)
        return;
    uint64_t gap = timestamp_ms - ears->next_ms;
    ears->partial_length = 0;
    if (gap > GAP_MAX_MS || !ears->length) {
        ears->length = 0;
        ears->base_ms = ears->next_ms = timestamp_ms;
        return;
    }
    memset(silence, RLX_ULAW_SILENCE, sizeof silence);
    for (; gap >= RLX_FRAME_MS; gap -= RLX_FRAME_MS, ears->next_ms += RLX_FRAME_MS)
        keep(ears, silence);
}

void rlx_ears_audio(struct rlx_ears *ears, const struct rlx_media_message *message)
{
    const uint8_t *from = message->audio;
    size_t left = message->audio_length;

    if (message->timestamp_ms <= rlx_live_time(ears->live) + FUTURE_MAX_MS)
        align(ears, message->timestamp_ms);
    while (left && !ears->live->over) {
        size_t n = RLX_FRAME_SAMPLES - ears->partial_length;
        n = n < left ? n : left;
        memcpy(ears->partial + ears->partial_length, from, n);
        ears->partial_length += n;
        from += n;
        left -= n;
        if (ears->partial_length == RLX_FRAME_SAMPLES) {
            ears->partial_length = 0;
            frame_heard(ears, ears->partial);
        }
    }
}

const uint8_t *rlx_ears_slice(struct rlx_ears *ears, uint64_t from_ms, uint64_t to_ms,
                              size_t *lengthp)
{
    uint64_t end_ms = ears->base_ms + ears->length / BYTES_PER_MS;
    uint64_t from = from_ms < ears->base_ms ? ears->base_ms : from_ms;
    uint64_t to = to_ms > end_ms ? end_ms : to_ms;

    *lengthp = to > from ? (size_t)(to - from) * BYTES_PER_MS : 0;
    return ears->kept + (to > from ? (size_t)(from - ears->base_ms) * BYTES_PER_MS : 0);
}
