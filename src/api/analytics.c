/* Sums over calls. */
#include "store/analytics.h"

#include <string.h>

#include "api/prices.h"
#include "api/private.h"
#include "api/query_time.h"
#include "base/clock.h"
#include "store/usage.h"

#define DAY_MS 86400000LL
#define DEFAULT_DAYS 30

/* What the query asks for: the last 30 days without it. */
struct asked {
    char from[RLX_TIME_TEXT], to[RLX_TIME_TEXT];
    struct rlx_period period;
};

/* False when the answer was given. */
static bool ask(struct rlx_request *req, struct asked *asked)
{
    int64_t now_ms = rlx_wall_ms();

    if (!rlx_api_time_of(req, "to", asked->to))
        rlx_time_text(asked->to, now_ms + 1000); /* what was written this moment belongs to it */
    if (!rlx_api_time_of(req, "from", asked->from))
        rlx_time_text(asked->from, now_ms - DEFAULT_DAYS * DAY_MS);
    asked->period = (struct rlx_period){
        .agent_id = rlx_request_query(req, "agent_id"),
        .from = asked->from,
        .to = asked->to,
    };
    if (strcmp(asked->from, asked->to) < 0)
        return true;
    rlx_api_invalid(req, "from", "must lie before to");
    return false;
}

typedef int sums_h(struct rlx_store *store, const char *user_id, const struct rlx_period *period,
                   json_t **jsonp);

static void answer(struct rlx_request *req, struct rlx_api *api, sums_h *sums)
{
    struct asked asked;
    json_t *json = NULL;

    if (!ask(req, &asked))
        return;
    int err = sums(api->store, rlx_api_user(req), &asked.period, &json);
    if (err)
        rlx_api_reply_store(req, err, "call");
    else
        rlx_reply_json(req, 200, json);
}

/* What the calls of the period cost, by usage; whole days in UTC. */
static json_t *cost_of(struct rlx_api *api, const char *user, const struct asked *asked)
{
    char from[11], to[11];
    json_t *sums = NULL;

    snprintf(from, sizeof from, "%.10s", asked->from);
    snprintf(to, sizeof to, "%.10s", asked->to);
    if (rlx_usage_sums(api->store, user, from, to, &sums))
        return json_null();
    json_t *report = rlx_prices_report(api->prices, sums, from, false);
    json_t *cost = json_incref(json_object_get(report, "total_cost"));
    json_decref(report);
    json_decref(sums);
    return cost ? cost : json_null();
}

void rlx_api_analytics_summary(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    struct asked asked;
    json_t *json = NULL;

    if (!ask(req, &asked))
        return;
    int err = rlx_analytics_summary(api->store, rlx_api_user(req), &asked.period, &json);
    if (err) {
        rlx_api_reply_store(req, err, "call");
        return;
    }
    json_object_set_new(json, "from", json_string(asked.from));
    json_object_set_new(json, "to", json_string(asked.to));
    json_object_set_new(json, "cost",
                        asked.period.agent_id ? json_null()
                                              : cost_of(api, rlx_api_user(req), &asked));
    rlx_reply_json(req, 200, json);
}

void rlx_api_analytics_calls(struct rlx_request *req, void *arg)
{
    answer(req, arg, rlx_analytics_days);
}

void rlx_api_analytics_outcomes(struct rlx_request *req, void *arg)
{
    answer(req, arg, rlx_analytics_outcomes);
}

void rlx_api_analytics_latency(struct rlx_request *req, void *arg)
{
    answer(req, arg, rlx_analytics_latency);
}

void rlx_api_analytics_agents(struct rlx_request *req, void *arg)
{
    answer(req, arg, rlx_analytics_agents);
}
