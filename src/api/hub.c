#include "api/hub.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/live.h"

#define POLL_MS 100
#define AWAY_MS 1000
#define GAP_MS                                                                                     \
    1000 /* ids are given before they are committed: a missing one may still come for so long */
#define RING 4096
#define BATCH 500
#define CATCH_UP 100
#define TEXT_MAX 65536

struct event {
    int64_t id;
    char user_id[37], call_id[37];
    char kind[32];
    char *text;
};

struct rlx_hub {
    struct rlx_store *store;
    pthread_t thread;
    bool started, stopping;
    pthread_mutex_t lock;
    pthread_cond_t change;
    unsigned readers;
    int64_t base, floor; /* the ring holds what lies behind base, up to and with floor */
    struct event ring[RING];
    unsigned first, count;
    /* the thread's alone */
    int64_t gap_id;
    uint64_t gap_ms;
};

/* id: 7 / event: transcript / data: {…} */
static char *format(TALLOC_CTX *ctx, const struct rlx_live_event *event)
{
    size_t length = strlen(event->data);
    bool empty = length < 3; /* {} */
    const char *agent = event->agent_id;

    if (!length)
        return NULL;
    return talloc_asprintf(ctx,
                           "id: %lld\nevent: %s\ndata: "
                           "%.*s%s\"at\":\"%s\",\"call_id\":\"%s\",\"agent_id\":%s%s%s}\n\n",
                           (long long)event->id, event->kind, (int)length - 1, event->data,
                           empty ? "" : ",", event->at, event->call_id, agent ? "\"" : "",
                           agent ? agent : "null", agent ? "\"" : "");
}

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

/* ---- the thread ---- */

/* With the lock held. */
static void push(struct rlx_hub *hub, const struct rlx_live_event *given)
{
    if (hub->count == RING) {
        struct event *oldest = &hub->ring[hub->first];
        hub->base = oldest->id;
        TALLOC_FREE(oldest->text);
        hub->first = (hub->first + 1) % RING;
        hub->count--;
    }
    struct event *event = &hub->ring[(hub->first + hub->count++) % RING];
    event->id = given->id;
    copy(event->user_id, sizeof event->user_id, given->user_id);
    copy(event->call_id, sizeof event->call_id, given->call_id);
    copy(event->kind, sizeof event->kind, given->kind);
    event->text =
        format(NULL, given); /* no parent: readers of other threads copy it under the lock */
}

/* With the lock held. Stops before a gap that may still be filled: its transaction is under way. */
static int take_in_order(struct rlx_hub *hub, const struct rlx_live_event *event)
{
    if (event->id <= hub->floor) /* the ring began anew meanwhile */
        return 0;
    if (event->id != hub->floor + 1) {
        if (hub->gap_id != hub->floor + 1) {
            hub->gap_id = hub->floor + 1;
            hub->gap_ms = rlx_now_ms();
        }
        if (rlx_now_ms() - hub->gap_ms < GAP_MS)
            return -EAGAIN;
    }
    push(hub, event);
    hub->floor = event->id;
    return 0;
}

static int take(const struct rlx_live_event *event, void *arg)
{
    struct rlx_hub *hub = arg;

    pthread_mutex_lock(&hub->lock);
    int err = take_in_order(hub, event);
    pthread_mutex_unlock(&hub->lock);
    return err;
}

/* With the lock held. */
static void wait_ms(struct rlx_hub *hub, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&hub->change, &hub->lock, &until);
}

static void nap(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};

    nanosleep(&t, NULL);
}

static void *run(void *arg)
{
    struct rlx_hub *hub = arg;

    for (;;) {
        pthread_mutex_lock(&hub->lock);
        while (!hub->stopping && !hub->readers)
            pthread_cond_wait(&hub->change, &hub->lock);
        bool stopping = hub->stopping;
        int64_t floor = hub->floor;
        pthread_mutex_unlock(&hub->lock);
        if (stopping)
            return NULL;
        int err = rlx_live_read(hub->store, floor, BATCH, take, hub);
        pthread_mutex_lock(&hub->lock);
        bool news = hub->floor != floor;
        if (news)
            pthread_cond_broadcast(&hub->change);
        pthread_mutex_unlock(&hub->lock);
        if (err && err != -EAGAIN)
            nap(AWAY_MS);
        else
            nap(POLL_MS);
    }
}

static int hub_end(struct rlx_hub *hub)
{
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    pthread_cond_broadcast(&hub->change);
    pthread_mutex_unlock(&hub->lock);
    if (hub->started)
        pthread_join(hub->thread, NULL);
    for (unsigned i = 0; i < hub->count; i++)
        talloc_free(hub->ring[(hub->first + i) % RING].text);
    pthread_cond_destroy(&hub->change);
    pthread_mutex_destroy(&hub->lock);
    return 0;
}

