/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Plays speech faster at the same pitch (WSOLA: overlapping pieces, each moved to where it fits the
 * last one best; Verhelst and Roelands, ICASSP 1993). Pure.
 */
#ifndef RLX_SPEECH_STRETCH_H
#define RLX_SPEECH_STRETCH_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

/* Makes a copy of `samples` that takes 1 / speed of the time (speed 0.25 … 4; 1 copies). The result
 * is on ctx, its length in *countp. -ENOMEM, RLX_EINVAL. */
int rlx_stretch(float **outp, size_t *countp, TALLOC_CTX *ctx, const float *samples, size_t count,
                uint32_t rate_hz, float speed) __attribute__((warn_unused_result));

#endif
