/* Embeddings of short texts, on the loop and (for the API and the worker) blocking. Vectors are unit length. */
#ifndef RLX_PROVIDER_EMBED_H
#define RLX_PROVIDER_EMBED_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

struct rlx_embed;
struct rlx_embed_job;

/* `vectors` holds count × dim floats in the order of the texts; borrowed. Exactly once unless cancelled. */
typedef void rlx_embed_done_h(int err, const float *vectors, size_t count, size_t dim,
                              const char *why, void *arg);

int rlx_embed_start(struct rlx_embed_job **jobp, struct rlx_embed *embed, const char *const *texts,
                    size_t count, uint32_t timeout_ms, rlx_embed_done_h *done, void *arg)
    __attribute__((warn_unused_result));
void rlx_embed_cancel(struct rlx_embed_job *job);
void rlx_embed_warm(struct rlx_embed *embed);

/* Blocking, any thread: *vectorsp on ctx. RLX_ENOTFOUND when no embedding server is configured. */
int rlx_embed_blocking(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx,
                       const struct rlx_config *config, const char *const *texts, size_t count,
                       long timeout_ms) __attribute__((warn_unused_result));

#endif
