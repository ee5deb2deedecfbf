/* Inside of the conversation. One struct, whose parts belong to one file each; the files call each other through the
 * functions below. Everything here runs inside rlx_conv_input, on one thread, and never fails: what cannot be allocated is
 * left out.
 *
 * Two clocks. `now_ms` is the monotonic time of the event. The callee's timeline is the media timestamps of the frames: how
 * long somebody spoke or was silent is counted there, so that a burst of late frames changes nothing.
 */
#ifndef RLX_CALL_CONV_INTERNAL_H
#define RLX_CALL_CONV_INTERNAL_H

#include "call/conv.h"
#include "call/phrases.h"
#include "call/split.h"
#include "call/spoken.h"

#define RLX_CONV_FRAME_MS 20u
#define RLX_CONV_PRE_ROLL_MS 400u     /* speech to text begins so long before the first voice */
#define RLX_CONV_WINDOW_MS 400u       /* voiced time is counted in so much */
#define RLX_CONV_GAP_MS 400u          /* no frames for so long count as silence */
#define RLX_CONV_LOST_MS 10000u       /* no frames for so long end the call */
#define RLX_CONV_PIECES 48u
#define RLX_CONV_TOOLS 4u
#define RLX_CONV_TOOL_ROUNDS 3u
#define RLX_CONV_HISTORY 512u
#define RLX_CONV_BUFFER_MS 15000u     /* made ahead of what is heard, at most */
#define RLX_CONV_BACKSTOP_MS 4000u    /* a speech is over so long after its audio's length at the latest */
#define RLX_CONV_STALL_MS 400u        /* a quiet model's tail is taken at a clause end */
#define RLX_CONV_TAIL_MS 4000u        /* of the agent's words an echo can come from */
#define RLX_CONV_ECHO_MS 600u         /* echo may come so long after the agent has stopped */
#define RLX_CONV_HOLD_MS 180000u      /* music is endured so long */
#define RLX_CONV_HOLD_PROBE_MS 3000u
#define RLX_CONV_NO_WORDS_MS 4000u    /* voice without words for so long is music */
#define RLX_CONV_KEEP_MS 1000u        /* rows of the turns before are waited for so long, at most */
#define RLX_CONV_GRACE_MS 2000u       /* the last utterance's text is waited for after a hang-up */

enum rlx_conv_source {
    RLX_SOURCE_GREETING,
    RLX_SOURCE_ANSWER,
    RLX_SOURCE_LLM,
    RLX_SOURCE_FILLER,
    RLX_SOURCE_PROMPT,
    RLX_SOURCE_GOODBYE,
    RLX_SOURCE_TOOL,
    RLX_SOURCE_VOICEMAIL
};

/* Fixed phrases, in the order of rlx_conv_phrase. */
enum rlx_conv_phrase_id {
    RLX_PHRASE_GREETING,
    RLX_PHRASE_GOODBYE,
    RLX_PHRASE_APOLOGY,
    RLX_PHRASE_PROMPT_1,
    RLX_PHRASE_PROMPT_2,
    RLX_PHRASE_REPEAT,    /* speech to text failed once */
    RLX_PHRASE_FALLBACK,  /* the model had nothing to say */
    RLX_PHRASE_HOLD,      /* "hold on" → of course */
    RLX_PHRASE_BACK,      /* after hold music */
    RLX_PHRASE_OPT_OUT,
    RLX_PHRASE_TRANSFER_FAILED,
    RLX_PHRASE_VOICEMAIL,
    RLX_PHRASE_FILLER_1,
    RLX_PHRASE_FILLER_2,
    RLX_PHRASE_FILLER_3,
    RLX_PHRASE_COUNT
};

/* ---- what is heard (conv_listen.c) ---- */

struct rlx_conv_ear {
    bool any;             /* a frame has come */
    uint64_t bits;        /* verdicts of the last 64 frames, newest lowest */
    uint64_t end_ms;      /* callee's timeline: end of the newest frame */
    uint64_t arrived_ms;  /* when it came (monotonic) */
    int64_t lead_ms;      /* monotonic − callee's timeline on the fastest path */
    uint64_t mute_ms;     /* key tones until here are no voice (callee's timeline) */
    float level_db;       /* of the newest frame */
    float floor_db;       /* level of the room */
    float echo_db;        /* tracked gain of the echo path */
    float echo_peak_db;   /* loudest seen against the agent during the present utterance */
};

