/* Twilio's REST API, 2010-04-01: Calls. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/http.h"
#include "base/log.h"
#include "provider/carrier.h"
#include "provider/openai.h"

#define TIMEOUT_MS 12000 /* Twilio answers within a second; after this the call's fate is open */
#define NOT_IN_PROGRESS 21220
#define FIND_PAGE "50"

/* What the numbers mean for the one who placed the call (twilio.com/docs/api/errors). */
static const struct {
    int code;
    const char *text;
} refusals[] = {
    {20003,
     "the account SID or the auth token is wrong: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"},
    {20005, "the account is suspended or not active"},
    {20429, "too many requests at once"},
    {21205, "the webhook URL can't be reached by the carrier: check VOICE_GATEWAY_URL"},
    {21210, "the caller ID is no number of this account: buy or verify it"},
    {21211, "the number to call is not valid"},
    {21212, "the caller ID is not valid: check TWILIO_PHONE_NUMBER"},
    {21214, "the number can't be reached by the carrier"},
    {21215, "calls to this country are not enabled for the account (geographic permissions)"},
    {21216, "the account may not call this number"},
    {21217, "the number to call looks wrong"},
    {21219, "a trial account may only call verified numbers"},
    {21220, "the call is not in progress"},
    {21606, "the caller ID can't be used by this account"},
    {22005, "the carrier's queue of calls is full"},
};

/* ---- requests ---- */

struct carrier {
    const char *base, *sid, *token;
    char *auth; /* "sid:token" */
};

static int open_carrier(struct carrier *c, TALLOC_CTX *ctx, const struct rlx_config *config)
{
    c->base = rlx_config_get(config, RLX_CFG_TWILIO_API_URL);
    c->sid = rlx_config_get(config, RLX_CFG_TWILIO_ACCOUNT_SID);
    c->token = rlx_config_get(config, RLX_CFG_TWILIO_AUTH_TOKEN);
    if (!*c->sid || !*c->token || !*c->base)
        return RLX_ECONFIG;
    c->auth = talloc_asprintf(ctx, "%s:%s", c->sid, c->token);
    return c->auth ? 0 : -ENOMEM;
}

/* application/x-www-form-urlencoded */
static char *add_field(char *form, const char *name, const char *value)
{
    if (!form)
        return NULL;
    size_t room = strlen(value) * 3 + 1;
    char *coded = talloc_size(form, room), *at = coded;
    if (!coded)
        return NULL;
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (isalnum(*p) || strchr("-._~", *p))
            *at++ = (char)*p;
        else
            at += snprintf(at, 4, "%%%02X", *p);
    }
    *at = '\0';
    form = talloc_asprintf_append(form, "%s%s=%s", *form ? "&" : "", name, coded);
    talloc_free(coded);
    return form;
}

static char *add_number(char *form, const char *name, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    return add_field(form, name, text);
}

/* `path` follows Accounts/{sid}/. With `form` a POST. *jsonp (may stay NULL) is the answer. */
static int ask(struct rlx_http_reply **replyp, json_t **jsonp, TALLOC_CTX *ctx,
               const struct carrier *c, const char *path, const char *form, char **whyp)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json", NULL};
    size_t base = strlen(c->base);
    while (base && c->base[base - 1] == '/')
        base--;
    char *url =
        talloc_asprintf(ctx, "%.*s/2010-04-01/Accounts/%s/%s", (int)base, c->base, c->sid, path);
    if (!url)
        return -ENOMEM;
    const struct rlx_http_request request = {.url = url,
                                             .headers = headers,
                                             .basic_auth = c->auth,
                                             .body = form,
                                             .timeout_ms = TIMEOUT_MS};
    int err = rlx_http(replyp, ctx, &request, whyp);
    if (!err)
        *jsonp = json_loadb((*replyp)->body, (*replyp)->length, 0, NULL);
    return err;
}

