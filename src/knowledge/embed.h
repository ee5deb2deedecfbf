/* What is made of an entry when it is written: its chunks, and the vectors of what is compared with a caller's words.
 * Blocking; any thread. */
#ifndef RLX_KNOWLEDGE_EMBED_H
#define RLX_KNOWLEDGE_EMBED_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

#include "base/config.h"
#include "store/knowledge.h"

#define RLX_EMBED_BATCH 16

/* The texts whose vectors are kept: the ways to ask (bare, as the matcher compares them) of an answer, else each chunk behind
 * its title. *textsp on ctx. */
int rlx_knowledge_texts(const char ***textsp, size_t *countp, TALLOC_CTX *ctx, const char *title,
                        const json_t *questions, char *const *chunks, size_t chunk_count)
    __attribute__((warn_unused_result));

/* Their vectors (*vectorsp on ctx, count × *dimp), asked for in batches of RLX_EMBED_BATCH, each within timeout_ms. A text that
 * the model refuses for its length is tried once more, shorter. RLX_ENOTFOUND when no embedding server is configured. */
int rlx_knowledge_vectors(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx,
                          const struct rlx_config *config, const char *const *texts, size_t count,
                          long timeout_ms) __attribute__((warn_unused_result));

/* An embedding server is configured. */
bool rlx_knowledge_can_embed(const struct rlx_config *config);

#endif
