/* Calls: placing one, and what is known of them. */
#include "store/calls.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "api/phone_number.h"
#include "api/private.h"
#include "api/query_time.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "call/template.h"
#include "provider/allowed.h"
#include "store/agents.h"
#include "store/limits.h"
#include "store/secrets.h"

#define COUNT(rules) (sizeof(rules) / sizeof(rules)[0])
#define SID_WAIT_MS 3000
#define SID_POLL_MS 40

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Only a number that can't exist is refused; one that is merely unknown to the metadata is noted
 * (*validp). */
static bool can_exist(struct rlx_request *req, struct rlx_api *api, const char *number,
                      bool *validp)
{
    const char *why = NULL;
    bool valid = true;

    if (!rlx_carrier_is_simulated(api->config) && !rlx_phone_possible(number, &valid, &why)) {
        rlx_api_invalid(req, "phone_number", why);
        return false;
    }
    if (!valid)
        rlx_log(RLX_WARN, "outbound.number", "warning=%s", "not a number of an assigned range");
    *validp = valid;
    return true;
}

/* The call's own greeting is a template as the agent's. */
static bool greets_well(struct rlx_request *req, const json_t *body)
{
    char *why = NULL;

    if (!rlx_template_check(req, text_of(body, "greeting"), &why))
        return true;
    rlx_api_invalid(req, "greeting", why ? why : "holds a {{variable}} that is not known");
    return false;
}

/* The agent must be the user's and switched on, the number not listed. Answers when it is not so.
 */
static bool may_call(struct rlx_request *req, struct rlx_api *api, const char *user,
                     const json_t *body)
{
    char *json = NULL;
    bool listed = false;
    int err = rlx_agent_get(api->store, req, user, text_of(body, "agent_id"), &json);

    if (err) {
        rlx_api_reply_store(req, err, "agent");
        return false;
    }
    json_t *agent = json_loads(json, 0, NULL);
    bool active = json_is_true(json_object_get(agent, "is_active"));
    json_decref(agent);
    if (!active) {
        rlx_api_reply_code(req, 409, "agent_inactive", "the agent is switched off (is_active)");
        return false;
    }
    err = rlx_dnc_has(api->store, user, text_of(body, "phone_number"), &listed);
    if (err)
        rlx_api_reply_store(req, err, "call");
    else if (listed)
        rlx_api_reply_code(req, 403, "dnc", "this number is on your do-not-call list");
    return !err && !listed;
}

/* The account's limits; a request that came before is answered whatever they say now. */
static bool within_limits(struct rlx_request *req, struct rlx_api *api, const char *user,
                          const json_t *body, const char *key)
{
    const struct rlx_config *config = NULL;
    const char *code = NULL;
    char *why = NULL;
    bool known = false;
    int err = key ? rlx_idempotency_known(api->store, user, key, &known) : 0;

    if (!err && known)
        return true;
    if (!err)
        err = rlx_user_config(api->store, api->config, req, user, &config);
    if (!err)
        err = rlx_call_allowed(api->store, req, api->config, config, user, NULL,
                               text_of(body, "phone_number"), text_of(body, "caller_id"),
                               rlx_wall_ms(), &code, &why);
    if (!err)
        return true;
    if (err == RLX_ELIMIT)
        rlx_reply_header(req, "Retry-After", "60");
    if (code)
        rlx_api_reply_code(req, err == RLX_ELIMIT ? 429 : 403, code, why ? why : code);
    else if (err == RLX_ECONFIG)
        rlx_api_reply_code(req, 424, "secrets_key_missing", rlx_secrets_why());
    else
        rlx_api_reply_store(req, err, "user");
    return false;
}

