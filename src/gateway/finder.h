/* Looking up passages for live calls on a thread of the loop's pool, so that the loop never computes for long. Loop thread. */
#ifndef RLX_GATEWAY_FINDER_H
#define RLX_GATEWAY_FINDER_H

#include <uv.h>

#include "knowledge/find.h"

struct rlx_finder_job;

/* Exactly once unless cancelled; `found` lives until it returns. */
typedef void rlx_found_h(const struct rlx_found *found, void *arg);

/* `vector` (of rlx_text_bare(text), dim long) may be NULL; everything is copied. */
int rlx_finder_start(struct rlx_finder_job **jobp, uv_loop_t *loop, struct rlx_known *known,
                     const char *text, const float *vector, size_t dim, rlx_found_h *done, void *arg)
    __attribute__((warn_unused_result));
void rlx_finder_cancel(struct rlx_finder_job *job);

#endif