static bool is_success(const struct rlx_http_reply *reply)
{
    return reply->status >= 200 && reply->status < 300;
}

static int error_code(const json_t *json)
{
    json_int_t code = json_integer_value(json_object_get(json, "code"));
    return code > 0 && code < 1000000 ? (int)code : 0;
}

static char *explain(TALLOC_CTX *ctx, const struct rlx_http_reply *reply, int code)
{
    char *words = rlx_provider_message(ctx, reply->body, reply->length);
    const char *own = NULL;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].code == code)
            own = refusals[i].text;
    }
    if (!own && reply->status == 401)
        own = refusals[0].text;
    if (!own && reply->status == 429)
        own = "too many requests at once";
    if (own && words)
        return talloc_asprintf(ctx, "%s (the carrier's words: %s)", own, words);
    if (own || words)
        return talloc_strdup(ctx, own ? own : words);
    return talloc_asprintf(ctx, "the carrier answered HTTP %ld", reply->status);
}

/* ---- dial ---- */

static char *dial_form(TALLOC_CTX *ctx, const struct rlx_dial *dial)
{
    static const char *const events[] = {"initiated", "ringing", "answered", "completed"};
    char *form = talloc_strdup(ctx, "");
    form = add_field(form, "To", dial->to);
    form = add_field(form, "From", dial->from);
    form = add_field(form, "Url", dial->answer_url);
    form = add_field(form, "Method", "POST");
    if (dial->status_url) {
        form = add_field(form, "StatusCallback", dial->status_url);
        form = add_field(form, "StatusCallbackMethod", "POST");
        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
            form = add_field(form, "StatusCallbackEvent", events[i]);
    }
    form = add_number(form, "Timeout", dial->ring_s ? dial->ring_s : 30);
    if (dial->max_duration_s)
        form = add_number(form, "TimeLimit", dial->max_duration_s);
    if (dial->amd_url) {
        form = add_field(form, "MachineDetection",
                         dial->amd_message_end ? "DetectMessageEnd" : "Enable");
        form = add_field(form, "AsyncAmd", "true");
        form = add_field(form, "AsyncAmdStatusCallback", dial->amd_url);
        form = add_field(form, "AsyncAmdStatusCallbackMethod", "POST");
    }
    return form;
}

static void tell(char **whyp, TALLOC_CTX *ctx, const char *why)
{
    if (whyp)
        *whyp = talloc_strdup(ctx, why);
}

/* An answer of 5xx may come from behind a call that was placed: as open as no answer at all. */
static int judge_dial(char **sidp, TALLOC_CTX *ctx, const struct rlx_http_reply *reply,
                      const json_t *json, int *codep, char **whyp)
{
    const char *sid = json_string_value(json_object_get(json, "sid"));
    int code = error_code(json);
    if (codep)
        *codep = code;
    if (is_success(reply)) {
        if (!sid || !*sid) {
            tell(whyp, ctx, "the carrier's answer holds no call sid");
            return -EIO;
        }
        *sidp = talloc_strdup(ctx, sid);
        return *sidp ? 0 : -ENOMEM;
    }
    if (whyp)
        *whyp = explain(ctx, reply, code);
    return reply->status >= 500 ? -EIO : RLX_EPROVIDER;
}

