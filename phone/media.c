/* A bidirectional Media Stream, from Twilio's side. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "call.h"
#include "form.h"
#include "program.h"
#include "wsclient.h"

#define UP_MAX 512u      /* frames and keys on the line: 10 s */
#define MARKS_OUT 1024u  /* marks on the line */
#define MARKS_MAX 50000u /* of one call */
#define CLEARS_MAX 5000u
#define DOWN_MAX 20000u
#define PAYLOAD_MAX ((size_t)2 << 20)
#define MESSAGE_SIZE 640
#define HANDSHAKE_MS 10000

struct up_item {
    uint64_t release_ms;
    uint64_t timestamp_ms; /* since the stream's start */
    char key;              /* 0 = a frame */
    uint8_t ulaw[RLX_PHONE_FRAME];
};

struct up_mark {
    uint64_t release_ms;
    uint32_t number;
};

struct down_item {
    struct down_item *next;
    uint64_t due_ms;
    json_t *message;
};

struct rlx_media {
    struct rlx_call *call;
    struct rlx_wsclient *client;
    const struct rlx_twiml_step *step;
    char sid[35];
    uint64_t start_ms; /* monotonic */
    uint32_t sequence, chunk;
    struct up_item up[UP_MAX]; /* a ring */
    size_t up_first, up_next;
    struct up_mark marks[MARKS_OUT];
    size_t mark_count;
    struct down_item *down_first, *down_last;
    size_t down_count;
    int error;
};

/* ---- what leaves the phone: called from the call's tick, with its lock ---- */

static struct up_item *put_up(struct rlx_media *media, uint64_t release_ms, uint64_t made_ms)
{
    struct up_item *item = &media->up[media->up_next % UP_MAX];

    if (release_ms == 0 || media->up_next - media->up_first == UP_MAX)
        return NULL;
    media->up_next++;
    item->release_ms = release_ms;
    item->timestamp_ms = made_ms > media->start_ms ? made_ms - media->start_ms : 0;
    item->key = 0;
    return item;
}

void rlx_media_frame(struct rlx_media *media, const uint8_t ulaw[RLX_PHONE_FRAME], uint64_t made_ms)
{
    struct up_item *item = put_up(media, rlx_line_frame(&media->call->line, made_ms), made_ms);

    if (item)
        memcpy(item->ulaw, ulaw, RLX_PHONE_FRAME);
}

void rlx_media_key(struct rlx_media *media, char key, uint64_t made_ms)
{
    struct up_item *item = put_up(media, made_ms + media->call->line.up_ms, made_ms);

    if (item)
        item->key = key;
}

void rlx_media_mark(struct rlx_media *media, uint32_t number, uint64_t made_ms)
{
    uint64_t release_ms = rlx_line_mark(&media->call->line, made_ms);

    if (release_ms == 0 || media->mark_count == MARKS_OUT)
        return;
    media->marks[media->mark_count].release_ms = release_ms;
    media->marks[media->mark_count++].number = number;
}

/* ---- messages to the gateway ---- */

static void send_json(struct rlx_media *media, json_t *message)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

    json_decref(message);
    if (!text)
        media->error = -ENOMEM;
    else if (rlx_wsclient_send(media->client, text, strlen(text)) != 0)
        media->error = -EPIPE;
    free(text);
}

/* A number as a string, as Twilio sends them. */
static json_t *number_text(uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return json_string(text);
}

static void send_start(struct rlx_media *media)
{
    const struct rlx_twiml_step *step = media->step;
    const char *account = media->call->exchange->account;
    json_t *parameters = json_object();

    for (size_t i = 0; i < step->parameter_count; i++)
        json_object_set_new(parameters, step->parameters[i].name,
                            json_string(step->parameters[i].value));
    send_json(media, json_pack("{s:s,s:s,s:s}", "event", "connected", "protocol", "Call", "version",
                               "1.0.0"));
    send_json(media, json_pack("{s:s,s:o,s:{s:s,s:s,s:s,s:[s],s:o,s:{s:s,s:i,s:i}},s:s}", "event",
                               "start", "sequenceNumber", number_text(++media->sequence), "start",
                               "accountSid", account, "streamSid", media->sid, "callSid",
                               media->call->sid, "tracks", "inbound", "customParameters",
                               parameters, "mediaFormat", "encoding", "audio/x-mulaw", "sampleRate",
                               8000, "channels", 1, "streamSid", media->sid));
}

