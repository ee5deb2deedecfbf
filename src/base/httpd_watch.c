/* Closes connections that send their request too slowly: MHD's own time-out starts again with every
 * byte. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/httpd_private.h"
#include "base/log.h"

#define LOOK_S 2

struct watched {
    int fd;
    atomic_ullong until_ms; /* 0 = no limit */
    struct watched *next, **prevp;
};

struct rlx_watch {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stopping;
    struct watched *all;
};

static void look(struct rlx_watch *watch)
{
    uint64_t now_ms = rlx_now_ms();

    for (struct watched *one = watch->all; one; one = one->next) {
        uint64_t until_ms = atomic_load(&one->until_ms);
        if (!until_ms || now_ms < until_ms)
            continue;
        rlx_log(RLX_DEBUG, "httpd.too_slow", "fd=%d", one->fd);
        atomic_store(&one->until_ms, 0);
        shutdown(one->fd, SHUT_RDWR); /* MHD closes it: it is told of its end only after we are */
    }
}

static void *run(void *arg)
{
    struct rlx_watch *watch = arg;
    struct timespec at;

    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += LOOK_S;
        pthread_cond_timedwait(&watch->wake, &watch->lock, &at);
        look(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

static int watch_destructor(struct rlx_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    if (watch->running)
        pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->wake);
    pthread_mutex_destroy(&watch->lock);
    return 0;
}

int rlx_watch_create(struct rlx_watch **watchp, TALLOC_CTX *ctx)
{
    struct rlx_watch *watch = talloc_zero(ctx, struct rlx_watch);

    if (!watch)
        return -ENOMEM;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->wake, NULL);
    talloc_set_destructor(watch, watch_destructor);
    int err = pthread_create(&watch->thread, NULL, run, watch);
    if (err) {
        talloc_free(watch);
        return -err;
    }
    watch->running = true;
    *watchp = watch;
    return 0;
}

void rlx_watch_connection(void *cls, struct MHD_Connection *connection, void **contextp,
                          enum MHD_ConnectionNotificationCode code)
{
    struct rlx_watch *watch = ((struct rlx_httpd *)cls)->watch;
    struct watched *one = *contextp;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        one = info ? talloc_zero(NULL, struct watched) : NULL; /* of no parent: threads share it */
        if (!one)
            return;
        one->fd = info->connect_fd;
        atomic_store(&one->until_ms, rlx_now_ms() + RLX_HTTPD_REQUEST_MS);
        *contextp = one;
        pthread_mutex_lock(&watch->lock);
        one->next = watch->all;
        one->prevp = &watch->all;
        if (one->next)
            one->next->prevp = &one->next;
        watch->all = one;
        pthread_mutex_unlock(&watch->lock);
    } else if (one) {
        pthread_mutex_lock(&watch->lock);
        *one->prevp = one->next;
        if (one->next)
            one->next->prevp = one->prevp;
        pthread_mutex_unlock(&watch->lock);
        *contextp = NULL;
        talloc_free(one);
    }
}

void rlx_watch_limit(struct MHD_Connection *connection, uint64_t ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct watched *one = info ? info->socket_context : NULL;

    if (one)
        atomic_store(&one->until_ms, ms ? rlx_now_ms() + ms : 0);
}