int rlx_carrier_dial(char **sidp, TALLOC_CTX *ctx, const struct rlx_config *config,
                     const struct rlx_dial *dial, int *codep, char **whyp)
{
    struct carrier c;
    struct rlx_http_reply *reply = NULL;
    json_t *json = NULL;
    char *why = NULL;

    if (!sidp || !config || !dial || !dial->to || !dial->from || !dial->answer_url)
        return -EINVAL;
    if (codep)
        *codep = 0;
    TALLOC_CTX *tmp = talloc_new(ctx);
    int err = tmp ? open_carrier(&c, tmp, config) : -ENOMEM;
    if (err == RLX_ECONFIG)
        tell(whyp, ctx, "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set");
    if (err)
        goto out;
    char *form = dial_form(tmp, dial);
    if (!form) {
        err = -ENOMEM;
        goto out;
    }
    err = ask(&reply, &json, tmp, &c, "Calls.json", form, &why);
    if (!err) {
        err = judge_dial(sidp, ctx, reply, json, codep, whyp);
        goto out;
    }
    if (whyp)
        *whyp =
            talloc_asprintf(ctx, "the carrier can't be reached: %s", why ? why : rlx_err_text(err));
    /* Nobody was there to take the order: certain. Anything else may have happened after it was
     * taken. */
    if (err == -ECONNREFUSED)
        err = RLX_EPROVIDER;
    else if (err == RLX_EPROVIDER || err == RLX_ETOOBIG)
        err = -EIO;
out:
    json_decref(json);
    talloc_free(tmp);
    return err;
}

/* ---- the other requests ---- */

/* A sid goes into a path: only what one can hold. */
static bool is_sid(const char *sid)
{
    return sid && *sid && strlen(sid) <= 64 &&
           strspn(sid, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") ==
               strlen(sid);
}

static int ask_call(struct rlx_http_reply **replyp, json_t **jsonp, TALLOC_CTX *ctx,
                    const struct rlx_config *config, const char *sid, const char *form)
{
    struct carrier c;
    char *why = NULL;
    if (!config || !is_sid(sid))
        return -EINVAL;
    int err = open_carrier(&c, ctx, config);
    char *path = err ? NULL : talloc_asprintf(ctx, "Calls/%s.json", sid);
    if (!path)
        return err ? err : -ENOMEM;
    err = ask(replyp, jsonp, ctx, &c, path, form, &why);
    if (err)
        rlx_log(RLX_WARN, "carrier.unreachable", "why=%s", why ? why : rlx_err_text(err));
    return err;
}

int rlx_carrier_hangup(const struct rlx_config *config, const char *sid)
{
    struct rlx_http_reply *reply = NULL;
    json_t *json = NULL;
    TALLOC_CTX *tmp = talloc_new(NULL);
    int err = tmp ? ask_call(&reply, &json, tmp, config, sid, "Status=completed") : -ENOMEM;
    if (!err && !is_success(reply) && reply->status != 404 && error_code(json) != NOT_IN_PROGRESS) {
        rlx_log(RLX_WARN, "carrier.hangup_refused", "sid=%s why=%s", sid,
                explain(tmp, reply, error_code(json)));
        err = RLX_EPROVIDER;
    }
    json_decref(json);
    talloc_free(tmp);
    return err;
}

int rlx_carrier_status(char **statusp, TALLOC_CTX *ctx, const struct rlx_config *config,
                       const char *sid)
{
    struct rlx_http_reply *reply = NULL;
    json_t *json = NULL;
    if (!statusp)
        return -EINVAL;
    TALLOC_CTX *tmp = talloc_new(ctx);
    int err = tmp ? ask_call(&reply, &json, tmp, config, sid, NULL) : -ENOMEM;
    if (err)
        goto out;
    const char *status = json_string_value(json_object_get(json, "status"));
    if (reply->status == 404)
        err = RLX_ENOTFOUND;
    else if (!is_success(reply) || !status)
        err = RLX_EPROVIDER;
    else
        err = (*statusp = talloc_strdup(ctx, status)) ? 0 : -ENOMEM;
out:
    json_decref(json);
    talloc_free(tmp);
    return err;
}

/* "Tue, 31 Aug 2010 20:36:28 +0000" (RFC 2822), or RFC 3339 as compatible servers send it; -1 =
 * neither. */
static int64_t parse_time(const char *text)
{
    struct tm tm = {0};
    const char *rest = text ? strptime(text, "%a, %d %b %Y %H:%M:%S", &tm) : NULL;
    if (!rest && text)
        rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest)
        return -1;
    int64_t at_s = timegm(&tm);
    rest += strspn(rest, " .0123456789");
    if ((*rest == '+' || *rest == '-') && strlen(rest) >= 5) {
        char digits[5] = {rest[1], rest[2], rest[3] == ':' ? rest[4] : rest[3],
                          rest[3] == ':' ? rest[5] : rest[4], '\0'};
        long zone = strtol(digits, NULL, 10);
        long offset_s = (zone / 100 * 60 + zone % 100) * 60;
        at_s -= *rest == '+' ? offset_s : -offset_s;
    }
    return at_s * 1000;
}

