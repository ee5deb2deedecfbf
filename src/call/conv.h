/* The conversation of one call: a pure state machine. Events and time go in, actions come out; it does no I/O, reads no clock
 * and starts no thread. The rules stand in docs/internals/conversation.md; each is a table test.
 *
 * Numbering. A *turn* of the agent is an *epoch*; its audio is a sequence of *pieces* (1, 2, …), on the epoch's own timeline in
 * milliseconds. Asynchronous work (STT, look-up, LLM, tool) carries a *job* number, unique in the call; results of cancelled or
 * unknown jobs are ignored. The callee's audio is named by its own timeline: media timestamps in milliseconds.
 *
 * Durability: every RLX_ACT_ROW has a number, and RLX_EV_KEPT says up to which number the rows would outlive a kill. A speech of
 * the agent begins only when the rows that were written before it was made are durable, or a second after it was made.
 *
 * Speculation: pieces of an epoch that has not been begun (RLX_ACT_EPOCH) are made and held by the gateway; nothing of them is
 * sent before RLX_ACT_EPOCH names the epoch; RLX_ACT_DROP throws them away.
 */
#ifndef RLX_CALL_CONV_H
#define RLX_CALL_CONV_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "call/answers.h"
#include "call/prompt.h"
#include "call/settings.h"

struct rlx_conv;

enum rlx_conv_state {
    RLX_CONV_WAITING, /* no stream yet */
    RLX_CONV_GREETING,
    RLX_CONV_LISTENING,
    RLX_CONV_USER_SPEAKING,
    RLX_CONV_THINKING,
    RLX_CONV_AI_SPEAKING,
    RLX_CONV_PAUSED,
    RLX_CONV_TOOL,
    RLX_CONV_ON_HOLD,
    RLX_CONV_VOICEMAIL,
    RLX_CONV_TRANSFERRING,
    RLX_CONV_CLOSING,
    RLX_CONV_ENDED
};
const char *rlx_conv_state_name(enum rlx_conv_state state);

/* ---- what the conversation is about; strings are copied ---- */
struct rlx_conv_options {
    struct rlx_turn_settings settings;
    bool agent_first;          /* greet at once instead of waiting for the callee's "hello?" */
    const char *greeting;      /* spoken first; holds the disclosure; never NULL */
    uint32_t disclosure_words; /* the first so many words of it must be heard (0 = none) */
    const char *goodbye;       /* NULL = a default */
    const char *const *fillers;   /* NULL-terminated; NULL = defaults */
    const char *const *prompts;   /* two "are you there" lines; NULL = defaults */
    const char *apology;       /* providers failed; NULL = default */
    const char *voicemail;     /* message to leave, NULL = hang up on a machine */
    uint32_t hangover_ms;      /* of the voice detector: subtracted from the last voiced frame */
    int64_t wall_ms;           /* wall clock when the monotonic clock was 0, for the rows' times */
    bool can_look_up;          /* RLX_ACT_LOOKUP is worth asking (there is knowledge) */
    uint64_t uuid_seed;        /* random: the ids of the rows are made from it */
    unsigned guesses;          /* speculative passes of speech to text a turn, at most; 0 = 2 */
    char opt_out_key;          /* a key that means "do not call me again", 0 = none */
};

