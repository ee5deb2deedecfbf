/* Sample-rate conversion on speexdsp (quality 3), streaming, mono. One thread per object. */
#ifndef RLX_AUDIO_RESAMPLE_H
#define RLX_AUDIO_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_resampler;

/* Rates from 4 to 192 kHz, else RLX_EINVAL; -ENOMEM. Equal rates copy. */
int rlx_resampler_create(struct rlx_resampler **resamplerp, TALLOC_CTX *ctx, uint32_t from_hz,
                         uint32_t to_hz) __attribute__((warn_unused_result));

/* Converts in_count samples; writes at most out_size. Returns the number written; *usedp (optional) gets how many were
 * read: call again with the rest when `out` was too small. The filter's delay at the start is skipped, so that output
 * lines up with input; to get the last samples (at most 24 ms) out of the filter, feed it silence. Allocates nothing. */
size_t rlx_resampler_run(struct rlx_resampler *resampler, const int16_t *in, size_t in_count,
                         size_t *usedp, int16_t *out, size_t out_size);

/* Forgets what it heard: the next sample starts a new signal. */
void rlx_resampler_reset(struct rlx_resampler *resampler);

/* Room (samples) for the output of in_count samples. */
size_t rlx_resampler_bound(const struct rlx_resampler *resampler, size_t in_count);

#endif
