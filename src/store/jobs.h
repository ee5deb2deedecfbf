/* Durable work: claimed with a lease, done exactly once per unique key, retried with back-off, dead
 * after max attempts. */
#ifndef RLX_STORE_JOBS_H
#define RLX_STORE_JOBS_H

#include "store/store.h"

struct rlx_job {
    char *id, *kind; /* dial | analyse | embed | … */
    json_t *payload;
    int attempts; /* this one included */
};

int rlx_job_add(struct rlx_store *store, const char *kind, const char *unique_key,
                const json_t *payload, int64_t run_at_ms);
/* The oldest due job of the kinds (comma separated), leased to `worker` for lease_ms; RLX_ENOTFOUND
 * when there is none. */
int rlx_job_claim(struct rlx_store *store, TALLOC_CTX *ctx, const char *kinds, const char *worker,
                  int64_t now_ms, int64_t lease_ms, struct rlx_job **jobp);
int rlx_job_done(struct rlx_store *store, const char *job_id);
/* Failed: again at retry_at_ms, or dead when retry_at_ms is 0. */
int rlx_job_failed(struct rlx_store *store, const char *job_id, const char *why,
                   int64_t retry_at_ms);

#endif