/* What the callee is saying or has just said: one user turn until the agent answers. */
struct rlx_conv_utterance {
    bool on;
    bool over_agent;      /* it began while the agent was heard or just after */
    bool after_agent;     /* … just after */
    uint64_t first_ms, end_ms; /* of voice, on the callee's timeline */
    uint64_t loud_ms;     /* end of the last voiced frame that was as loud as speech */
    uint64_t words_from_ms; /* what came before is in `parts` */
    uint32_t voiced_ms, peak_ms; /* all, and most within the window */
    uint32_t cut_voiced_ms; /* voiced before words_from_ms */
    float level_db;       /* loudest frame */
    unsigned guesses;     /* speculative passes so far */
    unsigned merged;      /* times that it went on after its end */
    bool probed;          /* was asked whether there are words in it */
    char *parts;          /* text of stretches that were cut for their length */
};

/* The one speech-to-text job, and the newest text. */
struct rlx_conv_stt {
    uint32_t job;         /* 0 = none runs */
    enum rlx_stt_purpose purpose;
    uint64_t covers_ms;   /* the utterance's end that it was made for */
    uint64_t to_ms;
    bool forced;          /* cut out of speech that goes on */
    bool known;           /* text is there, and covers_ms says for what */
    bool weighed;         /* whether to guess on it has been decided */
    char *text;
    float avg_logprob;
    const char *hint;     /* that it was given */
    uint32_t need_ms;     /* the end silence that the text asks for */
    uint32_t voiced_ms, took_ms;
    unsigned failures;    /* in a row */
};

/* ---- what is thought (conv_think.c) ---- */

struct rlx_conv_tool {
    char *id, *name, *arguments;
    uint32_t job;         /* 0 = not started */
    bool done;
};

/* A user turn that is being answered. */
struct rlx_conv_turn {
    char *text;           /* NULL = still with speech to text */
    bool confirmed;       /* its end is sure */
    bool committed;       /* row and history have it */
    bool answered;        /* agent audio about it has begun */
    bool guessed;         /* its answer was begun before its end was sure */
    bool voiced;          /* … and so was its synthesis */
    bool keypad;
    bool enough;          /* no more of the model's text is wanted */
    uint64_t spoke_until_ms, ended_ms; /* monotonic */
    uint64_t wait_ms;     /* the callee has been waiting since */
    int64_t at_ms;
    uint32_t seq;         /* of its row, 0 = none yet */
    uint32_t voiced_ms, merged, endpoint_ms, stt_ms, lookup_ms, llm_ms;
    uint32_t lookup_job, llm_job;
    uint64_t llm_asked_ms, llm_text_ms, retry_ms;
    unsigned llm_tries, llm_failures, tool_rounds, fillers;
    struct rlx_split *split;
    struct rlx_conv_speech *speech; /* the one that the model fills; owned by next or speaking */
    char *answer_id;
    float score;
    const char *passages[4];
    char *sources; /* where they are from: JSON array of {id, title, chunk, score}, or NULL */
};

/* ---- what is said (conv_speak.c) ---- */

struct rlx_conv_piece {
    char *text;
    struct rlx_spoken *spoken;
    uint32_t total_ms, pause_ms, first_byte_ms; /* pause: silence at the end of total */
    bool asked, complete, failed;
};

/* An epoch: one turn of the agent. */
struct rlx_conv_speech {
    uint32_t epoch;
    enum rlx_conv_source source;
    struct rlx_conv_piece pieces[RLX_CONV_PIECES];
    unsigned count, asked;
    bool closed;          /* no more pieces will come */
    bool go;              /* may be begun as soon as there is audio */
    bool begun, finished; /* RLX_ACT_EPOCH, RLX_ACT_FINISH were given */
    bool ends_call;
    uint32_t heard_ms;    /* furthest position heard */
    uint32_t now_ms;      /* present position: behind heard_ms after a resume */
    uint32_t must_words;  /* so many words of piece 1 must be heard in this call */
    uint32_t after_row;   /* rows up to this one must be durable before it is begun */
    uint64_t made_ms, begun_ms, progress_ms;
    uint64_t ready_ms;    /* its audio was there, and rows were waited for; 0 = not */
    /* its row */
    char id[37];
    uint32_t seq;
    int64_t at_ms;
    unsigned shown;       /* pieces in the row so far */
    int history;          /* index, -1 = none */
    bool interrupted, guessed;
    unsigned resumed;
    float score;
    char *answer_id;
    char *sources; /* of the passages it was made with, as in the turn */
    uint32_t endpoint_ms, stt_ms, lookup_ms, llm_ms, first_audio_ms;
};

