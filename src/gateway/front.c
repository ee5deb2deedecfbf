#include "gateway/front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/token.h"
#include "gateway/twiml.h"
#include "provider/carrier.h"
#include "store/calls.h"
#include "store/secrets.h"

#define TOKEN_LIFE_MS 120000
#define STORE_MS 2000 /* a webhook waits so long for the store */
#define XML "text/xml; charset=utf-8"

struct rlx_front {
    struct rlx_front_env env;
    struct rlx_httpd *httpd;
    char *public_url, *stream_url;
};

/* ---- signatures ---- */

struct params {
    struct rlx_param *list;
    size_t count;
};

static void add_param(const char *name, const char *value, size_t length, void *arg)
{
    struct params *params = arg;

    (void)length;
    struct rlx_param *grown =
        talloc_realloc(NULL, params->list, struct rlx_param, (unsigned)params->count + 1);
    if (!grown)
        return;
    params->list = grown;
    grown[params->count++] = (struct rlx_param){name, value};
}

static bool matches(struct rlx_request *req, const char *given, const char *token, const char *url,
                    struct params *params)
{
    char *right = rlx_twilio_signature((TALLOC_CTX *)req, token, url, params->list, params->count);

    return right && rlx_equal(right, given);
}

/* "https://x" as "wss://x", "http://x" as "ws://x". */
static char *as_websocket(TALLOC_CTX *ctx, const char *url)
{
    return talloc_asprintf(ctx, "ws%s", !strncmp(url, "http", 4) ? url + 4 : url);
}

bool rlx_front_signed(struct rlx_request *req, const struct rlx_config *config,
                      const char *public_url)
{
    const char *given = rlx_request_header(req, "X-Twilio-Signature");
    const char *token = rlx_config_get(config, RLX_CFG_TWILIO_AUTH_TOKEN);
    struct params params = {NULL, 0};
    char *url = talloc_asprintf((TALLOC_CTX *)req, "%s%s%s", public_url, rlx_request_path(req),
                                rlx_request_query_string(req));

    if (!given || !*token || !url)
        return false;
    if (!strcmp(rlx_request_method(req), "POST"))
        rlx_request_each_field(req, add_param, &params);
    bool good = matches(req, given, token, url, &params);
    if (!good && rlx_request_header(req, "Sec-WebSocket-Key")) {
        char *ws = as_websocket((TALLOC_CTX *)req, url);
        good = ws && matches(req, given, token, ws, &params);
    }
    talloc_free(params.list);
    return good;
}

/* ---- users' own carrier accounts ---- */

struct account {
    struct rlx_store *store;
    const struct rlx_config *config, *own;
    char call_id[37];
};

static int look_account(void *arg)
{
    struct account *account = arg;

    return rlx_call_config(account->store, account->config, account, account->call_id,
                           &account->own);
}

/* The configuration of the call's user when he has an account of his own, else NULL. Lives as long as the request. */
static const struct rlx_config *own_account(struct rlx_request *req, struct rlx_front *front)
{
    const char *call_id = rlx_request_param(req, "call_id");
    struct account *account;
    int result = 0;

    if (!call_id || !rlx_uuid_valid(call_id) || !(account = talloc_zero(NULL, struct account)))
        return NULL;
    account->store = front->env.store;
    account->config = front->env.config;
    snprintf(account->call_id, sizeof account->call_id, "%s", call_id);
    if (rlx_bounded_run(front->env.bounded, look_account, account, STORE_MS, &result))
        return NULL;
    if (result || account->own == account->config) {
        talloc_free(account);
        return NULL;
    }
    talloc_steal((TALLOC_CTX *)req, account);
    return account->own;
}

static bool signed_by_server(struct rlx_request *req, struct rlx_front *front)
{
    return rlx_front_signed(req, front->env.config, front->public_url);
}