static void send_frame(struct rlx_media *media, const struct up_item *item)
{
    char payload[RLX_BASE64_SIZE(RLX_PHONE_FRAME)], text[MESSAGE_SIZE];
    int length;

    (void)rlx_base64_encode(payload, item->ulaw, sizeof(item->ulaw));
    length = snprintf(
        text, sizeof(text),
        "{\"event\":\"media\",\"sequenceNumber\":\"%u\",\"media\":{\"track\":\"inbound\","
        "\"chunk\":\"%u\",\"timestamp\":\"%llu\",\"payload\":\"%s\"},\"streamSid\":\"%s\"}",
        ++media->sequence, ++media->chunk, (unsigned long long)item->timestamp_ms, payload,
        media->sid);
    if (rlx_wsclient_send(media->client, text, (size_t)length) != 0)
        media->error = -EPIPE;
}

static void send_key(struct rlx_media *media, char key)
{
    char digit[2] = {key, '\0'};

    send_json(media, json_pack("{s:s,s:s,s:o,s:{s:s,s:s}}", "event", "dtmf", "streamSid",
                               media->sid, "sequenceNumber", number_text(++media->sequence), "dtmf",
                               "track", "inbound_track", "digit", digit));
}

static void send_mark(struct rlx_media *media, struct rlx_call_mark *mark)
{
    mark->returned_ms = (int64_t)rlx_call_clock_ms(media->call);
    send_json(media, json_pack("{s:s,s:s,s:o,s:{s:s}}", "event", "mark", "streamSid", media->sid,
                               "sequenceNumber", number_text(++media->sequence), "mark", "name",
                               mark->name));
}

static void send_stop(struct rlx_media *media)
{
    send_json(media, json_pack("{s:s,s:o,s:{s:s,s:s},s:s}", "event", "stop", "sequenceNumber",
                               number_text(++media->sequence), "stop", "accountSid",
                               media->call->exchange->account, "callSid", media->call->sid,
                               "streamSid", media->sid));
}

/* Sends what has come up the line by now. The call is locked (marks are written); nothing is
 * flushed. */
static void release(struct rlx_media *media, uint64_t now_ms)
{
    size_t left = 0;

    while (media->up_first < media->up_next) {
        const struct up_item *item = &media->up[media->up_first % UP_MAX];

        if (item->release_ms > now_ms)
            break;
        if (item->key)
            send_key(media, item->key);
        else
            send_frame(media, item);
        media->up_first++;
    }
    for (size_t i = 0; i < media->mark_count; i++) {
        if (media->marks[i].release_ms > now_ms)
            media->marks[left++] = media->marks[i];
        else
            send_mark(media, &media->call->marks[media->marks[i].number]);
    }
    media->mark_count = left;
}

/* ---- messages from the gateway ---- */

static void on_message(const char *text, size_t length, void *arg)
{
    struct rlx_media *media = arg;
    struct down_item *item;
    json_error_t error;
    json_t *message = json_loadb(text, length, 0, &error);
    bool full = media->down_count >= DOWN_MAX;

    item = message && !full ? talloc_zero(media, struct down_item) : NULL;
    if (!item) {
        json_decref(message);
        pthread_mutex_lock(&media->call->lock);
        rlx_call_note(media->call, true, "31951: %s: %.*s",
                      full ? "too many messages" : "a message is not JSON",
                      (int)(length < 60 ? length : 60), text);
        pthread_mutex_unlock(&media->call->lock);
        return;
    }
    item->message = message;
    item->due_ms = rlx_now_ms() + media->call->line.down_ms;
    if (media->down_last)
        media->down_last->next = item;
    else
        media->down_first = item;
    media->down_last = item;
    media->down_count++;
}

static void take_media(struct rlx_media *media, const json_t *message)
{
    struct rlx_call *call = media->call;
    const char *payload =
        json_string_value(json_object_get(json_object_get(message, "media"), "payload"));
    size_t length = payload ? strlen(payload) : 0;
    uint8_t *ulaw = length <= PAYLOAD_MAX ? talloc_size(media, length + 1) : NULL;
    ptrdiff_t count = payload && ulaw ? rlx_base64_decode(ulaw, length, payload, length) : -1;

    if (count < 0) {
        rlx_call_note(call, true, "31951: a media message without a base64 payload");
    } else if (rlx_buffer_put(call->buffer, ulaw, (size_t)count) != 0) {
        rlx_call_note(call, true, "31951: more than 30 minutes of audio were sent ahead");
    } else {
        uint32_t ahead_ms = (uint32_t)(rlx_buffer_waiting(call->buffer) / 8);

        call->media_received++;
        call->media_bytes += (uint64_t)count;
        if (ahead_ms > call->largest_ahead_ms)
            call->largest_ahead_ms = ahead_ms;
    }
    talloc_free(ulaw);
}

