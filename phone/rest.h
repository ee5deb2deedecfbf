/* The simulator's HTTP routes: Twilio's REST API and /sim. Private to phone/. */
#ifndef RLX_PHONE_REST_H
#define RLX_PHONE_REST_H

#include "base/httpd.h"
#include "call.h"

/* Handlers; `arg` is the struct rlx_exchange. */
void rlx_rest_calls_create(struct rlx_request *req, void *arg);
void rlx_rest_calls_list(struct rlx_request *req, void *arg);
void rlx_rest_call_get(struct rlx_request *req, void *arg);
void rlx_rest_call_update(struct rlx_request *req, void *arg);

void rlx_sim_callees_add(struct rlx_request *req, void *arg);
void rlx_sim_callees_list(struct rlx_request *req, void *arg);
void rlx_sim_callees_forget(struct rlx_request *req, void *arg);
void rlx_sim_calls(struct rlx_request *req, void *arg);
void rlx_sim_call(struct rlx_request *req, void *arg);
void rlx_sim_call_hangup(struct rlx_request *req, void *arg);
void rlx_sim_call_heard(struct rlx_request *req, void *arg);
void rlx_sim_call_said(struct rlx_request *req, void *arg);
void rlx_sim_health(struct rlx_request *req, void *arg);

/* Starts serving all of them. As rlx_httpd_start. */
int rlx_rest_start(struct rlx_httpd **serverp, TALLOC_CTX *ctx, struct rlx_exchange *exchange,
                   const char *host, uint16_t port) __attribute__((warn_unused_result));

#endif