/* ---- interruptions (conv_barge.c) ---- */

struct rlx_conv_barge {
    uint64_t paused_ms;       /* when the agent was paused */
    bool provisional;         /* resumed while the snippet's text is still out */
    bool by_words;            /* this utterance pauses nothing: words alone count */
    bool asked;               /* a snippet of this pause was asked for */
    uint64_t taken_back[2];   /* when the last two pauses were taken back */
    uint64_t dirty_ms;        /* until then words alone interrupt */
};

/* How well guessing pays (conv_guess.c). */
struct rlx_conv_guess {
    uint32_t wasted;      /* bits of the last passes, newest lowest: 1 = for nothing */
    unsigned count;       /* of these bits */
    bool later;           /* guesses wait for more silence */
    unsigned stop_turns;  /* none for so many turns */
    uint32_t queue_ms;    /* that the newest pass waited at the provider */
    bool rate_low;
};

struct rlx_conv_silence {
    uint64_t counted_ms;      /* quiet time so far */
    uint64_t at_ms;           /* counted until here */
    unsigned stage;           /* prompts given */
    bool patient;             /* the callee asked to wait */
    bool music;               /* on hold: voice without words */
    bool returning;           /* somebody has just come back from hold */
    uint64_t hold_ms;         /* on hold since */
    uint64_t probe_ms;        /* next probe (callee's timeline) */
    uint64_t dead_since_ms;   /* nobody heard since; 0 = somebody is */
    bool dead_counted;
    unsigned last_filler;
};

struct rlx_conv_closing {
    bool on, cancellable, listening;
    bool stopped;             /* the stream is gone: only the last words' text is waited for */
    const char *status, *outcome;
    char *reason;
    uint64_t since_ms, until_ms;
    uint64_t transfer_ms;     /* the stream ended in a transfer */
    unsigned cancels;
};

struct rlx_conv_opening {
    uint64_t stream_ms;       /* when the stream started */
    uint32_t job;             /* speech to text of the callee's first words */
    uint32_t seq;
    int64_t at_ms;
    uint32_t voiced_ms;
    uint32_t length_ms;
    bool human, restarted;
    char *question;           /* long first words that ask something: answered after the greeting */
    uint64_t machine_ms;      /* voicemail since */
};

struct rlx_conv_metrics {
    uint32_t answer_to_first_word_ms, callee_to_greeting_ms;
    unsigned turns, merged, pauses_true, pauses_false, resumed, empty_stt, suspects, echo_drops;
    unsigned dead_air, stt_started, stt_used, stt_wasted, llm_started, llm_used, llm_wasted;
    unsigned tts_started, tts_used, tts_wasted, guess_backed_off;
    unsigned fillers, tts_failed, keypad, rows_late;
    uint32_t row_wait_ms; /* the longest that a speech waited for rows to be durable */
};

struct rlx_conv {
    struct rlx_conv_options options;
    struct rlx_turn_settings set;
    const char *phrases[RLX_PHRASE_COUNT]; /* as written; NULL = none */
    char *phrases_spoken[RLX_PHRASE_COUNT];

    enum rlx_conv_state state;
    uint64_t now_ms, start_ms;
    bool started;             /* a first event has come */

    struct rlx_conv_action *actions, spare;
    bool lost;                /* an action found no place */
    size_t action_count, action_size;
    TALLOC_CTX *scratch;      /* what actions point to; emptied at each input */

    uint32_t last_job, last_epoch, last_seq;
    uint32_t last_row, kept_row; /* writes of rows: given out, known to be durable */
    uint64_t uuid_count;

    struct rlx_conv_ear ear;
    struct rlx_conv_utterance utt;
    struct rlx_conv_stt stt;
    struct rlx_conv_turn *turn;
    struct rlx_conv_tool tools[RLX_CONV_TOOLS];
    unsigned tool_count;
    bool tools_follow;        /* the model is asked again when they are done: */
    bool tools_ask;           /* they are done, and what was said before them is still being made */
    bool tools_held;          /* they wait for a "yes" to what was read back */
    uint64_t tools_ms;        /* when they began */
    struct rlx_conv_speech *speaking, *next, *aside; /* being played; being made; a filler meanwhile */
    float ms_per_char;        /* of this voice, for pieces whose length is not known yet */
    struct rlx_conv_barge barge;
    struct rlx_conv_guess guess;
    struct rlx_conv_silence silence;
    struct rlx_conv_closing closing;
    struct rlx_conv_opening opening;
    struct rlx_conv_metrics metrics;

