#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "flags.h"
#include "load.h"
#include "phone.h"
#include "rest.h"

#define DEFAULT_ACCOUNT "AC00000000000000000000000000000001"
#define DEFAULT_TOKEN "simulated-auth-token"
#define DEFAULT_FROM "+12025550100"
#define SCRIPT_MAX (64 << 10)

static const char *setting(const struct rlx_config *config, enum rlx_setting which,
                           const char *fallback)
{
    const char *value = rlx_config_get(config, which);

    return *value ? value : fallback;
}

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "relayx phone: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return 1;
}

/* The base of the speech server, without a trailing slash or /v1. */
static char *speech_url(TALLOC_CTX *ctx, const struct rlx_config *config)
{
    const char *value = rlx_config_get(config, RLX_CFG_LOCAL_SPEECH_URL);
    char *url;
    size_t length;

    if (!*value)
        return talloc_asprintf(ctx, "http://127.0.0.1:%ld",
                               rlx_config_int(config, RLX_CFG_SPEECH_PORT));
    url = talloc_strdup(ctx, value);
    length = url ? strlen(url) : 0;
    while (length > 0 && url[length - 1] == '/')
        url[--length] = '\0';
    if (length > 3 && strcmp(url + length - 3, "/v1") == 0)
        url[length - 3] = '\0';
    return url;
}

static int open_exchange(struct rlx_exchange *exchange, TALLOC_CTX *ctx,
                         const struct rlx_config *config, const struct rlx_phone_flags *flags)
{
    pthread_mutex_init(&exchange->lock, NULL);
    pthread_cond_init(&exchange->idle, NULL);
    exchange->account = setting(config, RLX_CFG_TWILIO_ACCOUNT_SID, DEFAULT_ACCOUNT);
    exchange->token = setting(config, RLX_CFG_TWILIO_AUTH_TOKEN, DEFAULT_TOKEN);
    exchange->line.kind = flags->kind;
    exchange->line.seed = flags->seed;
    exchange->ring_ms = flags->ring_ms;
    exchange->calls_per_second = flags->calls_per_second;
    exchange->insecure = flags->insecure;
    exchange->callees = rlx_callees_create(ctx, speech_url(ctx, config));
    exchange->notifier = rlx_notifier_create(ctx, exchange->token);
    return exchange->callees && exchange->notifier ? 0 : -ENOMEM;
}

/* Hangs up everything, posts what is to be posted, and frees. */
static void close_exchange(struct rlx_exchange *exchange)
{
    rlx_exchange_stop(exchange);
    talloc_free(exchange->notifier);
    while (exchange->newest) {
        struct rlx_call *call = exchange->newest;

        exchange->newest = call->older;
        rlx_call_put(call);
    }
    talloc_free(exchange->callees);
}

static int add_callee_file(struct rlx_exchange *exchange, const char *path)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    char *text = ctx ? talloc_zero_size(ctx, SCRIPT_MAX + 1) : NULL, *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
    ssize_t n = fd >= 0 && text ? read(fd, text, SCRIPT_MAX) : -1;

    if (n < 0)
        status = complain(path, strerror(errno));
    else if (rlx_callees_add(exchange->callees, ctx, NULL, text, NULL, NULL, &why) != 0)
        status = complain(path, why);
    if (fd >= 0)
        close(fd);
    talloc_free(ctx);
    return status;
}

/* Thousands of calls need thousands of sockets. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int serve(struct rlx_exchange *exchange, TALLOC_CTX *ctx, const struct rlx_config *config,
                 const struct rlx_phone_flags *flags, const sigset_t *signals)
{
    const char *host = rlx_config_get(config, RLX_CFG_HOST);
    uint16_t port =
        flags->port ? flags->port : (uint16_t)rlx_config_int(config, RLX_CFG_PHONE_PORT);
    struct rlx_httpd *server = NULL;
    int err, got = 0;

    for (unsigned i = 0; i < flags->callee_count; i++)
        if (add_callee_file(exchange, flags->callees[i]) != 0)
            return 1;
    err = rlx_rest_start(&server, ctx, exchange, host, port);
    if (err) {
        char what[128];

        (void)snprintf(what, sizeof(what), "can't listen on %s port %u", host, port);
        return complain(what, rlx_err_text(err));
    }
    if (flags->load)
        got = rlx_load_run(exchange, flags,
                           setting(config, RLX_CFG_TWILIO_PHONE_NUMBER, DEFAULT_FROM));
    else {
        printf("ready phone=http://%s:%u account=%s\n", host, rlx_httpd_port(server),
               exchange->account);
        (void)fflush(stdout);
        (void)sigwait(signals, &got);
        rlx_log(RLX_INFO, "phone.stop", "signal=%d", got);
        got = 0;
    }
    rlx_httpd_quiesce(server);
    rlx_exchange_stop(exchange);
    talloc_free(server);
    return got;
}

/* For load: all calls have the script's callee. */
static int load_callee(struct rlx_exchange *exchange, const struct rlx_phone_flags *flags)
{
    return flags->load && flags->script ? add_callee_file(exchange, flags->script) : 0;
}

int rlx_phone_main(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_exchange *exchange = ctx ? talloc_zero(ctx, struct rlx_exchange) : NULL;
    struct rlx_phone_flags flags;
    sigset_t signals;
    char *why = NULL;
    int status = 1;

    if (!exchange)
        return complain("out of memory", NULL);
    if (rlx_phone_flags_read(&flags, ctx, config, &why) != 0) {
        (void)complain(why ? why : "out of memory", NULL);
        talloc_free(ctx);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    /* Threads inherit the mask: signals wait for sigwait. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (!flags.load)
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    raise_limits();
    if (open_exchange(exchange, ctx, config, &flags) != 0)
        (void)complain("out of memory", NULL);
    else if (load_callee(exchange, &flags) == 0)
        status = serve(exchange, ctx, config, &flags, &signals);
    if (exchange->callees && exchange->notifier)
        close_exchange(exchange);
    talloc_free(ctx);
    return status;
}
