#include "store/webhooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/calls.h"
#include "store/db.h"

const char *const rlx_webhook_events[] = {
    "call.started",  "call.ended",        "call.failed", "transcript.ready",
    "call.analyzed", "contact.opted_out", NULL,
};

/* ---- the webhooks ---- */

static int read_webhook(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                        char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_WEBHOOK_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(id),
                      RLX_TEXT(user_id));

    if (!err && !out.text)
        err = RLX_ENOTFOUND;
    *jsonp = out.text;
    return err;
}

static int write_webhook(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                         const json_t *fields, char **jsonp)
{
    char *text = rlx_json_text(NULL, fields, "{}");
    int rows = 0;

    if (!text)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_WEBHOOK_UPDATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(user_id),
                      RLX_TEXT(text));
    talloc_free(text);
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    return err ? err : read_webhook(db, ctx, user_id, id, jsonp);
}

int rlx_webhook_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const json_t *fields, const char *kept, char **jsonp)
{
    const char *url = json_string_value(json_object_get(fields, "url"));
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;

    if (!store || !user_id || !kept || !jsonp)
        return -EINVAL;
    if (!url || !json_is_array(json_object_get(fields, "events")))
        return RLX_EINVAL;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_WEBHOOK_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(user_id),
                  RLX_TEXT(url), RLX_TEXT(kept));
    if (!err)
        err = write_webhook(db, ctx, user_id, id, fields, jsonp);
    return rlx_db_end(db, err);
}

int rlx_webhook_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *webhook_id, const json_t *fields, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !webhook_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, write_webhook(db, ctx, user_id, webhook_id, fields, jsonp));
}

int rlx_webhook_set_secret(struct rlx_store *store, const char *user_id, const char *webhook_id,
                           const char *kept)
{
    int rows = 0;

    if (!store || !user_id || !webhook_id || !kept)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_WEBHOOK_SECRET_SET, NULL, NULL, &rows,
                       RLX_TEXT(webhook_id), RLX_TEXT(user_id), RLX_TEXT(kept));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

int rlx_webhook_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *webhook_id, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !webhook_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    return rlx_db_end(db, read_webhook(db, ctx, user_id, webhook_id, jsonp));
}

int rlx_webhooks_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                      const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp)
{
    return rlx_db_user_page(store, ctx, RLX_Q_WEBHOOKS_LIST, RLX_Q_WEBHOOKS_COUNT, user_id, limit,
                            cursor, jsonp, next_cursorp, totalp);
}

int rlx_webhook_delete(struct rlx_store *store, const char *user_id, const char *webhook_id)
{
    return rlx_db_user_change(store, RLX_Q_WEBHOOK_DELETE, webhook_id, user_id);
}

/* ---- facts become deliveries ---- */

static int send_job(struct rlx_db *db, const char *delivery_id, int64_t now_ms)
{
    char job_id[RLX_UUID_TEXT], key[64], payload[80];

    rlx_uuid(job_id);
    snprintf(key, sizeof key, "webhook:%s", delivery_id);
    snprintf(payload, sizeof payload, "{\"delivery_id\":\"%s\"}", delivery_id);
    return RLX_RUN(db, RLX_Q_JOB_ADD, NULL, NULL, NULL, RLX_TEXT(job_id), RLX_TEXT("webhook"),
                   RLX_TEXT(key), RLX_TEXT(payload), RLX_INT(now_ms));
}

