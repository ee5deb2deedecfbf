#include "store/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"
#include "store/usage.h"

#define NOBODY "00000000-0000-0000-0000-000000000000"
#define MINUTE_MS 60000

enum { CONCURRENT, MINUTES, COUNTRIES, CALLER_IDS, RECORDING, TRANSCRIPT, COLUMNS };
static const struct {
    const char *name;
    bool text;
} columns[COLUMNS] = {
    {"concurrent_calls", false}, {"minutes_per_day", false}, {"countries", true},
    {"caller_ids", true},        {"recording_days", false},  {"transcript_days", false},
};

/* The row as it stands: null = the default. */
static int take_row(struct rlx_row *row, void *arg)
{
    json_t *limits = arg;

    json_object_set_new(limits, "id", json_string(rlx_row_text(row, 0)));
    for (int i = 0; i < COLUMNS; i++) {
        const char *text = rlx_row_text(row, i + 1);
        json_t *value = !text             ? json_null()
                        : columns[i].text ? json_string(text)
                                          : json_integer(strtoll(text, NULL, 10));
        json_object_set_new(limits, columns[i].name, value);
    }
    return 0;
}

static int load(struct rlx_db *db, const char *user_id, json_t **rowp)
{
    json_t *row = json_object();
    int err = RLX_RUN(db, RLX_Q_LIMITS_GET, take_row, row, NULL, RLX_TEXT(user_id));

    if (!err && !json_object_size(row))
        err = RLX_ENOTFOUND;
    if (err)
        json_decref(row);
    else
        *rowp = row;
    return err;
}

static int number(const json_t *row, int column, int fallback)
{
    const json_t *value = json_object_get(row, columns[column].name);

    return json_is_integer(value) ? (int)json_integer_value(value) : fallback;
}

static char *text(TALLOC_CTX *ctx, const json_t *row, int column)
{
    const char *value = json_string_value(json_object_get(row, columns[column].name));

    return value ? talloc_strdup(ctx, value) : NULL;
}

static void fill(struct rlx_account_limits *limits, TALLOC_CTX *ctx, const json_t *row)
{
    limits->concurrent_calls = number(row, CONCURRENT, RLX_LIMIT_CONCURRENT);
    limits->minutes_per_day = number(row, MINUTES, RLX_LIMIT_MINUTES);
    limits->countries = text(ctx, row, COUNTRIES);
    limits->caller_ids = text(ctx, row, CALLER_IDS);
    limits->recording_days = number(row, RECORDING, 0);
    limits->transcript_days = number(row, TRANSCRIPT, 0);
}

int rlx_account_limits_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                           struct rlx_account_limits *limits)
{
    json_t *row = NULL;
    struct rlx_db *db;

    if (!store || !user_id || !limits)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = rlx_db_end(db, load(db, user_id, &row));
    if (!err)
        fill(limits, ctx, row);
    json_decref(row);
    return err;
}

static int put(struct rlx_db *db, const char *user_id, const json_t *row)
{
    struct rlx_value values[COLUMNS + 1] = {RLX_TEXT(user_id)};

    for (int i = 0; i < COLUMNS; i++) {
        const json_t *value = json_object_get(row, columns[i].name);
        values[i + 1] = json_is_integer(value)  ? RLX_INT(json_integer_value(value))
                        : json_is_string(value) ? RLX_TEXT(json_string_value(value))
                                                : RLX_NULL;
    }
    return rlx_db_run(db, RLX_Q_LIMITS_SET, values, COLUMNS + 1, NULL, NULL, NULL);
}

static int merge(json_t *row, const json_t *fields)
{
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)fields, name, value) {
        int i = 0;
        while (i < COLUMNS && strcmp(columns[i].name, name) != 0)
            i++;
        if (i == COLUMNS || (!json_is_null(value) &&
                             (columns[i].text ? !json_is_string(value) : !json_is_integer(value))))
            return RLX_EINVAL;
        json_object_set(row, name, value);
    }
    return 0;
}

