/* Paced playout of one call: what is sent when, with marks, and what has been heard.
 *
 * The agent's speech of one turn (an *epoch*) is a queue of pieces. The playout sends it in chunks of 60–100 ms, at most
 * `ahead_ms` before it is due, with a mark after every <= 250 ms named "epoch.generation.sequence". Pausing (`clear`) keeps
 * all audio of the epoch that has not been heard, so that a resume can send it again from an earlier position under a new
 * generation. No I/O and no clock: time comes in, bytes and marks go out through handlers. One thread (the loop's); the
 * handlers must not call back into the playout. Only append allocates (the epoch's buffer, which is kept for the next).
 *
 * Positions are milliseconds on the epoch's own timeline: 0 is the first sample of its first piece. How the position heard
 * at the phone is estimated stands in playout_clock.h and docs/internals/audio.md.
 */
#ifndef RLX_AUDIO_PLAYOUT_H
#define RLX_AUDIO_PLAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_playout;

/* µ-law to send now, 8 kHz (at_ms: its place on the epoch's timeline). */
typedef void rlx_playout_audio_h(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg);
/* A mark to send now, behind the audio so far. */
typedef void rlx_playout_mark_h(const char *name, void *arg);

struct rlx_playout_options {
    uint32_t ahead_ms;       /* sent before due; 0 = 200; raised up to 400 by measured lateness of rlx_playout_run */
    uint32_t one_way_ms;     /* delay to the phone until marks tell it (half their shortest round trip); 0 = 60 */
    uint32_t mark_late_ms;   /* the epoch's end by the clock when its mark is lost; 0 = 700 */
    uint32_t max_ms;         /* audio kept per epoch; 0 = 120 s; more is refused with RLX_ETOOBIG */
};

int rlx_playout_create(struct rlx_playout **playoutp, TALLOC_CTX *ctx,
                       const struct rlx_playout_options *options, rlx_playout_audio_h *audio,
                       rlx_playout_mark_h *mark, void *arg) __attribute__((warn_unused_result));

/* Begins an epoch and forgets the one before (its unsent audio is dropped, its marks are ignored from now on). */
void rlx_playout_begin(struct rlx_playout *playout, uint32_t epoch);

/* Appends µ-law to the epoch. Audio of another epoch, or of one that was cut, is dropped (returns 0). -ENOMEM, RLX_ETOOBIG. */
int rlx_playout_append(struct rlx_playout *playout, uint32_t epoch, const uint8_t *ulaw,
                       size_t length) __attribute__((warn_unused_result));

/* No more audio will be appended to the epoch: after its last mark it is over. */
void rlx_playout_finish(struct rlx_playout *playout, uint32_t epoch);

/* Sends what is due at now_ms. Returns the time at which it wants to run next, UINT64_MAX when there is nothing to send: call
 * it then, and at once after append, finish and resume. */
uint64_t rlx_playout_run(struct rlx_playout *playout, uint64_t now_ms);

/* A mark came back. Unknown, old-generation and repeated ones are ignored. */
void rlx_playout_marked(struct rlx_playout *playout, const char *name, uint64_t now_ms);

/* Stops at now_ms: the caller has sent, or now sends, `clear`. The position is frozen where the phone will be when `clear`
 * reaches it, one way later (never beyond what was sent); un-heard audio is kept, and append goes on filling the queue.
 * Returns the frozen position. Pausing again, or after a cut, changes nothing. */
uint32_t rlx_playout_pause(struct rlx_playout *playout, uint64_t now_ms);

/* Goes on under a new generation from the last energy dip at most `back_ms` (usually 600) before the frozen position (the
 * quietest 20 ms there when nothing dips). Returns the position that is sent from. Without a pause it changes nothing. */
uint32_t rlx_playout_resume(struct rlx_playout *playout, uint64_t now_ms, uint32_t back_ms);

/* Drops everything un-heard; the epoch is over with the frozen (or, as in a pause, current) position, which is returned and
 * is the epoch's total from now on. The caller sends `clear` too. */
uint32_t rlx_playout_cut(struct rlx_playout *playout, uint64_t now_ms);

/* Milliseconds of the epoch that have been heard at the phone by now: min(sent, playout clock corrected by earlier marks),
 * the frozen position in a pause and after a cut. Never goes back inside an epoch but for a resume. */
uint32_t rlx_playout_heard_ms(const struct rlx_playout *playout, uint64_t now_ms);
/* Milliseconds appended / sent so far. */
uint32_t rlx_playout_total_ms(const struct rlx_playout *playout);
uint32_t rlx_playout_sent_ms(const struct rlx_playout *playout);

/* Finished and all heard (last mark back, or the clock + mark_late_ms). */
bool rlx_playout_over(const struct rlx_playout *playout, uint64_t now_ms);
/* Something is audible or will be without further append. */
bool rlx_playout_audible(const struct rlx_playout *playout, uint64_t now_ms);
/* Level in dBFS (RMS of 20 ms, -90 = silence) of the agent's audio heard `ago_ms` before now: the echo reference. */
float rlx_playout_level_db(const struct rlx_playout *playout, uint64_t now_ms, uint32_t ago_ms);

/* Counters of the call: marks sent; marks lost (not back 3 s after they were due, or mark_late_ms after when the epoch was left
 * then); underruns (the phone had run dry for > 60 ms before more audio of the epoch went out); the largest lateness of
 * rlx_playout_run against the time that it had asked for. */
struct rlx_playout_stats {
    uint32_t marks_sent, marks_lost, underruns, late_max_ms;
};
void rlx_playout_stats(const struct rlx_playout *playout, struct rlx_playout_stats *stats);

#endif