/* One delivery of one webhook; nothing when it has the fact already. `data` is a JSON object. */
static int deliver(struct rlx_db *db, const char *webhook_id, const char *event, const char *fact,
                   const char *data, char id[RLX_UUID_TEXT])
{
    char at[RLX_TIME_TEXT], event_id[RLX_UUID_TEXT];
    int64_t now_ms = rlx_wall_ms();
    int rows = 0;

    rlx_uuid(id);
    rlx_uuid(event_id);
    rlx_time_text(at, now_ms);
    char *payload =
        talloc_asprintf(NULL, "{\"id\":\"%s\",\"type\":\"%s\",\"created_at\":\"%s\",\"data\":%s}",
                        event_id, event, at, data);
    if (!payload)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_DELIVERY_ADD, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(webhook_id),
                      RLX_TEXT(event), RLX_TEXT(fact), RLX_TEXT(payload), RLX_INT(now_ms));
    talloc_free(payload);
    return !err && rows ? send_job(db, id, now_ms) : err;
}

struct ids {
    char (*id)[RLX_UUID_TEXT];
    size_t count;
    TALLOC_CTX *ctx;
};

static int take_id(struct rlx_row *row, void *arg)
{
    struct ids *ids = arg;

    ids->id = talloc_realloc_size(ids->ctx, ids->id, (ids->count + 1) * sizeof *ids->id);
    if (!ids->id)
        return -ENOMEM;
    memccpy(ids->id[ids->count++], rlx_row_text(row, 0), 0, RLX_UUID_TEXT);
    return 0;
}

/* The `data` of an event of the call; "" = there is nothing to tell. */
typedef int make_data_h(char **datap, TALLOC_CTX *ctx, struct rlx_db *db, const char *call_id,
                        const char *more);

static int fire(struct rlx_db *db, const char *call_id, const char *event, make_data_h *make,
                const char *more)
{
    struct ids ids = {.ctx = talloc_new(NULL)};
    char fact[96], id[RLX_UUID_TEXT], *data = NULL;

    if (!ids.ctx)
        return -ENOMEM;
    snprintf(fact, sizeof fact, "%s:%s", event, call_id);
    int err = RLX_RUN(db, RLX_Q_WEBHOOKS_OF_CALL, take_id, &ids, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(event));
    if (!err && ids.count)
        err = make(&data, ids.ctx, db, call_id, more);
    for (size_t i = 0; i < ids.count && !err && *data; i++)
        err = deliver(db, ids.id[i], event, fact, data, id);
    talloc_free(ids.ctx);
    return err;
}

struct call_row {
    TALLOC_CTX *ctx;
    char *json;
    bool complete; /* its gateway has written everything */
};

static int take_call(struct rlx_row *row, void *arg)
{
    struct call_row *call = arg;

    call->json = talloc_strdup(call->ctx, rlx_row_text(row, 0));
    call->complete = rlx_row_int(row, 1) != 0;
    return call->json ? 0 : -ENOMEM;
}

static int load_call(struct call_row *call, struct rlx_db *db, const char *call_id)
{
    int err = RLX_RUN(db, RLX_Q_WEBHOOK_CALL_JSON, take_call, call, NULL, RLX_TEXT(call_id));

    return err ? err : call->json ? 0 : RLX_ENOTFOUND;
}

static int done(char **datap, char *data)
{
    *datap = data;
    return data ? 0 : -ENOMEM;
}

static int call_data(char **datap, TALLOC_CTX *ctx, struct rlx_db *db, const char *call_id,
                     const char *more)
{
    struct call_row call = {.ctx = ctx};
    int err = load_call(&call, db, call_id);

    if (err)
        return err;
    return done(datap, more ? talloc_asprintf(ctx, "{\"call\":%s,\"analysis\":%s}", call.json, more)
                            : talloc_asprintf(ctx, "{\"call\":%s}", call.json));
}

static int transcript_data(char **datap, TALLOC_CTX *ctx, struct rlx_db *db, const char *call_id,
                           const char *more)
{
    struct rlx_text_out turns = {.ctx = ctx};
    struct call_row call = {.ctx = ctx};
    (void)more;

    int err = load_call(&call, db, call_id);
    if (!err && !call.complete)
        return done(datap, talloc_strdup(ctx, ""));
    if (!err)
        err = RLX_RUN(db, RLX_Q_WEBHOOK_TURNS_JSON, rlx_row_take_text, &turns, NULL,
                      RLX_TEXT(call_id));
    if (err)
        return err;
    return done(datap, talloc_asprintf(ctx, "{\"call\":%s,\"transcripts\":%s}", call.json,
                                       turns.text ? turns.text : "[]"));
}

