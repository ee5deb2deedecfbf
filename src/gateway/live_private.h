/* The parts of a live call, for the files live*.c alone. */
#ifndef RLX_GATEWAY_LIVE_PRIVATE_H
#define RLX_GATEWAY_LIVE_PRIVATE_H

#include <sys/queue.h>

#include "audio/beep.h"
#include "audio/playout.h"
#include "audio/recorder.h"
#include "audio/vad.h"
#include "gateway/live.h"
#include "gateway/media.h"

struct rlx_ears;  /* live_ears.c: the callee's audio */
struct rlx_mind;  /* live_mind.c: speech to text, look-up, model */
struct rlx_voice; /* live_voice.c: pieces, synthesis, playout */

struct rlx_live {
    const struct rlx_live_env *env;
    struct rlx_call_setup *setup;
    struct rlx_conv *conv;
    struct rlx_ears *ears;
    struct rlx_mind *mind;
    struct rlx_voice *voice;
    struct rlx_beep *beep;         /* NULL when no machine's beep is awaited any more */
    struct rlx_recorder *recorder; /* NULL before start, and without memory */
    bool recording_failed;         /* and that was told */
    char *recording_path;
    struct rlx_tap *taps[RLX_LIVE_LISTENERS];
    size_t tap_count;
    uint64_t listened_ms; /* they have heard the call up to here */
    struct rlx_socket *socket; /* NULL before start and after it closed */
    char stream_sid[RLX_MEDIA_SID], call_sid[RLX_MEDIA_SID];
    uint64_t started_ms, recorded_ms; /* monotonic; when the recorder last ticked */
    unsigned bad_messages;            /* that could not be read */
    char *amd;                        /* who answered, said before the start */
    uint64_t carrier_ended_ms;        /* the carrier said that it is over; 0 = not */
    bool stopped;                     /* the stream's end was told to the conversation */
    bool over;                        /* RLX_ACT_END was carried out */
    struct rlx_call_end *end;         /* … and waits for the recording to be closed; NULL = reported, or not yet */
    uint64_t end_ms;
    struct rlx_hangup *hangup;        /* on its way to the carrier; NULL = not, or answered */
    /* Events that came up while actions were being carried out: given to the conversation afterwards, in order. */
    struct rlx_conv_event *waiting;
    size_t waiting_count;
    bool busy;
};

/* Gives an event to the conversation and carries out what it answers. Inside of that, the event waits its turn. Pointers in
 * the event must live until the outermost call returns. */
void rlx_live_input(struct rlx_live *live, struct rlx_conv_event *event);
/* Milliseconds since the stream began. */
uint64_t rlx_live_time(const struct rlx_live *live);

/* ---- listeners (live_listen.c) ---- */
void rlx_live_listeners_tick(struct rlx_live *live);
void rlx_live_listeners_end(struct rlx_live *live);

/* ---- ears ---- */
int rlx_ears_create(struct rlx_ears **earsp, struct rlx_live *live);
/* Audio that came, at its media timestamp. */
void rlx_ears_audio(struct rlx_ears *ears, const struct rlx_media_message *message);
/* The stretch as µ-law (borrowed until the next audio); clipped to what is kept. */
const uint8_t *rlx_ears_slice(struct rlx_ears *ears, uint64_t from_ms, uint64_t to_ms,
                              size_t *lengthp);

/* ---- mind ---- */
int rlx_mind_create(struct rlx_mind **mindp, struct rlx_live *live);
void rlx_mind_hear(struct rlx_mind *mind, const struct rlx_conv_action *action);
void rlx_mind_look_up(struct rlx_mind *mind, const struct rlx_conv_action *action);
void rlx_mind_think(struct rlx_mind *mind, const struct rlx_conv_action *action);
void rlx_mind_cancel(struct rlx_mind *mind, uint32_t job);
/* Lets the model's server read the prompt's beginning. */
void rlx_mind_warm(struct rlx_mind *mind);

/* ---- voice ---- */
int rlx_voice_create(struct rlx_voice **voicep, struct rlx_live *live);
/* Renders the fixed phrases and, as long as it rings, the approved answers into the cache. */
void rlx_voice_prepare(struct rlx_voice *voice);
void rlx_voice_act(struct rlx_voice *voice, const struct rlx_conv_action *action);
void rlx_voice_mark(struct rlx_voice *voice, const char *name);
void rlx_voice_tick(struct rlx_voice *voice, uint64_t now_ms);
/* What of the epoch has been heard by now. */
uint32_t rlx_voice_heard_ms(const struct rlx_voice *voice, uint32_t epoch, uint64_t now_ms);
/* The agent's loudest 20 ms heard 60–600 ms ago, dBFS. */
float rlx_voice_echo_db(const struct rlx_voice *voice, uint64_t now_ms);
void rlx_voice_stats(const struct rlx_voice *voice, struct rlx_playout_stats *stats);

#endif
