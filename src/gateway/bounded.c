#include "gateway/bounded.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct rlx_bounded {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned running, max;
};

/* Owned by the thread that works, until it is done while somebody waits. */
struct job {
    struct rlx_bounded *bounded;
    rlx_bounded_h *work;
    void *arg;
    int result;
    bool done, left; /* left: nobody waits any more */
};

static int wait_for_all(struct rlx_bounded *bounded)
{
    pthread_mutex_lock(&bounded->lock);
    while (bounded->running)
        pthread_cond_wait(&bounded->changed, &bounded->lock);
    pthread_mutex_unlock(&bounded->lock);
    pthread_cond_destroy(&bounded->changed);
    pthread_mutex_destroy(&bounded->lock);
    return 0;
}

int rlx_bounded_create(struct rlx_bounded **boundedp, TALLOC_CTX *ctx, unsigned max)
{
    struct rlx_bounded *bounded = talloc_zero(ctx, struct rlx_bounded);
    pthread_condattr_t attributes;

    if (!bounded)
        return -ENOMEM;
    bounded->max = max;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&bounded->lock, NULL);
    pthread_cond_init(&bounded->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    talloc_set_destructor(bounded, wait_for_all);
    *boundedp = bounded;
    return 0;
}

static void *run(void *arg)
{
    struct job *job = arg;
    struct rlx_bounded *bounded = job->bounded;
    int result = job->work(job->arg);

    pthread_mutex_lock(&bounded->lock);
    bool left = job->left;
    job->result = result;
    job->done = true;
    if (left) {
        talloc_free(job->arg);
        free(job);
    }
    bounded->running--;
    pthread_cond_broadcast(&bounded->changed);
    pthread_mutex_unlock(&bounded->lock);
    return NULL;
}

static bool start(struct job *job)
{
    struct rlx_bounded *bounded = job->bounded;
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_mutex_lock(&bounded->lock);
    bool room = bounded->running < bounded->max;
    bounded->running += room;
    pthread_mutex_unlock(&bounded->lock);
    if (!room)
        return false;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    bool started = !pthread_create(&thread, &attributes, run, job);
    pthread_attr_destroy(&attributes);
    if (!started) {
        pthread_mutex_lock(&bounded->lock);
        bounded->running--;
        pthread_mutex_unlock(&bounded->lock);
    }
    return started;
}

static struct timespec in_ms(uint32_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

int rlx_bounded_run(struct rlx_bounded *bounded, rlx_bounded_h *work, void *arg, uint32_t limit_ms,
                    int *resultp)
{
    struct timespec until = in_ms(limit_ms);
    struct job *job = calloc(1, sizeof *job);
    bool late = false;

    if (job)
        *job = (struct job){.bounded = bounded, .work = work, .arg = arg};
    if (!job || !start(job)) {
        talloc_free(arg);
        free(job);
        return -EAGAIN;
    }
    pthread_mutex_lock(&bounded->lock);
    while (!job->done && !late)
        late = pthread_cond_timedwait(&bounded->changed, &bounded->lock, &until) == ETIMEDOUT;
    bool done = job->done;
    job->left = !done;
    if (done)
        *resultp = job->result;
    pthread_mutex_unlock(&bounded->lock);
    if (done)
        free(job);
    return done ? 0 : -ETIMEDOUT;
}
