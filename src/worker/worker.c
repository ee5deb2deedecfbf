#include "worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "knowledge/embed.h"
#include "provider/recordings.h"
#include "store/calls.h"
#include "store/jobs.h"
#include "store/keys.h"
#include "store/webhooks.h"
#include "worker/tasks.h"

#define POLL_MS 50
#define AWAY_MS 1000
#define GATEWAY_LEASE_MS 6000
#define STALE_EVERY 15 /* beats of the watcher */
#define RETENTION_EVERY 600
#define STOP_MS 4000
#define FORGET_EVERY 3600                 /* beats */
#define KEEP_MS (30LL * 24 * 3600 * 1000) /* of webhooks' deliveries */

/* Each kind has runners of its own, so that a slow language model never holds up a dial. The lease
 * is longer than a job takes; after it a killed worker's job is taken up by another. */
static const struct {
    const char *kind;
    void (*run)(const struct rlx_task *task);
    int64_t lease_ms;
} runner_kinds[] = {
    {"dial", rlx_task_dial, 30000},
    {"dial", rlx_task_dial, 30000},
    {"dial", rlx_task_dial, 30000},
    {"analyse", rlx_task_analyse, 180000},
    {"embed", rlx_task_embed, 300000},
    {"webhook", rlx_task_webhook, 30000},
    {"webhook", rlx_task_webhook, 30000},
    {"upload,remove", rlx_task_object, 900000},
    {"upload,remove", rlx_task_object, 900000},
};
#define RUNNERS (sizeof runner_kinds / sizeof runner_kinds[0])

struct runner {
    struct worker *worker;
    size_t number;
    pthread_t thread;
    pthread_mutex_t lock;
    char job_id[37]; /* under way; "" = none */
    bool ended;
};

struct worker {
    struct rlx_config *config;
    struct rlx_store *store;
    char id[RLX_UUID_TEXT];
    atomic_bool stopping;
    struct runner runners[RUNNERS];
    pthread_t watcher;
};

