/* What happens to every request: its id, headers, other origins, the access log. */
#include <errno.h>
#include <string.h>

#include "api/metrics.h"
#include "api/private.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

/* A client's own id comes back when it is plain; else one is made. */
static void take_id(struct rlx_request *req, struct rlx_api_call *call)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *given = rlx_request_header(req, "X-Request-Id");
    size_t length = given ? strlen(given) : 0;

    if (length && length < sizeof call->id && strspn(given, plain) == length)
        memcpy(call->id, given, length + 1);
    else
        rlx_uuid(call->id);
}

/* ---- other origins ---- */

/* Whether the list "https://a.example, https://b.example" holds the origin; "*" holds all. */
static bool is_listed(const char *list, const char *origin)
{
    size_t length = strlen(origin);

    for (const char *p = list; *p;) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ", ");
        if ((n == 1 && *p == '*') || (n && n == length && !memcmp(p, origin, n)))
            return true;
        p += n;
    }
    return false;
}

/* The Fetch standard's CORS protocol. Tokens come in a header, never in a cookie, so credentials
 * are not allowed. */
static void allow_origin(struct rlx_request *req, const struct rlx_api *api)
{
    const char *list = rlx_config_get(api->config, RLX_CFG_CORS_ORIGINS);
    const char *origin = *list ? rlx_request_header(req, "Origin") : NULL;

    if (!*list)
        return;
    rlx_reply_header(req, "Vary", "Origin");
    if (!origin || !is_listed(list, origin))
        return;
    rlx_reply_header(req, "Access-Control-Allow-Origin", origin);
    rlx_reply_header(req, "Access-Control-Expose-Headers",
                     "Link, X-Total-Count, X-Request-Id, Retry-After, Content-Range");
    if (strcmp(rlx_request_method(req), "OPTIONS") != 0 ||
        !rlx_request_header(req, "Access-Control-Request-Method"))
        return;
    rlx_reply_header(req, "Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE");
    rlx_reply_header(req, "Access-Control-Allow-Headers",
                     "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range, "
                     "X-API-Key, X-Request-Id");
    rlx_reply_header(req, "Access-Control-Max-Age", "600");
    rlx_reply(req, 204, NULL, "", 0);
}

/* ---- before and after ---- */

static int call_destructor(struct rlx_api_call *call)
{
    json_decref(call->body);
    return 0;
}

void rlx_api_before(struct rlx_request *req, void *arg)
{
    struct rlx_api_call *call = talloc_zero((TALLOC_CTX *)req, struct rlx_api_call);

    if (!call) {
        rlx_reply_error(req, -ENOMEM, NULL);
        return;
    }
    talloc_set_destructor(call, call_destructor);
    call->began_us = rlx_now_us();
    take_id(req, call);
    rlx_request_set_data(req, call);
    rlx_reply_header(req, "X-Request-Id", call->id);
    rlx_reply_header(req, "X-Content-Type-Options", "nosniff");
    rlx_reply_header(req, "X-Frame-Options", "DENY");
    rlx_reply_header(req, "Referrer-Policy", "no-referrer");
    rlx_reply_header(req, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    rlx_reply_header(req, "Cache-Control", "no-store");
    allow_origin(req, arg);
}

/* The path without its query, which may hold a ticket. */
void rlx_api_after(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const struct rlx_api_call *call = rlx_request_data(req);
    const char *path = rlx_request_path(req);

    if (!call)
        return;
    if (rlx_request_param(req, "token")) /* a path that is a secret itself */
        path = rlx_request_route(req)->path;
    uint64_t took_us = rlx_now_us() - call->began_us;
    bool noise = !strcmp(path, "/health") || !strcmp(path, "/ready") || !strcmp(path, "/metrics");
    rlx_metrics_count(api->metrics, rlx_request_route(req), rlx_reply_status(req), took_us);
    rlx_log(noise ? RLX_DEBUG : RLX_INFO, "http",
            "method=%s path=%.200s status=%d took_ms=%.1f peer=%s user=%s id=%s",
            rlx_request_method(req), path, rlx_reply_status(req), (double)took_us / 1000.0,
            rlx_request_peer(req), call->user_id[0] ? call->user_id : "-", call->id);
}
