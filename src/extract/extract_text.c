/* The text that readers write to, and how it is tidied. */
#include <string.h>

#include "extract/private.h"

void rlx_sink_add(struct rlx_sink *sink, const char *text, size_t length)
{
    if (sink->failed || !length)
        return;
    if (length > RLX_EXTRACT_TEXT_MAX - sink->length) {
        sink->full = true;
        return;
    }
    if (sink->length + length + 1 > sink->capacity) {
        size_t capacity = (sink->length + length + 1) * 2;
        char *grown = talloc_realloc_size(sink->ctx, sink->text, capacity);
        if (!grown) {
            sink->failed = true;
            return;
        }
        sink->text = grown;
        sink->capacity = capacity;
    }
    memcpy(sink->text + sink->length, text, length);
    sink->length += length;
    sink->text[sink->length] = '\0';
}

void rlx_sink_text(struct rlx_sink *sink, const char *text)
{
    rlx_sink_add(sink, text, strlen(text));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool ends_blank(const struct rlx_sink *sink)
{
    return !sink->length || is_blank(sink->text[sink->length - 1]);
}

void rlx_sink_words(struct rlx_sink *sink, const char *text, size_t length)
{
    size_t i = 0;

    while (i < length) {
        size_t from = i;
        while (i < length && is_blank(text[i]))
            i++;
        if (i > from && !ends_blank(sink))
            rlx_sink_add(sink, " ", 1);
        from = i;
        while (i < length && !is_blank(text[i]))
            i++;
        rlx_sink_add(sink, text + from, i - from);
    }
}

void rlx_sink_break(struct rlx_sink *sink, unsigned count)
{
    if (!sink->length)
        return;
    unsigned have = 0;
    for (size_t i = sink->length; i > 0 && is_blank(sink->text[i - 1]); i--)
        have += sink->text[i - 1] == '\n';
    for (; have < count; have++)
        rlx_sink_add(sink, "\n", 1);
}

/* Length of the blank or invisible character at p (no-break space, byte order mark, line
 * separator), 0 when it is none. */
static size_t odd_blank(const unsigned char *p, bool *emptyp)
{
    *emptyp = false;
    if (p[0] == 0xC2 && (p[1] == 0xA0 || p[1] == 0x85 || p[1] == 0xAD)) {
        *emptyp = p[1] == 0xAD; /* soft hyphen */
        return 2;
    }
    if (p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9 || p[2] == 0xAF))
        return 3;
    if (p[0] == 0xE2 && p[1] == 0x80 && p[2] >= 0x8B && p[2] <= 0x8F) {
        *emptyp = true; /* zero width, direction marks */
        return 3;
    }
    if (p[0] == 0xEF && p[1] == 0xBB && p[2] == 0xBF) {
        *emptyp = true;
        return 3;
    }
    return 0;
}

void rlx_extract_tidy(char *text)
{
    char *out = text;
    unsigned breaks = 2; /* none at the beginning */
    bool empty;

    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t odd = odd_blank(p, &empty);
        unsigned char c = odd ? ' ' : *p;
        p += odd ? odd : 1;
        if ((odd && empty) || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
            continue;
        if (c == '\n') {
            while (out > text && (out[-1] == ' ' || out[-1] == '\t'))
                out--;
            if (++breaks > 2)
                continue;
        } else if (c != ' ' && c != '\t') {
            breaks = 0;
        } else if (breaks && out == text) {
            continue;
        }
        *out++ = (char)c;
    }
    while (out > text && is_blank(out[-1]))
        out--;
    *out = '\0';
}

/* The bytes of at most `max` that end with a whole character. */
static size_t clip(const char *text, size_t length, size_t max)
{
    if (length <= max)
        return length;
    while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

char *rlx_extract_title(TALLOC_CTX *ctx, const char *text, size_t length)
{
    struct rlx_sink sink = {.ctx = ctx};

    rlx_sink_words(&sink, text, length < 4096 ? length : clip(text, length, 4096));
    if (!sink.text || sink.failed)
        return NULL;
    rlx_extract_tidy(sink.text);
    size_t kept = clip(sink.text, strlen(sink.text), RLX_EXTRACT_TITLE_MAX);
    sink.text[kept] = '\0';
    if (kept)
        return sink.text;
    talloc_free(sink.text);
    return NULL;
}
