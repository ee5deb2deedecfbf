/* What watches over calls: gateways' beats, lost and stale calls, do-not-call, analyses. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/calls.h"
#include "store/db.h"

#define WAIT_MAX_MS 500 /* a longer wait for the write lock is a store that was away */

int rlx_dnc_add(struct rlx_store *store, const char *user_id, const char *phone_number,
                const char *source, const char *call_id)
{
    struct rlx_db *db;

    if (!store || !user_id || !phone_number || !source)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_DNC_ADD, NULL, NULL, NULL, RLX_TEXT(user_id), RLX_TEXT(phone_number),
                  RLX_TEXT(source), RLX_TEXT(call_id));
    if (!err && call_id)
        err = rlx_db_event(db, call_id, "dnc", "{}", rlx_wall_ms());
    return rlx_db_end(db, err);
}

int rlx_dnc_has(struct rlx_store *store, const char *user_id, const char *phone_number,
                bool *listedp)
{
    int rows = 0;

    if (!store || !user_id || !phone_number || !listedp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_DNC_HAS, NULL, NULL, &rows, RLX_TEXT(user_id),
                       RLX_TEXT(phone_number));
    *listedp = !err && rows > 0;
    return err;
}

/* ---- gateways ---- */

int rlx_gateway_beat(struct rlx_store *store, const char *gateway_id, const char *control_url,
                     int64_t now_ms)
{
    if (!store || !gateway_id || !control_url)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_GATEWAY_BEAT, NULL, NULL, NULL, RLX_TEXT(gateway_id),
                    RLX_TEXT(control_url), RLX_INT(now_ms));
}

int rlx_gateway_leave(struct rlx_store *store, const char *gateway_id)
{
    if (!store || !gateway_id)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_GATEWAY_LEAVE, NULL, NULL, NULL,
                    RLX_TEXT(gateway_id));
}

int rlx_gateways_count(struct rlx_store *store, int64_t since_ms, int64_t *countp)
{
    if (!store || !countp)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_READ, RLX_Q_GATEWAYS_COUNT, rlx_row_take_int, countp, NULL,
                    RLX_INT(since_ms));
}

struct ids {
    char id[100][37];
    int count;
};

static int take_id(struct rlx_row *row, void *arg)
{
    struct ids *ids = arg;

    if (ids->count < 100)
        memccpy(ids->id[ids->count++], rlx_row_text(row, 0), 0, 37);
    return 0;
}

static int close_ids(struct rlx_db *db, const struct ids *ids, int64_t now_ms)
{
    const struct rlx_call_end end = {
        .status = "failed",
        .reason = "gateway_lost",
        .ended_ms = now_ms,
    };
    int err = 0;

    for (int i = 0; i < ids->count && !err; i++)
        err = rlx_db_call_end(db, ids->id[i], &end);
    return err;
}

static int close_lost(struct rlx_db *db, int64_t now_ms, int64_t lease_ms, int *closedp)
{
    struct ids ids = {.count = 0};
    int err = RLX_RUN(db, RLX_Q_CALLS_LOST, take_id, &ids, NULL, RLX_INT(now_ms - lease_ms));

    if (err || !ids.count)
        return err;
    err = close_ids(db, &ids, now_ms);
    if (!err)
        err = RLX_RUN(db, RLX_Q_GATEWAYS_FORGET, NULL, NULL, NULL, RLX_INT(now_ms - 60 * lease_ms));
    *closedp = ids.count;
    return err;
}

/* Judged inside of a write: where a beat could not be written it can't be missed. Having had to wait for it means that beats had
 * to wait too, and may come right behind this. */
int rlx_calls_close_lost(struct rlx_store *store, int64_t now_ms, int64_t lease_ms, int *closedp)
{
    struct rlx_db *db;
    int closed = 0;

    if (!store || lease_ms <= 0)
        return -EINVAL;
    struct rlx_reach *reach = rlx_store_reach(store);
    uint64_t asked_ms = rlx_now_ms();
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    int64_t waited_ms = (int64_t)(rlx_now_ms() - asked_ms);
    if (waited_ms <= WAIT_MAX_MS)
        waited_ms = 0; /* the usual turn of the lock: time is the caller's alone */
    /* A break in our own calls counts like a store that was away: gateways may have been in the
     * same trouble. */
    if (!reach->since_ms || now_ms < reach->last_ms || now_ms - reach->last_ms > lease_ms ||
        waited_ms)
        reach->since_ms = now_ms + waited_ms;
    reach->last_ms = now_ms + waited_ms;
    if (!err) {
        if (now_ms - reach->since_ms >= lease_ms)
            err = close_lost(db, now_ms, lease_ms, &closed);
        err = rlx_db_end(db, err);
    }
    if (err)
        reach->since_ms = 0;
    if (closedp)
        *closedp = err ? 0 : closed;
    return err;
}

static int take_object(struct rlx_row *row, void *arg)
{
    json_t *object = json_loads(rlx_row_text(row, 0), 0, NULL);

    return json_array_append_new(arg, object) ? -ENOMEM : 0;
}

int rlx_calls_stale(struct rlx_store *store, TALLOC_CTX *ctx, int64_t now_ms, int64_t limit_ms,
                    json_t **callsp)
{
    (void)ctx;
    if (!store || !callsp)
        return -EINVAL;
    json_t *array = json_array();
    if (!array)
        return -ENOMEM;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_CALLS_STALE, take_object, array, NULL,
                       RLX_INT(now_ms - limit_ms));
    if (err)
        json_decref(array);
    else
        *callsp = array;
    return err;
}

/* ---- analyses ---- */

static int analysis_put(struct rlx_store *store, const char *call_id, const char *status,
                        const json_t *analysis, const char *why)
{
    struct rlx_db *db;
    int rows = 0;
    char *text = rlx_json_text(NULL, analysis, "{}");

    if (!text)
        return -ENOMEM;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_ANALYSIS_PUT, NULL, NULL, &rows, RLX_TEXT(call_id), RLX_TEXT(status),
                  RLX_TEXT(text), RLX_TEXT(why));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err && analysis)
        err = RLX_RUN(db, RLX_Q_CALL_SET_OUTCOME, NULL, NULL, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(json_string_value(json_object_get(analysis, "outcome"))),
                      RLX_TEXT(json_string_value(json_object_get(analysis, "sentiment"))));
    if (!err)
        err = rlx_db_event(db, call_id, "analysis", analysis ? text : "{\"status\":\"failed\"}",
                           rlx_wall_ms());
    err = rlx_db_end(db, err);
out:
    talloc_free(text);
    return err;
}

int rlx_analysis_save(struct rlx_store *store, const char *call_id, const json_t *analysis)
{
    if (!store || !call_id || !json_is_object(analysis))
        return -EINVAL;
    return analysis_put(store, call_id, "completed", analysis, NULL);
}

int rlx_analysis_fail(struct rlx_store *store, const char *call_id, const char *why)
{
    if (!store || !call_id)
        return -EINVAL;
    return analysis_put(store, call_id, "failed", NULL, why ? why : "unknown");
}
