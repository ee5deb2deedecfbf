#include "gateway/gateway.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "gateway/control_server.h"
#include "gateway/front.h"
#include "gateway/route.h"
#include "provider/recordings.h"
#include "store/keys.h"

#define DRAIN_MAX_MS 600000
#define DISK_BYTES (64u << 20) /* of recordings that wait for the disk */
#define MAX_BOUNDED 64 /* store calls of webhooks at a time */

struct gateway {
    struct rlx_config *config;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    uv_timer_t watch;
    struct rlx_store *store;
    struct rlx_net *net;
    struct rlx_mailbox *mailbox;
    struct rlx_bounded *bounded;
    struct rlx_live_env env;
    struct rlx_calls *calls;
    struct rlx_front *front;
    struct rlx_control_server *control;
    struct rlx_route *route;
    atomic_size_t live;
    atomic_bool draining;
    uint64_t drain_until_ms;
};

/* ---- rows that are durable ---- */

struct kept_mail {
    struct gateway *gateway;
    char call_id[37];
    uint32_t row;
};

static void mail_kept(void *arg)
{
    struct kept_mail *mail = arg;

    rlx_calls_kept(mail->gateway->calls, mail->call_id, mail->row);
    free(mail);
}

static void row_durable(const char *call_id, uint32_t row, void *arg)
{
    struct gateway *gateway = arg;
    struct kept_mail *mail = malloc(sizeof *mail);

    if (!mail)
        return; /* the call goes on without it, a second later */
    *mail = (struct kept_mail){.gateway = gateway, .row = row};
    snprintf(mail->call_id, sizeof mail->call_id, "%s", call_id);
    if (rlx_mailbox_post(gateway->mailbox, mail_kept, mail))
        free(mail);
}

/* ---- the end ---- */

