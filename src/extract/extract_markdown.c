/* Markdown to plain text: the marks go, the words stay. Not a full CommonMark: text for a search
 * and a prompt needs none. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "extract/private.h"

/* "[words](address)" and "![picture](address)": true when there is one at p; *next is behind it. */
static bool link_at(struct rlx_sink *sink, const char *p, const char *end, const char **nextp)
{
    bool picture = *p == '!';
    const char *open = p + picture;

    if (open >= end || *open != '[')
        return false;
    const char *close = memchr(open, ']', (size_t)(end - open));
    if (!close || close + 1 >= end || close[1] != '(')
        return false;
    const char *stop = memchr(close, ')', (size_t)(end - close));
    if (!stop)
        return false;
    if (!picture)
        rlx_sink_add(sink, open + 1, (size_t)(close - open - 1));
    *nextp = stop + 1;
    return true;
}

/* Whether the mark at p holds words ("*so*") and is no sign by itself ("2 * 3", "snake_case"). */
static bool is_mark(const char *line, const char *p, const char *end)
{
    bool before = p > line && isalnum((unsigned char)p[-1]);
    bool after = p + 1 < end && isalnum((unsigned char)p[1]);

    if (*p == '`' || (p + 1 < end && p[1] == *p) || (p > line && p[-1] == *p))
        return true;
    return before != after;
}

static void add_inline(struct rlx_sink *sink, const char *line, const char *end)
{
    for (const char *p = line; p < end;) {
        const char *next;
        if (link_at(sink, p, end, &next)) {
            p = next;
        } else if (*p == '\\' && p + 1 < end && ispunct((unsigned char)p[1])) {
            rlx_sink_add(sink, p + 1, 1);
            p += 2;
        } else if (strchr("*_`", *p) && is_mark(line, p, end)) {
            p++;
        } else {
            rlx_sink_add(sink, p++, 1);
        }
    }
}

static bool is_rule(const char *line, const char *end)
{
    size_t marks = 0;

    for (const char *p = line; p < end; p++) {
        if (!strchr("-*_=|: \t", *p))
            return false;
        marks += *p != ' ' && *p != '\t';
    }
    return marks >= 3;
}

static void add_line(struct rlx_extracted *out, struct rlx_sink *sink, const char *line,
                     const char *end)
{
    while (line < end && (*line == ' ' || *line == '\t' || *line == '>'))
        line++;
    if (line == end || is_rule(line, end)) {
        rlx_sink_break(sink, line == end ? 2 : 1);
        return;
    }
    size_t level = 0;
    while (line + level < end && line[level] == '#' && level < 7)
        level++;
    if (level && level < 7 && line + level < end && line[level] == ' ') {
        line += level + 1;
        while (end > line && (end[-1] == '#' || end[-1] == ' '))
            end--;
        rlx_sink_break(sink, 2);
        size_t from = sink->length;
        add_inline(sink, line, end);
        if (!out->title && sink->text && sink->length > from)
            out->title = rlx_extract_title(out, sink->text + from, sink->length - from);
        rlx_sink_break(sink, 2);
        return;
    }
    if (end - line > 2 && strchr("*+", *line) && line[1] == ' ') {
        rlx_sink_text(sink, "- ");
        line += 2;
    }
    add_inline(sink, line, end);
    rlx_sink_add(sink, "\n", 1);
}

/* Behind a front matter ("---" … "---" at the very beginning). */
static const char *past_front_matter(const char *text)
{
    if (strncmp(text, "---\n", 4) != 0)
        return text;
    const char *end = strstr(text + 3, "\n---\n");
    return end ? end + 5 : text;
}

int rlx_extract_markdown(struct rlx_extracted *out, const char *text, size_t length, char **whyp)
{
    struct rlx_sink sink = {.ctx = out};
    const char *end = text + length;
    bool code = false;

    for (const char *line = past_front_matter(text); line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop)
            stop = end;
        if (!strncmp(line, "```", 3) || !strncmp(line, "~~~", 3)) {
            code = !code;
        } else if (code) {
            rlx_sink_add(&sink, line, (size_t)(stop - line));
            rlx_sink_add(&sink, "\n", 1);
        } else if (strncmp(line, "<!--", 4) != 0) {
            add_line(out, &sink, line, stop);
        }
        line = stop + 1;
    }
    if (sink.failed)
        return -ENOMEM;
    if (sink.full) {
        *whyp = talloc_asprintf(out, "it holds more than %u bytes of text; split it",
                                RLX_EXTRACT_TEXT_MAX);
        return RLX_EINVAL;
    }
    out->text = sink.text;
    return 0;
}