static bool checked(struct rlx_request *req, struct rlx_front *front)
{
    const struct rlx_config *own = NULL;

    if (signed_by_server(req, front))
        return true;
    if (rlx_request_header(req, "X-Twilio-Signature"))
        own = own_account(req, front);
    if (own && rlx_front_signed(req, own, front->public_url))
        return true;
    rlx_log(RLX_WARN, "webhook.signature", "path=%s peer=%s", rlx_request_path(req),
            rlx_request_peer(req));
    rlx_reply_error(req, RLX_EFORBIDDEN,
                    "the X-Twilio-Signature is missing or wrong: check TWILIO_AUTH_TOKEN, and that "
                    "VOICE_GATEWAY_URL is exactly the base URL that the carrier calls");
    return false;
}

/* Where the carrier opens the stream. Another account signs that request too, so its path must tell whose call it is. */
static char *stream_url(struct rlx_request *req, struct rlx_front *front, const char *call_id)
{
    return signed_by_server(req, front)
               ? talloc_strdup((TALLOC_CTX *)req, front->stream_url)
               : talloc_asprintf((TALLOC_CTX *)req, "%s/%s", front->stream_url, call_id);
}

/* ---- to the loop ---- */

struct mail {
    struct rlx_calls *calls;
    struct rlx_route *route;
    struct rlx_writer *writer;
    char call_id[37];
    char text[64];
};

static void mail_want(void *arg)
{
    struct mail *mail = arg;

    rlx_calls_want(mail->calls, mail->call_id);
    talloc_free(mail);
}

static void mail_gone(void *arg)
{
    struct mail *mail = arg;

    rlx_calls_gone(mail->calls, mail->call_id);
    talloc_free(mail);
}

static void mail_amd(void *arg)
{
    struct mail *mail = arg;

    if (rlx_calls_amd(mail->calls, mail->call_id, mail->text)) {
        char *data = talloc_asprintf(mail, "{\"answered_by\":\"%s\"}", mail->text);
        rlx_writer_event(mail->writer, mail->call_id, "amd", data);
    } else {
        rlx_route_amd(mail->route, mail->call_id, mail->text);
    }
    talloc_free(mail);
}

static void mail_ended(void *arg)
{
    struct mail *mail = arg;

    if (!rlx_calls_carrier_ended(mail->calls, mail->call_id))
        rlx_route_ended(mail->route, mail->call_id);
    talloc_free(mail);
}

static void post(struct rlx_front *front, rlx_mail_h *handler, const char *call_id,
                 const char *text)
{
    struct mail *mail = talloc_zero(NULL, struct mail);

    if (!mail)
        return;
    mail->calls = front->env.calls;
    mail->route = front->env.route;
    mail->writer = front->env.writer;
    snprintf(mail->call_id, sizeof mail->call_id, "%s", call_id);
    snprintf(mail->text, sizeof mail->text, "%s", text ? text : "");
    if (rlx_mailbox_post(front->env.mailbox, handler, mail))
        talloc_free(mail);
}

/* ---- webhooks ---- */

static const char *call_id_of(struct rlx_request *req)
{
    const char *call_id = rlx_request_param(req, "call_id");

    if (call_id && rlx_uuid_valid(call_id))
        return call_id;
    rlx_reply_error(req, RLX_ENOTFOUND, "no such call");
    return NULL;
}

/* What a webhook asks of the store; it outlives the webhook when the store hangs. */
struct question {
    struct rlx_store *store;
    char call_id[37], sha256[RLX_SHA256_HEX];
    bool in_progress; /* answer */
};

static int keep_token(void *arg)
{
    struct question *question = arg;

    return rlx_call_set_token(question->store, question->call_id, question->sha256,
                              rlx_wall_ms() + TOKEN_LIFE_MS);
}

static int look_status(void *arg)
{
    struct question *question = arg;
    char *sid = NULL, *status = NULL, *why = NULL;
    int err =
        rlx_call_peek(question->store, question, question->call_id, &sid, &status, &why);

    question->in_progress = !err && !strcmp(status, "in-progress");
    return err;
}

