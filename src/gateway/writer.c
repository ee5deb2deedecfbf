#include "gateway/writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/spool.h"

#define MAX_EVENT_BACKLOG 2000
#define BEAT_MS 1000
#define BEAT_AGAIN_MS 100 /* after one that failed: the lease runs, and so does the store's return */
#define ORPHANS_MS 10000

/* An operation is a JSON object: what is queued is what is spooled, and what is replayed. */
struct operation {
    struct operation *next;
    json_t *json;
};

/* Two threads: one writes, one beats. While the store is away the beats find out when it is back (each may wait for seconds), and
 * the writer puts what comes on disk at once. */
struct rlx_writer {
    struct rlx_store *store;
    char *gateway_id, *control_url;
    struct rlx_spool *spool; /* the writing thread's */
    pthread_t writing, beating;
    bool writing_started, beating_started;
    pthread_mutex_t lock;
    pthread_cond_t wake, stopped;
    struct operation *first, **last;
    size_t queued, spooled;
    bool stop, away;
};

/* ---- carrying out one operation ---- */

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static int write_turn(struct rlx_store *store, const json_t *json)
{
    struct rlx_turn_row row = {
        .seq = (uint32_t)json_integer_value(json_object_get(json, "seq")),
        .agent = json_is_true(json_object_get(json, "agent")),
        .text = text_of(json, "text"),
        .at_ms = json_integer_value(json_object_get(json, "at_ms")),
        .metadata = text_of(json, "metadata"),
    };
    const char *id = text_of(json, "id");

    if (!id || !row.text)
        return RLX_EINVAL;
    snprintf(row.id, sizeof row.id, "%s", id);
    snprintf(row.call_id, sizeof row.call_id, "%s", text_of(json, "call_id"));
    bool withdrawn = !*row.text;
    int err = withdrawn ? 0 : rlx_call_append_turn(store, &row);
    if (!err && json_is_true(json_object_get(json, "replace")))
        err = rlx_call_update_turn(store, row.id, row.text, row.metadata);
    return withdrawn && err == RLX_ENOTFOUND ? 0 : err;
}

static int write_end(struct rlx_store *store, const json_t *json)
{
    struct rlx_call_end end = {
        .status = text_of(json, "status"),
        .reason = text_of(json, "reason"),
        .outcome = text_of(json, "outcome"),
        .ended_ms = json_integer_value(json_object_get(json, "ended_ms")),
        .recording = text_of(json, "recording"),
        .metrics = text_of(json, "metrics"),
        .owner = json_is_true(json_object_get(json, "owner")),
    };

    return rlx_call_end(store, text_of(json, "call_id"), &end);
}

/* Both steps were missed while the store was away; RLX_EAUTH: it was taken before. */
static int write_take(struct rlx_store *store, const json_t *json)
{
    const char *call_id = text_of(json, "call_id"), *sha256 = text_of(json, "sha256");
    int64_t at_ms = json_integer_value(json_object_get(json, "at_ms"));
    int err = rlx_call_set_token(store, call_id, sha256, at_ms + 1);

    if (!err)
        err = rlx_call_take(store, call_id, text_of(json, "gateway_id"), sha256, at_ms);
    return err == RLX_EAUTH || err == RLX_ECONFLICT ? 0 : err;
}

static int carry_out(struct rlx_store *store, const json_t *json)
{
    const char *op = text_of(json, "op");
    const char *call_id = text_of(json, "call_id");

    if (!op || !call_id)
        return RLX_EINVAL;
    if (!strcmp(op, "turn"))
        return write_turn(store, json);
    if (!strcmp(op, "event"))
        return rlx_call_event(store, call_id, text_of(json, "kind"), text_of(json, "data"),
                              json_integer_value(json_object_get(json, "at_ms")));
    if (!strcmp(op, "progress"))
        return rlx_call_progress(store, call_id, text_of(json, "status"));
    if (!strcmp(op, "take"))
        return write_take(store, json);
    if (!strcmp(op, "end"))
        return write_end(store, json);
    if (!strcmp(op, "dnc"))
        return rlx_dnc_add(store, text_of(json, "user_id"), text_of(json, "number"),
                           text_of(json, "source"), call_id);
    return RLX_EINVAL;
}

