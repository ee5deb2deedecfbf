/* Messages that came before anybody could take them: bounded, in order. One thread. */
#ifndef RLX_GATEWAY_EARLY_H
#define RLX_GATEWAY_EARLY_H

#include <stddef.h>
#include <talloc.h>

struct rlx_early;

/* Keeps a copy; *earlyp, NULL to begin with, is made on ctx. What does not fit into 64 KiB, or into memory, is left out. */
void rlx_early_keep(struct rlx_early **earlyp, TALLOC_CTX *ctx, const char *text, size_t length);

typedef void rlx_early_h(const char *text, size_t length, void *arg);
/* Gives all of them on; early may be NULL. */
void rlx_early_replay(const struct rlx_early *early, rlx_early_h *each, void *arg);

#endif
