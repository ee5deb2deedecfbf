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
#include "store/usage.h"

#define MAX_EVENT_BACKLOG 2000
#define MAX_BACKLOG 200000 /* operations: some 100 bytes each, when their texts are on disk */
#define KEEP_MS 300        /* what the store has not taken by then goes on disk */
#define KEEP_AGAIN_MS 1000 /* the disk did not take it */
#define BEAT_MS 1000
#define BEAT_AGAIN_MS 100 /* after one that failed: the lease runs, and so does the store's return */
#define ORPHANS_MS 10000

/* An operation is a JSON object: what is queued is what is kept, and what is carried out. */
struct operation {
    struct operation *next;
    char *text; /* NULL = it stands in the spool only */
    char call_id[37];
    uint32_t row; /* whose durability is to be told; 0 = nobody asks */
    uint64_t queued_ms;
    off_t at;      /* its place in the spool, when it is kept */
    bool kept;     /* on disk */
    bool keeping;  /* is being put there: it must not go away meanwhile */
    bool storing;  /* its text is in use */
    bool told;
};

/* Three threads. One gives the operations to the store, in order. One puts on disk, in order, what the store has not taken in
 * time, so that a slow or absent store costs no row when the process is killed. One beats: while the store is away it finds out
 * when it is back (each try may wait for seconds). The queue stays the truth until its operations are carried out. */
struct rlx_writer {
    struct rlx_writer_options options;
    char *gateway_id, *control_url;
    pthread_mutex_t spool_lock; /* around what touches the spool; inside of it `lock` is not taken */
    struct rlx_spool *spool;
    struct rlx_spool *orphans; /* the storing thread's: the same folder, nothing of its own */
    pthread_t storing, keeping, beating;
    bool storing_started, keeping_started, beating_started;
    pthread_mutex_t lock;
    pthread_cond_t store, keep, kept, stopped;
    struct operation *first, **last, *unkept;
    size_t queued;
    bool stop, stored, away; /* stored: the storing thread has ended */
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
        .upload = json_is_true(json_object_get(json, "upload")),
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
    if (!strcmp(op, "usage"))
        return rlx_usage_put_json(store, call_id, NULL, text_of(json, "items"),
                                  json_integer_value(json_object_get(json, "at_ms")));
    return RLX_EINVAL;
}

/* True when the store is away and the operation must be kept; any other failure is final and logged. */
static bool must_keep(struct rlx_writer *w, const json_t *json)
{
    const char *op = text_of(json, "op"), *call_id = text_of(json, "call_id");
    int err = carry_out(w->options.store, json);

    if (err == RLX_ESTORE)
        return true;
    if (err)
        rlx_log(RLX_ERROR, "writer.refused", "op=%s call_id=%s error=%s", op ? op : "",
                call_id ? call_id : "", rlx_err_text(err));
    return false;
}

/* ---- the queue ---- */

static void set_away(struct rlx_writer *w, bool away)
{
    pthread_mutex_lock(&w->lock);
    w->away = away;
    pthread_cond_signal(away ? &w->keep : &w->store);
    pthread_mutex_unlock(&w->lock);
}

static bool is_away(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool away = w->away;
    pthread_mutex_unlock(&w->lock);
    return away;
}

