#include "api/csv.h"

#include <csv.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* ---- encodings ---- */

static bool is_utf8(const unsigned char *p, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned char c = p[i];
        size_t more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : 9;
        if (more == 9 || i + more >= length)
            return false;
        if ((c == 0xe0 && p[i + 1] < 0xa0) || (c == 0xed && p[i + 1] > 0x9f) ||
            (c == 0xf0 && p[i + 1] < 0x90) || (c == 0xf4 && p[i + 1] > 0x8f))
            return false;
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
        }
        i += more + 1;
    }
    return true;
}

/* Windows-1252, 0x80 to 0x9f (https://encoding.spec.whatwg.org/index-windows-1252.txt); the rest is
 * Latin-1. */
static const uint16_t windows[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

static char *from_windows(TALLOC_CTX *ctx, const unsigned char *p, size_t length, size_t *lengthp)
{
    char *out = talloc_size(ctx, length * 3 + 1);
    size_t n = 0;

    for (size_t i = 0; out && i < length; i++) {
        unsigned c = p[i] >= 0x80 && p[i] < 0xa0 ? windows[p[i] - 0x80] : p[i];
        if (c < 0x80) {
            out[n++] = (char)c;
        } else if (c < 0x800) {
            out[n++] = (char)(0xc0 | c >> 6);
            out[n++] = (char)(0x80 | (c & 0x3f));
        } else {
            out[n++] = (char)(0xe0 | c >> 12);
            out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
            out[n++] = (char)(0x80 | (c & 0x3f));
        }
    }
    *lengthp = n;
    return out;
}

int rlx_csv_text(TALLOC_CTX *ctx, const char *data, size_t length, const char **textp,
                 size_t *lengthp, const char **encodingp, const char **whyp)
{
    if (!data || !textp || !lengthp || !encodingp || !whyp)
        return -EINVAL;
    if (length >= 2 && (!memcmp(data, "\xff\xfe", 2) || !memcmp(data, "\xfe\xff", 2))) {
        *whyp = "is UTF-16: save it as \"CSV UTF-8\"";
        return RLX_EINVAL;
    }
    if (memchr(data, '\0', length)) {
        *whyp = "is no text: it holds NUL bytes";
        return RLX_EINVAL;
    }
    if (length >= 3 && !memcmp(data, "\xef\xbb\xbf", 3)) {
        data += 3;
        length -= 3;
    }
    *textp = data;
    *lengthp = length;
    *encodingp = "utf-8";
    if (is_utf8((const unsigned char *)data, length))
        return 0;
    *encodingp = "windows-1252";
    *textp = from_windows(ctx, (const unsigned char *)data, length, lengthp);
    return *textp ? 0 : -ENOMEM;
}

char rlx_csv_delimiter(const char *text, size_t length)
{
    static const char choices[] = ",;\t|";
    size_t counts[4] = {0}, best = 0;
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '"')
            quoted = !quoted;
        if (!quoted && (c == '\n' || c == '\r'))
            break;
        const char *at = !quoted && c ? strchr(choices, c) : NULL;
        if (at)
            counts[at - choices]++;
    }
    for (size_t i = 1; i < 4; i++) {
        if (counts[i] > counts[best])
            best = i;
    }
    return choices[best];
}

/* ---- reading ---- */

#define FIELD_BEGUN                                                                                \
    2 /* libcsv's state inside of a field; its own check needs its strict mode, which refuses much \
         more */

struct reader {
    rlx_csv_row_h *each;
    void *arg;
    char *bytes; /* the row's fields, each with its NUL */
    size_t used, starts[RLX_CSV_FIELDS_MAX], count;
    size_t line, row_line; /* now, and where the row began (0: none has) */
    bool has_text, in_line;
    int err;
    const char *why;
};

static void take_field(void *bytes, size_t length, void *arg)
{
    struct reader *r = arg;

    if (r->err)
        return;
    if (r->count == RLX_CSV_FIELDS_MAX || length + 1 > RLX_CSV_ROW_MAX - r->used) {
        r->why = r->count == RLX_CSV_FIELDS_MAX ? "the row has more than 500 fields"
                                                : "the row is longer than 64 KiB";
        r->err = RLX_EINVAL;
        return;
    }
    r->starts[r->count++] = r->used;
    if (length)
        memcpy(r->bytes + r->used, bytes, length);
    r->bytes[r->used + length] = '\0';
    r->used += length + 1;
    r->has_text |= length > 0;
}

