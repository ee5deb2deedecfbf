/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where somebody speaks in a recording: the evidence that the guards judge by, and the pieces worth
 * decoding. Whisper makes words up for silence and noise, so only what lies here reaches it. Any
 * thread.
 */
#ifndef RLX_SPEECH_ACTIVITY_H
#define RLX_SPEECH_ACTIVITY_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_span {
    uint32_t start_ms, end_ms;
};

struct rlx_activity {
    uint32_t voiced_ms;  /* frames that the detector calls voice and that stand out of the noise */
    uint32_t pitched_ms; /* those of them that hold a sound of the vocal folds, such as a vowel */
    size_t count;        /* pieces to decode, in order, each at most RLX_PIECE_MAX_MS */
    struct rlx_span *pieces;
};

#define RLX_PIECE_MAX_MS 20000
#define RLX_PITCHED_ENOUGH_MS                                                                      \
    400 /* more of it is not counted: it takes time and proves nothing more */

/* Finds the speech in 8 kHz mono PCM. The result is a child of ctx. -ENOMEM. */
int rlx_activity_find(struct rlx_activity **activityp, TALLOC_CTX *ctx, const int16_t *pcm,
                      size_t samples) __attribute__((warn_unused_result));

#endif