static struct timespec in_ms(uint64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += (time_t)(ms / 1000) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

static void wait_ms(struct rlx_writer *w, pthread_cond_t *condition, uint64_t ms)
{
    struct timespec until = in_ms(ms);

    pthread_cond_timedwait(condition, &w->lock, &until);
}

static void tell(struct rlx_writer *w, const char *call_id, uint32_t row)
{
    if (row && w->options.durable)
        w->options.durable(call_id, row, w->options.arg);
}

static void operation_free(struct operation *op)
{
    free(op->text);
    free(op);
}

/* ---- to the store ---- */

static json_t *operation_json(struct rlx_writer *w, struct operation *op)
{
    if (op->text)
        return json_loads(op->text, 0, NULL);
    pthread_mutex_lock(&w->spool_lock);
    json_t *json = rlx_spool_read(w->spool, op->at);
    pthread_mutex_unlock(&w->spool_lock);
    return json;
}

/* The first operation is carried out. Called and left with the lock held. */
static void operation_done(struct rlx_writer *w, struct operation *op)
{
    while (op->keeping)
        pthread_cond_wait(&w->kept, &w->lock);
    w->first = op->next;
    if (!w->first)
        w->last = &w->first;
    if (w->unkept == op)
        w->unkept = op->next;
    w->queued--;
    pthread_mutex_unlock(&w->lock);
    if (op->kept) {
        pthread_mutex_lock(&w->spool_lock);
        rlx_spool_done(w->spool, op->at);
        pthread_mutex_unlock(&w->spool_lock);
    }
    if (!op->told)
        tell(w, op->call_id, op->row);
    operation_free(op);
    pthread_mutex_lock(&w->lock);
}

/* Tries the first operation; called and left with the lock held. */
static void store_first(struct rlx_writer *w)
{
    struct operation *op = w->first;

    op->storing = true;
    pthread_mutex_unlock(&w->lock);
    json_t *json = operation_json(w, op);
    bool again = json && must_keep(w, json);
    if (!json)
        rlx_log(RLX_ERROR, "writer.lost", "call_id=%s error=%s", op->call_id,
                "it can't be read from the spool");
    json_decref(json);
    pthread_mutex_lock(&w->lock);
    op->storing = false;
    if (!again) {
        operation_done(w, op);
        return;
    }
    w->away = true;
    pthread_cond_signal(&w->keep);
}

static bool replay_one(const json_t *json, void *arg)
{
    return !must_keep(arg, json);
}

/* What dead gateways of this machine left. */
static void replay_orphans(struct rlx_writer *w, uint64_t *orphans_ms)
{
    if (is_away(w) || rlx_now_ms() < *orphans_ms)
        return;
    *orphans_ms = rlx_now_ms() + ORPHANS_MS;
    if (rlx_spool_replay_orphans(w->orphans, replay_one, w))
        return;
    *orphans_ms = 0;
    set_away(w, true);
}

static void *storing(void *arg)
{
    struct rlx_writer *w = arg;
    uint64_t orphans_ms = 0;
    bool over = false;

    while (!over) {
        replay_orphans(w, &orphans_ms);
        pthread_mutex_lock(&w->lock);
        if (!w->stop && (!w->first || w->away))
            wait_ms(w, &w->store, BEAT_MS);
        while (w->first && !w->away && (w->stop || rlx_now_ms() < orphans_ms))
            store_first(w);
        over = w->stop;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* ---- to the disk ---- */

/* When the first operation that is not on disk must go there; 0 = now, UINT64_MAX = there is none. */
static uint64_t keep_in_ms(const struct rlx_writer *w, uint64_t again_ms)
{
    uint64_t now = rlx_now_ms();

    if (!w->unkept)
        return UINT64_MAX;
    if (w->stored)
        return 0;
    uint64_t due = w->away ? now : w->unkept->queued_ms + KEEP_MS;
    due = due > again_ms ? due : again_ms;
    return due > now ? due - now : 0;
}

/* Puts the first operation that is not there on disk; called and left with the lock held. */
static int keep_first(struct rlx_writer *w)
{
    struct operation *op = w->unkept;

    op->keeping = true;
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_lock(&w->spool_lock);
    int err = rlx_spool_add(w->spool, op->text, &op->at);
    pthread_mutex_unlock(&w->spool_lock);
    if (err)
        rlx_log(RLX_ERROR, "writer.not_kept", "call_id=%s error=%s", op->call_id,
                rlx_err_text(err));
    else
        tell(w, op->call_id, op->row); /* before it may go away */
    pthread_mutex_lock(&w->lock);
    op->keeping = false;
    if (!err) {
        op->kept = op->told = true;
        w->unkept = op->next;
        if (!op->storing) {
            free(op->text);
            op->text = NULL;
        }
    }
    pthread_cond_signal(&w->kept);
    return err;
}

static void *keeping(void *arg)
{
    struct rlx_writer *w = arg;
    uint64_t again_ms = 0;

    pthread_mutex_lock(&w->lock);
    while (!w->stored || w->unkept) {
        uint64_t ms = keep_in_ms(w, again_ms);
        if (ms)
            wait_ms(w, &w->keep, ms < BEAT_MS ? ms : BEAT_MS);
        else if (!keep_first(w))
            again_ms = 0;
        else if (w->stored)
            break;
        else
            again_ms = rlx_now_ms() + KEEP_AGAIN_MS;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- the beat ---- */

static void *beating(void *arg)
{
    struct rlx_writer *w = arg;
    bool stop = false;

    while (!stop) {
        int err =
            rlx_gateway_beat(w->options.store, w->gateway_id, w->control_url, rlx_wall_ms());
        if (err)
            rlx_log(RLX_WARN, "writer.beat", "error=%s", rlx_err_text(err));
        set_away(w, err != 0);
        pthread_mutex_lock(&w->lock);
        if (!w->stop)
            wait_ms(w, &w->stopped, err ? BEAT_AGAIN_MS : BEAT_MS);
        stop = w->stop;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* ---- beginning and end ---- */

static void forget_rest(struct rlx_writer *w)
{
    struct operation *op, *next;

    for (op = w->first; op; op = next) {
        next = op->next;
        if (!op->kept)
            rlx_log(RLX_ERROR, "writer.lost", "call_id=%s operation=%s", op->call_id,
                    op->text ? op->text : "");
        operation_free(op);
    }
}

static int stop_writer(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->store);
    pthread_cond_signal(&w->stopped);
    pthread_mutex_unlock(&w->lock);
    if (w->beating_started)
        pthread_join(w->beating, NULL);
    if (w->storing_started)
        pthread_join(w->storing, NULL);
    pthread_mutex_lock(&w->lock);
    w->stored = true;
    pthread_cond_signal(&w->keep);
    pthread_mutex_unlock(&w->lock);
    if (w->keeping_started)
        pthread_join(w->keeping, NULL);
    forget_rest(w);
    if (w->beating_started) {
        int err = rlx_gateway_leave(w->options.store, w->gateway_id);
        if (err)
            rlx_log(RLX_WARN, "writer.leave", "error=%s", rlx_err_text(err));
    }
    pthread_cond_destroy(&w->stopped);
    pthread_cond_destroy(&w->kept);
    pthread_cond_destroy(&w->keep);
    pthread_cond_destroy(&w->store);
    pthread_mutex_destroy(&w->spool_lock);
    pthread_mutex_destroy(&w->lock);
    return 0;
}

static int start_threads(struct rlx_writer *w)
{
    int err = -pthread_create(&w->storing, NULL, storing, w);

    w->storing_started = !err;
    if (!err)
        err = -pthread_create(&w->keeping, NULL, keeping, w);
    w->keeping_started = w->storing_started && !err;
    if (!err)
        err = -pthread_create(&w->beating, NULL, beating, w);
    w->beating_started = w->keeping_started && !err;
    return err;
}

int rlx_writer_create(struct rlx_writer **writerp, TALLOC_CTX *ctx,
                      const struct rlx_writer_options *options)
{
    struct rlx_writer *w = talloc_zero(ctx, struct rlx_writer);

    if (!w)
        return -ENOMEM;
    w->options = *options;
    w->last = &w->first;
    w->gateway_id = talloc_strdup(w, options->gateway_id);
    w->control_url = talloc_strdup(w, options->control_url);
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->spool_lock, NULL);
    pthread_cond_init(&w->store, NULL);
    pthread_cond_init(&w->keep, NULL);
    pthread_cond_init(&w->kept, NULL);
    pthread_cond_init(&w->stopped, NULL);
    talloc_set_destructor(w, stop_writer);
    int err = w->gateway_id && w->control_url
                  ? rlx_spool_create(&w->spool, w, options->spool_dir, options->gateway_id)
                  : -ENOMEM;
    if (!err)
        err = rlx_spool_create(&w->orphans, w, options->spool_dir, options->gateway_id);
    if (!err)
        err = start_threads(w);
    if (err)
        talloc_free(w);
    else
        *writerp = w;
    return err;
}

/* ---- in ---- */

static bool is_full(struct rlx_writer *w)
{
    return rlx_writer_backlog(w) >= MAX_BACKLOG;
}

static void queue_row(struct rlx_writer *w, json_t *json, uint32_t row)
{
    const char *call_id = text_of(json, "call_id");
    char *text = json && !is_full(w) ? json_dumps(json, JSON_COMPACT) : NULL;
    struct operation *op = text ? calloc(1, sizeof *op) : NULL;

    if (!op) {
        rlx_log(RLX_ERROR, "writer.lost", "call_id=%s error=%s", call_id ? call_id : "",
                "out of memory, or the store has been away for too long");
        free(text);
        json_decref(json);
        return;
    }
    op->text = text;
    op->row = row;
    snprintf(op->call_id, sizeof op->call_id, "%s", call_id ? call_id : "");
    json_decref(json);
    op->queued_ms = rlx_now_ms();
    pthread_mutex_lock(&w->lock);
    *w->last = op;
    w->last = &op->next;
    w->queued++;
    pthread_cond_signal(&w->store);
    if (!w->unkept) {
        w->unkept = op;
        pthread_cond_signal(&w->keep);
    }
    pthread_mutex_unlock(&w->lock);
}

static void queue(struct rlx_writer *w, json_t *json)
{
    queue_row(w, json, 0);
}

void rlx_writer_turn(struct rlx_writer *w, const struct rlx_turn_row *row, bool replace,
                     uint32_t number)
{
    queue_row(w,
              json_pack("{s:s, s:s, s:s, s:i, s:b, s:b, s:s, s:I, s:s}", "op", "turn", "id",
                        row->id, "call_id", row->call_id, "seq", (int)row->seq, "agent", row->agent,
                        "replace", replace, "text", row->text, "at_ms", (json_int_t)row->at_ms,
                        "metadata", row->metadata ? row->metadata : "{}"),
              number);
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
    queue(w,
          json_pack("{s:s, s:s, s:s, s:s, s:s?, s:I, s:s?, s:s?, s:b, s:b}", "op", "end", "call_id",
                    call_id, "status", end->status, "reason", end->reason, "outcome", end->outcome,
                    "ended_ms", (json_int_t)end->ended_ms, "recording", end->recording, "metrics",
                    end->metrics, "owner", end->owner, "upload", end->upload));
}

void rlx_writer_dnc(struct rlx_writer *w, const char *user_id, const char *phone_number,
                    const char *source, const char *call_id)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:s, s:s}", "op", "dnc", "call_id", call_id, "user_id",
                       user_id, "number", phone_number, "source", source));
}

void rlx_writer_usage(struct rlx_writer *w, const char *call_id, const char *items_json)
{
    queue(w, json_pack("{s:s, s:s, s:s, s:I}", "op", "usage", "call_id", call_id, "items",
                       items_json, "at_ms", (json_int_t)rlx_wall_ms()));
}

size_t rlx_writer_backlog(struct rlx_writer *w)
{
    pthread_mutex_lock(&w->lock);
    size_t backlog = w->queued;
    pthread_mutex_unlock(&w->lock);
    return backlog;
}
