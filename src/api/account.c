/* What the account may do. What protects the operator (calls, minutes, countries, caller IDs) only
 * he changes, by relayx user limit; how long things are kept is the user's choice. */
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "store/limits.h"

static void answer(struct rlx_request *req, struct rlx_api *api, int err)
{
    json_t *json = NULL;

    if (!err)
        err = rlx_account_limits_json(api->store, rlx_api_user(req), rlx_wall_ms(), &json);
    if (err == RLX_ENOTFOUND) /* the account is gone, its token is not */
        rlx_reply_error(req, RLX_EAUTH, "the account does not exist any more");
    else if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_reply_json(req, 200, json);
}

void rlx_api_limits(struct rlx_request *req, void *arg)
{
    answer(req, arg, 0);
}

void rlx_api_limits_update(struct rlx_request *req, void *arg)
{
    static const char *const operators[] = {"concurrent_calls", "minutes_per_day", "countries",
                                            "caller_ids"};
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req), *now = NULL;
    int err = rlx_account_limits_json(api->store, rlx_api_user(req), rlx_wall_ms(), &now);

    for (size_t i = 0; !err && i < sizeof operators / sizeof operators[0]; i++) {
        const json_t *value = json_object_get(body, operators[i]);
        if (value && !json_equal(value, json_object_get(now, operators[i]))) {
            rlx_reply_error(req, RLX_EFORBIDDEN,
                            "only recording_days and transcript_days are the account's to change; "
                            "the rest is the operator's: relayx user limit");
            goto out;
        }
        json_object_del(body, operators[i]);
    }
    json_object_del(body, "used");
    if (!err)
        err = rlx_account_limits_set(api->store, rlx_api_user(req), body);
    answer(req, api, err);
out:
    json_decref(body);
    json_decref(now);
}
