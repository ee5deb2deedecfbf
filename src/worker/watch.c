/* Calls that were dialed and never heard of again. */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "provider/carrier.h"
#include "store/calls.h"
#include "store/secrets.h"
#include "worker/tasks.h"

#define STALE_MS 90000
#define HOPELESS_MS 600000

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void close_call(struct rlx_store *store, const char *id, const char *status,
                       const char *reason)
{
    const struct rlx_call_end end = {.status = status, .reason = reason, .ended_ms = rlx_wall_ms()};

    if (!rlx_call_end(store, id, &end))
        rlx_log(RLX_WARN, "call.stale", "call_id=%s status=%s reason=%s", id, status, reason);
}

static void judge(struct rlx_store *store, const struct rlx_config *config, const json_t *call,
                  int64_t now_ms)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    const char *id = text_of(call, "id"), *sid = text_of(call, "twilio_sid");
    int64_t dialed_ms = json_integer_value(json_object_get(call, "dialed_ms"));
    char *status = NULL;
    int err = rlx_call_config(store, config, tmp, id, &config);

    if (!err)
        err = rlx_carrier_status(&status, tmp, config, sid);
    if (err == RLX_ENOTFOUND) {
        close_call(store, id, "failed", "the carrier does not know the call");
    } else if (!err && !strcmp(status, "completed")) {
        close_call(store, id, "failed", "stream_never_started");
    } else if (!err && (!strcmp(status, "busy") || !strcmp(status, "no-answer") ||
                        !strcmp(status, "failed") || !strcmp(status, "canceled"))) {
        close_call(store, id, status, "carrier");
    } else if (now_ms - dialed_ms >= HOPELESS_MS) {
        if (!err && rlx_carrier_hangup(config, sid))
            rlx_log(RLX_WARN, "call.stale_hangup", "call_id=%s sid=%s", id, sid);
        close_call(store, id, "failed", "stream_never_started");
    }
    talloc_free(tmp);
}

void rlx_watch_stale(struct rlx_store *store, const struct rlx_config *config, int64_t now_ms)
{
    json_t *calls = NULL, *call;
    size_t i;

    if (rlx_calls_stale(store, NULL, now_ms, STALE_MS, &calls))
        return;
    json_array_foreach (calls, i, call)
        judge(store, config, call, now_ms);
    json_decref(calls);
}
