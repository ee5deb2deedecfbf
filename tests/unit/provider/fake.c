#include "fake.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio/g711.h"
#include "audio/wav.h"
#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"

#define PATHS_MAX 4096

struct fake {
    struct rlx_httpd *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum fake_mode mode;
    int status;
    const char *headers[4]; /* name, value, name, value */
    bool free;
    unsigned wrong, count;
    char paths[PATHS_MAX][32];
};

/* ---- answers ---- */

struct body {
    struct fake *fake;
    uint8_t *bytes;
    size_t length, at, step, stop; /* stop: where it stalls or aborts; SIZE_MAX = nowhere */
    bool abort;
};

/* True when it need not wait any longer. */
static bool wait_free(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    while (!fake->free)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
    return true;
}

static ssize_t read_body(void *buffer, size_t size, void *arg)
{
    struct body *body = arg;
    if (body->at == body->stop) {
        if (body->abort)
            return RLX_STREAM_ABORT;
        wait_free(body->fake);
        body->stop = SIZE_MAX;
    }
    size_t part = body->length - body->at;
    if (part > body->step)
        part = body->step;
    if (part > size)
        part = size;
    if (body->stop != SIZE_MAX && part > body->stop - body->at)
        part = body->stop - body->at;
    if (!part)
        return RLX_STREAM_END;
    memcpy(buffer, body->bytes + body->at, part);
    body->at += part;
    return (ssize_t)part;
}

static void free_body(void *arg)
{
    struct body *body = arg;
    free(body->bytes);
    free(body);
}

static enum fake_mode mode_of(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    enum fake_mode mode = fake->mode;
    pthread_mutex_unlock(&fake->lock);
    return mode;
}

static void stream(struct rlx_request *req, struct fake *fake, const char *type, const void *bytes,
                   size_t length)
{
    enum fake_mode mode = mode_of(fake);
    struct body *body = calloc(1, sizeof *body);
    body->fake = fake;
    body->bytes = malloc(length + 1);
    if (length)
        memcpy(body->bytes, bytes, length);
    body->length = length;
    body->step = mode == FAKE_BYTES ? 1 : 4096;
    body->stop = mode == FAKE_STALL || mode == FAKE_ABORT ? length / 2 : SIZE_MAX;
    if (mode == FAKE_LATE_ABORT)
        body->stop = length * 3 / 4;
    body->abort = mode == FAKE_ABORT || mode == FAKE_LATE_ABORT;
    for (int i = 0; i < 4 && fake->headers[i]; i += 2)
        rlx_reply_header(req, fake->headers[i], fake->headers[i + 1]);
    rlx_reply_stream(req, 200, type, read_body, free_body, body);
}

/* The misbehaviour that is the same everywhere; true = it has been answered. */
static bool misbehave(struct rlx_request *req, struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    enum fake_mode mode = fake->mode;
    int status = fake->status;
    pthread_mutex_unlock(&fake->lock);
    char body[100];
    switch (mode) {
    case FAKE_SLOW:
        wait_free(fake);
        return false;
    case FAKE_STATUS:
        snprintf(body, sizeof body, "{\"error\":{\"message\":\"told to say %d\",\"code\":\"x\"}}",
                 status);
        rlx_reply_text(req, status, "application/json", body);
        return true;
    case FAKE_EMPTY:
        rlx_reply(req, 200, "application/octet-stream", "", 0);
        return true;
    case FAKE_GARBAGE:
        rlx_reply_text(req, 200, "application/json", "{\"garbage\": [1,2");
        return true;
    default:
        return false;
    }
}

