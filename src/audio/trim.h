/* Trims silence at the edges of a streamed µ-law piece. One thread per object. */
#ifndef RLX_AUDIO_TRIM_H
#define RLX_AUDIO_TRIM_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_trim;
/* Trimmed audio, in order. The bytes live until the handler returns. */
typedef void rlx_trim_out_h(const uint8_t *ulaw, size_t length, void *arg);

/* keep_ms (≤ 500) of silence (10 ms blocks below -50 dBFS) stay at each edge; silence inside passes unchanged, delayed until
 * the voice comes back (of a silence over 4 s only the newest 4 s are held back). RLX_EINVAL, -ENOMEM. */
int rlx_trim_create(struct rlx_trim **trimp, TALLOC_CTX *ctx, uint32_t keep_ms, rlx_trim_out_h *out,
                    void *arg) __attribute__((warn_unused_result));
/* Any length. Allocates nothing. */
void rlx_trim_feed(struct rlx_trim *trim, const uint8_t *ulaw, size_t length);
/* The piece is over: gives out the kept tail and starts anew. A piece without any voice gives nothing. */
void rlx_trim_end(struct rlx_trim *trim);

#endif