/* RLX_ESTORE when no answer came in time. */
static int ask(struct rlx_front *front, rlx_bounded_h *what, const char *call_id,
               const char *sha256, bool *in_progressp)
{
    struct question *question = talloc_zero(NULL, struct question);
    int err = -ENOMEM, result = 0;

    if (!question)
        return err;
    question->store = front->env.store;
    snprintf(question->call_id, sizeof question->call_id, "%s", call_id);
    snprintf(question->sha256, sizeof question->sha256, "%s", sha256);
    err = rlx_bounded_run(front->env.bounded, what, question, STORE_MS, &result);
    if (err)
        return RLX_ESTORE;
    if (in_progressp)
        *in_progressp = question->in_progress;
    talloc_free(question);
    return result;
}

static void voice(struct rlx_request *req, void *arg)
{
    struct rlx_front *front = arg;
    const char *call_id, *sid;
    char sha256[RLX_SHA256_HEX];

    if (!checked(req, front) || !(call_id = call_id_of(req)))
        return;
    sid = rlx_request_field(req, "CallSid", NULL);
    if (!sid || !*sid) {
        rlx_reply_error(req, RLX_EINVAL, "CallSid is missing");
        return;
    }
    char *token = rlx_stream_token((TALLOC_CTX *)req, front->env.config, call_id, sid);
    rlx_sha256_hex(sha256, token ? token : "", token ? strlen(token) : 0);
    int err = ask(front, keep_token, call_id, sha256, NULL);
    if (err == RLX_ENOTFOUND) {
        rlx_reply_error(req, err, "no such call");
        return;
    }
    if (err == RLX_ECONFLICT) { /* over already: hang up what the carrier still holds */
        rlx_reply_text(req, 200, XML, rlx_twiml_hangup());
        return;
    }
    if (err) /* the token carries its own proof: a store that is away must not lose the callee */
        rlx_log(RLX_WARN, "webhook.store", "call_id=%s error=%s", call_id, rlx_err_text(err));
    post(front, mail_want, call_id, NULL);
    char *url = stream_url(req, front, call_id);
    char *twiml = token && url ? rlx_twiml_stream((TALLOC_CTX *)req, url, token) : NULL;
    if (twiml)
        rlx_reply_text(req, 200, XML, twiml);
    else
        rlx_reply_error(req, RLX_EINTERNAL, NULL);
}

/* The carrier's end of a call that never got a stream. One that did is ended by the gateway that holds it, which is told, or, when
 * that died, by the worker that finds its lease expired. */
static void carrier_ended(struct rlx_front *front, const char *call_id, const char *status)
{
    bool in_progress = false, completed = !strcmp(status, "completed");
    struct rlx_call_end end = {
        .status = completed ? "failed" : status,
        .reason = completed ? "stream_never_started" : "carrier",
        .ended_ms = rlx_wall_ms(),
    };

    int err = ask(front, look_status, call_id, "", &in_progress);
    if (!err && in_progress) {
        post(front, mail_ended, call_id, NULL);
        return;
    }
    rlx_writer_end(front->env.writer, call_id, &end);
    post(front, mail_gone, call_id, NULL);
}

static void status(struct rlx_request *req, void *arg)
{
    struct rlx_front *front = arg;
    const char *call_id, *call_status;

    if (!checked(req, front) || !(call_id = call_id_of(req)))
        return;
    call_status = rlx_request_field(req, "CallStatus", NULL);
    if (!call_status) {
        rlx_reply_error(req, RLX_EINVAL, "CallStatus is missing");
        return;
    }
    rlx_log(RLX_INFO, "call.status", "call_id=%s status=%s", call_id, call_status);
    if (!strcmp(call_status, "queued") || !strcmp(call_status, "initiated") ||
        !strcmp(call_status, "ringing")) {
        rlx_writer_progress(front->env.writer, call_id,
                            !strcmp(call_status, "ringing") ? "ringing" : "queued");
        post(front, mail_want, call_id, NULL); /* the greeting is made while it rings */
    } else if (!strcmp(call_status, "completed") || !strcmp(call_status, "busy") ||
               !strcmp(call_status, "failed") || !strcmp(call_status, "no-answer") ||
               !strcmp(call_status, "canceled")) {
        carrier_ended(front, call_id, call_status);
    }
    rlx_reply(req, 204, NULL, NULL, 0);
}

