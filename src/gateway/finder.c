#include "gateway/finder.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "gateway/bounded.h"

#define SEARCHES_MAX 8 /* in the store at a time: one that hangs does not draw in more */

struct rlx_finder {
    uv_loop_t *loop;
    struct rlx_store *store;
    struct rlx_bounded *bounded;
};

struct rlx_finder_job {
    uv_work_t work;
    struct rlx_finder *finder;
    struct rlx_known *known;
    char *text;
    float *vector;
    size_t dim;
    struct rlx_found found;
    int err; /* of the store's part */
    rlx_found_h *done;
    void *arg;
    bool cancelled;
};

/* The store's part: it may outlive the job. */
struct search {
    struct rlx_known *known;
    struct rlx_store *store;
    char *text;
    struct rlx_knowledge_hit hits[RLX_FIND_LIST];
    size_t count;
};

static int drop_search(struct search *search)
{
    rlx_known_drop(search->known);
    return 0;
}

static int drop_job(struct rlx_finder_job *job)
{
    rlx_known_drop(job->known);
    return 0;
}

int rlx_finder_create(struct rlx_finder **finderp, TALLOC_CTX *ctx, uv_loop_t *loop,
                      struct rlx_store *store)
{
    struct rlx_finder *finder = talloc_zero(ctx, struct rlx_finder);

    if (!finder)
        return -ENOMEM;
    finder->loop = loop;
    finder->store = store;
    int err = rlx_bounded_create(&finder->bounded, finder, SEARCHES_MAX);
    if (err)
        talloc_free(finder);
    else
        *finderp = finder;
    return err;
}

static int search_words(void *arg)
{
    struct search *search = arg;

    return rlx_find_words(search->known, search->store, search->text, search->hits, &search->count);
}

static void work(uv_work_t *request)
{
    struct rlx_finder_job *job = request->data;
    struct search *search = talloc_zero(NULL, struct search);
    int result = 0;

    if (search) {
        search->known = rlx_known_keep(job->known);
        search->store = job->finder->store;
        search->text = talloc_strdup(search, job->text);
        talloc_set_destructor(search, drop_search);
        job->err = rlx_bounded_run(job->finder->bounded, search_words, search, RLX_FINDER_STORE_MS,
                                   &result);
        if (job->err)
            search = NULL; /* no longer ours */
        else
            job->err = result;
    }
    rlx_find_rank(&job->found, job, job->known, job->text, job->vector, job->dim,
                  search ? search->hits : NULL, search && !job->err ? search->count : 0);
    talloc_free(search);
}

static void worked(uv_work_t *request, int status)
{
    struct rlx_finder_job *job = request->data;

    (void)status;
    if (job->err)
        rlx_log(RLX_WARN, "knowledge.search", "error=%s", rlx_err_text(job->err));
    if (!job->cancelled)
        job->done(&job->found, job->arg);
    talloc_free(job);
}

int rlx_finder_start(struct rlx_finder_job **jobp, struct rlx_finder *finder, struct rlx_known *known,
                     const char *text, const float *vector, size_t dim, rlx_found_h *done, void *arg)
{
    if (!jobp || !finder || !known || !text || !done)
        return -EINVAL;
    /* On no context: it ends by itself also when the call is gone. */
    struct rlx_finder_job *job = talloc_zero(NULL, struct rlx_finder_job);
    if (!job)
        return -ENOMEM;
    job->finder = finder;
    job->known = rlx_known_keep(known);
    talloc_set_destructor(job, drop_job);
    job->text = talloc_strdup(job, text);
    job->vector = vector ? talloc_memdup(job, vector, dim * sizeof *vector) : NULL;
    job->dim = job->vector ? dim : 0;
    job->done = done;
    job->arg = arg;
    job->work.data = job;
    if (!job->text || uv_queue_work(finder->loop, &job->work, work, worked)) {
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
