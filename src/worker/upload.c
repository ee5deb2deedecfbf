/* Recordings that are kept in S3: moved there after the call, and removed there.
 *
 * The order makes that nothing is lost whenever this process dies: the object is written and asked
 * for (its size); then the call's row names it; then the file goes. A job that is done again finds
 * where it was by the row. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "provider/recordings.h"
#include "provider/s3.h"
#include "store/retention.h"
#include "worker/tasks.h"

#define PUT_S 840 /* below the job's lease */
#define WAIT_MS 5000
#define WAIT_MOST_MS 600000
#define MISSING_MOST 100 /* attempts at a file that is not there: most of a day */

int64_t rlx_object_wait_ms(int attempts)
{
    int64_t ms = WAIT_MS;

    while (--attempts > 0 && ms < WAIT_MOST_MS)
        ms *= 2;
    return ms < WAIT_MOST_MS ? ms : WAIT_MOST_MS;
}

static void again(const struct rlx_task *task, const char *why, int err)
{
    rlx_task_again(task, why ? why : rlx_err_text(err), rlx_object_wait_ms(task->job->attempts));
}

static int open_object(struct rlx_s3 **s3p, TALLOC_CTX *ctx, const struct rlx_task *task,
                       const char *url, char **whyp)
{
    return rlx_s3_open(s3p, ctx, url, rlx_config_get(task->config, RLX_CFG_AWS_ACCESS_KEY_ID),
                       rlx_config_get(task->config, RLX_CFG_AWS_SECRET_ACCESS_KEY), whyp);
}

/* The file, with its size. */
static int open_file(const char *path, uint64_t *sizep)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return RLX_EINVAL;
    }
    *sizep = (uint64_t)st.st_size;
    return fd;
}

static int remove_object(TALLOC_CTX *ctx, const struct rlx_task *task, const char *url, char **whyp)
{
    struct rlx_s3 *s3 = NULL;
    int err = open_object(&s3, ctx, task, url, whyp);

    return err ? err : rlx_s3_delete(s3, whyp);
}

/* Sends it, unless it is there as the row says; 0 when the object has the file's size. */
static int send_object(struct rlx_s3 *s3, int fd, uint64_t size, bool sent, char **whyp)
{
    uint64_t there = 0;
    int err = sent ? 0 : rlx_s3_put(s3, fd, size, PUT_S, whyp);

    if (!err)
        err = rlx_s3_head(s3, &there, whyp);
    if (!err && there != size) {
        *whyp = talloc_asprintf(s3, "the object has %llu bytes, the file %llu",
                                (unsigned long long)there, (unsigned long long)size);
        err = RLX_EPROTO;
    }
    return err;
}

/* What nobody wants any more: the call was deleted, or its recording forgotten, before or while it
 * was sent. */
static int drop(TALLOC_CTX *ctx, const struct rlx_task *task, const char *path, const char *url,
                char **whyp)
{
    int err = remove_object(ctx, task, url, whyp);

    return err ? err : unlink(path) && errno != ENOENT ? -errno : 0;
}

/* `where` is what the row says: the file's path, or its object. */
static int move(TALLOC_CTX *ctx, const struct rlx_task *task, const char *call_id, const char *path,
                const char *where, const char *url, char **whyp)
{
    bool sent = rlx_recording_is_object(where);
    int64_t began_ms = rlx_wall_ms();
    struct rlx_s3 *s3 = NULL;
    uint64_t size = 0;
    int fd = open_file(path, &size);

    if (fd == -ENOENT && sent)
        return 0;
    if (fd < 0) {
        *whyp = talloc_asprintf(ctx, "%s: %s", path, rlx_err_text(fd));
        return fd;
    }
    int err = open_object(&s3, ctx, task, sent ? where : url, whyp);
    if (!err)
        err = send_object(s3, fd, size, sent, whyp);
    if (!err && !sent)
        err = rlx_recording_moved(task->store, call_id, path, url);
    if (!err && unlink(path) && errno != ENOENT)
        err = -errno;
    close(fd);
    if (!err)
        rlx_log(RLX_INFO, "recording.uploaded", "call_id=%s bytes=%llu ms=%lld", call_id,
                (unsigned long long)size, (long long)(rlx_wall_ms() - began_ms));
    return err;
}

static void upload(TALLOC_CTX *ctx, const struct rlx_task *task)
{
    const char *call_id = json_string_value(json_object_get(task->job->payload, "call_id"));
    const char *path = json_string_value(json_object_get(task->job->payload, "path"));
    char *where = NULL, *why = NULL;

    if (!call_id || !path || strlen(path) < 5 || strcmp(path + strlen(path) - 4, ".wav") != 0) {
        rlx_task_dead(task, "the job names no recording");
        return;
    }
    char *url = rlx_recordings_object(ctx, task->config, path);
    if (!url) { /* RECORDINGS_URL was changed: the file is where it belongs */
        rlx_task_done(task);
        return;
    }
    int err = rlx_recording_where(task->store, ctx, call_id, &where);
    if (!err)
        err = move(ctx, task, call_id, path, where, url, &why);
    else if (err == RLX_ENOTFOUND)
        err = drop(ctx, task, path, url, &why);
    if (!err)
        rlx_task_done(task);
    else if (err == RLX_ECONFLICT) /* changed meanwhile */
        rlx_task_again(task, "the recording was removed meanwhile", 0);
    else if (err == -ENOENT && task->job->attempts >= MISSING_MOST)
        rlx_task_dead(task, why);
    else
        again(task, why, err);
}

static void remove_one(TALLOC_CTX *ctx, const struct rlx_task *task)
{
    const char *url = json_string_value(json_object_get(task->job->payload, "path"));
    char *why = NULL;

    if (!rlx_recording_is_object(url)) {
        rlx_task_dead(task, "the job names no object");
        return;
    }
    int err = remove_object(ctx, task, url, &why);
    if (err)
        again(task, why, err);
    else
        rlx_task_done(task);
}

void rlx_task_object(const struct rlx_task *task)
{
    TALLOC_CTX *ctx = talloc_new(NULL);

    if (!ctx)
        rlx_task_again(task, "out of memory", WAIT_MS);
    else if (!strcmp(task->job->kind, "remove"))
        remove_one(ctx, task);
    else
        upload(ctx, task);
    talloc_free(ctx);
}
