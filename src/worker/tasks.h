/* The jobs, one function each. Blocking; any thread. Each decides its own job: done, again later,
 * or dead. */
#ifndef RLX_WORKER_TASKS_H
#define RLX_WORKER_TASKS_H

#include "base/config.h"
#include "store/jobs.h"

struct rlx_task {
    const struct rlx_config *config;
    struct rlx_store *store;
    const struct rlx_job *job;
    int64_t now_ms; /* wall clock at its start */
};

/* Asks the carrier to place the call: once, whatever happens (dial.c). */
void rlx_task_dial(const struct rlx_task *task);
/* Makes the analysis of a call that is over. */
void rlx_task_analyse(const struct rlx_task *task);
/* Makes the vectors of a knowledge entry. */
void rlx_task_embed(const struct rlx_task *task);

/* Sends a delivery of a webhook (webhook.c): signed, at most 10 s; 2xx is delivered; else again after 10 s, 1 m, 5 m, 30 m, 2 h and
 * 6 h, and then dead. */
void rlx_task_webhook(const struct rlx_task *task);
/* The X-RelayX-Signature header's value: "t=SECONDS,v1=HEX", HMAC-SHA256 under the secret over "SECONDS.BODY". On ctx. */
char *rlx_webhook_signature(TALLOC_CTX *ctx, const char *secret, int64_t at_s, const char *body);
/* How long to wait after the n-th attempt (from 1) failed; 0 = no more. */
int64_t rlx_webhook_wait_ms(int attempts);

/* Removes the files that jobs "erase" name (keep.c); a few at a time. */
void rlx_keep_erase(struct rlx_store *store, const char *worker_id, int64_t now_ms);
/* Forgets what is older than its users want it kept. True when there may be more. */
bool rlx_keep_forget(struct rlx_store *store, int64_t now_ms);

/* "upload": moves a call's recording to S3, and removes the file when the object was found there whole. "remove": removes an object
 * (upload.c). Tried until it works: meanwhile the file is kept. */
void rlx_task_object(const struct rlx_task *task);
/* How long to wait after the n-th attempt (from 1) failed. */
int64_t rlx_object_wait_ms(int attempts);

/* Ends a job; a store that is away leaves it to its lease. */
void rlx_task_done(const struct rlx_task *task);
void rlx_task_again(const struct rlx_task *task, const char *why, int64_t in_ms);
void rlx_task_dead(const struct rlx_task *task, const char *why);

/* Asks the carrier about calls whose fate never came, and closes those that are over there
 * (watch.c). */
void rlx_watch_stale(struct rlx_store *store, const struct rlx_config *config, int64_t now_ms);

#endif