static int contact_data(char **datap, TALLOC_CTX *ctx, struct rlx_db *db, const char *call_id,
                        const char *more)
{
    struct rlx_text_out out = {.ctx = ctx};
    (void)more;

    int err =
        RLX_RUN(db, RLX_Q_WEBHOOK_CONTACT_OF, rlx_row_take_text, &out, NULL, RLX_TEXT(call_id));
    return err ? err : done(datap, out.text ? out.text : talloc_strdup(ctx, ""));
}

static int on_status(struct rlx_db *db, const char *call_id, const char *status)
{
    if (!strcmp(status, "in-progress"))
        return fire(db, call_id, "call.started", call_data, NULL);
    if (!rlx_call_is_over(status))
        return 0;
    bool held = !strcmp(status, "completed");
    int err = fire(db, call_id, held ? "call.ended" : "call.failed", call_data, NULL);
    return err ? err : fire(db, call_id, "transcript.ready", transcript_data, NULL);
}

int rlx_db_webhooks_on_event(struct rlx_db *db, const char *call_id, const char *kind,
                             const char *data_json)
{
    int err = 0;

    if (!strcmp(kind, "dnc"))
        return fire(db, call_id, "contact.opted_out", contact_data, NULL);
    if (strcmp(kind, "status") != 0 && strcmp(kind, "analysis") != 0)
        return 0;
    json_t *data = json_loads(data_json ? data_json : "{}", 0, NULL);
    const char *status = json_string_value(json_object_get(data, "status"));
    if (kind[0] == 's')
        err = status ? on_status(db, call_id, status) : 0;
    else if (!status || strcmp(status, "failed") != 0)
        err = fire(db, call_id, "call.analyzed", call_data, data_json);
    json_decref(data);
    return err;
}

/* ---- deliveries ---- */

int rlx_deliveries_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                        const char *webhook_id, const char *status, int limit, const char *cursor,
                        char **jsonp, char **next_cursorp, int64_t *totalp)
{
    struct rlx_list_out list;
    struct rlx_db *db;
    char *webhook = NULL;

    if (!store || !user_id || !webhook_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_check(&limit, cursor);
    if (!err)
        err = rlx_list_init(&list, ctx, limit);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = read_webhook(db, ctx, user_id, webhook_id, &webhook); /* is it the user's? */
    if (!err)
        err = RLX_RUN(db, RLX_Q_DELIVERIES_LIST, rlx_row_take_item, &list, NULL,
                      RLX_TEXT(webhook_id), RLX_TEXT(status), RLX_TEXT(cursor), RLX_INT(limit + 1));
    if (!err && totalp)
        err = RLX_RUN(db, RLX_Q_DELIVERIES_COUNT, rlx_row_take_int, totalp, NULL,
                      RLX_TEXT(webhook_id), RLX_TEXT(status));
    talloc_free(webhook);
    err = rlx_db_end(db, err);
    return err ? err : rlx_list_finish(&list, jsonp, next_cursorp);
}

static int read_delivery(struct rlx_db *db, TALLOC_CTX *ctx, const char *webhook_id, const char *id,
                         char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_DELIVERY_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(id),
                      RLX_TEXT(webhook_id));

    if (!err && !out.text)
        err = RLX_ENOTFOUND;
    *jsonp = out.text;
    return err;
}

