/* What is kept no longer: recordings and transcripts older than their users' days, expired share
 * links, files of calls that were deleted. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "store/retention.h"
#include "store/shares.h"
#include "worker/tasks.h"

#define ERASE_LEASE_MS 30000
#define ERASE_MOST 20 /* files a look */
#define AGAIN_MS 60000

/* Only what a recording looks like is ever removed. */
static int erase(const char *path)
{
    size_t length = path ? strlen(path) : 0;
    struct stat st;

    if (length < 5 || strcmp(path + length - 4, ".wav") != 0)
        return RLX_EINVAL;
    if (lstat(path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISREG(st.st_mode))
        return RLX_EINVAL;
    return unlink(path) && errno != ENOENT ? -errno : 0;
}

void rlx_keep_erase(struct rlx_store *store, const char *worker_id, int64_t now_ms)
{
    for (int i = 0; i < ERASE_MOST; i++) {
        TALLOC_CTX *ctx = talloc_new(NULL);
        struct rlx_job *job = NULL;
        int err = rlx_job_claim(store, ctx, "erase", worker_id, now_ms, ERASE_LEASE_MS, &job);
        if (!err) {
            const struct rlx_task task = {.store = store, .job = job, .now_ms = now_ms};
            const char *path = json_string_value(json_object_get(job->payload, "path"));
            int failed = erase(path);
            if (failed == RLX_EINVAL)
                rlx_task_dead(&task, "the path is not that of a recording");
            else if (failed)
                rlx_task_again(&task, rlx_err_text(failed), AGAIN_MS);
            else
                rlx_task_done(&task);
        }
        talloc_free(ctx);
        if (err)
            return;
    }
}

bool rlx_keep_forget(struct rlx_store *store, int64_t now_ms)
{
    struct rlx_retention done;
    int err = rlx_shares_expire(store, now_ms);

    if (!err)
        err = rlx_retention_run(store, now_ms, &done);
    if (err) {
        rlx_log(RLX_WARN, "retention", "error=%s", rlx_err_text(err));
        return false;
    }
    if (done.recordings || done.transcripts)
        rlx_log(RLX_INFO, "retention", "recordings=%d transcript_rows=%d", done.recordings,
                done.transcripts);
    return done.recordings > 0;
}