static void take_mark(struct rlx_media *media, const json_t *message)
{
    struct rlx_call *call = media->call;
    const char *name = json_string_value(json_object_get(json_object_get(message, "mark"), "name"));
    struct rlx_call_mark *mark;

    if (!name) {
        rlx_call_note(call, true, "31951: a mark without a name");
        return;
    }
    if (call->mark_count >= MARKS_MAX)
        return;
    if ((call->mark_count & (call->mark_count - 1)) == 0) {
        size_t size = call->mark_count ? 2 * call->mark_count : 1;

        mark = talloc_realloc(call, call->marks, struct rlx_call_mark, (unsigned)size);
        if (!mark)
            return;
        call->marks = mark;
    }
    mark = &call->marks[call->mark_count];
    memset(mark, 0, sizeof(*mark));
    mark->name = talloc_strndup(call, name, 256);
    mark->received_ms = rlx_call_clock_ms(call);
    mark->played_ms = mark->returned_ms = -1;
    if (mark->name && rlx_buffer_mark(call->buffer, (uint32_t)call->mark_count) == 0)
        call->mark_count++;
}

static void take_clear(struct rlx_media *media)
{
    struct rlx_call *call = media->call;
    struct rlx_call_clear *clears;

    if (call->clear_count < CLEARS_MAX) {
        clears = talloc_realloc(call, call->clears, struct rlx_call_clear,
                                (unsigned)call->clear_count + 1);
        if (clears) {
            call->clears = clears;
            clears = &clears[call->clear_count++];
            clears->at_ms = rlx_call_clock_ms(call);
            clears->played_ms = rlx_buffer_played(call->buffer) / 8;
            clears->dropped_ms = rlx_buffer_waiting(call->buffer) / 8;
            clears->marks = 0;
        }
    }
    (void)rlx_buffer_clear(call->buffer);
}

static void take_message(struct rlx_media *media, const json_t *message)
{
    const char *event = json_string_value(json_object_get(message, "event"));
    const char *sid = json_string_value(json_object_get(message, "streamSid"));

    if (!event)
        rlx_call_note(media->call, true, "31951: a message without an event");
    else if (!sid || strcmp(sid, media->sid) != 0)
        rlx_call_note(media->call, true, "31951: %.20s with a wrong streamSid", event);
    else if (strcmp(event, "media") == 0)
        take_media(media, message);
    else if (strcmp(event, "mark") == 0)
        take_mark(media, message);
    else if (strcmp(event, "clear") == 0)
        take_clear(media);
    else
        rlx_call_note(media->call, true, "31951: unknown event %.20s", event);
}

/* Takes what has come down the line by now. The call is locked. */
static void arrive(struct rlx_media *media, uint64_t now_ms)
{
    while (media->down_first && media->down_first->due_ms <= now_ms) {
        struct down_item *item = media->down_first;

        media->down_first = item->next;
        if (!item->next)
            media->down_last = NULL;
        media->down_count--;
        take_message(media, item->message);
        json_decref(item->message);
        talloc_free(item);
    }
}

/* ---- the stream's life ---- */

static int media_destroy(struct rlx_media *media)
{
    for (struct down_item *item = media->down_first; item; item = item->next)
        json_decref(item->message);
    return 0;
}

/* Stream's own statusCallback. The call is not locked. */
static void stream_callback(struct rlx_media *media, const char *event, const char *error)
{
    struct rlx_call *call = media->call;
    struct rlx_form *form;
    char now[25];

    if (!media->step->text)
        return;
    pthread_mutex_lock(&call->lock);
    form = rlx_call_form(call);
    pthread_mutex_unlock(&call->lock);
    if (!form)
        return;
    rlx_time_text(now, rlx_wall_ms());
    rlx_form_add(form, "StreamSid", media->sid);
    rlx_form_add(form, "StreamEvent", event);
    rlx_form_add(form, "Timestamp", now);
    if (error)
        rlx_form_add(form, "StreamError", error);
    rlx_notifier_post(call->exchange->notifier, (unsigned)call->number, "POST", media->step->text,
                      form);
}

