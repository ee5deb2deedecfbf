#include "gateway/control_server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/wav.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"
#include "gateway/tap.h"

struct rlx_control_server {
    const struct rlx_config *config;
    struct rlx_httpd *httpd;
    struct rlx_mailbox *mailbox;
    struct rlx_calls *calls; /* touched on the loop only */
    atomic_bool open;
};

struct mail {
    struct rlx_calls *calls;
    char call_id[37];
    char text[64];
};

static void mail_hangup(void *arg)
{
    struct mail *mail = arg;

    if (!rlx_calls_hang_up(mail->calls, mail->call_id, "hangup_by_user"))
        rlx_log(RLX_INFO, "control.hangup", "call_id=%s found=%s", mail->call_id, "no");
    free(mail);
}

static void mail_amd(void *arg)
{
    struct mail *mail = arg;

    if (!rlx_calls_amd(mail->calls, mail->call_id, mail->text))
        rlx_log(RLX_INFO, "control.amd", "call_id=%s found=%s", mail->call_id, "no");
    free(mail);
}

static void mail_ended(void *arg)
{
    struct mail *mail = arg;

    rlx_calls_carrier_ended(mail->calls, mail->call_id);
    free(mail);
}

/* NULL when the request was answered: not signed, or no such call (none at all, before it is opened). */
static const char *admitted(struct rlx_request *req, struct rlx_control_server *server)
{
    const char *call_id = rlx_request_param(req, "call_id");

    if (!rlx_control_check(rlx_request_header(req, RLX_CONTROL_HEADER),
                           rlx_config_get(server->config, RLX_CFG_JWT_SECRET_KEY),
                           rlx_request_method(req), rlx_request_path(req), rlx_wall_ms()))
        rlx_reply_error(req, RLX_EFORBIDDEN, "the control signature is missing or wrong");
    else if (!atomic_load(&server->open) || !call_id || !rlx_uuid_valid(call_id))
        rlx_reply_error(req, RLX_ENOTFOUND, "no such call");
    else
        return call_id;
    return NULL;
}

static void post(struct rlx_request *req, struct rlx_control_server *server, rlx_mail_h *handler,
                 const char *text, const char *answer)
{
    const char *call_id = admitted(req, server);

    if (!call_id)
        return;
    struct mail *mail = malloc(sizeof *mail);
    if (mail) {
        *mail = (struct mail){.calls = server->calls};
        snprintf(mail->call_id, sizeof mail->call_id, "%s", call_id);
        snprintf(mail->text, sizeof mail->text, "%s", text);
    }
    if (!mail || rlx_mailbox_post(server->mailbox, handler, mail)) {
        free(mail);
        rlx_reply_error(req, RLX_EINTERNAL, NULL);
        return;
    }
    rlx_reply_json(req, 202, json_pack("{s:s}", "message", answer));
}

static void hangup(struct rlx_request *req, void *arg)
{
    post(req, arg, mail_hangup, "", "the call is being ended");
}

static void amd(struct rlx_request *req, void *arg)
{
    const char *answer = rlx_request_param(req, "answer");

    post(req, arg, mail_amd, answer ? answer : "", "it will be told");
}

static void ended(struct rlx_request *req, void *arg)
{
    post(req, arg, mail_ended, "", "it will be told");
}

/* ---- listening in ---- */

#define OPEN_MS 2000
#define WAIT_MS 500

struct listener {
    struct rlx_tap *tap;
    uint8_t header[RLX_WAV_HEADER];
    size_t told; /* bytes of the header */
};

struct listen_mail {
    struct rlx_calls *calls;
    struct rlx_tap *tap;
    char call_id[37];
};

static void mail_listen(void *arg)
{
    struct listen_mail *mail = arg;

    rlx_calls_listen(mail->calls, mail->call_id, mail->tap);
    free(mail);
}

static ssize_t read_listener(void *buffer, size_t size, void *arg)
{
    struct listener *listener = arg;
    size_t left = sizeof listener->header - listener->told;

    if (left) {
        size_t n = left < size ? left : size;
        memcpy(buffer, listener->header + listener->told, n);
        listener->told += n;
        return (ssize_t)n;
    }
    bool over = rlx_tap_state(listener->tap) == RLX_TAP_ENDED;
    size_t n = rlx_tap_take(listener->tap, buffer, size);
    if (!n && over)
        return RLX_STREAM_END;
    if (!n)
        rlx_tap_wait(listener->tap, WAIT_MS);
    return (ssize_t)n;
}

