/* What the phone's playout buffer is doing, as seen from here: private to the playout.
 *
 * Everything is reckoned in *sender time*: when a sample would be heard if the line had no delay. A
 * run is audio that plays without a break: its first sample is due when it is sent, the n-th n/8 ms
 * later. When the buffer has run dry, the next sample sent begins a new run: the clock stands still
 * in between. The phone hears a sample one way after it is due, and a mark is back one round trip
 * after it is due, or later, never sooner. So the shortest recent round trip is the line's, half of
 * it the way to the phone. Marks that are late by themselves scatter; when four of the last six
 * marks are late by the same time (within 80 ms), the line stalled and the phone's clock with it:
 * then the run is moved by that time.
 */
#ifndef RLX_AUDIO_PLAYOUT_CLOCK_H
#define RLX_AUDIO_PLAYOUT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define RLX_PLAY_RECENT 6
#define RLX_PLAY_BUCKET 32

struct rlx_play_clock {
    uint32_t one_way_ms; /* until marks tell */
    bool running;        /* the anchor holds */
    uint64_t anchor_ms;  /* sender time of sample anchor_pos */
    uint32_t anchor_pos; /* positions are in samples of 8 kHz */
    uint32_t floor_pos;  /* certainly heard: estimates may get better, but never go back */
    uint32_t trip_ms[2]; /* shortest round trips of the bucket of marks before and of this one;
                            UINT32_MAX = none */
    uint32_t trip_count;
    uint32_t recent_ms[RLX_PLAY_RECENT]; /* round trips of the newest marks of this run */
    uint32_t recent_count;
};

void rlx_play_clock_init(struct rlx_play_clock *clock, uint32_t one_way_ms);
/* A new timeline that begins at `pos`; what is known about the line stays. */
void rlx_play_clock_restart(struct rlx_play_clock *clock, uint32_t pos);

/* Milliseconds that the phone, having been sent everything before `sent`, has yet to play; 0 = dry.
 */
uint32_t rlx_play_clock_queued_ms(const struct rlx_play_clock *clock, uint64_t now_ms,
                                  uint32_t sent);
/* Milliseconds since the phone ran dry; 0 when it plays or has not begun. */
uint32_t rlx_play_clock_dry_ms(const struct rlx_play_clock *clock, uint64_t now_ms, uint32_t sent);
/* Audio from `pos` on is sent now. */
void rlx_play_clock_sent(struct rlx_play_clock *clock, uint64_t now_ms, uint32_t pos);
/* Sender time at which `pos` (not before the run's start) is due. */
uint64_t rlx_play_clock_due_ms(const struct rlx_play_clock *clock, uint32_t pos);
/* Position heard at the phone, at most `sent`. */
uint32_t rlx_play_clock_heard(const struct rlx_play_clock *clock, uint64_t now_ms, uint32_t sent);

/* The mark behind `pos`, due at `due_ms`, is back. Returns by how much the run was moved (0 = not):
 * marks that are still out are due that much later. */
uint32_t rlx_play_clock_marked(struct rlx_play_clock *clock, uint64_t now_ms, uint32_t pos,
                               uint64_t due_ms, uint32_t sent);

/* Estimated delay to the phone, and of a mark's round trip. */
uint32_t rlx_play_clock_one_way_ms(const struct rlx_play_clock *clock);
uint32_t rlx_play_clock_trip_ms(const struct rlx_play_clock *clock);

#endif
