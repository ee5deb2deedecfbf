#include "buffer.h"

#include <errno.h>
#include <string.h>

#include "audio/g711.h"
#include "base/err.h"

#define BYTES_MAX ((size_t)8000 * 60 * 30)
#define MARKS_MAX 10000u
#define BYTES_FIRST 16000u
#define MARKS_FIRST 64u

struct buffer_mark {
    uint64_t behind; /* stream position that must have been played */
    uint32_t number;
};

struct rlx_buffer {
    rlx_buffer_mark_h *mark;
    void *arg;
    uint8_t *bytes; /* [start, end) wait */
    size_t size, start, end;
    uint64_t played;  /* bytes played */
    uint64_t dropped; /* bytes cleared */
    struct buffer_mark *marks;
    size_t mark_size, mark_start, mark_end;
};

int rlx_buffer_create(struct rlx_buffer **bufferp, TALLOC_CTX *ctx, rlx_buffer_mark_h *mark,
                      void *arg)
{
    struct rlx_buffer *buffer;

    if (!bufferp || !mark)
        return RLX_EINVAL;
    buffer = talloc_zero(ctx, struct rlx_buffer);
    if (!buffer)
        return -ENOMEM;
    buffer->mark = mark;
    buffer->arg = arg;
    *bufferp = buffer;
    return 0;
}

/* The stream position of the next byte to play. */
static uint64_t position(const struct rlx_buffer *buffer)
{
    return buffer->played + buffer->dropped;
}

int rlx_buffer_put(struct rlx_buffer *buffer, const uint8_t *ulaw, size_t length)
{
    size_t waiting = buffer->end - buffer->start;

    if (length > BYTES_MAX - waiting)
        return RLX_ETOOBIG;
    if (buffer->end + length > buffer->size) {
        if (waiting > 0)
            memmove(buffer->bytes, buffer->bytes + buffer->start, waiting);
        buffer->start = 0;
        buffer->end = waiting;
        if (waiting + length > buffer->size) {
            size_t size = 2 * (waiting + length) + BYTES_FIRST;
            uint8_t *bytes = talloc_realloc(buffer, buffer->bytes, uint8_t, (unsigned)size);

            if (!bytes)
                return -ENOMEM;
            buffer->bytes = bytes;
            buffer->size = size;
        }
    }
    if (length > 0)
        memcpy(buffer->bytes + buffer->end, ulaw, length);
    buffer->end += length;
    return 0;
}

int rlx_buffer_mark(struct rlx_buffer *buffer, uint32_t number)
{
    size_t waiting = buffer->mark_end - buffer->mark_start;

    if (waiting >= MARKS_MAX)
        return RLX_ELIMIT;
    if (buffer->mark_end == buffer->mark_size) {
        struct buffer_mark *marks;
        size_t size = 2 * waiting + MARKS_FIRST;

        if (waiting > 0)
            memmove(buffer->marks, buffer->marks + buffer->mark_start,
                    waiting * sizeof(buffer->marks[0]));
        buffer->mark_start = 0;
        buffer->mark_end = waiting;
        if (size > buffer->mark_size) {
            marks = talloc_realloc(buffer, buffer->marks, struct buffer_mark, (unsigned)size);
            if (!marks)
                return -ENOMEM;
            buffer->marks = marks;
            buffer->mark_size = size;
        }
    }
    buffer->marks[buffer->mark_end].behind = position(buffer) + (buffer->end - buffer->start);
    buffer->marks[buffer->mark_end++].number = number;
    return 0;
}

static void give_marks(struct rlx_buffer *buffer, bool cleared)
{
    while (buffer->mark_start < buffer->mark_end &&
           (cleared || buffer->marks[buffer->mark_start].behind <= position(buffer)))
        buffer->mark(buffer->marks[buffer->mark_start++].number, cleared, buffer->arg);
}

size_t rlx_buffer_play(struct rlx_buffer *buffer, uint8_t *ulaw, size_t length)
{
    size_t waiting = buffer->end - buffer->start;
    size_t take = waiting < length ? waiting : length;

    if (take > 0)
        memcpy(ulaw, buffer->bytes + buffer->start, take);
    memset(ulaw + take, RLX_ULAW_SILENCE, length - take);
    buffer->start += take;
    buffer->played += take;
    give_marks(buffer, false);
    return take;
}

size_t rlx_buffer_clear(struct rlx_buffer *buffer)
{
    size_t waiting = buffer->end - buffer->start;

    /* What has just been played out is not "cleared", even when the frame that says so is still to
     * come. */
    give_marks(buffer, false);
    buffer->start = buffer->end = 0;
    buffer->dropped += waiting;
    give_marks(buffer, true);
    return waiting;
}

size_t rlx_buffer_waiting(const struct rlx_buffer *buffer)
{
    return buffer->end - buffer->start;
}

uint64_t rlx_buffer_played(const struct rlx_buffer *buffer)
{
    return buffer->played;
}