int rlx_account_limits_set(struct rlx_store *store, const char *user_id, const json_t *fields)
{
    json_t *row = NULL;
    struct rlx_db *db;

    if (!store || !user_id || !fields)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = load(db, user_id, &row);
    if (!err)
        err = merge(row, fields);
    if (!err)
        err = put(db, user_id, row);
    json_decref(row);
    return rlx_db_end(db, err);
}

/* ---- what goes on now ---- */

struct now {
    int64_t calls, today_ms, live_ms;
};

static int take_now(struct rlx_row *row, void *arg)
{
    struct now *now = arg;

    now->calls = rlx_row_int(row, 0);
    now->today_ms = rlx_row_int(row, 1);
    now->live_ms = rlx_row_int(row, 2);
    return 0;
}

static int look(struct rlx_db *db, const char *user_id, const char *call_id, int64_t now_ms,
                struct now *now)
{
    char day[RLX_TIME_TEXT];

    rlx_usage_day(day, now_ms);
    return RLX_RUN(db, RLX_Q_LIMITS_NOW, take_now, now, NULL, RLX_TEXT(user_id),
                   RLX_TEXT(call_id ? call_id : NOBODY), RLX_TEXT(day), RLX_INT(now_ms),
                   RLX_INT(call_id ? 1 : 0));
}

static json_t *list(const char *commas)
{
    if (!commas)
        return json_null();
    json_t *array = json_array();
    for (const char *p = commas; *p;) {
        size_t n = strcspn(p, ",");
        if (n)
            json_array_append_new(array, json_stringn(p, n));
        p += n + (p[n] == ',');
    }
    return array;
}

int rlx_account_limits_json(struct rlx_store *store, const char *user_id, int64_t now_ms,
                            json_t **jsonp)
{
    struct rlx_account_limits limits;
    struct now now = {0};
    json_t *row = NULL;
    struct rlx_db *db;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = load(db, user_id, &row);
    if (!err)
        err = look(db, user_id, NULL, now_ms, &now);
    err = rlx_db_end(db, err);
    if (!err) {
        TALLOC_CTX *tmp = talloc_new(NULL);
        fill(&limits, tmp, row);
        *jsonp =
            json_pack("{s:i,s:i,s:o,s:o,s:i,s:i,s:{s:I,s:I}}", "concurrent_calls",
                      limits.concurrent_calls, "minutes_per_day", limits.minutes_per_day,
                      "countries", list(limits.countries), "caller_ids", list(limits.caller_ids),
                      "recording_days", limits.recording_days, "transcript_days",
                      limits.transcript_days, "used", "concurrent_calls", (json_int_t)now.calls,
                      "minutes_today", (json_int_t)((now.today_ms + now.live_ms) / MINUTE_MS));
        talloc_free(tmp);
        err = *jsonp ? 0 : -ENOMEM;
    }
    json_decref(row);
    return err;
}

/* ---- the check ---- */

