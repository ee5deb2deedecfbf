/* The dial job.
 *
 * The attempt is committed before the carrier is asked. From then on nobody asks again: when the
 * answer was lost (a crash, a broken connection, a 5xx), the carrier's own list of calls is asked
 * until it shows the call, or until the time in which it could still appear (ringing + 30 s) is
 * over; then the call is failed as unknown and shown, never dialed a second time. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "provider/allowed.h"
#include "provider/carrier.h"
#include "store/calls.h"
#include "store/secrets.h"
#include "store/usage.h"
#include "worker/tasks.h"

#define SIMULATED_FROM "+15005550006" /* Twilio's own test number that may be a caller */
#define RING_S 30
#define FATE_MS ((RING_S + 30) * 1000LL)
#define SKEW_MS 3000
#define LOOK_AGAIN_MS 2000

struct dial {
    const struct rlx_task *task;
    const struct rlx_config *config; /* as it is for the call's user: his carrier account, if he has one */
    TALLOC_CTX *ctx;
    json_t *call;
    const char *id, *to, *from;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void fail_call(const struct dial *d, const char *reason)
{
    const struct rlx_call_end end = {
        .status = "failed", .reason = reason, .ended_ms = rlx_wall_ms()};
    int err = rlx_call_end(d->task->store, d->id, &end);

    if (err)
        rlx_task_again(d->task, rlx_err_text(err), LOOK_AGAIN_MS);
    else
        rlx_task_done(d->task);
}

static char *gateway_url(TALLOC_CTX *ctx, const struct rlx_config *config, const char *what,
                         const char *call_id)
{
    const char *given = rlx_config_get(config, RLX_CFG_VOICE_GATEWAY_URL);
    size_t length = strlen(given);

    while (length && given[length - 1] == '/')
        length--;
    if (length)
        return talloc_asprintf(ctx, "%.*s/twilio/%s/%s", (int)length, given, what, call_id);
    return talloc_asprintf(ctx, "http://127.0.0.1:%ld/twilio/%s/%s",
                           rlx_config_int(config, RLX_CFG_GATEWAY_PORT), what, call_id);
}

/* The sid is known: kept, and the call hung up at once when it was canceled meanwhile. */
static int keep_sid(const struct dial *d, const char *sid)
{
    char *known = NULL, *status = NULL, *reason = NULL;
    int err = rlx_call_set_sid(d->task->store, d->id, sid);

    if (err)
        return err;
    rlx_call_progress(d->task->store, d->id, "queued");
    rlx_log(RLX_INFO, "dial.placed", "call_id=%s sid=%s", d->id, sid);
    if (!rlx_call_peek(d->task->store, d->ctx, d->id, &known, &status, &reason) &&
        !strcmp(status, "canceled") && rlx_carrier_hangup(d->config, sid))
        rlx_log(RLX_WARN, "dial.hangup", "call_id=%s sid=%s", d->id, sid);
    rlx_task_done(d->task);
    return 0;
}

static void refused(const struct dial *d, int code, const char *why)
{
    rlx_log(RLX_WARN, "dial.refused", "call_id=%s code=%d why=%s", d->id, code, why);
    rlx_dial_end(d->task->store, d->id, "refused", code, why);
    fail_call(d, why);
}

/* The row that the call's end completes. When it can't be written now, the call is worth more than its price. */
static void count_carrier(const struct dial *d)
{
    const struct rlx_usage item = {
        .stage = "carrier",
        .provider = rlx_carrier_is_simulated(d->config) ? "simulator" : "twilio",
        .own = d->config != d->task->config &&
               strcmp(rlx_config_get(d->config, RLX_CFG_TWILIO_ACCOUNT_SID),
                      rlx_config_get(d->task->config, RLX_CFG_TWILIO_ACCOUNT_SID)) != 0,
        .requests = 1,
    };
    int err = rlx_usage_put(d->task->store, d->id, text_of(d->call, "user_id"), &item, 1,
                            d->task->now_ms);

    if (err)
        rlx_log(RLX_WARN, "dial.usage", "call_id=%s error=%s", d->id, rlx_err_text(err));
}

static void place(const struct dial *d)
{
    const struct rlx_config *config = d->config;
    const json_t *agent = json_object_get(d->call, "agent");
    json_int_t limit_s = json_integer_value(json_object_get(d->call, "max_duration_s"));
    const struct rlx_dial dial = {
        .to = d->to,
        .from = d->from,
        .answer_url = gateway_url(d->ctx, config, "voice", d->id),
        .status_url = gateway_url(d->ctx, config, "status", d->id),
        .amd_url = gateway_url(d->ctx, config, "amd", d->id),
        .amd_message_end = *text_of(agent, "voicemail_message") != '\0',
        .ring_s = RING_S,
        /* A backstop behind the conversation's own limit. */
        .max_duration_s = (uint32_t)(limit_s > 0 ? limit_s + 60 : 660),
    };
    char *sid = NULL, *why = NULL;
    int code = 0;

    count_carrier(d);
    int err = dial.answer_url && dial.status_url && dial.amd_url
                  ? rlx_carrier_dial(&sid, d->ctx, config, &dial, &code, &why)
                  : RLX_EPROVIDER;
    if (err == RLX_EPROVIDER || err == RLX_ECONFIG || err == -EINVAL) {
        refused(d, code, why ? why : rlx_err_text(err));
        return;
    }
    if (!err)
        err = keep_sid(d, sid);
    if (err) {
        rlx_log(RLX_WARN, "dial.unknown", "call_id=%s why=%s", d->id,
                why ? why : rlx_err_text(err));
        rlx_task_again(d->task, why ? why : rlx_err_text(err), LOOK_AGAIN_MS);
    }
}

/* An attempt whose answer was lost. */
static void look_up(const struct dial *d, int64_t since_ms)
{
    char *sid = NULL;
    int err = rlx_carrier_find(&sid, d->ctx, d->config, d->to, d->from, since_ms - SKEW_MS);

    if (!err && !(err = keep_sid(d, sid)))
        return;
    if (d->task->now_ms - since_ms < FATE_MS) {
        rlx_task_again(d->task, rlx_err_text(err), LOOK_AGAIN_MS);
        return;
    }
    /* Also when the carrier can't be asked: the status callback, whose URL holds the call's id,
     * would have come by now. */
    rlx_log(RLX_ERROR, "dial.fate_unknown", "call_id=%s", d->id);
    rlx_dial_end(d->task->store, d->id, "unknown", 0, "the carrier shows no such call");
    fail_call(d, "the carrier's answer was lost, and it shows no such call: not dialed again");
}

static bool may_dial(const struct dial *d)
{
    const char *status = text_of(d->call, "status");
    bool listed = false;

    if (rlx_call_is_over(status) || *text_of(d->call, "twilio_sid")) {
        rlx_task_done(d->task);
        return false;
    }
    if (!json_is_object(json_object_get(d->call, "agent"))) {
        fail_call(d, "the agent was deleted before the call was dialed");
        return false;
    }
    int err = rlx_dnc_has(d->task->store, text_of(d->call, "user_id"), d->to, &listed);
    if (err)
        rlx_task_again(d->task, rlx_err_text(err), LOOK_AGAIN_MS);
    else if (listed)
        fail_call(d, "dnc");
    return !err && !listed;
}

/* Again what the API has asked: limits may have been lowered since, and calls that waited now count. */
static bool allowed(const struct dial *d)
{
    const char *code = NULL;
    char *why = NULL;
    int64_t now_ms = d->task->now_ms;
    int err = rlx_call_allowed(d->task->store, d->ctx, d->task->config, d->config,
                               text_of(d->call, "user_id"), d->id, d->to,
                               text_of(d->call, "caller_id"), now_ms, &code, &why);

    if (!err)
        return true;
    if (!code)
        rlx_task_again(d->task, rlx_err_text(err), LOOK_AGAIN_MS);
    else if (!strcmp(code, "concurrent_calls_limit"))
        rlx_task_again(d->task, code, LOOK_AGAIN_MS);
    else
        fail_call(d, code);
    return false;
}

static const char *caller(const struct dial *d)
{
    const char *own = text_of(d->call, "caller_id");
    const char *number = rlx_config_get(d->config, RLX_CFG_TWILIO_PHONE_NUMBER);

    return *own ? own : *number ? number : SIMULATED_FROM;
}

static void dial_call(struct dial *d)
{
    struct rlx_dial_state state = {0};

    d->to = text_of(d->call, "phone_number");
    d->from = caller(d);
    /* An attempt that was made is looked up even if the number was listed since. */
    int err = rlx_dial_look(d->task->store, d->id, &state);
    if (err == RLX_ENOTFOUND && (!may_dial(d) || !allowed(d)))
        return;
    if (!err || err == RLX_ENOTFOUND)
        err = rlx_dial_begin(d->task->store, d->id, d->to, d->from, d->task->now_ms, &state);
    if (err == RLX_ECONFLICT)
        rlx_task_again(d->task, "another call between these numbers is being placed", 1000);
    else if (err == RLX_ELIMIT)
        rlx_task_again(d->task, "concurrent_calls_limit", LOOK_AGAIN_MS);
    else if (err)
        rlx_task_again(d->task, rlx_err_text(err), LOOK_AGAIN_MS);
    else if (state.may_dial)
        place(d);
    else if (state.undecided)
        look_up(d, state.since_ms);
    else if (!rlx_call_is_over(text_of(d->call, "status")) && !*text_of(d->call, "twilio_sid"))
        fail_call(d, "the carrier refused the call"); /* decided, but the end was not written */
    else
        rlx_task_done(d->task);
}

void rlx_task_dial(const struct rlx_task *task)
{
    struct dial d = {.task = task, .ctx = talloc_new(NULL)};

    d.id = text_of(task->job->payload, "call_id");
    int err = rlx_call_load(task->store, d.ctx, d.id, &d.call);
    if (!err)
        err = rlx_user_config(task->store, task->config, d.ctx, text_of(d.call, "user_id"),
                              &d.config);
    if (err == RLX_ENOTFOUND)
        rlx_task_dead(task, "the call is gone");
    else if (err == RLX_ECONFIG) /* what its user stored can't be read */
        fail_call(&d, "SECRETS_KEY does not open the account's own keys");
    else if (err)
        rlx_task_again(task, rlx_err_text(err), LOOK_AGAIN_MS);
    else
        dial_call(&d);
    json_decref(d.call);
    talloc_free(d.ctx);
}
