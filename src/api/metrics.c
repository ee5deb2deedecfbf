#include "api/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/private.h"
#include "base/crypto.h"

static const int statuses[] = {200, 201, 202, 204, 206, 400, 401, 403, 404, 405, 409,
                               413, 415, 416, 422, 424, 429, 500, 502, 503, 0}; /* 0: any other */
#define STATUSES (sizeof statuses / sizeof statuses[0])

static const uint64_t bounds_us[] = {500,   1000,   2500,   5000,   10000,   25000,
                                     50000, 100000, 250000, 500000, 1000000, 5000000};
#define BOUNDS (sizeof bounds_us / sizeof bounds_us[0])

struct row {
    atomic_ullong statuses[STATUSES];
    atomic_ullong within[BOUNDS + 1]; /* the last: longer than every bound */
    atomic_ullong sum_us;
};

struct rlx_metrics {
    const struct rlx_route *routes;
    size_t count;
    struct row *rows; /* one more than there are routes */
};

int rlx_metrics_create(struct rlx_metrics **metricsp, TALLOC_CTX *ctx,
                       const struct rlx_route *routes, size_t count)
{
    struct rlx_metrics *metrics = talloc_zero(ctx, struct rlx_metrics);

    if (metrics)
        metrics->rows = talloc_zero_array(metrics, struct row, (unsigned)count + 1);
    if (!metrics || !metrics->rows) {
        talloc_free(metrics);
        return -ENOMEM;
    }
    metrics->routes = routes;
    metrics->count = count;
    *metricsp = metrics;
    return 0;
}

void rlx_metrics_count(struct rlx_metrics *metrics, const struct rlx_route *route, int status,
                       uint64_t took_us)
{
    struct row *row = &metrics->rows[route ? (size_t)(route - metrics->routes) : metrics->count];
    size_t s = 0, b = 0;

    while (s < STATUSES - 1 && statuses[s] != status)
        s++;
    while (b < BOUNDS && took_us > bounds_us[b])
        b++;
    atomic_fetch_add_explicit(&row->statuses[s], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->within[b], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->sum_us, took_us, memory_order_relaxed);
}

static char *add_statuses(char *text, const struct row *row, const char *labels)
{
    for (size_t i = 0; text && i < STATUSES; i++) {
        unsigned long long n = atomic_load(&row->statuses[i]);
        char status[12] = "other";
        if (!n)
            continue;
        if (statuses[i])
            snprintf(status, sizeof status, "%d", statuses[i]);
        text = talloc_asprintf_append_buffer(
            text, "relayx_http_requests_total{%s,status=\"%s\"} %llu\n", labels, status, n);
    }
    return text;
}

static char *add_times(char *text, const struct row *row, const char *labels)
{
    unsigned long long total = 0;

    for (size_t i = 0; text && i < BOUNDS; i++) {
        total += atomic_load(&row->within[i]);
        text = talloc_asprintf_append_buffer(
            text, "relayx_http_request_seconds_bucket{%s,le=\"%g\"} %llu\n", labels,
            (double)bounds_us[i] / 1e6, total);
    }
    total += atomic_load(&row->within[BOUNDS]);
    return !text
               ? NULL
               : talloc_asprintf_append_buffer(
                     text,
                     "relayx_http_request_seconds_bucket{%s,le=\"+Inf\"} %llu\n"
                     "relayx_http_request_seconds_sum{%s} %.6f\n"
                     "relayx_http_request_seconds_count{%s} %llu\n",
                     labels, total, labels, (double)atomic_load(&row->sum_us) / 1e6, labels, total);
}

static bool is_used(const struct row *row)
{
    for (size_t i = 0; i < STATUSES; i++)
        if (atomic_load(&row->statuses[i]))
            return true;
    return false;
}

