/* Callee scripts: text → settings and steps (README.md has the format). One thread per object. */
#ifndef RLX_PHONE_SCRIPT_H
#define RLX_PHONE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

enum rlx_script_do {
    RLX_DO_SAY,
    RLX_DO_WAIT,
    RLX_DO_INTERRUPT,
    RLX_DO_MMHM,
    RLX_DO_SILENCE,
    RLX_DO_PRESS,
    RLX_DO_WAV,
    RLX_DO_VOICEMAIL,
    RLX_DO_BEEP,
    RLX_DO_HANGUP,
    RLX_DO_END,
};

enum rlx_script_answer { RLX_ANSWER, RLX_ANSWER_BUSY, RLX_ANSWER_NONE, RLX_ANSWER_FAIL };

struct rlx_script_step {
    enum rlx_script_do what;
    unsigned line;
    char *text;        /* words, digits or file; NULL when the step has none */
    uint32_t after_ms; /* interrupt, mmhm: after the agent's start; silence, end: length */
    uint32_t hz, ms;   /* beep */
};

/* A number that a script may leave open. */
#define RLX_SCRIPT_UNSET INT32_MIN
#define RLX_SCRIPT_OFF (-200) /* a level in dB that can't be heard */

struct rlx_script {
    char *number; /* NULL: the default callee */
    char *voice;
    enum rlx_script_answer answer;
    int32_t answer_ms; /* ring time, or until no-answer */
    int32_t noise_db;  /* RLX_SCRIPT_OFF = none */
    int32_t echo_db, echo_ms;
    int32_t gap_ms, delay_ms;
    int32_t loss_tenths;            /* tenths of a percent */
    int32_t marks_late, marks_lost; /* percent */
    int32_t kind;                   /* 0, 1 or unset */
    int64_t seed;                   /* -1 = unset */
    uint32_t quiet_ms, limit_ms;
    bool machine; /* it has a voicemail line */
    struct rlx_script_step *steps;
    size_t count; /* at least 1; the last is a hangup or an end unless the call isn't answered */
};

/* Parses at most 64 KB and 1000 lines. RLX_EINVAL with "line N: …" in *whyp (on ctx); -ENOMEM. */
int rlx_script_parse(struct rlx_script **scriptp, TALLOC_CTX *ctx, const char *text, char **whyp)
    __attribute__((warn_unused_result));

/* The directive's name ("say"). */
const char *rlx_script_do_name(enum rlx_script_do what);

#endif