/* True when the store is away and the operation must be kept; any other failure is final and logged. */
static bool must_keep(struct rlx_writer *w, const json_t *json)
{
    const char *op = text_of(json, "op"), *call_id = text_of(json, "call_id");
    int err = carry_out(w->store, json);

    if (err == RLX_ESTORE)
        return true;
    if (err)
        rlx_log(RLX_ERROR, "writer.refused", "op=%s call_id=%s error=%s", op ? op : "",
                call_id ? call_id : "", rlx_err_text(err));
    return false;
}

/* ---- while the store is away ---- */

static void set_away(struct rlx_writer *w, bool away)
{
    pthread_mutex_lock(&w->lock);
    w->away = away;
    if (!away)
        pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static bool is_away(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool away = w->away;
    pthread_mutex_unlock(&w->lock);
    return away;
}

static void count_spooled(struct rlx_writer *w, bool add)
{
    pthread_mutex_lock(&w->lock);
    w->spooled = add ? w->spooled + 1 : 0;
    pthread_mutex_unlock(&w->lock);
}

static void keep(struct rlx_writer *w, const json_t *json)
{
    int err = rlx_spool_add(w->spool, json);

    if (err)
        rlx_log(RLX_ERROR, "writer.lost", "op=%s call_id=%s error=%s", text_of(json, "op"),
                text_of(json, "call_id"), rlx_err_text(err));
    else
        count_spooled(w, true);
}

static bool replay_one(const json_t *json, void *arg)
{
    return !must_keep(arg, json);
}

/* What was kept, and what dead gateways of this machine left. */
static void replay(struct rlx_writer *w, uint64_t *orphans_ms)
{
    if (is_away(w))
        return;
    if (!rlx_spool_replay(w->spool, replay_one, w)) {
        set_away(w, true);
        return;
    }
    count_spooled(w, false);
    if (rlx_now_ms() < *orphans_ms)
        return;
    *orphans_ms = rlx_now_ms() + ORPHANS_MS;
    if (!rlx_spool_replay_orphans(w->spool, replay_one, w)) {
        *orphans_ms = 0;
        set_away(w, true);
    }
}

/* ---- the threads ---- */

static struct timespec in_ms(long ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

/* NULL when nothing came for a while. */
static struct operation *next_operation(struct rlx_writer *w, bool *stopp)
{
    struct timespec until = in_ms(BEAT_MS);

    pthread_mutex_lock(&w->lock);
    if (!w->first && !w->stop)
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
    struct operation *op = w->first;
    if (op) {
        w->first = op->next;
        if (!w->first)
            w->last = &w->first;
        w->queued--;
    }
    *stopp = w->stop && !op;
    pthread_mutex_unlock(&w->lock);
    return op;
}

static void *writing(void *arg)
{
    struct rlx_writer *w = arg;
    uint64_t orphans_ms = 0;
    bool stop = false;

    while (!stop) {
        replay(w, &orphans_ms);
        struct operation *op = next_operation(w, &stop);
        if (!op)
            continue;
        if (rlx_spool_holds(w->spool)) { /* order: nothing overtakes what is kept */
            keep(w, op->json);
        } else if (must_keep(w, op->json)) {
            set_away(w, true);
            keep(w, op->json);
        }
        json_decref(op->json);
        free(op);
    }
    replay(w, &orphans_ms);
    return NULL;
}

static void *beating(void *arg)
{
    struct rlx_writer *w = arg;
    bool stop = false;

    while (!stop) {
        int err = rlx_gateway_beat(w->store, w->gateway_id, w->control_url, rlx_wall_ms());
        if (err)
            rlx_log(RLX_WARN, "writer.beat", "error=%s", rlx_err_text(err));
        set_away(w, err != 0);
        struct timespec until = in_ms(err ? BEAT_AGAIN_MS : BEAT_MS);
        pthread_mutex_lock(&w->lock);
        if (!w->stop)
            pthread_cond_timedwait(&w->stopped, &w->lock, &until);
        stop = w->stop;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static int stop_writer(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_cond_signal(&w->stopped);
    pthread_mutex_unlock(&w->lock);
    if (w->beating_started)
        pthread_join(w->beating, NULL);
    if (w->writing_started)
        pthread_join(w->writing, NULL);
    if (w->beating_started) {
        int err = rlx_gateway_leave(w->store, w->gateway_id);
        if (err)
            rlx_log(RLX_WARN, "writer.leave", "error=%s", rlx_err_text(err));
    }
    pthread_cond_destroy(&w->stopped);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    return 0;
}

int rlx_writer_create(struct rlx_writer **writerp, TALLOC_CTX *ctx, struct rlx_store *store,
                      const char *gateway_id, const char *control_url, const char *spool_dir)
{
    struct rlx_writer *w = talloc_zero(ctx, struct rlx_writer);

    if (!w)
        return -ENOMEM;
    w->store = store;
    w->last = &w->first;
    w->gateway_id = talloc_strdup(w, gateway_id);
    w->control_url = talloc_strdup(w, control_url);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    pthread_cond_init(&w->stopped, NULL);
    talloc_set_destructor(w, stop_writer);
    int err = w->gateway_id && w->control_url
                  ? rlx_spool_create(&w->spool, w, spool_dir, gateway_id)
                  : -ENOMEM;
    if (!err)
        err = -pthread_create(&w->writing, NULL, writing, w);
    w->writing_started = !err;
    if (!err)
        err = -pthread_create(&w->beating, NULL, beating, w);
    w->beating_started = !err;
    if (err)
        talloc_free(w);
    else
        *writerp = w;
    return err;
}

static void queue(struct rlx_writer *w, json_t *json)
{
    struct operation *op = malloc(sizeof *op);

    if (!op || !json) {
        rlx_log(RLX_ERROR, "writer.lost", "error=%s", "out of memory");
        free(op);
        json_decref(json);
        return;
    }
    *op = (struct operation){.json = json};
    pthread_mutex_lock(&w->lock);
    *w->last = op;
    w->last = &op->next;
    w->queued++;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

void rlx_writer_turn(struct rlx_writer *w, const struct rlx_turn_row *row, bool replace)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:s, s:I, s:s}", "op", "turn", "id", row->id,
                       "call_id", row->call_id, "seq", (int)row->seq, "agent", row->agent,
                       "replace", replace, "text", row->text, "at_ms", (json_int_t)row->at_ms,
                       "metadata", row->metadata ? row->metadata : "{}"));
}

/* Events are for looking at; when the store can't keep up they go first, so that rows and ends don't wait behind them. */
void rlx_writer_event(struct rlx_writer *w, const char *call_id, const char *kind,
                      const char *data_json)
{
    if (rlx_writer_backlog(w) > MAX_EVENT_BACKLOG) {
        rlx_log(RLX_WARN, "writer.event_dropped", "call_id=%s kind=%s", call_id, kind);
        return;
    }
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:I}", "op", "event", "call_id", call_id, "kind", kind,
                       "data", data_json ? data_json : "{}", "at_ms", (json_int_t)rlx_wall_ms()));
}

