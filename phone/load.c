#include "load.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/http.h"

#define FIGURES_MAX 200000u
#define NUMBER_BASE 2025550000ull /* +1202555xxxx: made-up numbers */
#define SLACK_S 30u

struct figures {
    int64_t *values;
    size_t count;
};

struct load {
    struct rlx_exchange *exchange;
    const struct rlx_phone_flags *flags;
    const char *from;
    TALLOC_CTX *ctx;
    uint64_t first_number; /* of the exchange's calls that are ours */
    uint32_t placed, refused;
    uint32_t completed, failed;
    json_t *errors; /* text → count */
    struct figures first_audio, longest_gap, setup;
};

static void count_error(struct load *load, const char *text)
{
    json_int_t count = json_integer_value(json_object_get(load->errors, text));

    if (json_object_size(load->errors) < 100 || count > 0)
        json_object_set_new(load->errors, text, json_integer(count + 1));
}

/* ---- placing ---- */

/* "{n}" in the webhook's URL is the call's number. */
static char *webhook_url(TALLOC_CTX *ctx, const char *pattern, uint32_t n)
{
    const char *at = strstr(pattern, "{n}");

    return at ? talloc_asprintf(ctx, "%.*s%u%s", (int)(at - pattern), pattern, n, at + 3)
              : talloc_strdup(ctx, pattern);
}

static int place_directly(struct load *load, const char *to, uint32_t n)
{
    struct rlx_call_request request = {
        .to = to, .from = load->from, .timeout_s = 60, .limit_s = load->flags->limit_s};
    struct rlx_call *call = NULL;
    char *url = webhook_url(load->ctx, load->flags->webhook, n);
    int err;

    request.url = url;
    err = rlx_call_start(&call, load->exchange, &request);
    if (!err)
        rlx_call_put(call);
    talloc_free(url);
    return err;
}

static int place_by_api(struct load *load, const char *to)
{
    char *url = talloc_asprintf(load->ctx, "%s/calls/outbound", load->flags->api);
    json_t *body = json_pack("{s:s,s:s}", "agent_id", load->flags->agent, "phone_number", to);
    long status = 0;
    int err;

    err = rlx_http_json(&status, NULL, "POST", url, load->flags->token, body, 15000);
    json_decref(body);
    talloc_free(url);
    if (!err && (status < 200 || status >= 300)) {
        char text[64];

        (void)snprintf(text, sizeof(text), "POST /calls/outbound answered %ld", status);
        count_error(load, text);
        return RLX_EPROVIDER;
    }
    if (err)
        count_error(load, rlx_err_text(err));
    return err;
}

static void place(struct load *load)
{
    uint32_t n = load->placed++;
    char to[24];
    int err;

    (void)snprintf(to, sizeof(to), "+1%llu", NUMBER_BASE + n % 10000);
    err = load->flags->webhook ? place_directly(load, to, n) : place_by_api(load, to);
    if (err)
        load->refused++;
}

/* ---- waiting ---- */

struct survey {
    uint32_t live, ended;
};

static bool survey_one(struct rlx_call *call, void *arg)
{
    struct survey *survey = arg;
    bool ended;

    pthread_mutex_lock(&call->lock);
    ended = strcmp(call->state, "ended") == 0;
    pthread_mutex_unlock(&call->lock);
    if (ended)
        survey->ended++;
    else
        survey->live++;
    return true;
}

static bool hang_up_one(struct rlx_call *call, void *arg)
{
    (void)arg;
    rlx_call_drop(call);
    return true;
}