static void amd(struct rlx_request *req, void *arg)
{
    struct rlx_front *front = arg;
    const char *call_id, *answered_by;

    if (!checked(req, front) || !(call_id = call_id_of(req)))
        return;
    answered_by = rlx_request_field(req, "AnsweredBy", NULL);
    if (rlx_route_is_answer(answered_by))
        post(front, mail_amd, call_id, answered_by);
    rlx_reply(req, 204, NULL, NULL, 0);
}

/* ---- the media socket ---- */

struct socket_mail {
    struct rlx_calls *calls;
    int fd;
    size_t length;
    char extra[];
};

static void mail_socket(void *arg)
{
    struct socket_mail *mail = arg;

    rlx_calls_socket(mail->calls, mail->fd, mail->extra, mail->length);
    free(mail);
}

static void take_socket(int fd, const void *extra, size_t length, void *arg)
{
    struct rlx_front *front = arg;
    struct socket_mail *mail = malloc(sizeof *mail + length);

    if (!mail) {
        close(fd);
        return;
    }
    mail->calls = front->env.calls;
    mail->fd = fd;
    mail->length = length;
    if (length)
        memcpy(mail->extra, extra, length);
    if (rlx_mailbox_post(front->env.mailbox, mail_socket, mail)) {
        close(fd);
        free(mail);
    }
}

static void media(struct rlx_request *req, void *arg)
{
    struct rlx_front *front = arg;

    if (!checked(req, front))
        return;
    if (rlx_reply_websocket(req, take_socket, front)) {
        rlx_reply_header(req, "Upgrade", "websocket");
        rlx_reply_error(req, RLX_EPROTO, "this address speaks WebSocket (RFC 6455, version 13) only");
    }
}

static void health(struct rlx_request *req, void *arg)
{
    struct rlx_front *front = arg;
    bool draining = atomic_load(front->env.draining);

    rlx_reply_json(req, draining ? 503 : 200,
                   json_pack("{s:s, s:s, s:i, s:i}", "status", draining ? "draining" : "ok",
                             "version", RLX_VERSION, "live_calls", (int)atomic_load(front->env.live),
                             "store_backlog", (int)rlx_writer_backlog(front->env.writer)));
}

static const struct rlx_route routes[] = {
    {"GET", "/health", health, 0},
    {"POST", "/twilio/voice/{call_id}", voice, 0},
    {"POST", "/twilio/status/{call_id}", status, 0},
    {"POST", "/twilio/amd/{call_id}", amd, 0},
    {"GET", "/twilio/media", media, 0},
    {"GET", "/twilio/media/{call_id}", media, 0},
};

int rlx_front_start(struct rlx_front **frontp, TALLOC_CTX *ctx, const struct rlx_front_env *env,
                    const char *public_url)
{
    struct rlx_front *front = talloc_zero(ctx, struct rlx_front);

    if (!front)
        return -ENOMEM;
    front->env = *env;
    front->public_url = talloc_strdup(front, public_url);
    char *ws = front->public_url ? as_websocket(front, front->public_url) : NULL;
    front->stream_url = ws ? talloc_asprintf(front, "%s/twilio/media", ws) : NULL;
    struct rlx_httpd_options options = {
        .host = rlx_config_get(env->config, RLX_CFG_HOST),
        .port = (uint16_t)rlx_config_int(env->config, RLX_CFG_GATEWAY_PORT),
        .reuse_port = true,
        .max_connections = 4096,
        .timeout_s = 30,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .arg = front,
    };
    int err = front->stream_url ? rlx_httpd_start(&front->httpd, front, &options) : -ENOMEM;
    if (err)
        talloc_free(front);
    else
        *frontp = front;
    return err;
}

void rlx_front_quiesce(struct rlx_front *front)
{
    rlx_httpd_quiesce(front->httpd);
}
