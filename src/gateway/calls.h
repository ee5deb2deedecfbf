/* The calls of this process: made ready, started by their stream, ended, counted. Loop thread only, but for rlx_calls_post_*. */
#ifndef RLX_GATEWAY_CALLS_H
#define RLX_GATEWAY_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#include "gateway/live.h"
#include "gateway/mailbox.h"
#include "store/store.h"

struct rlx_calls;

int rlx_calls_create(struct rlx_calls **callsp, TALLOC_CTX *ctx, const struct rlx_live_env *env,
                     struct rlx_store *store, const char *gateway_id)
    __attribute__((warn_unused_result));
/* Ends every call and turns sockets away; the calls go one by one while the loop runs (rlx_calls_empty). */
void rlx_calls_end_all(struct rlx_calls *calls);
bool rlx_calls_empty(const struct rlx_calls *calls);
/* Stops the clock, when no call is left; free it when the loop has run out. */
void rlx_calls_close(struct rlx_calls *calls);

/* Loads a call and makes it ready, unless it is here already. It is forgotten when no stream comes within two minutes. */
void rlx_calls_want(struct rlx_calls *calls, const char *call_id);
/* The carrier says that the call is over: what was made ready for it goes, unless its stream has come. */
void rlx_calls_gone(struct rlx_calls *calls, const char *call_id);
/* The carrier says who answered / that the call is over, the owner wants it ended. False when its stream is not here (who answered is
 * remembered for a stream that may come). */
bool rlx_calls_amd(struct rlx_calls *calls, const char *call_id, const char *answered_by);
bool rlx_calls_carrier_ended(struct rlx_calls *calls, const char *call_id);
/* Somebody wants to listen in: takes the call's half of the tap. */
void rlx_calls_listen(struct rlx_calls *calls, const char *call_id, struct rlx_tap *tap);
/* The rows of a call up to this number are durable. */
void rlx_calls_kept(struct rlx_calls *calls, const char *call_id, uint32_t row);
bool rlx_calls_hang_up(struct rlx_calls *calls, const char *call_id, const char *reason);

/* A media socket whose handshake is done: it must send `start` with a good token within 5 s. Takes the fd over. */
void rlx_calls_socket(struct rlx_calls *calls, int fd, const void *extra, size_t extra_length);

/* Calls with a running stream. */
size_t rlx_calls_live(const struct rlx_calls *calls);
/* Calls that are ringing or about to begin: they may be answered any moment. */
size_t rlx_calls_expected(const struct rlx_calls *calls);

#endif