static void nap(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

/* ---- the ends of a job ---- */

void rlx_task_done(const struct rlx_task *task)
{
    int err = rlx_job_done(task->store, task->job->id);

    if (err)
        rlx_log(RLX_WARN, "job.done", "kind=%s error=%s", task->job->kind, rlx_err_text(err));
}

void rlx_task_again(const struct rlx_task *task, const char *why, int64_t in_ms)
{
    rlx_log(RLX_INFO, "job.again", "kind=%s attempts=%d in_ms=%lld why=%s", task->job->kind,
            task->job->attempts, (long long)in_ms, why);
    int err = rlx_job_failed(task->store, task->job->id, why, rlx_wall_ms() + in_ms);
    if (err)
        rlx_log(RLX_WARN, "job.again", "kind=%s error=%s", task->job->kind, rlx_err_text(err));
}

void rlx_task_dead(const struct rlx_task *task, const char *why)
{
    rlx_log(RLX_WARN, "job.dead", "kind=%s why=%s", task->job->kind, why);
    int err = rlx_job_failed(task->store, task->job->id, why, 0);
    if (err)
        rlx_log(RLX_WARN, "job.dead", "kind=%s error=%s", task->job->kind, rlx_err_text(err));
}

/* ---- runners ---- */

static void note_job(struct runner *runner, const char *job_id)
{
    pthread_mutex_lock(&runner->lock);
    snprintf(runner->job_id, sizeof runner->job_id, "%s", job_id);
    pthread_mutex_unlock(&runner->lock);
}

/* One job, if there is one. */
static int run_one(struct runner *runner)
{
    struct worker *worker = runner->worker;
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_job *job = NULL;
    int64_t now_ms = rlx_wall_ms();
    int err = rlx_job_claim(worker->store, ctx, runner_kinds[runner->number].kind, worker->id,
                            now_ms, runner_kinds[runner->number].lease_ms, &job);

    if (!err) {
        const struct rlx_task task = {worker->config, worker->store, job, now_ms};
        note_job(runner, job->id);
        runner_kinds[runner->number].run(&task);
        note_job(runner, "");
    }
    talloc_free(ctx);
    return err;
}

static void *run(void *arg)
{
    struct runner *runner = arg;

    while (!atomic_load(&runner->worker->stopping)) {
        int err = run_one(runner);
        if (err)
            nap(err == RLX_ENOTFOUND ? POLL_MS : AWAY_MS);
    }
    pthread_mutex_lock(&runner->lock);
    runner->ended = true;
    pthread_mutex_unlock(&runner->lock);
    return NULL;
}

/* Once a second: calls whose gateway is silent are closed; now and then the carrier is asked about
 * those it forgot. */
static void *watch(void *arg)
{
    struct worker *worker = arg;
    bool old = true; /* there may be something too old to keep */

    for (unsigned beat = 1; !atomic_load(&worker->stopping); beat++) {
        int closed = 0;
        int err = rlx_calls_close_lost(worker->store, rlx_wall_ms(), GATEWAY_LEASE_MS, &closed);
        if (err)
            rlx_log(RLX_WARN, "calls.close_lost", "error=%s", rlx_err_text(err));
        if (closed)
            rlx_log(RLX_WARN, "calls.lost", "closed=%d", closed);
        if (beat % STALE_EVERY == 0)
            rlx_watch_stale(worker->store, worker->config, rlx_wall_ms());
        if (beat % FORGET_EVERY == 1 &&
            rlx_deliveries_forget(worker->store, rlx_wall_ms() - KEEP_MS))
            rlx_log(RLX_WARN, "webhooks.forget", "error=the store is away");
        if (old || beat % RETENTION_EVERY == 0)
            old = rlx_keep_forget(worker->store, rlx_wall_ms());
        rlx_keep_erase(worker->store, worker->id, rlx_wall_ms());
        for (int i = 0; i < 10 && !atomic_load(&worker->stopping); i++)
            nap(100);
    }
    return NULL;
}

/* ---- life ---- */

static int start(struct worker *worker)
{
    for (size_t i = 0; i < RUNNERS; i++) {
        struct runner *runner = &worker->runners[i];
        runner->worker = worker;
        runner->number = i;
        pthread_mutex_init(&runner->lock, NULL);
        int failed = pthread_create(&runner->thread, NULL, run, runner);
        if (failed)
            return -failed;
    }
    return -pthread_create(&worker->watcher, NULL, watch, worker);
}

/* Gives runners a while; a job that is still under way then (a slow model) is handed back for the
 * next worker. True when all threads have ended. */
static bool stop(struct worker *worker)
{
    struct timespec until;
    bool all = true;

    atomic_store(&worker->stopping, true);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STOP_MS / 1000;
    pthread_join(worker->watcher, NULL);
    for (size_t i = 0; i < RUNNERS; i++) {
        struct runner *runner = &worker->runners[i];
        if (!pthread_timedjoin_np(runner->thread, NULL, &until))
            continue;
        all = false;
        pthread_mutex_lock(&runner->lock);
        if (runner->job_id[0] && strcmp(runner_kinds[i].kind, "dial") != 0)
            rlx_job_failed(worker->store, runner->job_id, "the worker was stopped", rlx_wall_ms());
        pthread_mutex_unlock(&runner->lock);
    }
    return all;
}

/* Entries that were written while there was no embedding server, or by an older program. */
static void embed_missing(struct worker *worker)
{
    int count = 0;
    int err = rlx_knowledge_can_embed(worker->config)
                  ? rlx_knowledge_embed_missing(worker->store, &count)
                  : 0;

    if (err || count)
        rlx_log(err ? RLX_WARN : RLX_INFO, "knowledge.embed_missing", "entries=%d error=%s", count,
                err ? rlx_err_text(err) : "");
}

static void wait_for_signal(const sigset_t *signals)
{
    int number;

    while (sigwait(signals, &number))
        ;
}

int rlx_worker_main(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct worker *worker = talloc_zero(ctx, struct worker);
    sigset_t signals;
    char *why = NULL, *recordings = NULL;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: they inherit it */
    signal(SIGPIPE, SIG_IGN);
    worker->config = config;
    rlx_uuid(worker->id);
    int err = rlx_keys_load(config, ctx, &why);
    if (!err)
        err = rlx_recordings_directory(&recordings, ctx, config, &why); /* only checked here */
    if (!err)
        err = rlx_store_start(&worker->store, ctx, config, &why);
    if (!err)
        err = start(worker);
    if (err) {
        rlx_log(RLX_ERROR, "worker.start", "why=%s", why ? why : rlx_err_text(err));
        return 1; /* the process ends: the kernel releases what is open */
    }
    embed_missing(worker);
    rlx_log(RLX_INFO, "worker.ready", "id=%s", worker->id);
    wait_for_signal(&signals);
    rlx_log(RLX_INFO, "worker.stopping", "id=%s", worker->id);
    if (stop(worker))
        talloc_free(ctx);
    return 0;
}
