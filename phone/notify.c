#include "notify.h"

#include <pthread.h>
#include <string.h>

#include "base/log.h"
#include "webhook.h"

#define LANES 4u
#define QUEUE_MAX 10000u

struct job {
    struct job *next;
    char *method, *url;
    struct rlx_form *form;
};

struct lane {
    struct rlx_notifier *notifier;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first, *last;
    unsigned count;
    bool stop;
};

struct rlx_notifier {
    char *token;
    struct lane lanes[LANES];
};

static struct job *take_job(struct lane *lane)
{
    struct job *job;

    pthread_mutex_lock(&lane->lock);
    while (!lane->first && !lane->stop)
        pthread_cond_wait(&lane->wake, &lane->lock);
    job = lane->first;
    if (job) {
        lane->first = job->next;
        lane->count--;
        if (!lane->first)
            lane->last = NULL;
    }
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *run_lane(void *arg)
{
    struct lane *lane = arg;
    struct job *job;

    while ((job = take_job(lane))) {
        struct rlx_webhook_reply *reply = NULL;
        char *why = NULL;
        int err =
            rlx_webhook(&reply, job, lane->notifier->token, job->method, job->url, job->form, &why);

        if (err)
            rlx_log(RLX_WARN, "phone.callback_failed", "url=%s why=%s", job->url, why ? why : "");
        else if (reply->status >= 400)
            rlx_log(RLX_WARN, "phone.callback_refused", "url=%s status=%ld", job->url,
                    reply->status);
        talloc_free(job);
    }
    return NULL;
}

static int notifier_destroy(struct rlx_notifier *notifier)
{
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &notifier->lanes[i];

        if (!lane->started)
            continue;
        pthread_mutex_lock(&lane->lock);
        lane->stop = true;
        pthread_cond_signal(&lane->wake);
        pthread_mutex_unlock(&lane->lock);
        pthread_join(lane->thread, NULL);
        pthread_cond_destroy(&lane->wake);
        pthread_mutex_destroy(&lane->lock);
    }
    return 0;
}

struct rlx_notifier *rlx_notifier_create(TALLOC_CTX *ctx, const char *token)
{
    struct rlx_notifier *notifier = talloc_zero(ctx, struct rlx_notifier);

    if (!notifier)
        return NULL;
    notifier->token = talloc_strdup(notifier, token);
    talloc_set_destructor(notifier, notifier_destroy);
    for (unsigned i = 0; i < LANES; i++) {
        struct lane *lane = &notifier->lanes[i];

        lane->notifier = notifier;
        pthread_mutex_init(&lane->lock, NULL);
        pthread_cond_init(&lane->wake, NULL);
        if (pthread_create(&lane->thread, NULL, run_lane, lane) != 0) {
            pthread_cond_destroy(&lane->wake);
            pthread_mutex_destroy(&lane->lock);
            talloc_free(notifier);
            return NULL;
        }
        lane->started = true;
    }
    return notifier;
}

void rlx_notifier_post(struct rlx_notifier *notifier, unsigned number, const char *method,
                       const char *url, struct rlx_form *form)
{
    struct lane *lane = &notifier->lanes[number % LANES];
    struct job *job = talloc_zero(NULL, struct job);
    bool full;

    if (!job) {
        talloc_free(form);
        return;
    }
    job->form = talloc_steal(job, form);
    job->method = talloc_strdup(job, method ? method : "POST");
    job->url = talloc_strdup(job, url);
    if (!job->method || !job->url || !job->form) {
        talloc_free(job);
        return;
    }
    pthread_mutex_lock(&lane->lock);
    full = lane->count >= QUEUE_MAX;
    if (!full) {
        if (lane->last)
            lane->last->next = job;
        else
            lane->first = job;
        lane->last = job;
        lane->count++;
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&lane->lock);
    if (full) {
        rlx_log(RLX_WARN, "phone.callback_dropped", "url=%s", url);
        talloc_free(job);
    }
}
