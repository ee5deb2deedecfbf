/* The simulator's own routes. */
#include <string.h>

#include "base/err.h"
#include "rest.h"

static void refuse(struct rlx_request *req, int status, const char *why)
{
    rlx_reply_json(req, status, json_pack("{s:s}", "error", why));
}

void rlx_sim_health(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_json(req, 200, json_pack("{s:s}", "status", "ok"));
}

void rlx_sim_callees_add(struct rlx_request *req, void *arg)
{
    struct rlx_exchange *exchange = arg;
    json_t *body = NULL, *description = NULL;
    const char *script, *number;
    char *why = NULL;
    int err = rlx_request_json(req, &body);

    script = err ? NULL : json_string_value(json_object_get(body, "script"));
    number = err ? NULL : json_string_value(json_object_get(body, "number"));
    if (!script) {
        refuse(req, 400,
               "give a JSON object with \"script\" (text) and \"number\" (\"+1…\" or null)");
        return;
    }
    err = rlx_callees_add(exchange->callees, req, number, script, json_object_get(body, "files"),
                          &description, &why);
    if (err)
        refuse(req, err == RLX_EINVAL ? 400 : rlx_err_http(err), why ? why : rlx_err_text(err));
    else
        rlx_reply_json(req, 201, description);
}

void rlx_sim_callees_list(struct rlx_request *req, void *arg)
{
    struct rlx_exchange *exchange = arg;

    rlx_reply_json(req, 200, rlx_callees_list(exchange->callees));
}

void rlx_sim_callees_forget(struct rlx_request *req, void *arg)
{
    struct rlx_exchange *exchange = arg;

    rlx_callees_forget(exchange->callees);
    rlx_reply_json(req, 200, json_object());
}

static bool list_one(struct rlx_call *call, void *arg)
{
    pthread_mutex_lock(&call->lock);
    json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s,s:s}", "sid", call->sid, "to",
                                         call->request.to, "from", call->request.from, "status",
                                         call->status, "state", call->state));
    pthread_mutex_unlock(&call->lock);
    return true;
}

void rlx_sim_calls(struct rlx_request *req, void *arg)
{
    json_t *list = json_array();

    rlx_call_each(arg, list_one, list);
    rlx_reply_json(req, 200, json_pack("{s:o}", "calls", list));
}

/* The call of the path; NULL when there is none, which was answered then. */
static struct rlx_call *find(struct rlx_request *req, struct rlx_exchange *exchange)
{
    struct rlx_call *call = rlx_call_find(exchange, rlx_request_param(req, "sid"));

    if (!call)
        refuse(req, 404, "no such call (or it was forgotten: the newest 1000 are kept)");
    return call;
}

void rlx_sim_call(struct rlx_request *req, void *arg)
{
    struct rlx_call *call = find(req, arg);

    if (!call)
        return;
    rlx_reply_json(req, 200, rlx_call_report(call));
    rlx_call_put(call);
}

void rlx_sim_call_hangup(struct rlx_request *req, void *arg)
{
    struct rlx_call *call = find(req, arg);

    if (!call)
        return;
    rlx_call_drop(call);
    rlx_reply_json(req, 200, json_object());
    rlx_call_put(call);
}

static void send_tape(struct rlx_request *req, struct rlx_call *call,
                      const struct rlx_call_tape *tape)
{
    size_t length = 0;
    uint8_t *wav = rlx_call_wav(req, call, tape, &length);

    if (wav)
        rlx_reply(req, 200, "audio/wav", wav, length);
    else
        refuse(req, 500, "out of memory");
}

void rlx_sim_call_heard(struct rlx_request *req, void *arg)
{
    struct rlx_call *call = find(req, arg);

    if (!call)
        return;
    send_tape(req, call, &call->heard);
    rlx_call_put(call);
}

void rlx_sim_call_said(struct rlx_request *req, void *arg)
{
    struct rlx_call *call = find(req, arg);

    if (!call)
        return;
    send_tape(req, call, &call->said);
    rlx_call_put(call);
}