int rlx_hub_create(struct rlx_hub **hubp, TALLOC_CTX *ctx, struct rlx_store *store)
{
    struct rlx_hub *hub = talloc_zero(ctx, struct rlx_hub);
    pthread_condattr_t attributes;

    if (!hub)
        return -ENOMEM;
    hub->store = store;
    pthread_mutex_init(&hub->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&hub->change, &attributes);
    pthread_condattr_destroy(&attributes);
    talloc_set_destructor(hub, hub_end);
    int failed = pthread_create(&hub->thread, NULL, run, hub);
    if (failed) {
        talloc_free(hub);
        return -failed;
    }
    hub->started = true;
    *hubp = hub;
    return 0;
}

/* ---- readers ---- */

int rlx_hub_join(struct rlx_hub *hub, struct rlx_hub_reader *reader)
{
    int64_t newest = 0;

    /* Nobody may have listened for a while: the ring begins anew then. */
    int err = rlx_live_last(hub->store, &newest);
    if (err)
        return err;
    pthread_mutex_lock(&hub->lock);
    if (!hub->readers++ && newest > hub->floor) {
        for (; hub->count; hub->count--, hub->first = (hub->first + 1) % RING)
            TALLOC_FREE(hub->ring[hub->first].text);
        hub->base = hub->floor = newest;
    }
    reader->hub = hub;
    if (reader->last_id < 0)
        reader->last_id = hub->floor;
    pthread_cond_broadcast(&hub->change);
    pthread_mutex_unlock(&hub->lock);
    return 0;
}

void rlx_hub_leave(struct rlx_hub_reader *reader)
{
    struct rlx_hub *hub = reader->hub;

    if (!hub)
        return;
    pthread_mutex_lock(&hub->lock);
    hub->readers--;
    pthread_mutex_unlock(&hub->lock);
    reader->hub = NULL;
}

static bool is_wanted(const struct rlx_hub_reader *reader, const char *kind)
{
    char name[40];

    if (!reader->kinds[0])
        return true;
    snprintf(name, sizeof name, ",%.32s,", kind);
    return strstr(reader->kinds, name) != NULL;
}

static void note(struct rlx_hub_reader *reader, const char *kind)
{
    if (!strcmp(kind, "analysis"))
        reader->analysed = true;
}

struct catch_up {
    struct rlx_hub_reader *reader;
    TALLOC_CTX *ctx;
    char *text;
    int rows;
};

static int add(const struct rlx_live_event *event, void *arg)
{
    struct catch_up *c = arg;

    c->rows++;
    c->reader->last_id = event->id;
    note(c->reader, event->kind);
    if (!is_wanted(c->reader, event->kind))
        return 0;
    char *piece = format(c->ctx, event);
    char *all = c->text ? talloc_asprintf_append_buffer(c->text, "%s", piece ? piece : "") : piece;
    if (c->text)
        talloc_free(piece);
    c->text = all;
    return all ? 0 : -ENOMEM;
}

/* From the database, up to `until`. */
static char *read_back(struct rlx_hub_reader *reader, TALLOC_CTX *ctx, int64_t until)
{
    struct catch_up c = {.reader = reader, .ctx = ctx};
    const char *call = reader->call_id[0] ? reader->call_id : NULL;
    int err = rlx_live_read_of(reader->hub->store, reader->user_id, call, reader->last_id, until,
                               CATCH_UP, add, &c);

    if (err)
        nap(AWAY_MS);
    else if (c.rows < CATCH_UP && reader->last_id < until)
        reader->last_id = until;
    return c.text;
}

/* From the ring; with the lock held. */
static char *read_ring(struct rlx_hub_reader *reader, TALLOC_CTX *ctx)
{
    struct rlx_hub *hub = reader->hub;
    size_t length = 0;
    char *text = NULL;
    unsigned back = 0;

    while (back < hub->count &&
           hub->ring[(hub->first + hub->count - 1 - back) % RING].id > reader->last_id)
        back++;
    for (; back; back--) {
        const struct event *event = &hub->ring[(hub->first + hub->count - back) % RING];
        if (length > TEXT_MAX)
            return text;
        reader->last_id = event->id;
        bool mine = reader->call_id[0] ? !strcmp(event->call_id, reader->call_id)
                                       : !strcmp(event->user_id, reader->user_id);
        if (!mine || !event->text)
            continue;
        note(reader, event->kind);
        if (!is_wanted(reader, event->kind))
            continue;
        text =
            text ? talloc_strdup_append_buffer(text, event->text) : talloc_strdup(ctx, event->text);
        length += strlen(event->text);
    }
    return text;
}

char *rlx_hub_next(struct rlx_hub_reader *reader, TALLOC_CTX *ctx, unsigned ms)
{
    struct rlx_hub *hub = reader->hub;
    char *text = NULL;

    pthread_mutex_lock(&hub->lock);
    if (reader->last_id < hub->base) {
        int64_t until = hub->base;
        pthread_mutex_unlock(&hub->lock);
        return read_back(reader, ctx, until);
    }
    text = read_ring(reader, ctx);
    if (!text && !hub->stopping && reader->last_id >= hub->floor) {
        wait_ms(hub, ms);
        if (reader->last_id >= hub->base)
            text = read_ring(reader, ctx);
    }
    pthread_mutex_unlock(&hub->lock);
    return text;
}