static void nap(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

/* Waits until the carrier has given a sid or refused, at most SID_WAIT_MS. */
static int wait_for_sid(struct rlx_request *req, struct rlx_api *api, const char *call_id,
                        char **sidp, char **reasonp, bool *failedp)
{
    uint64_t until_ms = rlx_now_ms() + SID_WAIT_MS;
    int err;

    for (;;) {
        TALLOC_CTX *tmp = talloc_new(req);
        char *sid = NULL, *status = NULL, *reason = NULL;
        err = rlx_call_peek(api->store, tmp, call_id, &sid, &status, &reason);
        if (!err) {
            *sidp = *sid ? talloc_steal(req, sid) : NULL;
            *failedp = !*sid && !strcmp(status, "failed");
            *reasonp = talloc_steal(req, reason);
        }
        talloc_free(tmp);
        if (err || *sidp || *failedp || rlx_now_ms() >= until_ms || atomic_load(&api->stopping))
            return err;
        nap(SID_POLL_MS);
    }
}

static void answer_outbound(struct rlx_request *req, struct rlx_api *api, const char *call_id,
                            bool valid)
{
    char *sid = NULL, *reason = NULL;
    bool failed = false;
    /* The call is committed: whatever the wait gives, the client must learn its id. */
    int err = wait_for_sid(req, api, call_id, &sid, &reason, &failed);

    if (err)
        rlx_log(RLX_WARN, "outbound.wait", "call_id=%s error=%s", call_id, rlx_err_text(err));
    if (failed) {
        json_t *json = json_pack("{s:s,s:s,s:s}", "detail", reason, "code", "carrier_refused",
                                 "call_id", call_id);
        if (json)
            rlx_reply_json(req, 502, json);
        else
            rlx_api_reply_code(req, 502, "carrier_refused", "the carrier refused the call");
        return;
    }
    json_t *answer = json_pack("{s:s,s:s,s:s?,s:s}", "call_id", call_id, "status", "initiated",
                               "twilio_sid", sid, "message", "Call initiated successfully");
    if (!valid)
        json_object_set_new(
            answer, "warnings",
            json_pack("[s]", "phone_number is not in a range that is known to be assigned"));
    rlx_reply_json(req, 200, answer);
}

/* The values that go with the call rather than into its columns. */
static json_t *options_of(const json_t *body)
{
    static const char *const names[] = {"variables",      "greeting",  "llm_model",
                                        "max_duration_s", "caller_id", "purpose"};
    json_t *options = json_object();

    for (size_t i = 0; i < COUNT(names); i++) {
        json_t *value = json_object_get(body, names[i]);
        if (value && !json_is_null(value))
            json_object_set(options, names[i], value);
    }
    return options;
}

void rlx_api_call_outbound(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *key = rlx_request_header(req, "Idempotency-Key"), *user = rlx_api_user(req);
    char *call_id = NULL;
    bool valid = true;

    json_t *body = rlx_api_body(req);
    if (!can_exist(req, api, text_of(body, "phone_number"), &valid) || !greets_well(req, body) ||
        !may_call(req, api, user, body) || !within_limits(req, api, user, body, key)) {
        json_decref(body);
        return;
    }
    json_t *options = options_of(body);
    json_t *metadata = json_object_get(body, "metadata");
    int err = rlx_call_create(
        api->store, req, user, text_of(body, "agent_id"), text_of(body, "phone_number"),
        json_is_object(metadata) ? metadata : NULL, options, key, &call_id, NULL);
    json_decref(options);
    json_decref(body);
    if (err == RLX_ECONFLICT)
        rlx_api_reply_code(req, 409, "idempotency_conflict",
                           "this Idempotency-Key came before with another body");
    else if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        answer_outbound(req, api, call_id, valid);
}

/* ---- reading ---- */

void rlx_api_calls_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor, *user = rlx_api_user(req);
    const char *number = rlx_request_query(req, "phone_number");
    char from[RLX_TIME_TEXT], to[RLX_TIME_TEXT];
    const struct rlx_calls_filter filter = {
        .agent_id = rlx_request_query(req, "agent_id"),
        .status = rlx_request_query(req, "status"),
        .outcome = rlx_request_query(req, "outcome"),
        .sentiment = rlx_request_query(req, "sentiment"),
        .direction = rlx_request_query(req, "direction"),
        /* a "+" that was not escaped comes as a space */
        .phone_number = number && *number == ' ' ? number + 1 : number,
        .from = rlx_api_time_of(req, "from", from) ? from : NULL,
        .to = rlx_api_time_of(req, "to", to) ? to : NULL,
        .words = rlx_request_query(req, "q"),
    };
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_calls_list(api->store, req, user, &filter, limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "call");
    else
        rlx_api_reply_list(req, json, next, total);
}

typedef int read_h(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                   const char *call_id, char **jsonp);

/* Reads a JSON text of one call; NULL when the answer was given. */
static char *read_call(struct rlx_request *req, struct rlx_api *api, read_h *read)
{
    const char *id = rlx_api_id(req, "call_id"), *user = rlx_api_user(req);
    char *json = NULL;

    int err = read(api->store, req, user, id, &json);
    if (err) {
        rlx_api_reply_store(req, err, "call");
        return NULL;
    }
    return json;
}

void rlx_api_call_get(struct rlx_request *req, void *arg)
{
    char *json = read_call(req, arg, rlx_call_get);

    if (json)
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_call_transcripts(struct rlx_request *req, void *arg)
{
    char *json = read_call(req, arg, rlx_call_transcripts);

    if (json)
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_call_analysis(struct rlx_request *req, void *arg)
{
    char *text = read_call(req, arg, rlx_call_analysis);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    const char *status = text_of(json, "status");
    bool pending = status && !strcmp(status, "pending");

    if (text)
        rlx_api_reply_text(req, pending ? 202 : 200, text);
    json_decref(json);
}
