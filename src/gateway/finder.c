#include "gateway/finder.h"

#include <errno.h>
#include <stdbool.h>

struct rlx_finder_job {
    uv_work_t work;
    struct rlx_known *known;
    char *text;
    float *vector;
    size_t dim;
    struct rlx_found found;
    rlx_found_h *done;
    void *arg;
    bool cancelled;
};

static int drop_job(struct rlx_finder_job *job)
{
    rlx_known_drop(job->known);
    return 0;
}

static void work(uv_work_t *request)
{
    struct rlx_finder_job *job = request->data;

    rlx_find(&job->found, job, job->known, job->text, job->vector, job->dim);
}

static void worked(uv_work_t *request, int status)
{
    struct rlx_finder_job *job = request->data;

    (void)status;
    if (!job->cancelled)
        job->done(&job->found, job->arg);
    talloc_free(job);
}

int rlx_finder_start(struct rlx_finder_job **jobp, uv_loop_t *loop, struct rlx_known *known,
                     const char *text, const float *vector, size_t dim, rlx_found_h *done,
                     void *arg)
{
    if (!jobp || !loop || !known || !text || !done)
        return -EINVAL;
    /* On no context: it ends by itself also when the call is gone. */
    struct rlx_finder_job *job = talloc_zero(NULL, struct rlx_finder_job);
    if (!job)
        return -ENOMEM;
    job->known = rlx_known_keep(known);
    talloc_set_destructor(job, drop_job);
    job->text = talloc_strdup(job, text);
    job->vector = vector ? talloc_memdup(job, vector, dim * sizeof *vector) : NULL;
    job->dim = job->vector ? dim : 0;
    job->done = done;
    job->arg = arg;
    job->work.data = job;
    if (!job->text || uv_queue_work(loop, &job->work, work, worked)) {
        talloc_free(job);
        return -ENOMEM;
    }
    *jobp = job;
    return 0;
}

void rlx_finder_cancel(struct rlx_finder_job *job)
{
    if (job)
        job->cancelled = true;
}