/* Twilio's times are whole seconds: the second that since_ms lies in counts. */
static const char *newest(const json_t *list, int64_t since_ms)
{
    const json_t *call;
    const char *found = NULL;
    int64_t best = since_ms / 1000 * 1000 - 1;
    size_t i;
    json_array_foreach(json_object_get(list, "calls"), i, call)
    {
        const char *sid = json_string_value(json_object_get(call, "sid"));
        int64_t at = parse_time(json_string_value(json_object_get(call, "date_created")));
        if (at < 0) /* a queued call has no start, but any call has a making */
            at = parse_time(json_string_value(json_object_get(call, "start_time")));
        if (sid && at > best) {
            best = at;
            found = sid;
        }
    }
    return found;
}

int rlx_carrier_find(char **sidp, TALLOC_CTX *ctx, const struct rlx_config *config, const char *to,
                     const char *from, int64_t since_ms)
{
    struct carrier c;
    struct rlx_http_reply *reply = NULL;
    json_t *json = NULL;
    char *why = NULL;

    if (!sidp || !config || !to || !from)
        return -EINVAL;
    TALLOC_CTX *tmp = talloc_new(ctx);
    int err = tmp ? open_carrier(&c, tmp, config) : -ENOMEM;
    if (err)
        goto out;
    char *query = add_field(add_field(talloc_strdup(tmp, ""), "To", to), "From", from);
    char *path = query ? talloc_asprintf(tmp, "Calls.json?%s&PageSize=" FIND_PAGE, query) : NULL;
    err = path ? ask(&reply, &json, tmp, &c, path, NULL, &why) : -ENOMEM;
    if (!err && !is_success(reply))
        err = RLX_EPROVIDER;
    if (!err) {
        const char *sid = newest(json, since_ms);
        *sidp = sid ? talloc_strdup(ctx, sid) : NULL;
        err = *sidp ? 0 : sid ? -ENOMEM : RLX_ENOTFOUND;
    }
out:
    json_decref(json);
    talloc_free(tmp);
    return err;
}

/* ---- signature ---- */

static int compare(const void *a, const void *b)
{
    const struct rlx_param *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    return order ? order : strcmp(p->value, q->value);
}

/* A parameter that comes twice with the same value counts once, as in Twilio's own libraries. */
char *rlx_twilio_signature(TALLOC_CTX *ctx, const char *token, const char *url,
                           struct rlx_param *params, size_t count)
{
    uint8_t mac[RLX_SHA1_BYTES];
    size_t length = strlen(url);
    for (size_t i = 0; i < count; i++)
        length += strlen(params[i].name) + strlen(params[i].value);
    char *text = talloc_size(ctx, length + 1);
    char *signature = talloc_size(ctx, RLX_BASE64_SIZE(RLX_SHA1_BYTES));
    if (!text || !signature) {
        talloc_free(text);
        talloc_free(signature);
        return NULL;
    }
    if (count)
        qsort(params, count, sizeof *params, compare);
    char *at = stpcpy(text, url);
    for (size_t i = 0; i < count; i++) {
        if (i && !compare(&params[i - 1], &params[i]))
            continue;
        at = stpcpy(stpcpy(at, params[i].name), params[i].value);
    }
    rlx_hmac_sha1(mac, token, text, (size_t)(at - text));
    rlx_base64_encode(signature, mac, sizeof mac);
    talloc_free(text);
    return signature;
}
