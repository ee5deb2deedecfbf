#include "gateway/media.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/err.h"

/* A pull reader over one JSON text: enough of RFC 8259 to walk an object and skip what is not wanted, without allocation.
 * Depth is bounded; a string is returned as the slice between its quotes, with a flag when it holds escapes. */
struct reader {
    const char *at, *end;
};

struct slice {
    const char *text;
    size_t length;
    bool escaped;
};

#define MAX_DEPTH 16

static void skip_space(struct reader *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool read_string(struct reader *r, struct slice *s)
{
    if (!take(r, '"'))
        return false;
    s->text = r->at;
    s->escaped = false;
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        if ((unsigned char)*r->at < 0x20)
            return false;
        if (*r->at == '\\') {
            s->escaped = true;
            if (++r->at == r->end)
                return false;
        }
    }
    s->length = (size_t)(r->at - s->text);
    return take(r, '"');
}

static bool skip_value(struct reader *r, int depth)
{
    struct slice s;

    skip_space(r);
    if (r->at == r->end || depth > MAX_DEPTH)
        return false;
    if (*r->at == '"')
        return read_string(r, &s);
    if (*r->at == '{' || *r->at == '[') {
        char open = *r->at, close = open == '{' ? '}' : ']';
        r->at++;
        if (take(r, close))
            return true;
        do {
            if (open == '{' && (!read_string(r, &s) || !take(r, ':')))
                return false;
            if (!skip_value(r, depth + 1))
                return false;
        } while (take(r, ','));
        return take(r, close);
    }
    const char *from = r->at;
    while (r->at < r->end && strchr("+-.0123456789aeflnrstuE", *r->at) && *r->at)
        r->at++;
    return r->at > from;
}

static bool same(const struct slice *s, const char *text)
{
    return s->length == strlen(text) && !memcmp(s->text, text, s->length);
}

/* A value that should be text; Twilio sends numbers as strings, others send them bare: both are taken. */
static bool read_scalar(struct reader *r, struct slice *s)
{
    skip_space(r);
    if (r->at < r->end && *r->at == '"')
        return read_string(r, s);
    s->text = r->at;
    s->escaped = false;
    if (!skip_value(r, 0))
        return false;
    s->length = (size_t)(r->at - s->text);
    return true;
}

struct media_fields {
    struct slice event, payload, timestamp, track;
};

static bool read_media(struct reader *r, struct media_fields *f)
{
    struct slice key;

    if (!take(r, '{'))
        return false;
    if (take(r, '}'))
        return true;
    do {
        if (!read_string(r, &key) || !take(r, ':'))
            return false;
        struct slice *to = same(&key, "payload")     ? &f->payload
                           : same(&key, "timestamp") ? &f->timestamp
                           : same(&key, "track")     ? &f->track
                                                     : NULL;
        if (to ? !read_scalar(r, to) : !skip_value(r, 1))
            return false;
    } while (take(r, ','));
    return take(r, '}');
}

/* The fast path: everything that a media frame needs. False when the text is not a JSON object. */
static bool read_fields(const char *text, size_t length, struct media_fields *f)
{
    struct reader r = {text, text + length};
    struct slice key;

    if (!take(&r, '{'))
        return false;
    if (take(&r, '}'))
        return true;
    do {
        if (!read_string(&r, &key) || !take(&r, ':'))
            return false;
        bool ok = same(&key, "event")   ? read_scalar(&r, &f->event)
                  : same(&key, "media") ? (skip_space(&r), r.at < r.end && *r.at == '{')
                                              ? read_media(&r, f)
                                              : skip_value(&r, 1)
                                        : skip_value(&r, 1);
        if (!ok)
            return false;
    } while (take(&r, ','));
    if (!take(&r, '}'))
        return false;
    skip_space(&r);
    return r.at == r.end;
}

static int fail(const char **whyp, const char *why)
{
    *whyp = why;
    return RLX_EPROTO;
}