/* Whether a list with commas names the word. */
static bool names(const char *commas, const char *word)
{
    size_t length = strlen(word);

    for (const char *p = commas; *p;) {
        size_t n = strcspn(p, ",");
        if (length && n == length && !strncmp(p, word, n))
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

static bool holds(const char *commas, const char *word)
{
    return names(commas, "*") || names(commas, word);
}

static bool north_american(const char *region)
{
    return !strcmp(region, "US") || !strcmp(region, "CA");
}

static bool country_allowed(const struct rlx_account_limits *limits,
                            const struct rlx_account_limits_ask *ask)
{
    if (limits->countries)
        return holds(limits->countries, ask->region);
    if (ask->simulated || !*ask->home)
        return true;
    return !strcmp(ask->home, ask->region) ||
           (north_american(ask->home) && north_american(ask->region));
}

static bool caller_allowed(const struct rlx_account_limits *limits,
                           const struct rlx_account_limits_ask *ask)
{
    if (!ask->caller_id || !*ask->caller_id || !strcmp(ask->caller_id, ask->own_caller_id) ||
        ask->own_carrier)
        return true;
    return limits->caller_ids ? holds(limits->caller_ids, ask->caller_id) : ask->simulated;
}

static int judge(TALLOC_CTX *ctx, const struct rlx_account_limits *limits, const struct now *now,
                 const struct rlx_account_limits_ask *ask, const char **codep, char **whyp)
{
    if (ask->premium && !(limits->countries && names(limits->countries, "premium"))) {
        *codep = "premium_number";
        *whyp = talloc_strdup(ctx, "this is a premium-rate number, which may not be called");
        return RLX_EFORBIDDEN;
    }
    if (!country_allowed(limits, ask)) {
        *codep = "country_not_allowed";
        *whyp = talloc_asprintf(ctx,
                                "calls to %s are not allowed for this account (countries: %s); "
                                "the server's operator can allow them",
                                *ask->region ? ask->region : "an unknown country",
                                limits->countries ? limits->countries : ask->home);
        return RLX_EFORBIDDEN;
    }
    if (!caller_allowed(limits, ask)) {
        *codep = "caller_id_not_allowed";
        *whyp = talloc_strdup(ctx, "this caller_id is not one of the account's; the server's "
                                   "operator can add it");
        return RLX_EFORBIDDEN;
    }
    if (now->calls >= limits->concurrent_calls) {
        *codep = "concurrent_calls_limit";
        *whyp = talloc_asprintf(ctx, "the account has %d calls at once already",
                                limits->concurrent_calls);
        return RLX_ELIMIT;
    }
    if (now->today_ms + now->live_ms >= (int64_t)limits->minutes_per_day * MINUTE_MS) {
        *codep = "minutes_per_day_limit";
        *whyp = talloc_asprintf(ctx, "the account's %d minutes of today (UTC) are used up",
                                limits->minutes_per_day);
        return RLX_ELIMIT;
    }
    return 0;
}

int rlx_account_limits_check(struct rlx_store *store, TALLOC_CTX *ctx,
                             const struct rlx_account_limits_ask *ask, const char **codep,
                             char **whyp)
{
    struct now now = {0};
    json_t *row = NULL;
    struct rlx_db *db;

    if (!store || !ask || !ask->user_id || !ask->region || !ask->home || !ask->own_caller_id ||
        !codep || !whyp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = load(db, ask->user_id, &row);
    if (!err)
        err = look(db, ask->user_id, ask->call_id, ask->now_ms, &now);
    err = rlx_db_end(db, err);
    if (!err) {
        struct rlx_account_limits limits;
        TALLOC_CTX *tmp = talloc_new(NULL);
        fill(&limits, tmp, row);
        err = judge(ctx, &limits, &now, ask, codep, whyp);
        talloc_free(tmp);
    }
    json_decref(row);
    return err;
}

int rlx_idempotency_known(struct rlx_store *store, const char *user_id, const char *key,
                          bool *knownp)
{
    int rows = 0;

    if (!store || !user_id || !key || !knownp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_IDEMPOTENCY_GET, NULL, NULL, &rows,
                       RLX_TEXT(user_id), RLX_TEXT(key));
    *knownp = rows > 0;
    return err;
}

static int take_owner(struct rlx_row *row, void *arg)
{
    const char *id = rlx_row_text(row, 0);

    if (id)
        memccpy(arg, id, 0, 36);
    return 0;
}

int rlx_db_account_place(struct rlx_db *db, const char *call_id, int64_t now_ms)
{
    char owner[37] = "", name[64];
    struct now now = {0};
    json_t *row = NULL;
    int err = RLX_RUN(db, RLX_Q_CALL_USER, take_owner, owner, NULL, RLX_TEXT(call_id));

    if (err || !owner[0])
        return err;
    snprintf(name, sizeof name, "calls of %s", owner);
    err = rlx_db_lock(db, name);
    if (!err)
        err = load(db, owner, &row);
    if (!err)
        err = look(db, owner, call_id, now_ms, &now);
    if (!err && now.calls >= number(row, CONCURRENT, RLX_LIMIT_CONCURRENT))
        err = RLX_ELIMIT;
    json_decref(row);
    return err;
}
