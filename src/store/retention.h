/* What is removed: calls that a user deletes, and what is older than a user's days. See store.h for results and threads. */
#ifndef RLX_STORE_RETENTION_H
#define RLX_STORE_RETENTION_H

#include "store/store.h"

struct rlx_retention {
    int recordings;  /* forgotten; each has a job that removes it: "erase" {path} a file, "remove" {path} an object (s3://…) */
    int transcripts; /* rows */
};
/* Forgets recordings and transcripts (with analyses and events) of calls that are over and older than their users' days
 * (user_limits), a hundred recordings of each user at most: again until nothing is left. */
int rlx_retention_run(struct rlx_store *store, int64_t now_ms, struct rlx_retention *donep);

/* Where a call's recording is now: a path or an s3:// URL, on ctx. RLX_ENOTFOUND when the call is gone or has none. */
int rlx_recording_where(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, char **wherep);
/* The recording is kept elsewhere from now on. RLX_ECONFLICT when it is not at `from` any more (deleted, forgotten, moved). */
int rlx_recording_moved(struct rlx_store *store, const char *call_id, const char *from,
                        const char *to);

#endif
