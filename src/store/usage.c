#include "store/usage.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"

#define ITEMS_MAX 64

void rlx_usage_day(char day[RLX_TIME_TEXT], int64_t wall_ms)
{
    rlx_time_text(day, wall_ms);
    day[10] = '\0';
}

/* What stood there, to add the difference to the day that it was first counted on. */
struct before {
    int64_t numbers[5];
    char day[RLX_TIME_TEXT];
};

static int take_before(struct rlx_row *row, void *arg)
{
    struct before *before = arg;

    for (int i = 0; i < 5; i++)
        before->numbers[i] = rlx_row_int(row, i);
    memccpy(before->day, rlx_row_text(row, 5), 0, 11);
    return 0;
}

static int put_one(struct rlx_db *db, const char *ref, const char *user_id,
                   const struct rlx_usage *item, int64_t now_ms)
{
    struct before before = {0};
    const int64_t n[5] = {item->requests, item->audio_ms, item->characters, item->tokens_in,
                          item->tokens_out};
    const char *model = item->model ? item->model : "";

    if (!item->stage || !item->provider)
        return RLX_EINVAL;
    rlx_usage_day(before.day, now_ms);
    int err = RLX_RUN(db, RLX_Q_USAGE_GET, take_before, &before, NULL, RLX_TEXT(ref),
                      RLX_TEXT(item->stage), RLX_TEXT(item->provider), RLX_TEXT(model),
                      RLX_INT(item->own));
    if (!err)
        err = RLX_RUN(db, RLX_Q_USAGE_PUT, NULL, NULL, NULL, RLX_TEXT(ref), RLX_TEXT(item->stage),
                      RLX_TEXT(item->provider), RLX_TEXT(model), RLX_INT(item->own),
                      RLX_TEXT(user_id), RLX_TEXT(before.day), RLX_INT(n[0]), RLX_INT(n[1]),
                      RLX_INT(n[2]), RLX_INT(n[3]), RLX_INT(n[4]));
    if (!err)
        err = RLX_RUN(db, RLX_Q_USAGE_ADD_DAY, NULL, NULL, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(before.day), RLX_TEXT(item->stage), RLX_TEXT(item->provider),
                      RLX_TEXT(model), RLX_INT(item->own), RLX_INT(n[0] - before.numbers[0]),
                      RLX_INT(n[1] - before.numbers[1]), RLX_INT(n[2] - before.numbers[2]),
                      RLX_INT(n[3] - before.numbers[3]), RLX_INT(n[4] - before.numbers[4]));
    return err;
}

static int take_user(struct rlx_row *row, void *arg)
{
    const char *id = rlx_row_text(row, 0);
    char *user_id = arg;

    if (id)
        memccpy(user_id, id, 0, 36);
    return 0;
}

int rlx_usage_put(struct rlx_store *store, const char *ref, const char *user_id,
                  const struct rlx_usage *items, size_t count, int64_t now_ms)
{
    char owner[37] = "";
    struct rlx_db *db;

    if (!store || !ref || (!items && count))
        return -EINVAL;
    if (!count)
        return 0;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    if (!user_id) {
        err = RLX_RUN(db, RLX_Q_CALL_USER, take_user, owner, NULL, RLX_TEXT(ref));
        user_id = owner;
        if (!err && !owner[0])
            err = RLX_ENOTFOUND;
    }
    for (size_t i = 0; !err && i < count; i++)
        err = put_one(db, ref, user_id, &items[i], now_ms);
    return rlx_db_end(db, err);
}

int rlx_usage_put_json(struct rlx_store *store, const char *ref, const char *user_id,
                       const char *json, int64_t now_ms)
{
    struct rlx_usage items[ITEMS_MAX];
    size_t count = 0, i;
    json_t *item;

    if (!store || !ref || !json)
        return -EINVAL;
    json_t *array = json_loads(json, 0, NULL);
    int err = json_is_array(array) && json_array_size(array) <= ITEMS_MAX ? 0 : RLX_EINVAL;
    json_array_foreach (array, i, item) {
        struct rlx_usage *to = &items[count];
        json_int_t n[5] = {0};
        int own = 0;
        *to = (struct rlx_usage){.model = ""};
        if (err || json_unpack(item, "{s:s,s:s,s?s,s?b,s?I,s?I,s?I,s?I,s?I}", "stage", &to->stage,
                               "provider", &to->provider, "model", &to->model, "own", &own,
                               "requests", &n[0], "audio_ms", &n[1], "characters", &n[2],
                               "tokens_in", &n[3], "tokens_out", &n[4])) {
            err = RLX_EINVAL;
            break;
        }
        to->own = own;
        to->requests = n[0];
        to->audio_ms = n[1];
        to->characters = n[2];
        to->tokens_in = n[3];
        to->tokens_out = n[4];
        count++;
    }
    if (!err)
        err = rlx_usage_put(store, ref, user_id, items, count, now_ms);
    json_decref(array);
    return err;
}

/* ---- the carrier ---- */

struct carried {
    char provider[32], user_id[37];
    bool own, found;
    int64_t answered_ms;
};

static int take_carried(struct rlx_row *row, void *arg)
{
    struct carried *carried = arg;

    memccpy(carried->provider, rlx_row_text(row, 0), 0, sizeof carried->provider - 1);
    carried->own = rlx_row_int(row, 1);
    memccpy(carried->user_id, rlx_row_text(row, 2), 0, 36);
    carried->answered_ms = rlx_row_int(row, 3);
    carried->found = true;
    return 0;
}

/* Carriers bill a minute when it has begun. */
static int64_t started_minutes_ms(int64_t ms)
{
    return (ms + 59999) / 60000 * 60000;
}

int rlx_db_usage_call_end(struct rlx_db *db, const char *call_id, int64_t ended_ms)
{
    struct carried carried = {0};
    int err = RLX_RUN(db, RLX_Q_USAGE_CARRIER, take_carried, &carried, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(call_id));

    if (err || !carried.found || !carried.answered_ms || ended_ms <= carried.answered_ms)
        return err;
    const struct rlx_usage item = {.stage = "carrier",
                                   .provider = carried.provider,
                                   .model = "",
                                   .own = carried.own,
                                   .requests = 1,
                                   .audio_ms = started_minutes_ms(ended_ms - carried.answered_ms)};
    return put_one(db, call_id, carried.user_id, &item, ended_ms);
}

/* ---- sums ---- */

static int take_sum(struct rlx_row *row, void *arg)
{
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I}", "day", rlx_row_text(row, 0), "stage",
        rlx_row_text(row, 1), "provider", rlx_row_text(row, 2), "model", rlx_row_text(row, 3),
        "own", (int)rlx_row_int(row, 4), "requests", (json_int_t)rlx_row_int(row, 5), "audio_ms",
        (json_int_t)rlx_row_int(row, 6), "characters", (json_int_t)rlx_row_int(row, 7), "tokens_in",
        (json_int_t)rlx_row_int(row, 8), "tokens_out", (json_int_t)rlx_row_int(row, 9));

    return json_array_append_new(arg, json) ? -ENOMEM : 0;
}

int rlx_usage_sums(struct rlx_store *store, const char *user_id, const char *from_day,
                   const char *to_day, json_t **jsonp)
{
    if (!store || !user_id || !from_day || !to_day || !jsonp)
        return -EINVAL;
    json_t *array = json_array();
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_USAGE_SUMS, take_sum, array, NULL,
                       RLX_TEXT(user_id), RLX_TEXT(from_day), RLX_TEXT(to_day));
    if (err)
        json_decref(array);
    else
        *jsonp = array;
    return err;
}
