/* CSV (RFC 4180; also ; and tab) to lines that can be understood one by one: "Name: Brake pads,
 * Price: 40". */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "extract/private.h"

#define COLUMNS_MAX 256

struct cell {
    const char *text;
    size_t length;
};

struct table {
    const char *at, *end;
    char separator;
    char *scratch; /* cells of a row, unquoted */
    struct cell cells[COLUMNS_MAX];
    size_t count;
};

/* The sign that stands most often in the first line outside of quotes. */
static char separator_of(const char *text, const char *end)
{
    static const char signs[] = ",;\t|";
    size_t counts[4] = {0}, best = 0;
    bool quoted = false;

    for (const char *p = text; p < end && (quoted || *p != '\n'); p++) {
        const char *sign = strchr(signs, *p);
        if (*p == '"')
            quoted = !quoted;
        else if (!quoted && sign && *sign)
            counts[sign - signs]++;
    }
    for (size_t i = 1; i < 4; i++)
        if (counts[i] > counts[best])
            best = i;
    return signs[best];
}

/* One cell from t->at to *outp; false when its quote is not closed. */
static bool read_cell(struct table *t, char **outp)
{
    char *out = *outp, *begin = out;
    bool closed = true;

    if (t->at < t->end && *t->at == '"') {
        closed = false;
        for (t->at++; t->at < t->end && !closed; t->at++) {
            if (*t->at == '"' && t->at + 1 < t->end && t->at[1] == '"')
                *out++ = *t->at++;
            else if (*t->at == '"')
                closed = true;
            else
                *out++ = *t->at == '\n' ? ' ' : *t->at;
        }
    }
    for (; t->at < t->end && *t->at != t->separator && *t->at != '\n'; t->at++)
        *out++ = *t->at;
    while (begin < out && isspace((unsigned char)*begin))
        begin++;
    char *stop = out;
    while (stop > begin && isspace((unsigned char)stop[-1]))
        stop--;
    if (t->count < COLUMNS_MAX)
        t->cells[t->count++] = (struct cell){begin, (size_t)(stop - begin)};
    *outp = out;
    return closed;
}

static bool read_row(struct table *t)
{
    char *out = t->scratch;

    t->count = 0;
    for (;;) {
        if (!read_cell(t, &out))
            return false;
        if (t->at >= t->end || *t->at++ == '\n')
            return true;
    }
}

/* Names of columns hold no digits first and are not empty. */
static bool is_header(const struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (!t->cells[i].length || isdigit((unsigned char)*t->cells[i].text))
            return false;
    return t->count > 1;
}

static void add_row(struct rlx_sink *sink, const struct table *t, const struct cell *names,
                    size_t name_count)
{
    size_t added = 0;

    for (size_t i = 0; i < t->count; i++) {
        if (!t->cells[i].length)
            continue;
        if (added++)
            rlx_sink_text(sink, ", ");
        if (i < name_count) {
            rlx_sink_add(sink, names[i].text, names[i].length);
            rlx_sink_text(sink, ": ");
        }
        rlx_sink_words(sink, t->cells[i].text, t->cells[i].length);
    }
    if (added)
        rlx_sink_text(sink, ".\n");
}

int rlx_extract_csv(struct rlx_extracted *out, const char *text, size_t length, char **whyp)
{
    struct rlx_sink sink = {.ctx = out};
    struct table table = {.at = text, .end = text + length};
    struct cell names[COLUMNS_MAX];
    size_t name_count = 0, row = 0;
    int err = 0;

    table.separator = separator_of(text, table.end);
    table.scratch = talloc_size(out, length + 1);
    if (!table.scratch)
        return -ENOMEM;
    while (table.at < table.end && !err && !sink.full && !sink.failed) {
        row++;
        if (!read_row(&table)) {
            *whyp = talloc_asprintf(out, "a quote that begins in row %zu is not closed", row);
            err = RLX_EINVAL;
        } else if (row == 1 && is_header(&table)) {
            name_count = table.count;
            for (size_t i = 0; i < name_count; i++) {
                names[i] = table.cells[i];
                names[i].text = talloc_strndup(out, names[i].text, names[i].length);
                if (!names[i].text)
                    return -ENOMEM;
                names[i].length = strlen(names[i].text);
            }
        } else {
            add_row(&sink, &table, names, name_count);
        }
    }
    if (!err && sink.full) {
        *whyp = talloc_asprintf(out, "it holds more than %u bytes of text; split it",
                                RLX_EXTRACT_TEXT_MAX);
        err = RLX_EINVAL;
    }
    if (!err && sink.failed)
        err = -ENOMEM;
    out->text = sink.text;
    talloc_free(table.scratch);
    return err;
}
