#include "gateway/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/err.h"
#include "base/http.h"
#include "base/log.h"
#include "store/calls.h"

#define EVENTS 200 /* of a call before its stream starts: a handful */
#define ANSWER_MAX 40

struct rlx_route {
    uv_loop_t *loop;
    const struct rlx_config *config;
    struct rlx_store *store;
    struct rlx_writer *writer;
    char *own_url;
};

struct news {
    uv_work_t work;
    struct rlx_route *route;
    char call_id[37];
    char answered_by[ANSWER_MAX + 1]; /* "" = the call is over */
    bool kept;                        /* its event is in the store */
};

bool rlx_route_is_answer(const char *text)
{
    size_t length = text ? strlen(text) : 0;

    return length && length <= ANSWER_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz_") == length;
}

static char *event_data(TALLOC_CTX *ctx, const char *answered_by)
{
    return talloc_asprintf(ctx, "{\"answered_by\":\"%s\"}", answered_by);
}

/* The control address of the gateway that holds the call; "" = nobody does. */
static char *holder(struct news *news)
{
    struct rlx_store *store = news->route->store;
    char *status = NULL, *sid = NULL, *url = NULL;
    json_t *call = NULL;
    int err = rlx_call_load(store, news, news->call_id, &call);
    const char *user = err ? NULL : json_string_value(json_object_get(call, "user_id"));

    if (user)
        err = rlx_call_control(store, news, user, news->call_id, &status, &sid, &url);
    json_decref(call);
    return !err && url && !strcmp(status, "in-progress") ? url : talloc_strdup(news, "");
}

static int tell(struct news *news, const char *url)
{
    const char *key = rlx_config_get(news->route->config, RLX_CFG_JWT_SECRET_KEY);
    bool amd = *news->answered_by;
    char *path = talloc_asprintf(news, "/control/calls/%s/%s%s", news->call_id,
                                 amd ? "amd/" : "ended", news->answered_by);
    char *whole = path ? talloc_asprintf(news, "%s%s", url, path) : NULL;
    char *sign = path ? rlx_control_sign(news, key, "POST", path, rlx_wall_ms()) : NULL;
    char *header = sign ? talloc_asprintf(news, RLX_CONTROL_HEADER ": %s", sign) : NULL;
    struct rlx_http_reply *reply = NULL;

    if (!whole || !header)
        return -ENOMEM;
    const char *const headers[] = {header, NULL};
    const struct rlx_http_request request = {.method = "POST",
                                             .url = whole,
                                             .headers = headers,
                                             .body = "",
                                             .timeout_ms = 2000,
                                             .connect_timeout_ms = 1000};
    int err = rlx_http(&reply, news, &request, NULL);
    return err ? err : reply->status / 100 == 2 ? 0 : RLX_EPROVIDER;
}

static void spread(uv_work_t *work)
{
    struct news *news = work->data;
    struct rlx_route *route = news->route;

    if (*news->answered_by)
        news->kept = !rlx_call_event(route->store, news->call_id, "amd",
                                     event_data(news, news->answered_by), rlx_wall_ms());
    char *url = holder(news);
    if (!url || !*url || !strcmp(url, route->own_url))
        return;
    int err = tell(news, url);
    rlx_log(err ? RLX_WARN : RLX_INFO, "call.routed", "call_id=%s what=%s to=%s error=%s",
            news->call_id, *news->answered_by ? "amd" : "ended", url, err ? rlx_err_text(err) : "");
}

static void spread_done(uv_work_t *work, int status)
{
    struct news *news = work->data;

    (void)status;
    if (*news->answered_by && !news->kept) /* the store is away: later, for the record */
        rlx_writer_event(news->route->writer, news->call_id, "amd",
                         event_data(news, news->answered_by));
    talloc_free(news);
}

static void bring(struct rlx_route *route, const char *call_id, const char *answered_by)
{
    struct news *news = talloc_zero(NULL, struct news);

    if (!news)
        return;
    news->work.data = news;
    news->route = route;
    snprintf(news->call_id, sizeof news->call_id, "%s", call_id);
    snprintf(news->answered_by, sizeof news->answered_by, "%s", answered_by);
    if (uv_queue_work(route->loop, &news->work, spread, spread_done))
        talloc_free(news);
}

void rlx_route_amd(struct rlx_route *route, const char *call_id, const char *answered_by)
{
    if (rlx_route_is_answer(answered_by))
        bring(route, call_id, answered_by);
}

void rlx_route_ended(struct rlx_route *route, const char *call_id)
{
    bring(route, call_id, "");
}

char *rlx_route_kept_amd(TALLOC_CTX *ctx, struct rlx_store *store, const char *call_id)
{
    json_t *events = NULL, *event;
    const char *answer = NULL;
    size_t i;

    if (rlx_call_events(store, ctx, call_id, 0, EVENTS, &events))
        return NULL;
    json_array_foreach(events, i, event) {
        const char *kind = json_string_value(json_object_get(event, "kind"));
        const char *said =
            json_string_value(json_object_get(json_object_get(event, "data"), "answered_by"));
        if (kind && !strcmp(kind, "amd") && rlx_route_is_answer(said))
            answer = said;
    }
    char *copy = answer ? talloc_strdup(ctx, answer) : NULL;
    json_decref(events);
    return copy;
}

int rlx_route_create(struct rlx_route **routep, TALLOC_CTX *ctx, uv_loop_t *loop,
                     const struct rlx_config *config, struct rlx_store *store,
                     struct rlx_writer *writer, const char *own_url)
{
    struct rlx_route *route = talloc_zero(ctx, struct rlx_route);

    if (!route)
        return -ENOMEM;
    route->loop = loop;
    route->config = config;
    route->store = store;
    route->writer = writer;
    route->own_url = talloc_strdup(route, own_url);
    if (!route->own_url) {
        talloc_free(route);
        return -ENOMEM;
    }
    *routep = route;
    return 0;
}