static bool read_number(const struct slice *s, uint64_t *number)
{
    uint64_t n = 0;

    if (!s->length || s->length > 18)
        return false;
    for (size_t i = 0; i < s->length; i++) {
        if (s->text[i] < '0' || s->text[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(s->text[i] - '0');
    }
    *number = n;
    return true;
}

static int read_audio(struct rlx_media_message *m, const struct media_fields *f, const char *text,
                      size_t length, const char **whyp)
{
    json_t *json = NULL;
    const char *payload = f->payload.text;
    size_t payload_length = f->payload.length;

    if (!payload)
        return fail(whyp, "media without a payload");
    if (f->track.length && same(&f->track, "outbound")) {
        m->kind = RLX_MEDIA_OTHER; /* our own voice on a one-way stream */
        return 0;
    }
    if (f->timestamp.length && !read_number(&f->timestamp, &m->timestamp_ms))
        return fail(whyp, "media.timestamp is not a number");
    if (f->payload.escaped) { /* rare: "\/" in base64 */
        json = json_loadb(text, length, 0, NULL);
        payload = json_string_value(json_object_get(json_object_get(json, "media"), "payload"));
        payload_length = payload ? strlen(payload) : 0;
    }
    ptrdiff_t n = payload ? rlx_base64_decode(m->audio, sizeof m->audio, payload, payload_length) : -1;
    json_decref(json);
    if (n < 0)
        return fail(whyp, "media.payload is not base64 of at most 4000 bytes");
    m->audio_length = (size_t)n;
    m->kind = RLX_MEDIA_AUDIO;
    return 0;
}

static bool copy_text(char *out, size_t size, const json_t *value)
{
    const char *text = json_string_value(value);

    return text && snprintf(out, size, "%s", text) < (int)size;
}

/* A stream's sid goes back into messages as it came: nothing in it may need escaping. */
static bool plain(const char *sid)
{
    return *sid && sid[strspn(sid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] ==
                       '\0';
}

static int read_start(struct rlx_media_message *m, const json_t *json, const char **whyp)
{
    const json_t *start = json_object_get(json, "start");
    const json_t *format = json_object_get(start, "mediaFormat");
    const char *encoding = json_string_value(json_object_get(format, "encoding"));
    const json_t *rate = json_object_get(format, "sampleRate");
    const json_t *sid = json_object_get(start, "streamSid");

    m->kind = RLX_MEDIA_START;
    if (!copy_text(m->stream_sid, sizeof m->stream_sid,
                   sid ? sid : json_object_get(json, "streamSid")) ||
        !plain(m->stream_sid))
        return fail(whyp, "start without a streamSid");
    if (!copy_text(m->call_sid, sizeof m->call_sid, json_object_get(start, "callSid")))
        return fail(whyp, "start without a callSid");
    if (encoding && strcmp(encoding, "audio/x-mulaw") != 0)
        return fail(whyp, "the media format must be audio/x-mulaw");
    if (rate && json_integer_value(rate) != 8000 &&
        !(json_is_string(rate) && !strcmp(json_string_value(rate), "8000")))
        return fail(whyp, "the sample rate must be 8000");
    if (!copy_text(m->token, sizeof m->token,
                   json_object_get(json_object_get(start, "customParameters"), "token")))
        m->token[0] = '\0';
    return 0;
}

static int read_other(struct rlx_media_message *m, const struct slice *event, const char *text,
                      size_t length, const char **whyp)
{
    json_t *json = json_loadb(text, length, 0, NULL);
    int err = 0;

    if (!json)
        return fail(whyp, "not valid JSON");
    if (same(event, "start")) {
        err = read_start(m, json, whyp);
    } else if (same(event, "mark")) {
        m->kind = RLX_MEDIA_MARK;
        if (!copy_text(m->mark, sizeof m->mark,
                       json_object_get(json_object_get(json, "mark"), "name")))
            err = fail(whyp, "mark without a name");
    } else if (same(event, "dtmf")) {
        const char *digit =
            json_string_value(json_object_get(json_object_get(json, "dtmf"), "digit"));
        m->kind = RLX_MEDIA_DTMF;
        if (!digit || !digit[0] || digit[1] || !strchr("0123456789*#ABCD", digit[0]))
            err = fail(whyp, "dtmf without a digit");
        else
            m->digit = digit[0];
    } else {
        m->kind = same(event, "connected") ? RLX_MEDIA_CONNECTED
                  : same(event, "stop")    ? RLX_MEDIA_STOP
                                           : RLX_MEDIA_OTHER;
    }
    json_decref(json);
    return err;
}

int rlx_media_read(struct rlx_media_message *message, const char *text, size_t length,
                   const char **whyp)
{
    struct media_fields fields = {.event.text = NULL};

    message->kind = RLX_MEDIA_OTHER;
    message->timestamp_ms = 0;
    message->audio_length = 0;
    if (!read_fields(text, length, &fields))
        return fail(whyp, "not a JSON object");
    if (!fields.event.text)
        return fail(whyp, "a message without an event");
    if (same(&fields.event, "media"))
        return read_audio(message, &fields, text, length, whyp);
    return read_other(message, &fields.event, text, length, whyp);
}

size_t rlx_media_write_audio(char *out, size_t size, const char *stream_sid, const uint8_t *ulaw,
                             size_t length)
{
    static const char tail[] = {'"', '}', '}'};
    int head = snprintf(out, size, "{\"event\":\"media\",\"streamSid\":\"%s\",\"media\":{\"payload\":\"",
                        stream_sid);

    if (head < 0 || (size_t)head + RLX_BASE64_SIZE(length) + sizeof tail > size)
        return 0;
    size_t n = (size_t)head + rlx_base64_encode(out + head, ulaw, length);
    memcpy(out + n, tail, sizeof tail);
    return n + sizeof tail;
}

static size_t fits(int n, size_t size)
{
    return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

size_t rlx_media_write_mark(char *out, size_t size, const char *stream_sid, const char *name)
{
    return fits(snprintf(out, size,
                         "{\"event\":\"mark\",\"streamSid\":\"%s\",\"mark\":{\"name\":\"%s\"}}",
                         stream_sid, name),
                size);
}

size_t rlx_media_write_clear(char *out, size_t size, const char *stream_sid)
{
    return fits(snprintf(out, size, "{\"event\":\"clear\",\"streamSid\":\"%s\"}", stream_sid), size);
}
