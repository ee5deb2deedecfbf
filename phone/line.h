/* The line between the phone and the gateway, with its faults: delays, bursts, loss, noise, echo,
 * late marks. All draws come from one seed. Time is given. One thread. */
#ifndef RLX_PHONE_LINE_H
#define RLX_PHONE_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "person.h"
#include "rng.h"
#include "script.h"

/* What the program's flags say for all calls. */
struct rlx_line_options {
    bool kind;
    uint64_t seed;
};

/* The line of one call. */
struct rlx_line {
    bool kind;
    uint64_t seed;
    uint32_t gap_ms;         /* answer to stream */
    uint32_t down_ms, up_ms; /* one way: to the phone, from the phone */
    int echo_db, noise_db;   /* RLX_SCRIPT_OFF = none */
    uint32_t echo_ms;
    uint32_t amd_ms; /* answering-machine detection's time */
    double loss_percent, late_percent, lost_percent, burst_percent;
    uint32_t frames_sent, frames_lost, marks_late, marks_lost;

    struct rlx_rng rng;
    uint64_t release_ms; /* of the frame before */
    uint64_t hold_ms;    /* a burst: frames are held until then */
    double noise_gain, echo_gain, noise_state;
    int16_t played[8192]; /* the last second that the phone played */
    uint32_t played_at;
};

/* Draws a call's line from options, script and the call's number. */
void rlx_line_init(struct rlx_line *line, const struct rlx_line_options *options,
                   const struct rlx_script *script, uint64_t call_number);

/* What the microphone picks up: adds noise and the echo of what the phone plays in this same frame
 * to the person's voice. */
void rlx_line_microphone(struct rlx_line *line, int16_t pcm[RLX_PHONE_FRAME],
                         const uint8_t heard[RLX_PHONE_FRAME]);

/* When a frame that is made at now_ms leaves the line at the gateway's end; 0 when it is lost. */
uint64_t rlx_line_frame(struct rlx_line *line, uint64_t now_ms);
/* The same for a mark that was played at now_ms. */
uint64_t rlx_line_mark(struct rlx_line *line, uint64_t now_ms);

#endif