void rlx_writer_progress(struct rlx_writer *w, const char *call_id, const char *status)
{
    queue(w, json_pack("{s:s, s:s, s:s}", "op", "progress", "call_id", call_id, "status", status));
}

void rlx_writer_take(struct rlx_writer *w, const char *call_id, const char *token_sha256)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:I}", "op", "take", "call_id", call_id, "sha256",
                       token_sha256, "gateway_id", w->gateway_id, "at_ms",
                       (json_int_t)rlx_wall_ms()));
}

void rlx_writer_end(struct rlx_writer *w, const char *call_id, const struct rlx_call_end *end)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:s?, s:I, s:s?, s:s?, s:b}", "op", "end", "call_id",
                       call_id, "status", end->status, "reason", end->reason, "outcome",
                       end->outcome, "ended_ms", (json_int_t)end->ended_ms, "recording",
                       end->recording, "metrics", end->metrics, "owner", end->owner));
}

void rlx_writer_dnc(struct rlx_writer *w, const char *user_id, const char *phone_number,
                    const char *source, const char *call_id)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:s}", "op", "dnc", "call_id", call_id, "user_id",
                       user_id, "number", phone_number, "source", source));
}

size_t rlx_writer_backlog(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    size_t backlog = w->queued + w->spooled;
    pthread_mutex_unlock(&w->lock);
    return backlog;
}
