#include "store/jobs.h"

#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "store/db.h"

int rlx_job_add(struct rlx_store *store, const char *kind, const char *unique_key,
                const json_t *payload, int64_t run_at_ms)
{
    char id[RLX_UUID_TEXT];

    if (!store || !kind)
        return -EINVAL;
    char *text = rlx_json_text(NULL, payload, "{}");
    if (!text)
        return -ENOMEM;
    rlx_uuid(id);
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_JOB_ADD, NULL, NULL, NULL, RLX_TEXT(id),
                       RLX_TEXT(kind), RLX_TEXT(unique_key), RLX_TEXT(text), RLX_INT(run_at_ms));
    talloc_free(text);
    return err;
}

/* "dial,analyse" → ["dial","analyse"] */
static char *kinds_json(TALLOC_CTX *ctx, const char *kinds)
{
    json_t *array = json_array();

    for (const char *p = kinds; *p;) {
        size_t n = strcspn(p, ",");
        json_array_append_new(array, json_stringn(p, n));
        p += n + (p[n] == ',');
    }
    char *text = rlx_json_text(ctx, array, "[]");
    json_decref(array);
    return text;
}

struct job_out {
    TALLOC_CTX *ctx;
    struct rlx_job *job;
};

static int job_destructor(struct rlx_job *job)
{
    json_decref(job->payload);
    return 0;
}

static int take_job(struct rlx_row *row, void *arg)
{
    struct job_out *out = arg;
    struct rlx_job *job = talloc_zero(out->ctx, struct rlx_job);

    if (!job)
        return -ENOMEM;
    out->job = job;
    talloc_set_destructor(job, job_destructor);
    job->id = talloc_strdup(job, rlx_row_text(row, 0));
    job->kind = talloc_strdup(job, rlx_row_text(row, 1));
    job->payload = json_loads(rlx_row_text(row, 2), 0, NULL);
    job->attempts = (int)rlx_row_int(row, 3);
    return job->id && job->kind && job->payload ? 0 : -ENOMEM;
}

int rlx_job_claim(struct rlx_store *store, TALLOC_CTX *ctx, const char *kinds, const char *worker,
                  int64_t now_ms, int64_t lease_ms, struct rlx_job **jobp)
{
    struct job_out out = {.ctx = ctx};
    int due = 0;

    if (!store || !kinds || !worker || !jobp)
        return -EINVAL;
    char *list = kinds_json(ctx, kinds);
    if (!list)
        return -ENOMEM;
    /* A look without the write lock first: idle workers ask often. */
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_JOB_DUE, NULL, NULL, &due, RLX_TEXT(list),
                       RLX_INT(now_ms));
    if (!err && due)
        err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_JOB_CLAIM, take_job, &out, NULL, RLX_TEXT(list),
                       RLX_TEXT(worker), RLX_INT(now_ms), RLX_INT(lease_ms));
    talloc_free(list);
    if (!err && !out.job)
        err = RLX_ENOTFOUND;
    if (err)
        talloc_free(out.job);
    else
        *jobp = out.job;
    return err;
}

static int found(int err, int rows)
{
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

int rlx_job_done(struct rlx_store *store, const char *job_id)
{
    int rows = 0;

    if (!store || !job_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_JOB_DONE, NULL, NULL, &rows, RLX_TEXT(job_id));
    return found(err, rows);
}

int rlx_job_failed(struct rlx_store *store, const char *job_id, const char *why,
                   int64_t retry_at_ms)
{
    int rows = 0;

    if (!store || !job_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_JOB_FAILED, NULL, NULL, &rows, RLX_TEXT(job_id),
                       RLX_TEXT(why), RLX_INT(retry_at_ms));
    return found(err, rows);
}