/* ---- events ---- */
enum rlx_conv_event_kind {
    RLX_EV_STREAM,     /* a media stream has started */
    RLX_EV_FRAME,      /* 20 ms of the callee: .frame */
    RLX_EV_STT,        /* .stt, .job; err != 0 = it failed */
    RLX_EV_PARTIAL,    /* .text, .job: interim words of a streaming recogniser */
    RLX_EV_KNOWLEDGE,  /* .match, .job (NULL match = it failed: go on without) */
    RLX_EV_LLM_TEXT,   /* .text, .job */
    RLX_EV_LLM_TOOL,   /* .tool, .job */
    RLX_EV_LLM_DONE,   /* .job, .err */
    RLX_EV_AUDIO,      /* .audio: a piece has grown, is complete, or failed */
    RLX_EV_PLAYED,     /* the running epoch is over: all of it was heard (or its last mark is lost and its time is up) */
    RLX_EV_DTMF,       /* .digit */
    RLX_EV_TOOL_DONE,  /* .job, .text = result as JSON, .err */
    RLX_EV_KEPT,       /* .kept: transcript rows up to this number are durable */
    RLX_EV_AMD,        /* .text = the carrier's answer ("human", "machine_start", …) */
    RLX_EV_BEEP,       /* a machine's beep, and the quiet behind it */
    RLX_EV_STOP,       /* the stream ended: the callee or the carrier hung up, or the socket broke */
    RLX_EV_END_WISH,   /* the owner wants the call ended now (API hang-up, drain time-out); .text = reason */
    RLX_EV_TIMER       /* rlx_conv_deadline has come */
};

struct rlx_conv_event {
    enum rlx_conv_event_kind kind;
    uint32_t job;
    int err;
    const char *text;
    char digit;
    /* The playout of the running epoch at this moment (every event carries it). */
    uint32_t heard_ms;
    bool rate_low; /* a provider has little left of its rate limit (every event carries it): nothing is guessed */
    union {
        struct {
            uint64_t ts_ms;   /* media timestamp of the frame's first sample */
            bool voiced;      /* the detector's verdict */
            float level_db;   /* RMS, dBFS */
            float agent_db;   /* loudest 20 ms of the agent's audio 60–600 ms ago, -90 = none: echo reference */
        } frame;
        struct {
            const char *text;     /* with err 0 */
            uint32_t voiced_ms;   /* the provider's judgement, 0 = unknown */
            float avg_logprob;    /* 0 = unknown */
            uint32_t took_ms;
            uint32_t queue_ms;    /* of these it waited for its turn at the provider, 0 = unknown */
        } stt;
        struct {
            const struct rlx_answer_match *match;
            uint32_t took_ms;
        } knowledge;
        struct {
            const char *id, *name, *arguments;
        } tool;
        struct {
            uint32_t row; /* RLX_ACT_ROW's .row.number */
        } kept;
        struct {
            uint32_t epoch, piece;
            uint32_t total_ms;    /* of this piece so far */
            uint32_t pause_ms;    /* of these, silence that was added at its end (no words are in it) */
            bool complete;        /* the piece is whole (or failed, with err; 0 ms = nothing can be said) */
            uint32_t first_byte_ms; /* of its synthesis, 0 = it was there already */
        } audio;
    };
};

/* ---- actions ---- */
enum rlx_conv_action_kind {
    RLX_ACT_STATE,      /* .state: the state that users see has changed */
    RLX_ACT_STT,        /* .job, .stt: transcribe this stretch of the callee's audio */
    RLX_ACT_STT_CANCEL, /* .job */
    RLX_ACT_LOOKUP,     /* .job, .text (the callee's words), .lookup */
    RLX_ACT_LLM,        /* .job, .llm: history from rlx_conv_history */
    RLX_ACT_LLM_CANCEL, /* .job (an LLM or LOOKUP job) */
    RLX_ACT_SAY,        /* .epoch, .piece, .text: make this audio (spoken form), in order of pieces */
    RLX_ACT_EPOCH,      /* .epoch: its audio is to be played from now on, as it comes */
    RLX_ACT_FINISH,     /* .epoch: no more pieces will follow */
    RLX_ACT_DROP,       /* .epoch: cancel its synthesis, forget its audio (the playout is cut if it runs) */
    RLX_ACT_PAUSE,      /* send clear, freeze; synthesis goes on */
    RLX_ACT_RESUME,     /* play on from at most .ms before the frozen position */
    RLX_ACT_ROW,        /* .row: a transcript row, new or (same id again) replaced */
    RLX_ACT_NOTE,       /* .text = event kind, .data = JSON object: for the call's timeline */
    RLX_ACT_TOOL,       /* .job, .tool */
    RLX_ACT_DNC,        /* mark the number do-not-call */
    RLX_ACT_HANGUP,     /* end the call at the carrier, and close the stream after its last mark */
    RLX_ACT_END         /* .end: the conversation is over; always the last action of a call, exactly once */
};

