/* A whole call in simulated time: the conversation, fake providers with delays, the real playout,
 * and a simulated phone whose callee speaks at given times. Deterministic; a minute of talk takes a
 * few milliseconds.
 *
 * Times are milliseconds since the stream started. The callee's lines are put on the timeline with
 * sim_voice; what speech to text hears in a stretch follows from them. The model's replies are
 * queued with sim_reply.
 */
#ifndef RLX_TESTS_CONV_HARNESS_H
#define RLX_TESTS_CONV_HARNESS_H

#include "../rlx_test.h"

#include "audio/playout.h"
#include "call/conv.h"

#define SIM_LOG 8192
#define SIM_ROWS 128
#define SIM_VOICES 128
#define SIM_REPLIES 64
#define SIM_START 1000u /* monotonic time of the stream's start */
#define SIM_MS_PER_CHAR 60u

struct sim_entry {
    uint32_t at; /* since the stream's start */
    enum rlx_conv_action_kind kind;
    uint32_t job, epoch, piece;
    enum rlx_conv_state state;
    enum rlx_stt_purpose purpose;
    bool speculative;
    uint32_t from, to; /* STT */
    const char *hint;
    bool agent_asked;  /* LOOKUP */
    char recent[2][24];
    char text[240];
};

struct sim_row {
    char id[37], text[800], metadata[600];
    uint32_t seq;
    bool agent, final;
    int64_t at_ms;
};

struct sim_voice {
    uint32_t from, to;
    float level_db;
    char text[240];
};

struct sim_pending; /* events on their way */
struct sim_phone;

struct sim {
    struct rlx_conv_options options;
    struct rlx_conv *conv;
    uint64_t now;
    bool streaming, ended;

    /* the world's delays and faults; change them at any time */
    uint32_t stt_ms, lookup_ms, llm_ms, llm_gap_ms, tts_ms, tool_ms;
    uint32_t one_way_ms, hangover_ms;
    uint32_t keep_ms; /* until a row is durable; UINT32_MAX = never */
    unsigned stt_faults, llm_faults, tts_faults, tts_empty; /* the next so many fail */
    bool stt_silent, llm_silent, tts_silent;                /* never answer */
    bool frames_stop, lose_marks, lose_played;
    uint32_t mark_late_ms, mark_lost_percent; /* marks come back up to so late, or not at all */
    uint32_t seed;
    uint32_t heard_ms;     /* told instead of what the playout says; 0 = not */
    uint32_t burst_frames; /* frames come in bursts of so many */
    float echo_db;         /* gain of the echo path; -100 = none */
    uint32_t stt_queue_ms; /* that a pass waited at the provider */
    bool rate_low;         /* a rate limit is nearly used up */
    float stt_logprob;     /* how sure speech to text is; 0 = not told */
    const char *tool_result;
    const char *answer_for, *answer_text; /* the look-up fires on this text */

    struct sim_voice voices[SIM_VOICES];
    size_t voice_count;
    char replies[SIM_REPLIES][600];
    size_t reply_next, reply_count;

    struct rlx_playout *playout;
    struct sim_phone *phone;
    struct sim_pending *pending;
    size_t pending_count;
    uint64_t next_due;      /* of what is on its way: not before */
    uint64_t deadline;      /* of the conversation */
    uint64_t media_ms;      /* end of the newest frame on the callee's timeline */
    uint32_t playout_epoch; /* what runs; 0 = nothing */
    bool paused;
    uint32_t piece_now, pieces_asked; /* being appended; asked for when FINISH came */
    bool finish_wanted;

    struct sim_entry log[SIM_LOG];
    size_t log_count;
    struct sim_row rows[SIM_ROWS];
    size_t row_count;
    char end_status[24], end_reason[40], end_outcome[40], metrics[1024];
    unsigned ends, after_end;
    uint64_t silent_since;
    size_t silent_actions;
    uint32_t longest_silence_ms; /* nobody audible, outside ON_HOLD, without an action */
    unsigned stt_most;   /* jobs of speech to text that ran at the same time */
    unsigned two_epochs; /* audio of an epoch that is not the running one left for the phone */
};

/* A sim on the test's context with ordinary delays and an agent-first greeting "Hello, this is Ava.
 * How can I help?" */
struct sim *sim_new(void **state);
/* Makes the conversation and starts the stream; called by the first sim_run. */
void sim_start(struct sim *sim);
/* The callee speaks. */
void sim_voice(struct sim *sim, uint32_t from, uint32_t to, const char *text);
/* A sound without words (a cough, music). */
void sim_noise(struct sim *sim, uint32_t from, uint32_t to);
/* The model's next reply. "!empty", "!fail", "!tool NAME JSON" alone; "TEXT|!tool NAME JSON" =
 * text, then a call. */
void sim_reply(struct sim *sim, const char *reply);
/* Lets time pass until `until` or the end of the call. */
void sim_run(struct sim *sim, uint32_t until);
/* Runs until the state is reached; fails the test after `limit`. */
void sim_until(struct sim *sim, enum rlx_conv_state state, uint32_t limit);
/* Gives an event now. */
void sim_give(struct sim *sim, struct rlx_conv_event event);
uint32_t sim_time(const struct sim *sim);
enum rlx_conv_state sim_state(const struct sim *sim);

/* First action of a kind at or after a time; NULL = none. */
const struct sim_entry *sim_find(const struct sim *sim, enum rlx_conv_action_kind kind,
                                 uint32_t after);
unsigned sim_count(const struct sim *sim, enum rlx_conv_action_kind kind);
/* First SAY that contains the text. */
const struct sim_entry *sim_said(const struct sim *sim, const char *text);
/* The n-th row (by seq) of a speaker whose final text is not ""; NULL = none. */
const struct sim_row *sim_row(const struct sim *sim, bool agent, unsigned n);
/* The row that contains the text. */
const struct sim_row *sim_row_with(const struct sim *sim, const char *text);
json_int_t sim_meta(const struct sim_row *row, const char *name); /* -1 = absent; booleans 0 or 1 */
json_int_t sim_metric(const struct sim *sim, const char *path);   /* "pauses.true" */
/* The furthest position of an epoch that the phone really played. */
uint32_t sim_phone_played(const struct sim *sim, uint32_t epoch);
/* When the phone first / last played a sample of the epoch, and the longest hole inside. */
uint32_t sim_phone_first(const struct sim *sim, uint32_t epoch);
uint32_t sim_phone_last(const struct sim *sim, uint32_t epoch);
uint32_t sim_phone_gap(const struct sim *sim, uint32_t epoch);
/* Words of the epoch of which the phone played at least half. */
unsigned sim_words_played(const struct sim *sim, uint32_t epoch);
/* A number below `below`, from the sim's seed. */
uint32_t sim_draw(struct sim *sim, uint32_t below);
void sim_print(const struct sim *sim);

/* Fails with the whole log printed. */
#define sim_true(sim, condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            sim_print(sim);                                                                        \
            fail_msg("not true: %s", #condition);                                                  \
        }                                                                                          \
    } while (0)
#define sim_between(sim, value, low, high)                                                         \
    do {                                                                                           \
        long long sim_value = (long long)(value);                                                  \
        if (sim_value < (long long)(low) || sim_value > (long long)(high)) {                       \
            sim_print(sim);                                                                        \
            fail_msg("%s is %lld, not in %lld...%lld", #value, sim_value, (long long)(low),        \
                     (long long)(high));                                                           \
        }                                                                                          \
    } while (0)

#endif