static void take_row(int end, void *arg)
{
    struct reader *r = arg;
    const char *fields[RLX_CSV_FIELDS_MAX];
    (void)end;

    if (r->err)
        return;
    for (size_t i = 0; i < r->count; i++)
        fields[i] = r->bytes + r->starts[i];
    if (r->has_text)
        r->err = r->each(r->row_line, fields, r->count, r->arg);
    r->count = r->used = r->row_line = 0;
    r->has_text = false;
}

/* Feeds one line with its end (a long one in pieces), so that a row knows on which line it began.
 */
static size_t feed_line(struct csv_parser *parser, struct reader *r, const char *text, size_t left)
{
    size_t n = 0, most = left < RLX_CSV_ROW_MAX ? left : RLX_CSV_ROW_MAX;

    while (n < most && text[n] != '\n' && text[n] != '\r')
        n++;
    bool whole = n < most;
    if (whole)
        n += text[n] == '\r' && n + 1 < left && text[n + 1] == '\n' ? 2 : 1;
    if (!r->in_line)
        r->line++;
    r->in_line = !whole;
    if (!r->row_line)
        r->row_line = r->line;
    if (csv_parse(parser, text, n, take_field, take_row, r) != n && !r->err)
        r->err = csv_error(parser) == CSV_ENOMEM ? -ENOMEM : RLX_EINVAL;
    if (!r->err && csv_get_buffer_size(parser) > (size_t)3 * RLX_CSV_ROW_MAX) {
        r->why = "the row is longer than 64 KiB: is a quote not closed?";
        r->err = RLX_EINVAL;
    }
    if (!r->count && !parser->pstate) /* between rows: an empty line */
        r->row_line = 0;
    return n;
}

int rlx_csv_read(const char *text, size_t length, char delimiter, rlx_csv_row_h *each, void *arg,
                 size_t *linep, const char **whyp)
{
    struct csv_parser parser;
    struct reader *r;

    if (!text || !each || !linep || !whyp)
        return -EINVAL;
    r = talloc_zero(NULL, struct reader);
    if (!r || csv_init(&parser, 0)) {
        talloc_free(r);
        return -ENOMEM;
    }
    r->each = each;
    r->arg = arg;
    r->bytes = talloc_size(r, RLX_CSV_ROW_MAX);
    r->err = r->bytes ? 0 : -ENOMEM;
    csv_set_blk_size(&parser, 16384);
    csv_set_delim(&parser, (unsigned char)delimiter);
    for (size_t at = 0; at < length && !r->err;)
        at += feed_line(&parser, r, text + at, length - at);
    if (!r->err && parser.pstate == FIELD_BEGUN && parser.quoted) {
        r->why = "a quoted field is never closed";
        r->err = RLX_EINVAL;
    }
    if (!r->err && csv_fini(&parser, take_field, take_row, r) && !r->err)
        r->err = csv_error(&parser) == CSV_ENOMEM ? -ENOMEM : RLX_EINVAL;
    int err = r->err;
    *linep = r->row_line ? r->row_line : r->line;
    *whyp = r->why ? r->why : "the row can't be read";
    csv_free(&parser);
    talloc_free(r);
    return err;
}

/* ---- writing ---- */

static bool is_number(const char *field)
{
    size_t digits = field[0] == '+' ? strspn(field + 1, "0123456789") : 0;

    return digits >= 7 && digits <= 15 && !field[1 + digits];
}

static bool is_formula(const char *field)
{
    return *field && strchr("=+-@\t\r\n", *field) && !is_number(field);
}

bool rlx_csv_add(TALLOC_CTX *ctx, char **rowp, const char *field)
{
    const char *text = field ? field : "";
    bool guard = is_formula(text);
    bool quote = guard || text[strcspn(text, ",;\t|\"\r\n")] || *text == ' ';

    if (!*rowp)
        *rowp = talloc_strdup(ctx, "");
    else
        *rowp = talloc_strdup_append_buffer(*rowp, ",");
    if (*rowp && quote)
        *rowp = talloc_strdup_append_buffer(*rowp, guard ? "\"'" : "\"");
    while (*rowp && quote && *text) {
        size_t n = strcspn(text, "\"");
        *rowp = talloc_asprintf_append_buffer(*rowp, "%.*s%s", (int)n, text, text[n] ? "\"\"" : "");
        text += n + (text[n] == '"');
    }
    if (*rowp)
        *rowp = talloc_strdup_append_buffer(*rowp, quote ? "\"" : text);
    return *rowp != NULL;
}

const char *rlx_csv_bare(const char *field)
{
    return field[0] == '\'' && is_formula(field + 1) ? field + 1 : field;
}