static void listener_done(void *arg)
{
    struct listener *listener = arg;

    rlx_tap_drop_listener(listener->tap);
}

/* Asks the loop to open a tap, and waits for its word. NULL: out of memory, or the gateway stops. */
static struct rlx_tap *open_tap(struct rlx_control_server *server, const char *call_id)
{
    struct listen_mail *mail = malloc(sizeof *mail);
    struct rlx_tap *tap = NULL;

    if (!mail || rlx_tap_create(&tap)) {
        free(mail);
        return NULL;
    }
    *mail = (struct listen_mail){.calls = server->calls, .tap = tap};
    snprintf(mail->call_id, sizeof mail->call_id, "%s", call_id);
    if (rlx_mailbox_post(server->mailbox, mail_listen, mail)) {
        free(mail);
        rlx_tap_drop_call(tap);
        rlx_tap_drop_listener(tap);
        return NULL;
    }
    uint64_t until_ms = rlx_now_ms() + OPEN_MS;
    while (rlx_tap_state(tap) == RLX_TAP_ASKED && rlx_now_ms() < until_ms)
        rlx_tap_wait(tap, WAIT_MS);
    return tap;
}

static void listen_in(struct rlx_request *req, void *arg)
{
    struct rlx_control_server *server = arg;
    const char *call_id = admitted(req, server);

    if (!call_id)
        return;
    struct listener *listener = talloc_zero((TALLOC_CTX *)req, struct listener);
    struct rlx_tap *tap = listener ? open_tap(server, call_id) : NULL;
    enum rlx_tap_state state = tap ? rlx_tap_state(tap) : RLX_TAP_ASKED;
    if (state == RLX_TAP_OPEN || state == RLX_TAP_ENDED) {
        listener->tap = tap;
        /* the length is not known: as much as the header can say */
        rlx_wav_header(listener->header, 8000, 2, UINT32_MAX);
        rlx_reply_header(req, "Cache-Control", "no-store");
        rlx_reply_stream(req, 200, "audio/wav", read_listener, listener_done, listener);
        return;
    }
    if (tap)
        rlx_tap_drop_listener(tap);
    if (state == RLX_TAP_NO_CALL)
        rlx_reply_error(req, RLX_ENOTFOUND, "the call is not live here");
    else if (state == RLX_TAP_FULL)
        rlx_reply_error(req, RLX_ECONFLICT, "four listen to this call already");
    else
        rlx_reply_error(req, RLX_EINTERNAL, NULL);
}

static const struct rlx_route routes[] = {
    {"POST", "/control/calls/{call_id}/hangup", hangup, 0},
    {"POST", "/control/calls/{call_id}/amd/{answer}", amd, 0},
    {"POST", "/control/calls/{call_id}/ended", ended, 0},
    {"GET", "/control/listen/{call_id}", listen_in, 0},
};

int rlx_control_server_start(struct rlx_control_server **serverp, TALLOC_CTX *ctx,
                             const struct rlx_config *config, char **urlp)
{
    struct rlx_control_server *server = talloc_zero(ctx, struct rlx_control_server);
    struct rlx_httpd_options options = {
        .host = rlx_config_get(config, RLX_CFG_CONTROL_BIND),
        .port = 0,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .arg = server,
    };

    if (!server)
        return -ENOMEM;
    server->config = config;
    int err = rlx_httpd_start(&server->httpd, server, &options);
    if (!err)
        *urlp = rlx_config_is_set(config, RLX_CFG_CONTROL_URL)
                    ? talloc_strdup(ctx, rlx_config_get(config, RLX_CFG_CONTROL_URL))
                    : talloc_asprintf(ctx, "http://%s:%u", options.host,
                                      rlx_httpd_port(server->httpd));
    if (!err && !*urlp)
        err = -ENOMEM;
    if (err)
        talloc_free(server);
    else
        *serverp = server;
    return err;
}

void rlx_control_server_open(struct rlx_control_server *server, struct rlx_mailbox *mailbox,
                             struct rlx_calls *calls)
{
    server->mailbox = mailbox;
    server->calls = calls;
    atomic_store(&server->open, true);
}