static int connect_stream(struct rlx_media *media)
{
    struct rlx_call *call = media->call;
    char *signature = rlx_form_sign(media, call->exchange->token, media->step->url, NULL);
    char *header = signature ? talloc_asprintf(media, "X-Twilio-Signature: %s", signature) : NULL;
    char *why = NULL;
    int err = -ENOMEM;

    if (header)
        err = rlx_wsclient_connect(&media->client, media, media->step->url, header,
                                   call->exchange->insecure, HANDSHAKE_MS, on_message, media, &why);
    (void)rlx_call_advance(call); /* the time of connecting has passed without a stream */
    pthread_mutex_lock(&call->lock);
    if (err) {
        rlx_call_note(call, true, "%s", why ? why : rlx_err_text(err));
    } else {
        rlx_call_note(call, false, "stream %s", media->sid);
        if (call->stream_ms < 0)
            call->stream_ms = (int64_t)rlx_call_clock_ms(call);
        media->start_ms = call->answer_ms + rlx_call_clock_ms(call);
        call->media = media;
    }
    pthread_mutex_unlock(&call->lock);
    stream_callback(media, err ? "stream-error" : "stream-started", err ? why : NULL);
    return err;
}

/* When the next thing happens on the line before `limit_ms`. */
static uint64_t next_event(const struct rlx_media *media, uint64_t limit_ms)
{
    if (media->up_first < media->up_next &&
        media->up[media->up_first % UP_MAX].release_ms < limit_ms)
        limit_ms = media->up[media->up_first % UP_MAX].release_ms;
    if (media->down_first && media->down_first->due_ms < limit_ms)
        limit_ms = media->down_first->due_ms;
    for (size_t i = 0; i < media->mark_count; i++)
        if (media->marks[i].release_ms < limit_ms)
            limit_ms = media->marks[i].release_ms;
    return limit_ms;
}

/* One round of the loop: 0, or why the stream is over. */
static int turn(struct rlx_media *media)
{
    struct rlx_call *call = media->call;
    struct pollfd poll_fd = {.fd = rlx_wsclient_fd(media->client), .events = POLLIN};
    uint64_t now_ms, next_ms;
    int err;

    pthread_mutex_lock(&call->lock);
    arrive(media, rlx_now_ms());
    pthread_mutex_unlock(&call->lock);
    next_ms = rlx_call_advance(call);
    pthread_mutex_lock(&call->lock);
    now_ms = rlx_now_ms();
    release(media, now_ms);
    pthread_mutex_unlock(&call->lock);
    err = rlx_wsclient_flush(media->client);
    if (err || media->error)
        return err ? err : media->error;
    next_ms = next_event(media, next_ms);
    now_ms = rlx_now_ms();
    if (next_ms > now_ms)
        (void)poll(&poll_fd, 1, (int)(next_ms - now_ms));
    return rlx_wsclient_read(media->client);
}

void rlx_media_run(struct rlx_call *call, const struct rlx_twiml_step *step)
{
    struct rlx_media *media = talloc_zero(NULL, struct rlx_media);
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[16];
    int err = 0;

    if (!media)
        return;
    talloc_set_destructor(media, media_destroy);
    media->call = call;
    media->step = step;
    rlx_random(bytes, sizeof(bytes));
    memcpy(media->sid, "MZ", 2);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        media->sid[2 + 2 * i] = hex[bytes[i] >> 4];
        media->sid[3 + 2 * i] = hex[bytes[i] & 15];
    }
    if (connect_stream(media) == 0) {
        send_start(media);
        while (!err && !rlx_call_interrupted(call))
            err = turn(media);
        if (!err) {
            send_stop(media);
            if (rlx_wsclient_flush(media->client) != 0)
                media->error = -EPIPE;
        }
        rlx_wsclient_close(media->client);
        pthread_mutex_lock(&call->lock);
        call->media = NULL;
        call->stream_end_ms = (int64_t)rlx_call_clock_ms(call);
        rlx_call_note(call, false, "stream over: %s",
                      !err            ? "stop sent"
                      : err == -EPIPE ? "closed by the gateway"
                                      : rlx_err_text(err));
        (void)rlx_buffer_clear(call->buffer);
        pthread_mutex_unlock(&call->lock);
        stream_callback(media, "stream-stopped", NULL);
    }
    talloc_free(media);
}
