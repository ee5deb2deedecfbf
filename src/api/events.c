/* Live events as server-sent events: of one call, and of all of a user's calls. They come from the
 * hub; Last-Event-ID resumes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/hub.h"
#include "api/private.h"
#include "base/clock.h"
#include "store/calls.h"

#define WAIT_MS 500
#define HEARTBEAT_MS 15000
#define SETTLE_MS 1500 /* what came with a call's end may reach the hub so much later */
#define LOOK_MS 10000  /* whether a call is complete, should its last event have been missed */

struct stream {
    struct rlx_api *api;
    char *place; /* among the live streams */
    struct rlx_hub_reader reader;
    uint64_t sent_ms, looked_ms;
    uint64_t complete_ms; /* when a look found that the call is complete, 0 = not yet */
    char *text;           /* what waits to be sent */
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

/* The call is over and analysed: nothing more will come. */
static bool is_complete(struct stream *stream)
{
    const struct rlx_hub_reader *reader = &stream->reader;
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *json = NULL, *sid, *status = NULL, *reason;
    bool over = false;

    stream->looked_ms = rlx_now_ms();
    stream->reader.analysed = false;
    if (!rlx_call_peek(stream->api->store, tmp, reader->call_id, &sid, &status, &reason) &&
        rlx_call_is_over(status) &&
        !rlx_call_analysis(stream->api->store, tmp, reader->user_id, reader->call_id, &json))
        over = !strstr(json, "\"status\":\"pending\"");
    talloc_free(tmp);
    return over;
}

static void fill(struct stream *stream)
{
    char *text = rlx_hub_next(&stream->reader, stream, WAIT_MS);
    uint64_t now_ms = rlx_now_ms();

    if (text) {
        put(stream, text);
        return;
    }
    /* Everything that was there has been sent. */
    bool given = stream->reader.analysed;
    bool look = stream->reader.call_id[0] &&
                (given || stream->complete_ms || now_ms - stream->looked_ms >= LOOK_MS);
    bool complete = look && is_complete(stream);
    if (complete && !stream->complete_ms)
        stream->complete_ms = now_ms;
    if (complete && (given || now_ms - stream->complete_ms >= SETTLE_MS)) {
        put(stream, talloc_strdup(stream, "event: end\ndata: {}\n\n"));
        stream->ended = true;
    } else if (now_ms - stream->sent_ms >= HEARTBEAT_MS) {
        put(stream, talloc_strdup(stream, ": alive\n\n"));
    }
}

static ssize_t stream_read(void *buffer, size_t size, void *arg)
{
    struct stream *stream = arg;

    if (stream->offset == stream->length) {
        if (stream->ended || atomic_load(&stream->api->stopping))
            return RLX_STREAM_END;
        fill(stream);
    }
    size_t n = stream->length - stream->offset;
    n = n < size ? n : size;
    if (n)
        memcpy(buffer, stream->text + stream->offset, n);
    stream->offset += n;
    return (ssize_t)n;
}

static void stream_done(void *arg)
{
    struct stream *stream = arg;

    rlx_hub_leave(&stream->reader);
    rlx_api_stream_close(stream->api, stream->place);
    talloc_free(stream);
}

/* The id that the client saw last, -1 = none. */
static int64_t resume_after(struct rlx_request *req)
{
    const char *text = rlx_request_header(req, "Last-Event-ID");

    if (!text)
        text = rlx_request_query(req, "last_event_id");
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    long long id = strtoll(text, NULL, 10);
    return errno ? -1 : id;
}

/* Takes the reader over; call_id and kinds are set. */
static void begin(struct rlx_request *req, struct rlx_api *api, const struct rlx_hub_reader *reader)
{
    char *place;

    if (!rlx_api_stream_open(req, api, &place))
        return;
    struct stream *stream = talloc_zero(NULL, struct stream); /* outlives the request */
    if (stream) {
        stream->api = api;
        stream->place = place;
        stream->reader = *reader;
        memccpy(stream->reader.user_id, rlx_api_user(req), 0, sizeof stream->reader.user_id);
    }
    int err = stream ? rlx_hub_join(api->hub, &stream->reader) : -ENOMEM;
    if (err) {
        rlx_api_stream_close(api, place);
        talloc_free(stream);
        rlx_api_reply_store(req, err, "event");
        return;
    }
    put(stream, talloc_strdup(stream, "retry: 1000\n\n"));
    rlx_reply_header(req, "Cache-Control", "no-store");
    rlx_reply_header(req, "X-Accel-Buffering", "no");
    rlx_reply_stream(req, 200, "text/event-stream", stream_read, stream_done, stream);
}

void rlx_api_call_events(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "call_id");
    int64_t after = resume_after(req);
    struct rlx_hub_reader reader = {.last_id = after < 0 ? 0 : after};

    int err = rlx_call_owned(api->store, rlx_api_user(req), id);
    if (err) {
        rlx_api_reply_store(req, err, "call");
        return;
    }
    memccpy(reader.call_id, id, 0, sizeof reader.call_id);
    begin(req, api, &reader);
}

void rlx_api_events(struct rlx_request *req, void *arg)
{
    const char *kinds = rlx_request_query(req, "kinds");
    struct rlx_hub_reader reader = {.last_id = resume_after(req)};

    if (kinds)
        snprintf(reader.kinds, sizeof reader.kinds, ",%s,", kinds);
    begin(req, arg, &reader);
}