/* No call is left: the parts go in the order in which they use each other. */
static void stop_now(struct gateway *g)
{
    talloc_free(g->front); /* waits for handlers: nothing is posted any more */
    talloc_free(g->control);
    rlx_mailbox_close(g->mailbox);
    rlx_calls_close(g->calls);
    talloc_free(g->env.providers);
    rlx_net_close(g->net);
    uv_close((uv_handle_t *)&g->watch, NULL);
    uv_close((uv_handle_t *)&g->terminate, NULL);
    uv_close((uv_handle_t *)&g->interrupt, NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct gateway *g = signal->data;

    (void)number;
    if (atomic_exchange(&g->draining, true)) {
        g->drain_until_ms = 0; /* asked twice */
        return;
    }
    g->drain_until_ms = rlx_now_ms() + DRAIN_MAX_MS;
    rlx_log(RLX_INFO, "gateway.draining", "live_calls=%zu", rlx_calls_live(g->calls));
}

static void on_watch(uv_timer_t *timer)
{
    struct gateway *g = timer->data;
    size_t live = rlx_calls_live(g->calls);

    atomic_store(&g->live, live);
    bool busy = live || rlx_calls_expected(g->calls);
    if (!atomic_load(&g->draining) || (busy && rlx_now_ms() < g->drain_until_ms))
        return;
    rlx_calls_end_all(g->calls);
    if (rlx_calls_empty(g->calls))
        stop_now(g);
}

/* ---- the beginning ---- */

static int fail(const char *what, const char *why)
{
    rlx_log(RLX_ERROR, "gateway.start", "what=%s why=%s", what, why ? why : "");
    return 1;
}

static char *public_url(TALLOC_CTX *ctx, const struct rlx_config *config)
{
    const char *given = rlx_config_get(config, RLX_CFG_VOICE_GATEWAY_URL);
    char *url = *given ? talloc_strdup(ctx, given)
                       : talloc_asprintf(ctx, "http://127.0.0.1:%ld",
                                         rlx_config_int(config, RLX_CFG_GATEWAY_PORT));

    for (size_t n = url ? strlen(url) : 0; n && url[n - 1] == '/'; n--)
        url[n - 1] = '\0';
    return url;
}

static void start_loop(struct gateway *g)
{
    struct rlimit files;

    signal(SIGPIPE, SIG_IGN);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    /* libuv's threads wait for disk, store and carrier: a slow one must not hold up the others' */
    setenv("UV_THREADPOOL_SIZE", "16", 0);
    uv_loop_init(&g->loop);
    uv_signal_init(&g->loop, &g->terminate);
    uv_signal_init(&g->loop, &g->interrupt);
    uv_timer_init(&g->loop, &g->watch);
    g->terminate.data = g->interrupt.data = g->watch.data = g;
    uv_signal_start(&g->terminate, on_signal, SIGTERM);
    uv_signal_start(&g->interrupt, on_signal, SIGINT);
    uv_timer_start(&g->watch, on_watch, 100, 100);
}

static int start_writer(struct gateway *g, TALLOC_CTX *ctx, const char *gateway_id,
                        const char *control_url)
{
    const struct rlx_writer_options options = {
        .store = g->store,
        .gateway_id = gateway_id,
        .control_url = control_url,
        .spool_dir = rlx_config_path(g->config, ctx, "spool"),
        .durable = row_durable,
        .arg = g,
    };

    return options.spool_dir ? rlx_writer_create(&g->env.writer, ctx, &options) : -ENOMEM;
}

static int start_parts(struct gateway *g, TALLOC_CTX *ctx, const char *gateway_id)
{
    char *why = NULL, *control_url = NULL, *recordings = NULL;
    struct rlx_providers *providers = NULL;
    int err;

    if (rlx_config_make_dirs(g->config, ctx, &why))
        return fail("data directory", why);
    if (rlx_recordings_directory(&recordings, ctx, g->config, &why))
        return fail("recordings", why);
    if (mkdir(recordings, 0700) && errno != EEXIST)
        return fail(recordings, strerrordesc_np(errno));
    if (!*rlx_config_get(g->config, RLX_CFG_TWILIO_AUTH_TOKEN))
        return fail("TWILIO_AUTH_TOKEN",
                    "is not set: webhooks can't be checked without it; relayx serve sets it up for "
                    "the simulator");
    if (rlx_keys_load(g->config, ctx, &why))
        return fail("JWT_SECRET_KEY", why);
    if (rlx_store_start(&g->store, ctx, g->config, &why))
        return fail("database", why);
    if ((err = rlx_net_create(&g->net, ctx, &g->loop)))
        return fail("network", rlx_err_text(err));
    if (rlx_providers_create(&providers, ctx, g->net, g->config, &why))
        return fail("providers", why);
    g->env = (struct rlx_live_env){.loop = &g->loop,
                                   .config = g->config,
                                   .store = g->store,
                                   .net = g->net,
                                   .providers = providers,
                                   .recordings = recordings,
                                   .upload = rlx_recordings_remote(g->config)};
    if ((err = rlx_mailbox_create(&g->mailbox, ctx, &g->loop)) ||
        (err = rlx_disk_create(&g->env.disk, ctx, DISK_BYTES)) ||
        (err = rlx_bounded_create(&g->bounded, ctx, MAX_BOUNDED)) ||
        (err = rlx_control_server_start(&g->control, ctx, g->config, &control_url)) ||
        (err = start_writer(g, ctx, gateway_id, control_url)) ||
        (err = rlx_speech_cache_create(&g->env.cache, ctx, &g->loop,
                                       rlx_config_path(g->config, ctx, "speech"))) ||
        (err = rlx_route_create(&g->route, ctx, &g->loop, g->config, g->store, g->env.writer,
                                control_url)) ||
        (err = rlx_calls_create(&g->calls, ctx, &g->env, g->store, gateway_id)))
        return fail("parts", rlx_err_text(err));
    rlx_control_server_open(g->control, g->mailbox, g->calls);
    rlx_providers_warm(providers);
    struct rlx_front_env front = {.config = g->config,
                                  .store = g->store,
                                  .writer = g->env.writer,
                                  .mailbox = g->mailbox,
                                  .bounded = g->bounded,
                                  .calls = g->calls,
                                  .route = g->route,
                                  .live = &g->live,
                                  .draining = &g->draining};
    err = rlx_front_start(&g->front, ctx, &front, public_url(ctx, g->config));
    return err ? fail("port", rlx_err_text(err)) : 0;
}

int rlx_gateway_main(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct gateway *g = talloc_zero(ctx, struct gateway);
    char gateway_id[RLX_UUID_TEXT];

    g->config = config;
    rlx_uuid(gateway_id);
    start_loop(g);
    if (start_parts(g, ctx, gateway_id))
        return 1; /* the process ends: the kernel releases what is open */
    rlx_log(RLX_INFO, "gateway.ready", "port=%ld id=%s",
            rlx_config_int(config, RLX_CFG_GATEWAY_PORT), gateway_id);
    uv_run(&g->loop, UV_RUN_DEFAULT);
    talloc_free(g->calls); /* before the writer, which they write to */
    talloc_free(g->env.writer);
    talloc_free(g->env.disk);
    talloc_free(g->bounded);
    int left = uv_loop_close(&g->loop);
    if (left) {
        rlx_log(RLX_ERROR, "gateway.handles_left", "error=%s", uv_strerror(left));
        uv_print_all_handles(&g->loop, stderr);
    }
    talloc_free(ctx);
    rlx_log(RLX_INFO, "gateway.stopped", "id=%s", gateway_id);
    return 0;
}