int rlx_delivery_replay(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                        const char *webhook_id, const char *delivery_id, char **jsonp)
{
    char id[RLX_UUID_TEXT], *webhook = NULL;
    int64_t now_ms = rlx_wall_ms();
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !webhook_id || !delivery_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    rlx_uuid(id);
    err = read_webhook(db, ctx, user_id, webhook_id, &webhook);
    talloc_free(webhook);
    if (!err)
        err = RLX_RUN(db, RLX_Q_DELIVERY_REPLAY, NULL, NULL, &rows, RLX_TEXT(id),
                      RLX_TEXT(delivery_id), RLX_TEXT(webhook_id), RLX_INT(now_ms));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = send_job(db, id, now_ms);
    if (!err)
        err = read_delivery(db, ctx, webhook_id, id, jsonp);
    return rlx_db_end(db, err);
}

int rlx_webhook_test(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *webhook_id, char **jsonp)
{
    static const char data[] = "{\"message\":\"This is a test of your webhook.\"}";
    char id[RLX_UUID_TEXT], fact[64], *webhook = NULL;
    struct rlx_db *db;

    if (!store || !user_id || !webhook_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    rlx_uuid(id);
    snprintf(fact, sizeof fact, "test:%s", id);
    err = read_webhook(db, ctx, user_id, webhook_id, &webhook);
    talloc_free(webhook);
    if (!err)
        err = deliver(db, webhook_id, "webhook.test", fact, data, id);
    if (!err)
        err = read_delivery(db, ctx, webhook_id, id, jsonp);
    return rlx_db_end(db, err);
}

/* ---- the worker ---- */

struct delivery_out {
    TALLOC_CTX *ctx;
    struct rlx_delivery *delivery;
};

static int take_delivery(struct rlx_row *row, void *arg)
{
    struct delivery_out *out = arg;
    struct rlx_delivery *d = talloc_zero(out->ctx, struct rlx_delivery);

    if (!d)
        return -ENOMEM;
    out->delivery = d;
    d->url = talloc_strdup(d, rlx_row_text(row, 0));
    d->kept = talloc_strdup(d, rlx_row_text(row, 1));
    d->payload = talloc_strdup(d, rlx_row_text(row, 2));
    d->event = talloc_strdup(d, rlx_row_text(row, 3));
    d->status = talloc_strdup(d, rlx_row_text(row, 4));
    d->active = rlx_row_int(row, 5) != 0;
    d->webhook_id = talloc_strdup(d, rlx_row_text(row, 6));
    d->user_id = talloc_strdup(d, rlx_row_text(row, 7));
    return d->url && d->kept && d->payload && d->event && d->status && d->webhook_id && d->user_id
               ? 0
               : -ENOMEM;
}

int rlx_delivery_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *delivery_id,
                      struct rlx_delivery **deliveryp)
{
    struct delivery_out out = {.ctx = ctx};

    if (!store || !delivery_id || !deliveryp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_DELIVERY_LOAD, take_delivery, &out, NULL,
                       RLX_TEXT(delivery_id));
    if (!err && !out.delivery)
        err = RLX_ENOTFOUND;
    if (err)
        talloc_free(out.delivery);
    else
        *deliveryp = out.delivery;
    return err;
}

int rlx_delivery_result(struct rlx_store *store, const char *delivery_id,
                        const struct rlx_delivery_result *r)
{
    int rows = 0;

    if (!store || !delivery_id || !r || !r->status)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_DELIVERY_RESULT, NULL, NULL, &rows,
                       RLX_TEXT(delivery_id), RLX_TEXT(r->status), RLX_INT(r->attempts),
                       r->code ? RLX_INT(r->code) : RLX_NULL,
                       r->code ? RLX_INT(r->took_ms) : RLX_NULL, RLX_TEXT(r->excerpt),
                       RLX_TEXT(r->error), r->next_ms ? RLX_INT(r->next_ms) : RLX_NULL);
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

int rlx_deliveries_forget(struct rlx_store *store, int64_t before_ms)
{
    if (!store)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_DELIVERIES_FORGET, NULL, NULL, NULL,
                    RLX_INT(before_ms));
}