char *rlx_metrics_requests(const struct rlx_metrics *metrics, char *text)
{
    char labels[300];

    for (int times = 0; times < 2; times++) {
        text = talloc_strdup_append_buffer(text,
                                           times ? "# TYPE relayx_http_request_seconds histogram\n"
                                                 : "# TYPE relayx_http_requests_total counter\n");
        for (size_t i = 0; text && i <= metrics->count; i++) {
            const struct rlx_route *route = i < metrics->count ? &metrics->routes[i] : NULL;
            if (!is_used(&metrics->rows[i]))
                continue;
            snprintf(labels, sizeof labels, "method=\"%s\",route=\"%s\"",
                     route ? route->method : "any", route ? route->path : "none");
            text = times ? add_times(text, &metrics->rows[i], labels)
                         : add_statuses(text, &metrics->rows[i], labels);
        }
    }
    return text;
}

static unsigned open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned n = 0;

    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n > 3 ? n - 3 : 0; /* ".", "..", and the folder's own */
}

char *rlx_metrics_process(char *text)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long all = 0, resident = 0;
    struct rusage use = {0};

    if (file) {
        if (fscanf(file, "%llu %llu", &all, &resident) != 2)
            all = resident = 0;
        fclose(file);
    }
    getrusage(RUSAGE_SELF, &use);
    double seconds = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                     (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    unsigned long long page = (unsigned long long)sysconf(_SC_PAGESIZE);
    return talloc_asprintf_append_buffer(text,
                                         "# TYPE process_resident_memory_bytes gauge\n"
                                         "process_resident_memory_bytes %llu\n"
                                         "# TYPE process_virtual_memory_bytes gauge\n"
                                         "process_virtual_memory_bytes %llu\n"
                                         "# TYPE process_cpu_seconds_total counter\n"
                                         "process_cpu_seconds_total %.6f\n"
                                         "# TYPE process_open_fds gauge\n"
                                         "process_open_fds %u\n",
                                         resident * page, all * page, seconds, open_files());
}

/* ---- GET /metrics ---- */

/* Numbers tell of the business: only this machine, or who has the token, gets them. */
static bool may_read(struct rlx_request *req, const struct rlx_api *api)
{
    const char *token = rlx_config_get(api->config, RLX_CFG_METRICS_TOKEN);
    const char *header = rlx_request_header(req, "Authorization");
    const char *peer = rlx_request_peer(req);
    bool local = !strncmp(peer, "127.", 4) || !strcmp(peer, "::1");
    bool proxied =
        rlx_request_header(req, "X-Forwarded-For") || rlx_request_header(req, "Forwarded");

    if (*token)
        return header && !strncasecmp(header, "Bearer ", 7) && rlx_equal(header + 7, token);
    return local && !proxied;
}

static char *gauges(struct rlx_request *req, struct rlx_api *api)
{
    unsigned opened, used, waiting;
    int up = !rlx_store_ping(api->store);

    rlx_store_pool(api->store, &opened, &used, &waiting);
    return talloc_asprintf(
        (TALLOC_CTX *)req,
        "# TYPE relayx_info gauge\nrelayx_info{version=\"%s\"} 1\n"
        "# TYPE relayx_store_up gauge\nrelayx_store_up %d\n"
        "# TYPE relayx_store_connections gauge\n"
        "relayx_store_connections{state=\"open\"} %u\nrelayx_store_connections{state=\"used\"} %u\n"
        "# TYPE relayx_store_waiting gauge\nrelayx_store_waiting %u\n"
        "# TYPE relayx_live_streams gauge\nrelayx_live_streams %d\n"
        "# TYPE relayx_http_connections gauge\nrelayx_http_connections %u\n"
        "# TYPE relayx_http_requests_active gauge\nrelayx_http_requests_active %u\n",
        RLX_VERSION, up, opened, used, waiting, atomic_load(&api->streams),
        api->httpd ? rlx_httpd_connections(api->httpd) : 0,
        api->httpd ? rlx_httpd_active(api->httpd) : 0);
}

void rlx_api_metrics(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;

    if (!may_read(req, api)) {
        rlx_reply_error(req, RLX_EFORBIDDEN,
                        "only from this machine, or with the token that METRICS_TOKEN sets");
        return;
    }
    char *text = gauges(req, api);
    text = text ? rlx_metrics_process(text) : NULL;
    text = text ? rlx_metrics_requests(api->metrics, text) : NULL;
    if (text)
        rlx_reply_text(req, 200, "text/plain; version=0.0.4; charset=utf-8", text);
    else
        rlx_reply_error(req, -ENOMEM, NULL);
}
