/* Turn-taking settings of an agent: one table gives names, defaults and bounds to the machine, the API and the docs. */
#ifndef RLX_CALL_SETTINGS_H
#define RLX_CALL_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

/* X(name, default, min, max, what). Times in milliseconds; switches are 0 or 1 (JSON true/false). */
/* clang-format off */
#define RLX_TURN_SETTINGS(X)                                                                                          \
    X(speech_ms,             240,    60,   1000, "voiced time that makes speech while listening")                     \
    X(short_speech_ms,        80,    40,    400, "voiced time that makes a short utterance, ended by silence")        \
    X(silence_complete_ms,   300,   100,   5000, "end silence when the words are plainly complete")                   \
    X(silence_ms,            550,   100,   5000, "end silence otherwise")                                             \
    X(silence_unfinished_ms, 1200,  100,   8000, "end silence when the words are plainly unfinished")                 \
    X(silence_collect_ms,    2000,  100,  10000, "end silence while digits, spelling or an address are awaited")      \
    X(stt_wait_ms,           1200,  200,  10000, "longest wait for speech to text beyond the end silence")            \
    X(speculation,              1,    0,      1, "start speech to text and model before the turn's end is sure")      \
    X(speculate_ms,           100,   40,    500, "silence after which the speculative pass starts")                   \
    X(barge_in,                 1,    0,      1, "the callee may interrupt")                                          \
    X(pause_ms,               100,    40,    600, "voiced time within 160 ms that pauses the agent")                   \
    X(confirm_ms,             500,   200,   2000, "voiced time within 700 ms that confirms an interruption")          \
    X(pause_max_ms,          1200,   400,   4000, "longest pause before it is decided")                               \
    X(resume_back_ms,         600,     0,   2000, "how far back a resumed sentence starts again at most")             \
    X(prompt_1_ms,           8000,  2000,  60000, "silence before the first prompt")                                  \
    X(prompt_2_ms,           8000,  2000,  60000, "further silence before the second prompt")                         \
    X(prompt_end_ms,         8000,  2000,  60000, "further silence before the goodbye")                               \
    X(patience_ms,          45000,  5000, 180000, "silence allowed after \"hold on\"")                                \
    X(filler_1_ms,           1800,   500,  10000, "a filler when no answer is due by then")                           \
    X(filler_2_ms,           5000,  1000,  20000, "a second filler")                                                  \
    X(answer_max_ms,         8000,  2000,  30000, "an answer or a polite end by then")                                \
    X(callee_first_ms,       1200,   200,  10000, "silence after which the agent greets although nobody spoke")       \
    X(greet_after_ms,         250,     0,   2000, "from the end of the callee's first words to the greeting")         \
    X(long_turn_ms,         20000,  5000,  60000, "voiced time after which a turn is cut for speech to text")         \
    X(max_words,               60,    10,    200, "longest spoken turn in words")                                     \
    X(max_duration_ms,     600000, 10000, 7200000, "longest call")                                                    \
    X(close_listen_ms,       1200,     0,   5000, "listening after the goodbye before the call is ended")             \
    X(mask_digits,              1,    0,      1, "pressed keys are masked in transcripts")                            \
    X(dtmf_interrupts,          0,    0,      1, "a pressed key interrupts the agent")                                \
    X(opt_out_key,              0,    0,      9, "key that means \"do not call me again\"; 0 = none")
/* clang-format on */

struct rlx_turn_settings {
#define RLX_TURN_SETTING_FIELD(name, fallback, low, high, what) uint32_t name;
    RLX_TURN_SETTINGS(RLX_TURN_SETTING_FIELD)
#undef RLX_TURN_SETTING_FIELD
};

void rlx_turn_settings_default(struct rlx_turn_settings *settings);
/* Overwrites what the JSON object names. RLX_EINVAL with a sentence in *whyp (on ctx, optional) that names the field, when a
 * name is unknown or a value is out of its bounds; settings keeps its good parts. */
int rlx_turn_settings_parse(struct rlx_turn_settings *settings, const json_t *object,
                            TALLOC_CTX *ctx, char **whyp);

#endif
