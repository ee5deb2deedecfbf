/* Webhooks: who is told of what, and what became of each telling. See store.h for results and threads.
 *
 * A webhook is {id, url, description, events[], is_active, created_at, updated_at}; its secret never comes back. A delivery is
 * {id, webhook_id, event, status: pending|delivered|dead, attempts, response_code, response_ms, response_excerpt, error,
 * replay_of, payload{}, next_attempt_at, created_at, updated_at}.
 *
 * A delivery and the job that sends it are written in the transaction that makes the fact (rlx_db_event calls
 * rlx_db_webhooks_on_event), once per webhook and fact. Sending is at least once: a worker that dies between the answer and
 * its note sends again, with the same delivery id.
 */
#ifndef RLX_STORE_WEBHOOKS_H
#define RLX_STORE_WEBHOOKS_H

#include "store/store.h"

/* The events that can be asked for, NULL-terminated:
 * call.started     the conversation began (status in-progress)
 * call.ended       a conversation is over (status completed)
 * call.failed      failed, busy, no-answer, canceled. When a gateway that was taken for lost comes back, call.ended may follow
 * transcript.ready the transcript is complete
 * call.analyzed    the analysis is made
 * contact.opted_out somebody asked in a call not to be called again */
extern const char *const rlx_webhook_events[];

/* fields: url, events[], description, is_active; create needs url and events. `kept` is what rlx_webhook_seal made. */
int rlx_webhook_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const json_t *fields, const char *kept, char **jsonp);
int rlx_webhook_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *webhook_id, const json_t *fields, char **jsonp);
/* A new secret, for deliveries from now on. */
int rlx_webhook_set_secret(struct rlx_store *store, const char *user_id, const char *webhook_id,
                           const char *kept);
int rlx_webhook_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *webhook_id, char **jsonp);
int rlx_webhooks_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                      const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp);
/* With its deliveries. */
int rlx_webhook_delete(struct rlx_store *store, const char *user_id, const char *webhook_id);

/* Newest first; status may be NULL. */
int rlx_deliveries_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                        const char *webhook_id, const char *status, int limit, const char *cursor,
                        char **jsonp, char **next_cursorp, int64_t *totalp);
/* Sends the same payload again, as a new delivery. */
int rlx_delivery_replay(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                        const char *webhook_id, const char *delivery_id, char **jsonp);
/* Sends a webhook.test event. */
int rlx_webhook_test(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *webhook_id, char **jsonp);

/* ---- the secret at rest ---- */

/* What is kept of a secret: encrypted under the first key of SECRETS_KEY and bound to the user, or, without SECRETS_KEY, the
 * secret itself. On ctx; NULL out of memory. */
char *rlx_webhook_seal(TALLOC_CTX *ctx, const struct rlx_config *config, const char *user_id,
                       const char *secret);
/* The secret again, by any key of SECRETS_KEY. RLX_ECONFIG: by none of them. */
int rlx_webhook_unseal(char **secretp, TALLOC_CTX *ctx, const struct rlx_config *config,
                       const char *user_id, const char *kept);

/* ---- the worker ---- */

struct rlx_delivery {
    char *url, *kept, *payload, *event, *status, *webhook_id, *user_id; /* kept: of the secret */
    bool active; /* the webhook is */
};
int rlx_delivery_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *delivery_id,
                      struct rlx_delivery **deliveryp);

struct rlx_delivery_result {
    const char *status; /* pending, delivered, dead */
    int attempts;
    long code, took_ms;  /* code 0 = no answer came */
    const char *excerpt; /* of the answer, UTF-8; may be NULL */
    const char *error;   /* may be NULL */
    int64_t next_ms;     /* 0 = no further attempt */
};
int rlx_delivery_result(struct rlx_store *store, const char *delivery_id,
                        const struct rlx_delivery_result *result);
/* Drops deliveries made before then, but for those that are still to be sent. */
int rlx_deliveries_forget(struct rlx_store *store, int64_t before_ms);

#endif
