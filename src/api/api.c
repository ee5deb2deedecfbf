#include "api/api.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "api/dispatch.h"
#include "api/prices.h"
#include "api/hub.h"
#include "api/limits.h"
#include "api/metrics.h"
#include "api/private.h"
#include "api/token_cache.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/api_keys.h"
#include "store/keys.h"
#include "store/secrets.h"

static const struct rlx_route pages[] = {
    {"GET", "/docs", rlx_api_docs, 0},
    {"GET", "/docs/*", rlx_api_docs_file, 0},
    {"GET", "/", rlx_api_page, 0},
    {"GET", "/app", rlx_api_page, 0},
    {"GET", "/app/*", rlx_api_page, 0},
};
#define CONNECTIONS_PER_ADDRESS 256
#define DRAIN_MS 4000 /* the supervisor waits 5 s */
#define PAGES (sizeof pages / sizeof pages[0])

/* ---- what is built in ---- */

void rlx_api_openapi(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply(req, 200, "application/json", rlx_asset_openapi, rlx_asset_openapi_length);
}

void rlx_api_page(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;

    rlx_reply_header(req, "Content-Security-Policy", api->csp);
    rlx_reply_header(req, "Cache-Control", "no-cache");
    rlx_reply(req, 200, "text/html; charset=utf-8", rlx_asset_page, rlx_asset_page_length);
}

/* The page's one inline script is allowed by its hash, so nothing else inline can run. */
static char *make_csp(TALLOC_CTX *ctx)
{
    const char *page = (const char *)rlx_asset_page;
    const char *begin = memmem(page, rlx_asset_page_length, "<script>", 8);
    const char *end = memmem(page, rlx_asset_page_length, "</script>", 9);
    char hex[RLX_SHA256_HEX], base64[RLX_BASE64_SIZE(RLX_SHA256_BYTES)];
    uint8_t digest[RLX_SHA256_BYTES];

    begin = begin ? begin + 8 : page;
    rlx_sha256_hex(hex, begin, end && end > begin ? (size_t)(end - begin) : 0);
    for (size_t i = 0; i < sizeof digest; i++) {
        unsigned byte = 0;
        sscanf(hex + 2 * i, "%2x", &byte);
        digest[i] = (uint8_t)byte;
    }
    rlx_base64_encode(base64, digest, sizeof digest);
    return talloc_asprintf(ctx,
                           "default-src 'none'; connect-src 'self'; img-src 'self' data:; "
                           "media-src 'self' blob:; style-src 'unsafe-inline'; "
                           "script-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
                           "frame-ancestors 'none'",
                           base64);
}

/* ---- life ---- */

static int api_destructor(struct rlx_api *api)
{
    atomic_store(&api->stopping, true);
    talloc_free(api->httpd); /* waits for handlers, which use the rest */
    return 0;
}

static int listen_http(struct rlx_api *api, TALLOC_CTX *ctx, char **whyp)
{
    const char *proxies = rlx_config_get(api->config, RLX_CFG_TRUSTED_PROXIES);

    api->routes = talloc_array(api, struct rlx_route, (unsigned)(rlx_api_route_count + PAGES));
    if (!api->routes)
        return -ENOMEM;
    memcpy(api->routes, rlx_api_routes, rlx_api_route_count * sizeof *api->routes);
    memcpy(api->routes + rlx_api_route_count, pages, sizeof pages);
    if (rlx_metrics_create(&api->metrics, api, api->routes, rlx_api_route_count + PAGES))
        return -ENOMEM;
    const struct rlx_httpd_options options = {
        .host = rlx_config_get(api->config, RLX_CFG_HOST),
        .port = (uint16_t)rlx_config_int(api->config, RLX_CFG_API_PORT),
        .reuse_port = false,
        .routes = api->routes,
        .route_count = rlx_api_route_count + PAGES,
        .before = rlx_api_before,
        .early = rlx_dispatch_early,
        .after = rlx_api_after,
        .max_per_address = *proxies ? 0 : CONNECTIONS_PER_ADDRESS,
        .trusted_proxies = *proxies ? proxies : NULL,
        .arg = api,
    };
    int err = rlx_httpd_start(&api->httpd, api, &options);

    if (err)
        *whyp = talloc_asprintf(ctx, "can't listen on %s:%u: %s; choose another --api-port",
                                options.host, options.port, rlx_err_text(err));
    return err;
}

