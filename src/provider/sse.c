#include "provider/sse.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct text {
    char *bytes;
    size_t length, room;
};

struct rlx_sse {
    rlx_sse_event_h *event;
    void *arg;
    size_t max;
    struct text line, data;
    bool has_data, after_cr, first_line_over;
    int err;
};

int rlx_sse_create(struct rlx_sse **ssep, TALLOC_CTX *ctx, size_t max_event, rlx_sse_event_h *event,
                   void *arg)
{
    if (!ssep || !event || !max_event)
        return -EINVAL;
    struct rlx_sse *sse = talloc_zero(ctx, struct rlx_sse);
    if (!sse)
        return -ENOMEM;
    sse->event = event;
    sse->arg = arg;
    sse->max = max_event;
    *ssep = sse;
    return 0;
}

static int append(struct rlx_sse *sse, struct text *text, const char *bytes, size_t length)
{
    if (length > sse->max - text->length)
        return RLX_ETOOBIG;
    if (text->length + length + 1 > text->room) {
        size_t room = text->room ? text->room : 512;
        while (room < text->length + length + 1)
            room *= 2;
        char *grown = talloc_realloc_size(sse, text->bytes, room);
        if (!grown)
            return -ENOMEM;
        text->bytes = grown;
        text->room = room;
    }
    if (length)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
    return 0;
}

static int dispatch(struct rlx_sse *sse)
{
    if (!sse->has_data)
        return 0;
    size_t length = sse->data.length;
    sse->has_data = false;
    sse->data.length = 0; /* the bytes stay until the next append, which no handler can cause */
    return sse->event(sse->data.bytes, length, sse->arg) ? 0 : RLX_SSE_STOPPED;
}

/* A field other than `data` (event, id, retry) and comments carry nothing for us. */
static int field(struct rlx_sse *sse, const char *line, size_t length)
{
    if (length < 4 || memcmp(line, "data", 4) != 0 || (length > 4 && line[4] != ':'))
        return 0;
    size_t at = length > 4 ? 5 : 4;
    if (at < length && line[at] == ' ')
        at++;
    int err = sse->has_data ? append(sse, &sse->data, "\n", 1) : 0;
    if (!err)
        err = append(sse, &sse->data, line + at, length - at);
    if (!err)
        sse->has_data = true;
    return err;
}

static int end_line(struct rlx_sse *sse)
{
    const char *line = sse->line.bytes;
    size_t length = sse->line.length;
    if (!sse->first_line_over) {
        sse->first_line_over = true;
        if (length >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
            line += 3;
            length -= 3;
        }
    }
    sse->line.length = 0;
    return length ? field(sse, line, length) : dispatch(sse);
}

int rlx_sse_feed(struct rlx_sse *sse, const void *bytes, size_t length)
{
    const char *at = bytes, *end = at + length;
    int err = sse->err;

    while (!err && at < end) {
        if (sse->after_cr) {
            sse->after_cr = false;
            if (*at == '\n') {
                at++;
                continue;
            }
        }
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        err = append(sse, &sse->line, at, (size_t)(stop - at));
        if (err || stop == end)
            break;
        sse->after_cr = *stop == '\r';
        at = stop + 1;
        err = end_line(sse);
    }
    if (err < 0)
        sse->err = err;
    return err;
}

int rlx_sse_end(struct rlx_sse *sse)
{
    int err = sse->err;
    if (!err && sse->line.length)
        err = end_line(sse);
    if (!err)
        err = dispatch(sse);
    return err;
}
