/* Blocking calls that are waited for only so long: the store may hang for seconds, the carrier waits for an answer. Any thread. */
#ifndef RLX_GATEWAY_BOUNDED_H
#define RLX_GATEWAY_BOUNDED_H

#include <stdint.h>
#include <talloc.h>

struct rlx_bounded;

/* The work; its result goes to whoever waits. On a thread of its own. */
typedef int rlx_bounded_h(void *arg);

/* At most `max` calls at a time. Freeing waits for those that are still running. */
int rlx_bounded_create(struct rlx_bounded **boundedp, TALLOC_CTX *ctx, unsigned max)
    __attribute__((warn_unused_result));

/* Runs work(arg) and waits for it at most limit_ms. `arg` is a parentless talloc context.
 * 0: it is done, *resultp is what it gave, and arg is the caller's again. -ETIMEDOUT: it goes on by itself. -EAGAIN: too many are
 * running, or no thread could be made. After these two arg must not be touched: it is freed when nobody needs it. */
int rlx_bounded_run(struct rlx_bounded *bounded, rlx_bounded_h *work, void *arg, uint32_t limit_ms,
                    int *resultp) __attribute__((warn_unused_result));

#endif
