/* A call's live events as server-sent events: what is in call_events, by short polling; resumes at
 * Last-Event-ID. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/private.h"
#include "base/clock.h"
#include "store/calls.h"

#define POLL_MS 150
#define HEARTBEAT_MS 15000
#define END_LOOK_MS 1000
#define BATCH 50

struct stream {
    struct rlx_api *api;
    char call_id[37], user_id[37];
    int64_t last_id;
    uint64_t sent_ms, looked_ms;
    char *text; /* what waits to be sent */
    size_t length, offset;
    bool ended;
};

static void put(struct stream *stream, char *text)
{
    talloc_free(stream->text);
    stream->text = text;
    stream->length = text ? strlen(text) : 0;
    stream->offset = 0;
    stream->sent_ms = rlx_now_ms();
}

/* id: 7 / event: transcript / data: {…} */
static char *format(struct stream *stream, const json_t *events)
{
    char *text = talloc_strdup(stream, "");
    const json_t *event;
    size_t i;

    json_array_foreach (events, i, event) {
        json_t *whole = json_copy((json_t *)(uintptr_t)json_object_get(event, "data"));
        if (json_is_object(whole))
            json_object_set(whole, "at", json_object_get(event, "at"));
        char *data = json_dumps(whole, JSON_COMPACT);
        stream->last_id = json_integer_value(json_object_get(event, "id"));
        if (text && data)
            text = talloc_asprintf_append_buffer(
                text, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)stream->last_id,
                json_string_value(json_object_get(event, "kind")), data);
        free(data);
        json_decref(whole);
    }
    return text;
}

/* The call is over and analysed: nothing more will come. */
static bool complete(struct stream *stream)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *json = NULL, *sid, *status = NULL, *reason;
    bool over = false;

    stream->looked_ms = rlx_now_ms();
    if (!rlx_call_peek(stream->api->store, tmp, stream->call_id, &sid, &status, &reason) &&
        rlx_call_is_over(status) &&
        !rlx_call_analysis(stream->api->store, tmp, stream->user_id, stream->call_id, &json))
        over = !strstr(json, "\"status\":\"pending\"");
    talloc_free(tmp);
    return over;
}

static void fill(struct stream *stream)
{
    json_t *events = NULL;
    uint64_t now_ms = rlx_now_ms();
    bool done = now_ms - stream->looked_ms >= END_LOOK_MS && complete(stream);

    /* Looked for after the end was seen: what was written before it is still sent. */
    if (!rlx_call_events(stream->api->store, NULL, stream->call_id, stream->last_id, BATCH,
                         &events) &&
        json_array_size(events))
        put(stream, format(stream, events));
    else if (done) {
        put(stream, talloc_strdup(stream, "event: end\ndata: {}\n\n"));
        stream->ended = true;
    } else if (now_ms - stream->sent_ms >= HEARTBEAT_MS)
        put(stream, talloc_strdup(stream, ": alive\n\n"));
    json_decref(events);
}

static ssize_t stream_read(void *buffer, size_t size, void *arg)
{
    static const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    struct stream *stream = arg;

    if (stream->offset == stream->length) {
        if (stream->ended || atomic_load(&stream->api->stopping))
            return RLX_STREAM_END;
        fill(stream);
    }
    size_t n = stream->length - stream->offset;
    if (!n) {
        nanosleep(&pause, NULL);
        return 0;
    }
    n = n < size ? n : size;
    memcpy(buffer, stream->text + stream->offset, n);
    stream->offset += n;
    return (ssize_t)n;
}

static void stream_done(void *arg)
{
    struct stream *stream = arg;

    rlx_api_stream_close(stream->api);
    talloc_free(stream);
}

static int64_t resume_after(struct rlx_request *req)
{
    const char *text = rlx_request_header(req, "Last-Event-ID");

    if (!text)
        text = rlx_request_query(req, "last_event_id");
    long long id = text ? strtoll(text, NULL, 10) : 0;
    return id > 0 ? id : 0;
}

void rlx_api_call_events(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "call_id"), *user = rlx_api_user(req);

    int err = rlx_call_owned(api->store, user, id);
    if (err) {
        rlx_api_reply_store(req, err, "call");
        return;
    }
    if (!rlx_api_stream_open(req, api))
        return;
    struct stream *stream = talloc_zero(NULL, struct stream); /* outlives the request */
    if (!stream) {
        rlx_api_stream_close(api);
        rlx_reply_error(req, -ENOMEM, NULL);
        return;
    }
    stream->api = api;
    memcpy(stream->call_id, id, sizeof stream->call_id);
    memcpy(stream->user_id, user, sizeof stream->user_id);
    stream->last_id = resume_after(req);
    put(stream, talloc_strdup(stream, "retry: 1000\n\n"));
    rlx_reply_header(req, "Cache-Control", "no-store");
    rlx_reply_header(req, "X-Accel-Buffering", "no");
    rlx_reply_stream(req, 200, "text/event-stream", stream_read, stream_done, stream);
}
