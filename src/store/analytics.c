#include "store/analytics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"

static int run(struct rlx_db *db, enum rlx_query query, const char *user_id,
               const struct rlx_period *period, rlx_row_h *each, void *arg)
{
    return RLX_RUN(db, query, each, arg, NULL, RLX_TEXT(user_id), RLX_TEXT(period->agent_id),
                   RLX_TEXT(period->from), RLX_TEXT(period->to));
}

static bool is_good(struct rlx_store *store, const char *user_id, const struct rlx_period *period,
                    json_t **jsonp)
{
    return store && user_id && period && period->from && period->to && jsonp;
}

static int take_object(struct rlx_row *row, void *arg)
{
    json_t **jsonp = arg;

    *jsonp = json_loads(rlx_row_text(row, 0), 0, NULL);
    return *jsonp ? 0 : -ENOMEM;
}

static int take_item(struct rlx_row *row, void *arg)
{
    return json_array_append_new(arg, json_loads(rlx_row_text(row, 0), 0, NULL)) ? -ENOMEM : 0;
}

/* name, number */
static int take_count(struct rlx_row *row, void *arg)
{
    return json_object_set_new(arg, rlx_row_text(row, 0), json_integer(rlx_row_int(row, 1)))
               ? -ENOMEM
               : 0;
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Adds answer_rate and avg_duration; takes the helper `timed` away. */
static void add_rates(json_t *sums)
{
    int64_t calls = number(sums, "calls"), timed = number(sums, "timed");
    int64_t rate = calls ? (number(sums, "answered") * 10000 + calls / 2) / calls : 0;

    json_object_set_new(sums, "answer_rate",
                        calls ? json_real((double)rate / 10000.0) : json_null());
    json_object_set_new(sums, "avg_duration",
                        timed ? json_integer((number(sums, "talk_s") + timed / 2) / timed)
                              : json_null());
    json_object_del(sums, "timed");
}

static int counts(struct rlx_db *db, json_t *into, const char *name, enum rlx_query query,
                  const char *user_id, const struct rlx_period *period)
{
    json_t *object = json_object();

    if (!object || json_object_set_new(into, name, object))
        return -ENOMEM;
    return run(db, query, user_id, period, take_count, object);
}

int rlx_analytics_summary(struct rlx_store *store, const char *user_id,
                          const struct rlx_period *period, json_t **jsonp)
{
    json_t *sums = NULL;
    struct rlx_db *db;

    if (!is_good(store, user_id, period, jsonp))
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = run(db, RLX_Q_AN_SUMMARY, user_id, period, take_object, &sums);
    if (!err && !sums)
        err = RLX_EINTERNAL;
    if (!err) {
        add_rates(sums);
        err = counts(db, sums, "outcomes", RLX_Q_AN_OUTCOMES, user_id, period);
    }
    if (!err)
        err = counts(db, sums, "sentiments", RLX_Q_AN_SENTIMENTS, user_id, period);
    err = rlx_db_end(db, err);
    if (err)
        json_decref(sums);
    else
        *jsonp = sums;
    return err;
}

static int list(struct rlx_store *store, enum rlx_query query, const char *user_id,
                const struct rlx_period *period, json_t **jsonp)
{
    struct rlx_db *db;

    if (!is_good(store, user_id, period, jsonp))
        return -EINVAL;
    json_t *items = json_array();
    int err = items ? rlx_db_begin(store, RLX_DB_READ, &db) : -ENOMEM;
    if (!err)
        err = rlx_db_end(db, run(db, query, user_id, period, take_item, items));
    if (err)
        json_decref(items);
    else
        *jsonp = items;
    return err;
}

int rlx_analytics_days(struct rlx_store *store, const char *user_id,
                       const struct rlx_period *period, json_t **jsonp)
{
    return list(store, RLX_Q_AN_DAYS, user_id, period, jsonp);
}

int rlx_analytics_agents(struct rlx_store *store, const char *user_id,
                         const struct rlx_period *period, json_t **jsonp)
{
    int err = list(store, RLX_Q_AN_AGENTS, user_id, period, jsonp);
    json_t *agent;
    size_t i;

    if (!err)
        json_array_foreach (*jsonp, i, agent)
            add_rates(agent);
    return err;
}

int rlx_analytics_outcomes(struct rlx_store *store, const char *user_id,
                           const struct rlx_period *period, json_t **jsonp)
{
    json_t *all = json_object();
    struct rlx_db *db;

    if (!is_good(store, user_id, period, jsonp)) {
        json_decref(all);
        return -EINVAL;
    }
    int err = all ? rlx_db_begin(store, RLX_DB_READ, &db) : -ENOMEM;
    if (!err) {
        err = counts(db, all, "outcomes", RLX_Q_AN_OUTCOMES, user_id, period);
        if (!err)
            err = counts(db, all, "sentiments", RLX_Q_AN_SENTIMENTS, user_id, period);
        if (!err)
            err = counts(db, all, "statuses", RLX_Q_AN_STATUSES, user_id, period);
        err = rlx_db_end(db, err);
    }
    if (err)
        json_decref(all);
    else
        *jsonp = all;
    return err;
}

/* ---- latency ---- */

#define STAGES 6
#define TURNS_MAX 20000 /* as in an_latency */

static const char *const STAGE_NAMES[STAGES] = {"endpoint_ms", "stt_ms", "lookup_ms",
                                                "llm_ms",      "tts_ms", "first_audio_ms"};

struct samples {
    int turns;
    int count[STAGES];
    int32_t *values; /* STAGES rows of TURNS_MAX */
};

static int take_turn(struct rlx_row *row, void *arg)
{
    struct samples *samples = arg;

    if (samples->turns == TURNS_MAX)
        return 0;
    samples->turns++;
    for (int i = 0; i < STAGES; i++) {
        int64_t ms = rlx_row_int(row, i);
        if (ms > 0 && ms < INT32_MAX)
            samples->values[i * TURNS_MAX + samples->count[i]++] = (int32_t)ms;
    }
    return 0;
}

static int by_size(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* The nearest-rank percentile. */
static json_t *percentiles(int32_t *values, int count)
{
    static const struct {
        const char *name;
        int percent;
    } wanted[] = {{"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"max", 100}};

    if (!count)
        return json_null();
    qsort(values, (size_t)count, sizeof *values, by_size);
    json_t *object = json_pack("{s:i}", "count", count);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        json_object_set_new(object, wanted[i].name,
                            json_integer(values[(count * wanted[i].percent + 99) / 100 - 1]));
    return object;
}

int rlx_analytics_latency(struct rlx_store *store, const char *user_id,
                          const struct rlx_period *period, json_t **jsonp)
{
    struct samples samples = {0};
    struct rlx_db *db;

    if (!is_good(store, user_id, period, jsonp))
        return -EINVAL;
    samples.values = talloc_array(NULL, int32_t, STAGES * TURNS_MAX);
    int err = samples.values ? rlx_db_begin(store, RLX_DB_READ, &db) : -ENOMEM;
    if (!err)
        err = rlx_db_end(db, run(db, RLX_Q_AN_LATENCY, user_id, period, take_turn, &samples));
    if (!err) {
        json_t *json = json_pack("{s:i}", "turns", samples.turns);
        for (int i = 0; i < STAGES; i++)
            json_object_set_new(
                json, STAGE_NAMES[i],
                percentiles(&samples.values[(size_t)i * TURNS_MAX], samples.count[i]));
        *jsonp = json;
        err = json ? 0 : -ENOMEM;
    }
    talloc_free(samples.values);
    return err;
}
