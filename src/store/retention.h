/* What is removed: calls that a user deletes, and what is older than a user's days. See store.h for results and threads. */
#ifndef RLX_STORE_RETENTION_H
#define RLX_STORE_RETENTION_H

#include "store/store.h"

struct rlx_retention {
    int recordings;  /* forgotten; each has a job "erase" {path} that removes the file */
    int transcripts; /* rows */
};
/* Forgets recordings and transcripts (with analyses and events) of calls that are over and older than their users' days
 * (user_limits), a hundred recordings of each user at most: again until nothing is left. */
int rlx_retention_run(struct rlx_store *store, int64_t now_ms, struct rlx_retention *donep);

#endif
