/* What the carrier tells of a call that is not here: callbacks land on any gateway, or come before the stream has started. Loop
 * thread only; the store and the other gateway are asked on libuv's threads. */
#ifndef RLX_GATEWAY_ROUTE_H
#define RLX_GATEWAY_ROUTE_H

#include <stdbool.h>
#include <talloc.h>
#include <uv.h>

#include "base/config.h"
#include "gateway/writer.h"
#include "store/store.h"

struct rlx_route;

/* own_url: this gateway's control address. */
int rlx_route_create(struct rlx_route **routep, TALLOC_CTX *ctx, uv_loop_t *loop,
                     const struct rlx_config *config, struct rlx_store *store,
                     struct rlx_writer *writer, const char *own_url)
    __attribute__((warn_unused_result));

/* Who answered: kept in the call's events, which `start` reads, then told to the gateway that holds the call, if one does. In that
 * order: whoever takes the call in between sees one or the other. */
void rlx_route_amd(struct rlx_route *route, const char *call_id, const char *answered_by);
/* The carrier says that it is over: told to the gateway that holds it. */
void rlx_route_ended(struct rlx_route *route, const char *call_id);

/* For `start`, blocking, any thread: what the carrier has said by now about who answered, on ctx; NULL = nothing. */
char *rlx_route_kept_amd(TALLOC_CTX *ctx, struct rlx_store *store, const char *call_id);

/* AnsweredBy as the carrier sends it: lower-case letters and underscores (docs: Answering Machine Detection). */
bool rlx_route_is_answer(const char *text);

#endif
