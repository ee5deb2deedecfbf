#include "gateway/control_server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/control.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"

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

static const struct rlx_route routes[] = {
    {"POST", "/control/calls/{call_id}/hangup", hangup, 0},
    {"POST", "/control/calls/{call_id}/amd/{answer}", amd, 0},
    {"POST", "/control/calls/{call_id}/ended", ended, 0},
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
