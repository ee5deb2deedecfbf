/* Looking up passages for live calls: full-text search in the store and nearness of vectors, on threads, so that the loop
 * never waits. The store gets RLX_FINDER_STORE_MS; when it is away or slow the vectors alone decide. Loop thread. */
#ifndef RLX_GATEWAY_FINDER_H
#define RLX_GATEWAY_FINDER_H

#include <uv.h>

#include "knowledge/find.h"

#define RLX_FINDER_STORE_MS 80

struct rlx_finder;
struct rlx_finder_job;

/* Exactly once unless cancelled; `found` lives until it returns. */
typedef void rlx_found_h(const struct rlx_found *found, void *arg);

int rlx_finder_create(struct rlx_finder **finderp, TALLOC_CTX *ctx, uv_loop_t *loop,
                      struct rlx_store *store) __attribute__((warn_unused_result));
/* `vector` (of rlx_text_bare(text), dim long) may be NULL; everything is copied. */
int rlx_finder_start(struct rlx_finder_job **jobp, struct rlx_finder *finder, struct rlx_known *known,
                     const char *text, const float *vector, size_t dim, rlx_found_h *done, void *arg)
    __attribute__((warn_unused_result));
void rlx_finder_cancel(struct rlx_finder_job *job);

#endif