enum rlx_stt_purpose { RLX_STT_SPECULATIVE, RLX_STT_FINAL, RLX_STT_SNIPPET, RLX_STT_PROBE };

struct rlx_conv_action {
    enum rlx_conv_action_kind kind;
    uint32_t job;
    uint32_t epoch, piece;
    uint32_t ms;
    bool fixed;         /* RLX_ACT_SAY: a fixed phrase or an approved answer, worth keeping in the speech cache */
    const char *text;
    const char *data;
    enum rlx_conv_state state;
    struct {
        uint64_t from_ms, to_ms; /* callee's timeline; pre-roll included */
        enum rlx_stt_purpose purpose;
        /* What the agent has just asked for, when it waits for digits, a spelling, an e-mail, an address or a date ("Digits: 0 1
         * 2 3 …"): to be given to speech to text as its prompt. Static; NULL = nothing special is awaited. A text that is
         * nothing but the hint is dropped by the machine: models repeat it when there is nothing to hear. */
        const char *hint;
    } stt;
    struct {
        bool agent_asked;
        const char *recent[2];
    } lookup;
    struct {
        const char *passages[4]; /* NULL-filled */
        bool speculative;
    } llm;
    struct {
        const char *id;      /* UUID text */
        uint32_t seq;
        bool agent;
        const char *text;    /* "" = the row is withdrawn (nothing of it was heard) */
        int64_t at_ms;       /* wall clock */
        const char *metadata; /* JSON object: source, interrupted, stt_ms, lookup_ms, llm_ms, tts_ms, first_audio_ms, … */
        bool final;          /* will not change any more */
        uint32_t number;     /* 1, 2, … of the writes: RLX_EV_KEPT tells when it is durable */
    } row;
    struct {
        const char *id, *name, *arguments;
    } tool;
    struct {
        const char *status;  /* completed, failed */
        const char *reason;  /* goodbye, callee_hangup, silence, opt_out, max_duration, voicemail, providers_failed, … */
        const char *outcome; /* may be NULL */
        const char *metrics; /* JSON object */
    } end;
};

int rlx_conv_create(struct rlx_conv **convp, TALLOC_CTX *ctx, const struct rlx_conv_options *options)
    __attribute__((warn_unused_result));

/* The fixed phrases of this conversation (greeting, goodbye, apology, fillers, prompts, …) in spoken form, exactly as
 * RLX_ACT_SAY will give them: to be made before the call is answered. NULL when index is beyond the last. */
const char *rlx_conv_phrase(const struct rlx_conv *conv, size_t index);

/* Gives an event to the machine. Returns the actions in order and their number in *countp; they and all that they point to
 * live until the next call. A frame that changes nothing allocates nothing. now_ms: monotonic, never goes back. */
const struct rlx_conv_action *rlx_conv_input(struct rlx_conv *conv, const struct rlx_conv_event *event,
                                             uint64_t now_ms, size_t *countp);

/* When RLX_EV_TIMER must be given at the latest (monotonic ms). Never UINT64_MAX before ENDED once the stream has started. */
uint64_t rlx_conv_deadline(const struct rlx_conv *conv);

enum rlx_conv_state rlx_conv_state(const struct rlx_conv *conv);
/* The running epoch (0 = none): what heard_ms in events is about. */
uint32_t rlx_conv_epoch(const struct rlx_conv *conv);
/* What has been said so far (only words that were heard), for the prompt; with a speculative user turn at its end when the LLM
 * is asked on a guess. Owned by the machine, valid until the next input. */
const struct rlx_prompt_turn *rlx_conv_history(const struct rlx_conv *conv, size_t *countp);

#endif
