/* What is heard at the phone: finds the agent's segments of speech in the audio as it is played.
 * Times are milliseconds since the first sample fed. One thread; readers lock around it. */
#ifndef RLX_PHONE_HEAR_H
#define RLX_PHONE_HEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_HEAR_DB (-45)     /* a sample louder than this is speech */
#define RLX_HEAR_SAMPLE 184   /* the same as a magnitude: 32768 * 10^(-45/20) */
#define RLX_HEAR_SPLIT_MS 350 /* a longer quiet ends a segment */

struct rlx_segment {
    uint64_t start_ms, end_ms; /* first and last loud sample */
    uint32_t longest_gap_ms;
};

struct rlx_hear;

struct rlx_hear *rlx_hear_create(TALLOC_CTX *ctx);
void rlx_hear_feed(struct rlx_hear *hear, const uint8_t *ulaw, size_t length);

/* Segments so far; the last one may still grow. The array lives until the next feed. */
const struct rlx_segment *rlx_hear_segments(const struct rlx_hear *hear, size_t *countp);
/* Milliseconds fed. */
uint64_t rlx_hear_now_ms(const struct rlx_hear *hear);
/* The first segment that began after `after_ms` (all of them when after_ms is UINT64_MAX), NULL
 * when there is none. */
const struct rlx_segment *rlx_hear_first_after(const struct rlx_hear *hear, uint64_t after_ms);

#endif
