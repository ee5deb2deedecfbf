/* The gateway's front door: Twilio's webhooks and the WebSocket handshake, as blocking code on the HTTP server's threads. What
 * concerns live calls is posted to the loop. */
#ifndef RLX_GATEWAY_FRONT_H
#define RLX_GATEWAY_FRONT_H

#include <stdatomic.h>
#include <talloc.h>

#include "base/config.h"
#include "base/httpd.h"
#include "gateway/bounded.h"
#include "gateway/calls.h"
#include "gateway/mailbox.h"
#include "gateway/route.h"
#include "gateway/writer.h"
#include "store/store.h"

struct rlx_front;

struct rlx_front_env {
    const struct rlx_config *config;
    struct rlx_store *store;
    struct rlx_writer *writer;
    struct rlx_mailbox *mailbox;
    struct rlx_bounded *bounded;
    struct rlx_route *route;       /* touched on the loop only */
    struct rlx_calls *calls;       /* touched on the loop only */
    const atomic_size_t *live;     /* number of live calls, for /health */
    const atomic_bool *draining;
};

/* Starts the public server. `public_url` is VOICE_GATEWAY_URL without a last slash: signatures are checked over it. */
int rlx_front_start(struct rlx_front **frontp, TALLOC_CTX *ctx, const struct rlx_front_env *env,
                    const char *public_url) __attribute__((warn_unused_result));
void rlx_front_quiesce(struct rlx_front *front);

/* True when X-Twilio-Signature is right for the request: over public_url + path + query and the form's parameters; for a
 * WebSocket handshake over the ws(s) form of that URL. */
bool rlx_front_signed(struct rlx_request *req, const struct rlx_config *config,
                      const char *public_url);

#endif