    struct rlx_prompt_turn history[RLX_CONV_HISTORY + 1];
    size_t history_count;
    char *last_said;          /* the agent's last words that were heard */
    char *last_tail;          /* of these the last four seconds */
    char *last_end;           /* and what an echo that begins after them can hold */
    uint64_t quiet_since_ms;  /* when the agent was last heard */
    bool asked, collecting;   /* its last words were a question; ask for digits, spelling, an address */
    const char *hint;         /* what of it is awaited, for speech to text; static, NULL = nothing special */
    char *owed;               /* disclosure that was cut off and opens the next turn */
    char *recent[2];          /* ids of the answers of the last two turns */
    char digits[32];
    size_t digit_count;
    uint64_t digit_ms;
};

/* conv.c */
struct rlx_conv_action *rlx_conv_act(struct rlx_conv *conv, enum rlx_conv_action_kind kind);
void rlx_conv_enter(struct rlx_conv *conv, enum rlx_conv_state state);
void rlx_conv_note(struct rlx_conv *conv, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
uint32_t rlx_conv_job(struct rlx_conv *conv);
int rlx_conv_remember(struct rlx_conv *conv, const char *role, const char *content);
void rlx_conv_amend(struct rlx_conv *conv, int index, const char *content);
void rlx_conv_end(struct rlx_conv *conv, bool hangup);
int64_t rlx_conv_wall(const struct rlx_conv *conv, uint64_t at_ms);
void rlx_conv_uuid(struct rlx_conv *conv, char text[37]);

/* conv_listen.c */
void rlx_conv_ear_reset(struct rlx_conv *conv);
bool rlx_conv_ear_frame(struct rlx_conv *conv, const struct rlx_conv_event *event); /* false: an old frame */
uint32_t rlx_conv_voiced(const struct rlx_conv *conv, uint32_t within_ms);
uint64_t rlx_conv_media_now(const struct rlx_conv *conv);
uint32_t rlx_conv_quiet_ms(const struct rlx_conv *conv); /* since the utterance's last voice, hang-over corrected */
uint64_t rlx_conv_spoke_until(const struct rlx_conv *conv); /* the same moment on the monotonic clock */
void rlx_conv_utterance_begin(struct rlx_conv *conv);
void rlx_conv_utterance_follow(struct rlx_conv *conv); /* the newest frame, while the agent is silent */
void rlx_conv_utterance_voice(struct rlx_conv *conv);  /* counts a voiced frame in */
void rlx_conv_utterance_forget(struct rlx_conv *conv);
uint32_t rlx_conv_utterance_speech_ms(const struct rlx_conv *conv); /* voiced, hang-over corrected */
void rlx_conv_stt_ask(struct rlx_conv *conv, enum rlx_stt_purpose purpose, uint64_t from_ms);
void rlx_conv_stt_cancel(struct rlx_conv *conv);
bool rlx_conv_stt_covers(const struct rlx_conv *conv); /* the text is known and nothing was said since */
void rlx_conv_listen_tick(struct rlx_conv *conv);
uint64_t rlx_conv_listen_due(const struct rlx_conv *conv);
void rlx_conv_on_stt(struct rlx_conv *conv, const struct rlx_conv_event *event);

/* conv_guess.c */
bool rlx_conv_guess_off(const struct rlx_conv *conv);
bool rlx_conv_guess_may(const struct rlx_conv *conv, uint32_t quiet_ms);
void rlx_conv_guess_outcome(struct rlx_conv *conv, bool used);
void rlx_conv_guess_turn(struct rlx_conv *conv); /* a turn is sure */
void rlx_conv_guess_voiced(struct rlx_conv *conv, const struct rlx_conv_speech *speech); /* synthesis was asked */

/* conv_heard.c: what a text is worth */
enum rlx_conv_worth { RLX_HEARD_EMPTY, RLX_HEARD_SUSPECT, RLX_HEARD_ECHO, RLX_HEARD_WORDS };
enum rlx_conv_worth rlx_conv_judge(struct rlx_conv *conv, const char *text);
bool rlx_conv_is_murmur(const struct rlx_conv *conv, const char *text); /* over the agent, no clear word */
bool rlx_conv_agent_asked(struct rlx_conv *conv);
uint32_t rlx_conv_end_silence(struct rlx_conv *conv, const char *text);
const char *rlx_conv_hint(const char *said); /* for speech to text, by what the agent said */
void rlx_conv_drop_words(struct rlx_conv *conv, enum rlx_conv_worth worth, const char *text);
unsigned rlx_conv_digits(struct rlx_conv *conv, const char *text); /* digits said in words or figures */

/* conv_greet.c */
void rlx_conv_greet_start(struct rlx_conv *conv);
void rlx_conv_greet_tick(struct rlx_conv *conv);
uint64_t rlx_conv_greet_due(const struct rlx_conv *conv);
void rlx_conv_greet_began(struct rlx_conv *conv);
bool rlx_conv_greet_answer(struct rlx_conv *conv); /* the greeting is over: is there more to say? */
void rlx_conv_voicemail_frame(struct rlx_conv *conv);
void rlx_conv_on_opening_text(struct rlx_conv *conv, const struct rlx_conv_event *event);
void rlx_conv_on_amd(struct rlx_conv *conv, const char *answer);
void rlx_conv_on_beep(struct rlx_conv *conv);
void rlx_conv_voicemail_end(struct rlx_conv *conv);
void rlx_conv_voicemail_tick(struct rlx_conv *conv);
uint64_t rlx_conv_voicemail_due(const struct rlx_conv *conv);

/* conv_think.c */
void rlx_conv_turn_guess(struct rlx_conv *conv);
void rlx_conv_turn_end(struct rlx_conv *conv);         /* the end of turn is sure; text may still be missing */
void rlx_conv_turn_text(struct rlx_conv *conv);        /* the missing text has come */
struct rlx_conv_turn *rlx_conv_turn_say(struct rlx_conv *conv, const char *text); /* from text alone, confirmed */
void rlx_conv_turn_drop(struct rlx_conv *conv);        /* cancels all work on it and forgets it */
void rlx_conv_turn_halt(struct rlx_conv *conv);        /* cancels all work on it, keeps its words */
bool rlx_conv_turn_owes(const struct rlx_conv *conv);
void rlx_conv_turn_confirm(struct rlx_conv *conv);
void rlx_conv_turn_extend(struct rlx_conv *conv);      /* the callee goes on speaking */
void rlx_conv_turn_commit(struct rlx_conv *conv);      /* row and history */
void rlx_conv_turn_nothing(struct rlx_conv *conv);     /* there were no words */
void rlx_conv_listen(struct rlx_conv *conv);           /* the state for waiting for the callee */
void rlx_conv_think(struct rlx_conv *conv);
void rlx_conv_on_knowledge(struct rlx_conv *conv, const struct rlx_conv_event *event);
void rlx_conv_think_tick(struct rlx_conv *conv);
uint64_t rlx_conv_think_due(const struct rlx_conv *conv);

/* conv_llm.c */
void rlx_conv_llm_ask(struct rlx_conv *conv);
void rlx_conv_llm_cancel(struct rlx_conv *conv);
void rlx_conv_on_llm_text(struct rlx_conv *conv, const struct rlx_conv_event *event);
void rlx_conv_on_llm_tool(struct rlx_conv *conv, const struct rlx_conv_event *event);
void rlx_conv_on_llm_done(struct rlx_conv *conv, const struct rlx_conv_event *event);
void rlx_conv_llm_tick(struct rlx_conv *conv);
uint64_t rlx_conv_llm_due(const struct rlx_conv *conv);
void rlx_conv_llm_conclude(struct rlx_conv *conv); /* its tools may run: the turn is sure */

/* conv_tool.c */
void rlx_conv_tools_run(struct rlx_conv *conv);
void rlx_conv_tools_start(struct rlx_conv *conv);
unsigned rlx_conv_tools_waiting(const struct rlx_conv *conv); /* not started yet */
void rlx_conv_tools_tick(struct rlx_conv *conv);
uint64_t rlx_conv_tools_due(const struct rlx_conv *conv);
void rlx_conv_tools_forget(struct rlx_conv *conv);
bool rlx_conv_tools_running(const struct rlx_conv *conv);
void rlx_conv_on_tool_done(struct rlx_conv *conv, const struct rlx_conv_event *event);
bool rlx_conv_tool_ends_call(const struct rlx_conv_tool *tool);
bool rlx_conv_tool_transfers(const struct rlx_conv_tool *tool);
char *rlx_conv_tool_say(TALLOC_CTX *ctx, const struct rlx_conv_tool *tool);

/* conv_check.c */
bool rlx_conv_check_tools(struct rlx_conv *conv);
bool rlx_conv_check_reply(struct rlx_conv *conv);

/* conv_speak.c */
struct rlx_conv_speech *rlx_conv_speech_new(struct rlx_conv *conv, enum rlx_conv_source source);
bool rlx_conv_speech_add(struct rlx_conv *conv, struct rlx_conv_speech *speech, const char *text);
void rlx_conv_speech_heard_to(struct rlx_conv *conv, uint32_t heard_ms);
void rlx_conv_speech_pump(struct rlx_conv *conv);  /* asks for audio, begins what may begin, finishes */
void rlx_conv_speech_drop(struct rlx_conv *conv, struct rlx_conv_speech **speechp); /* one that was not begun */
void rlx_conv_speech_after(struct rlx_conv *conv, const struct rlx_conv_speech *speech);
void rlx_conv_speech_cut(struct rlx_conv *conv);   /* stops the running one where it was heard to */
void rlx_conv_say_phrase(struct rlx_conv *conv, enum rlx_conv_source source,
                         enum rlx_conv_phrase_id phrase);
void rlx_conv_on_audio(struct rlx_conv *conv, const struct rlx_conv_event *event);
void rlx_conv_on_played(struct rlx_conv *conv);
void rlx_conv_speech_tick(struct rlx_conv *conv);
uint64_t rlx_conv_speech_due(const struct rlx_conv *conv);
uint32_t rlx_conv_speech_total(const struct rlx_conv_speech *speech);
/* On the scratch context: what was heard up to a position; of that the last four seconds. */
char *rlx_conv_speech_heard(struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                            uint32_t heard_ms);
char *rlx_conv_speech_tail(struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                           uint32_t length_ms);

/* conv_barge.c */
void rlx_conv_barge_frame(struct rlx_conv *conv);
void rlx_conv_barge_tick(struct rlx_conv *conv);
uint64_t rlx_conv_barge_due(const struct rlx_conv *conv);
void rlx_conv_barge_text(struct rlx_conv *conv, const char *text); /* of the snippet; "" = nothing */
void rlx_conv_barge_partial(struct rlx_conv *conv, const char *text);
void rlx_conv_barge_back(struct rlx_conv *conv, const char *why);
void rlx_conv_barge_confirm(struct rlx_conv *conv, const char *why);

/* conv_silence.c */
void rlx_conv_silence_reset(struct rlx_conv *conv);
void rlx_conv_silence_words(struct rlx_conv *conv); /* the callee said words */
void rlx_conv_silence_tick(struct rlx_conv *conv);
uint64_t rlx_conv_silence_due(const struct rlx_conv *conv);
void rlx_conv_hold(struct rlx_conv *conv, bool music);
void rlx_conv_hold_text(struct rlx_conv *conv, const char *text);
void rlx_conv_filler_tick(struct rlx_conv *conv);
uint64_t rlx_conv_filler_due(const struct rlx_conv *conv);

/* conv_close.c */
void rlx_conv_close(struct rlx_conv *conv, enum rlx_conv_phrase_id phrase, const char *status,
                    const char *reason, const char *outcome, bool cancellable);
void rlx_conv_close_reason(struct rlx_conv *conv, const char *status, const char *reason,
                           const char *outcome); /* why the call is ending; status, outcome: static */
void rlx_conv_fail(struct rlx_conv *conv, const char *what); /* a provider is away */
void rlx_conv_opt_out(struct rlx_conv *conv);
void rlx_conv_close_listen(struct rlx_conv *conv);
void rlx_conv_close_heard(struct rlx_conv *conv);
void rlx_conv_close_tick(struct rlx_conv *conv);
uint64_t rlx_conv_close_due(const struct rlx_conv *conv);
void rlx_conv_on_stop(struct rlx_conv *conv);

/* conv_key.c */
void rlx_conv_on_key(struct rlx_conv *conv, char digit);
void rlx_conv_key_tick(struct rlx_conv *conv);
uint64_t rlx_conv_key_due(const struct rlx_conv *conv);

/* conv_row.c */
void rlx_conv_row_user(struct rlx_conv *conv, struct rlx_conv_turn *turn);
void rlx_conv_row_opening(struct rlx_conv *conv, const char *text, uint32_t took_ms);
void rlx_conv_row_agent(struct rlx_conv *conv, struct rlx_conv_speech *speech, const char *text,
                        bool final);
const char *rlx_conv_metrics_json(struct rlx_conv *conv);

#endif