static void note(struct rlx_request *req, struct fake *fake)
{
    const char *path = rlx_request_path(req);
    pthread_mutex_lock(&fake->lock);
    if (fake->count < PATHS_MAX)
        snprintf(fake->paths[fake->count++], sizeof fake->paths[0], "%s", path);
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static void refuse(struct rlx_request *req, struct fake *fake, const char *why)
{
    pthread_mutex_lock(&fake->lock);
    fake->wrong++;
    pthread_mutex_unlock(&fake->lock);
    fprintf(stderr, "fake: %s: %s\n", rlx_request_path(req), why);
    rlx_reply_text(req, 400, "application/json", "{\"error\":{\"message\":\"wrong request\"}}");
}

static const char *text_of(struct rlx_request *req, const char *name)
{
    size_t length;
    const char *value = rlx_request_field(req, name, &length);
    return value ? value : "";
}

static bool key_is_wrong(struct rlx_request *req)
{
    const char *auth = rlx_request_header(req, "Authorization");
    return auth && strcmp(auth, "Bearer test-key");
}

static void transcriptions(struct rlx_request *req, void *arg)
{
    struct fake *fake = arg;
    size_t length = 0;
    struct rlx_wav *wav = NULL;
    note(req, fake);
    const char *file = rlx_request_field(req, "file", &length);
    const char *name = rlx_request_filename(req, "file");
    if (key_is_wrong(req)) {
        refuse(req, fake, "key");
    } else if (!file || rlx_wav_read(&wav, req, file, length, NULL) || wav->rate_hz != 16000 ||
               wav->channels != 1 || wav->frames != 16000) {
        refuse(req, fake, "file is not one second of 16 kHz mono");
    } else if (!name || !strstr(name, ".wav")) {
        refuse(req, fake, "file name");
    } else if (strcmp(text_of(req, "response_format"), "json") || !*text_of(req, "model") ||
               strcmp(text_of(req, "language"), "en") || strcmp(text_of(req, "prompt"), "RelayX")) {
        refuse(req, fake, "fields");
    } else if (!misbehave(req, fake)) {
        static const char good[] = "{\"text\":\" Hello there. \",\"voiced_ms\":640,\"segments\":["
                                   "{\"start\":0,\"end\":1,\"avg_logprob\":-0.2},"
                                   "{\"start\":1,\"end\":2,\"avg_logprob\":-0.4}]}";
        stream(req, fake, "application/json", good, sizeof good - 1);
    }
}

#define DELTA(delta)                                                                               \
    "data: {\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}\n\n"
#define FINISH(reason)                                                                             \
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define USAGE "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":21,\"completion_tokens\":4}}\n\n"

static const char good_chat[] = ": hello\n\n" DELTA("{\"role\":\"assistant\",\"content\":\"\"}")
    DELTA("{\"reasoning\":\"secret\"}") DELTA("{\"content\":\"We open \"}")
        DELTA("{\"content\":\"at nine.\"}") FINISH("stop") USAGE "data: [DONE]\n\n";
static const char tools_chat[] = DELTA("{\"content\":\"One moment.\"}")
    DELTA("{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{"
          "\"name\":\"book\",\"arguments\":\"{\\\"d\"}}]}")
        DELTA("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"ay\\\":1}\"}}]}")
            DELTA("{\"tool_calls\":[{\"index\":1,\"id\":\"c2\",\"type\":\"function\",\"function\":{"
                  "\"name\":\"end_call\",\"arguments\":\"{}\"}}]}") FINISH("tool_calls") USAGE
    "data: [DONE]\n\n";

static void chat(struct rlx_request *req, void *arg)
{
    struct fake *fake = arg;
    json_t *body = NULL;
    note(req, fake);
    const char *kind = rlx_request_json(req, &body)                    ? NULL
                       : json_is_true(json_object_get(body, "stream")) ? "stream"
                                                                       : "whole";
    if (key_is_wrong(req))
        refuse(req, fake, "key");
    else if (!kind || !json_is_string(json_object_get(body, "model")) ||
             !json_array_size(json_object_get(body, "messages")) ||
             !json_is_integer(json_object_get(body, "max_tokens")) ||
             !json_is_number(json_object_get(body, "temperature")))
        refuse(req, fake, "fields");
    else if (!misbehave(req, fake) && !strcmp(kind, "whole"))
        rlx_reply_text(
            req, 200, "application/json",
            json_object_get(body, "response_format")
                ? "{\"choices\":[{\"message\":{\"content\":\"{\\\"a\\\":1}\"}}]}"
                : "{\"choices\":[{\"message\":{\"content\":\"plain\",\"reasoning\":\"r\"}}]}");
    else if (!rlx_reply_status(req) && mode_of(fake) == FAKE_TOOLS)
        stream(req, fake, "text/event-stream", tools_chat, sizeof tools_chat - 1);
    else if (!rlx_reply_status(req))
        stream(req, fake, "text/event-stream", good_chat, sizeof good_chat - 1);
}

/* 200 ms of silence, 300 ms of a tone, 200 ms of silence. */
static size_t make_speech(uint8_t *to, bool ulaw, unsigned rate_hz)
{
    size_t edge = rate_hz / 5, tone = rate_hz * 3 / 10, length = 0;
    for (size_t i = 0; i < edge * 2 + tone; i++) {
        double wave = i >= edge && i < edge + tone ? sin(2 * M_PI * 440 * (double)i / rate_hz) : 0;
        int16_t sample = (int16_t)(9000 * wave);
        if (ulaw) {
            rlx_pcm_to_ulaw(to + length++, &sample, 1);
        } else {
            to[length++] = (uint8_t)sample;
            to[length++] = (uint8_t)((uint16_t)sample >> 8);
        }
    }
    return length;
}

static void speech(struct rlx_request *req, void *arg)
{
    struct fake *fake = arg;
    json_t *body = NULL;
    uint8_t bytes[RLX_WAV_HEADER + 24000 * 2];
    note(req, fake);
    const char *format = rlx_request_json(req, &body)
                             ? NULL
                             : json_string_value(json_object_get(body, "response_format"));
    size_t at = mode_of(fake) == FAKE_WAV ? RLX_WAV_HEADER : 0;
    if (key_is_wrong(req))
        refuse(req, fake, "key");
    else if (!format || !json_is_string(json_object_get(body, "model")) ||
             !json_is_string(json_object_get(body, "input")) ||
             !json_is_string(json_object_get(body, "voice")))
        refuse(req, fake, "fields");
    else if (strcmp(format, "pcm") && strcmp(format, "mulaw"))
        refuse(req, fake, "response_format");
    else if (!misbehave(req, fake)) {
        bool ulaw = !strcmp(format, "mulaw") && !at;
        size_t length = at + make_speech(bytes + at, ulaw, ulaw ? 8000 : 24000);
        if (at)
            rlx_wav_header(bytes, 24000, 1, UINT32_MAX);
        stream(req, fake, "audio/pcm", bytes, length);
    }
}

static void embeddings(struct rlx_request *req, void *arg)
{
    struct fake *fake = arg;
    json_t *body = NULL;
    note(req, fake);
    if (rlx_request_json(req, &body) || !json_is_array(json_object_get(body, "input")) ||
        !json_is_string(json_object_get(body, "model")))
        refuse(req, fake, "fields");
    else if (!misbehave(req, fake)) {
        size_t count = json_array_size(json_object_get(body, "input"));
        json_t *data = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(data, json_pack("{s:i, s:[f,f,f]}", "index", (int)i, "embedding",
                                                  0.0, 3.0, (double)(4 * i)));
        json_t *answer = json_pack("{s:o}", "data", data);
        char *text = json_dumps(answer, 0);
        stream(req, fake, "application/json", text, strlen(text));
        free(text);
        json_decref(answer);
    }
}

static void models(struct rlx_request *req, void *arg)
{
    note(req, arg);
    rlx_reply_text(req, 200, "application/json", "{\"data\":[]}");
}

static const struct rlx_route routes[] = {
    {"POST", "/v1/audio/transcriptions", transcriptions, 8 << 20},
    {"POST", "/v1/chat/completions", chat, 1 << 20},
    {"POST", "/v1/audio/speech", speech, 1 << 20},
    {"POST", "/v1/embeddings", embeddings, 1 << 20},
    {"GET", "/v1/models", models, 0},
};

/* ---- control ---- */

static int close_fake(struct fake *fake)
{
    fake_free_waiting(fake);
    talloc_free(fake->server);
    pthread_mutex_destroy(&fake->lock);
    pthread_cond_destroy(&fake->changed);
    return 0;
}

struct fake *fake_open(TALLOC_CTX *ctx)
{
    struct fake *fake = talloc_zero(ctx, struct fake);
    const struct rlx_httpd_options options = {
        .routes = routes, .route_count = sizeof routes / sizeof routes[0], .arg = fake};
    pthread_mutex_init(&fake->lock, NULL);
    pthread_cond_init(&fake->changed, NULL);
    assert_int_equal(rlx_httpd_start(&fake->server, fake, &options), 0);
    talloc_set_destructor(fake, close_fake);
    return fake;
}

uint16_t fake_port(const struct fake *fake)
{
    return rlx_httpd_port(fake->server);
}

static void change(struct fake *fake, enum fake_mode mode, int status, bool is_free)
{
    pthread_mutex_lock(&fake->lock);
    fake->mode = mode;
    fake->status = status;
    fake->free = is_free;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

void fake_set(struct fake *fake, enum fake_mode mode)
{
    change(fake, mode, 0, false);
}

void fake_set_headers(struct fake *fake, const char *const headers[4])
{
    pthread_mutex_lock(&fake->lock);
    memcpy(fake->headers, headers, sizeof fake->headers);
    pthread_mutex_unlock(&fake->lock);
}

void fake_set_status(struct fake *fake, int status)
{
    change(fake, FAKE_STATUS, status, false);
}

void fake_free_waiting(struct fake *fake)
{
    change(fake, FAKE_GOOD, 0, true);
}

static unsigned count_locked(const struct fake *fake, const char *path)
{
    unsigned count = 0;
    for (unsigned i = 0; i < fake->count; i++) {
        size_t length = strlen(fake->paths[i]), tail = strlen(path);
        count += length >= tail && !strcmp(fake->paths[i] + length - tail, path);
    }
    return count;
}

unsigned fake_count(struct fake *fake, const char *path)
{
    pthread_mutex_lock(&fake->lock);
    unsigned count = count_locked(fake, path);
    pthread_mutex_unlock(&fake->lock);
    return count;
}

unsigned fake_wrong(struct fake *fake)
{
    pthread_mutex_lock(&fake->lock);
    unsigned wrong = fake->wrong;
    pthread_mutex_unlock(&fake->lock);
    return wrong;
}

/* ---- the bench ---- */

static void on_guard(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    if (bench->ticks && --bench->ticks == 0)
        bench->late = true;
}

/* The guard ticks: what is done by another timer must not leave this loop in its poll. */
void bench_run(struct bench *bench, const bool *flag)
{
    bench->late = false;
    bench->ticks = 2000;
    uv_timer_start(&bench->guard, on_guard, 5, 5);
    while (!*flag && !bench->late)
        uv_run(&bench->loop, UV_RUN_ONCE);
    uv_timer_stop(&bench->guard);
    assert_true(*flag);
}

void bench_idle(struct bench *bench, unsigned ms)
{
    bench->late = false;
    bench->ticks = 1;
    uv_timer_start(&bench->guard, on_guard, ms, 5);
    while (!bench->late)
        uv_run(&bench->loop, UV_RUN_ONCE);
    uv_timer_stop(&bench->guard);
}

int bench_open(void **state)
{
    struct bench *bench = talloc_zero(NULL, struct bench);
    bench->ctx = bench;
    rlx_log_setup(RLX_ERROR, false); /* the failures of these tests are meant */
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        unsetenv(rlx_config_name((enum rlx_setting)i));
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    uv_timer_init(&bench->loop, &bench->guard);
    bench->guard.data = bench;
    assert_int_equal(rlx_net_create(&bench->net, bench, &bench->loop), 0);
    bench->a = fake_open(bench);
    bench->b = fake_open(bench);
    *state = bench;
    return 0;
}

int bench_close(void **state)
{
    struct bench *bench = *state;
    talloc_free(bench->providers);
    rlx_net_close(bench->net);
    uv_close((uv_handle_t *)&bench->guard, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    assert_int_equal(fake_wrong(bench->a) + fake_wrong(bench->b), 0);
    return talloc_free(bench);
}

void bench_configure(struct bench *bench, const char *const *flags)
{
    char *argv[16] = {0}, *why = NULL;
    int argc = 0;
    for (; flags[argc]; argc++) {
        const char *mark = strchr(flags[argc], '%');
        argv[argc] =
            mark ? talloc_asprintf(bench, "%.*s%u%s", (int)(mark - flags[argc]), flags[argc],
                                   fake_port(mark[1] == 'a' ? bench->a : bench->b), mark + 2)
                 : talloc_strdup(bench, flags[argc]);
    }
    assert_int_equal(rlx_config_load(&bench->config, bench, argc, argv, &why), 0);
    if (rlx_providers_create(&bench->providers, bench, bench->net, bench->config, &why))
        fail_msg("%s", why);
}