/* When the operator has changed SECRETS_KEY, keeping the old one behind it. */
static void reseal(struct rlx_api *api)
{
    int count = 0;

    if (!strchr(rlx_config_get(api->config, RLX_CFG_SECRETS_KEY), ','))
        return;
    int err = rlx_secrets_reseal(api->store, api->config, &count);
    if (err || count)
        rlx_log(err ? RLX_WARN : RLX_INFO, "secrets.resealed", "count=%d why=%s", count,
                err ? rlx_err_text(err) : "SECRETS_KEY has a new key");
}

/* A mistake in SIGNUP must not open or close the door unseen. */
static int check_signup(const struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
{
    const char *mode = rlx_config_get(config, RLX_CFG_SIGNUP);

    if (!strcmp(mode, "open") || !strcmp(mode, "invite") || !strcmp(mode, "closed"))
        return 0;
    *whyp = talloc_asprintf(ctx, "SIGNUP is \"%s\": it must be open, invite or closed", mode);
    return RLX_ECONFIG;
}

int rlx_api_start(struct rlx_api **apip, TALLOC_CTX *ctx, struct rlx_config *config, char **whyp)
{
    if (!apip || !config || !whyp)
        return -EINVAL;
    struct rlx_api *api = talloc_zero(ctx, struct rlx_api);
    if (!api)
        return -ENOMEM;
    api->config = config;
    *whyp = NULL;
    int err = check_signup(config, ctx, whyp);
    if (!err)
        err = rlx_keys_load(config, ctx, whyp);
    if (err)
        goto out;
    api->jwt_key = rlx_config_get(config, RLX_CFG_JWT_SECRET_KEY);
    err = rlx_store_start(&api->store, api, config, whyp);
    if (!err)
        err = rlx_hub_create(&api->hub, api, api->store);
    if (!err)
        err = rlx_throttle_create(&api->throttle, api);
    if (!err)
        err = rlx_prices_create(&api->prices, api, rlx_config_get(config, RLX_CFG_PRICES), whyp);
    if (!err)
        reseal(api);
    if (!err)
        err = rlx_token_cache_create(&api->tokens, api);
    if (!err)
        err = rlx_limits_create(&api->limits, api, rlx_config_get(config, RLX_CFG_RATE_LIMITS), whyp);
    if (!err)
        err = rlx_health_create(&api->health, api);
    if (!err)
        err = rlx_password_hash(api->dummy_hash, sizeof api->dummy_hash, "nobody's password");
    if (!err)
        err = (api->csp = make_csp(api)) ? 0 : -ENOMEM;
    if (!err)
        err = listen_http(api, ctx, whyp);
out:
    if (err) {
        *whyp = *whyp ? talloc_steal(ctx, *whyp) : talloc_strdup(ctx, rlx_err_text(err));
        talloc_free(api);
        return err;
    }
    talloc_set_destructor(api, api_destructor);
    *apip = api;
    return 0;
}

uint16_t rlx_api_port(const struct rlx_api *api)
{
    return rlx_httpd_port(api->httpd);
}

void rlx_api_quiesce(struct rlx_api *api)
{
    atomic_store(&api->stopping, true);
    rlx_httpd_quiesce(api->httpd);
}

/* Waits for a signal to stop; once an hour what has expired is cleared away. */
static void wait_for_end(struct rlx_api *api, const sigset_t *signals)
{
    const struct timespec hour = {.tv_sec = 3600};

    while (sigtimedwait(signals, NULL, &hour) < 0)
        if (errno == EAGAIN && rlx_accounts_expire(api->store, rlx_wall_ms()))
            rlx_log(RLX_WARN, "accounts.expire", "why=%s", "the database is away");
}

int rlx_api_main(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_api *api = NULL;
    struct rlimit files;
    sigset_t signals;
    char *why = NULL;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: they inherit it */
    signal(SIGPIPE, SIG_IGN);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int err = rlx_api_start(&api, ctx, config, &why);
    if (err) {
        rlx_log(RLX_ERROR, "api.start", "why=%s", why ? why : rlx_err_text(err));
    } else {
        rlx_log(RLX_INFO, "api.ready", "port=%u", rlx_api_port(api));
        wait_for_end(api, &signals);
        rlx_log(RLX_INFO, "api.stopping", "port=%u", rlx_api_port(api));
        rlx_api_quiesce(api);
        unsigned left = rlx_httpd_drain(api->httpd, DRAIN_MS);
        if (left)
            rlx_log(RLX_WARN, "api.drain", "requests_cut=%u", left);
    }
    talloc_free(ctx);
    return err ? 1 : 0;
}
