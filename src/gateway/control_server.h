/* The gateway's control address: other processes of ours ask for something of a call that is here. Requests carry the signature of
 * base/control.h; what concerns a call is posted to the loop.
 *
 *   POST /control/calls/{call_id}/hangup          end it
 *   POST /control/calls/{call_id}/amd/{answer}    the carrier has said who answered
 *   POST /control/calls/{call_id}/ended           the carrier has said that it is over
 *   GET  /control/listen/{call_id}                audio/wav, chunked: 16-bit 8 kHz stereo, callee left, agent right, half a second
 *        behind the line, until the call or the listener ends; 404 when it is not live here, 409 when four listen already
 */
#ifndef RLX_GATEWAY_CONTROL_SERVER_H
#define RLX_GATEWAY_CONTROL_SERVER_H

#include <talloc.h>

#include "base/config.h"
#include "gateway/calls.h"
#include "gateway/mailbox.h"

struct rlx_control_server;

/* Starts it; *urlp (on ctx) is the address to tell others. No call is known until it is opened. */
int rlx_control_server_start(struct rlx_control_server **serverp, TALLOC_CTX *ctx,
                             const struct rlx_config *config, char **urlp)
    __attribute__((warn_unused_result));
/* The calls are there. */
void rlx_control_server_open(struct rlx_control_server *server, struct rlx_mailbox *mailbox,
                             struct rlx_calls *calls);

#endif