/* Places and waits until all calls have ended or the time is up. */
static void run(struct load *load)
{
    const struct rlx_phone_flags *flags = load->flags;
    uint64_t rounds = (flags->calls + flags->concurrent - 1) / flags->concurrent;
    uint64_t end_ms = rlx_now_ms() + (rounds * flags->limit_s + SLACK_S) * 1000;
    struct timespec nap = {.tv_nsec = 50 * 1000000L};

    for (;;) {
        struct survey survey = {0};

        rlx_call_each(load->exchange, survey_one, &survey);
        if (load->placed == flags->calls &&
            (survey.ended + load->refused >= flags->calls || rlx_now_ms() >= end_ms))
            break;
        /* Those placed that the carrier hasn't been asked for yet count as running. */
        for (uint32_t running = load->placed - load->refused - survey.ended;
             load->placed < flags->calls && running < flags->concurrent; running++)
            place(load);
        if (rlx_now_ms() >= end_ms)
            break;
        (void)nanosleep(&nap, NULL);
    }
    rlx_call_each(load->exchange, hang_up_one, NULL);
}

/* ---- the report ---- */

static void add_figure(TALLOC_CTX *ctx, struct figures *figures, int64_t value)
{
    if (figures->count >= FIGURES_MAX)
        return;
    if (!figures->values)
        figures->values = talloc_array(ctx, int64_t, FIGURES_MAX);
    if (figures->values)
        figures->values[figures->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static json_t *percentiles(struct figures *figures)
{
    static const struct {
        const char *name;
        unsigned percent;
    } wanted[] = {{"p50", 50}, {"p95", 95}, {"p99", 99}, {"max", 100}};
    json_t *result = json_object();

    if (figures->count > 0)
        qsort(figures->values, figures->count, sizeof(*figures->values), by_value);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        size_t at = figures->count * wanted[i].percent / 100;

        if (at >= figures->count && figures->count > 0)
            at = figures->count - 1;
        json_object_set_new(result, wanted[i].name,
                            figures->count > 0 ? json_integer(figures->values[at]) : json_null());
    }
    return result;
}

static bool evaluate_one(struct rlx_call *call, void *arg)
{
    struct load *load = arg;
    json_t *report = rlx_call_report(call), *item;
    bool completed = strcmp(json_string_value(json_object_get(report, "status")), "completed") == 0;
    size_t i;

    json_array_foreach (json_object_get(report, "errors"), i, item)
        count_error(load, json_string_value(item));
    if (completed && json_array_size(json_object_get(report, "errors")) == 0)
        load->completed++;
    else
        load->failed++;
    json_array_foreach (json_object_get(report, "turns"), i, item)
        if (json_is_integer(json_object_get(item, "first_audio_ms")))
            add_figure(load->ctx, &load->first_audio,
                       json_integer_value(json_object_get(item, "first_audio_ms")));
    json_array_foreach (json_object_get(report, "agent"), i, item) {
        if (i == 0)
            add_figure(load->ctx, &load->setup,
                       json_integer_value(json_object_get(item, "start_ms")));
        add_figure(load->ctx, &load->longest_gap,
                   json_integer_value(json_object_get(item, "longest_gap_ms")));
    }
    json_decref(report);
    return true;
}

int rlx_load_run(struct rlx_exchange *exchange, const struct rlx_phone_flags *flags,
                 const char *from)
{
    struct load load = {.exchange = exchange, .flags = flags, .from = from};
    uint64_t began_ms = rlx_now_ms();
    json_t *report;
    bool good;

    load.ctx = talloc_new(NULL);
    load.errors = json_object();
    run(&load);
    report = json_pack("{s:i,s:f}", "calls", (int)flags->calls, "seconds",
                       (double)(rlx_now_ms() - began_ms) / 1000);
    rlx_exchange_stop(exchange);
    rlx_call_each(exchange, evaluate_one, &load);
    good = load.completed == flags->calls;
    json_object_set_new(report, "completed", json_integer(load.completed));
    json_object_set_new(report, "failed", json_integer(flags->calls - load.completed));
    json_object_set_new(report, "errors", load.errors);
    json_object_set_new(report, "first_audio_ms", percentiles(&load.first_audio));
    json_object_set_new(report, "longest_gap_ms", percentiles(&load.longest_gap));
    json_object_set_new(report, "setup_ms", percentiles(&load.setup));
    (void)json_dumpf(report, stdout, JSON_INDENT(1));
    (void)putchar('\n');
    json_decref(report);
    talloc_free(load.ctx);
    return good ? 0 : 1;
}
