#include "extract/chunk.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SENTENCE_BYTES_MAX (RLX_CHUNK_BYTES_MAX / 4)

/* Where a sentence begins, and how many words it has. */
struct sentence {
    size_t from, length, words;
    bool paragraph; /* an empty line follows */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* "Dr.", "St.", "e.g.", "No." and single letters do not end a sentence. */
static bool is_abbreviation(const char *text, size_t dot)
{
    static const char *const known[] = {"mr",  "mrs", "ms",  "dr",  "st",  "prof", "sr",   "jr",
                                        "vs",  "etc", "no",  "inc", "ltd", "co",   "dept", "approx",
                                        "e.g", "i.e", "tel", "ext", "ave", "blvd", NULL};
    size_t from = dot;

    while (from > 0 && (isalpha((unsigned char)text[from - 1]) || text[from - 1] == '.'))
        from--;
    size_t n = dot - from;
    if (n == 1)
        return isalpha((unsigned char)text[from]) && text[from] != 'I';
    for (size_t i = 0; known[i]; i++)
        if (strlen(known[i]) == n && !strncasecmp(known[i], text + from, n))
            return true;
    return false;
}

/* Length of the mark at p that ends a sentence, 0 when there is none. */
static size_t end_mark(const char *text, size_t at)
{
    static const char *const wide[] = {"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F", NULL};
    const char *p = text + at;

    for (size_t i = 0; wide[i]; i++)
        if (!strncmp(p, wide[i], 3))
            return 3;
    size_t n = !strncmp(p, "\xE2\x80\xA6", 3) ? 3 : *p && strchr(".!?", *p) ? 1 : 0;
    if (!n)
        return 0;
    while (p[n] && strchr(".!?\"')]", p[n]))
        n++;
    if (p[n] && !is_blank(p[n]))
        return 0;
    return *p == '.' && p[1] != '.' && is_abbreviation(text, at) ? 0 : n;
}

size_t rlx_sentence_length(const char *text)
{
    size_t at = 0, last_blank = 0;

    while (text[at] && text[at] != '\n') {
        size_t mark = end_mark(text, at);
        if (mark) {
            at += mark;
            break;
        }
        if (is_blank(text[at]))
            last_blank = at;
        if (++at >= SENTENCE_BYTES_MAX) {
            at = last_blank ? last_blank : at;
            while (at > 1 && ((unsigned char)text[at] & 0xC0) == 0x80)
                at--;
            break;
        }
    }
    while (is_blank(text[at]))
        at++;
    return at;
}

size_t rlx_chunk_words(const char *text, size_t length)
{
    size_t words = 0;
    bool inside = false;

    for (size_t i = 0; i < length; i++) {
        bool blank = is_blank(text[i]);
        words += !blank && !inside;
        inside = !blank;
    }
    return words > length / 9 ? words : length / 9;
}

static int cut(struct sentence **sentencesp, size_t *countp, TALLOC_CTX *ctx, const char *text)
{
    struct sentence *all = NULL;
    size_t count = 0, capacity = 0, from = strspn(text, " \t\r\n");

    for (size_t n; (n = rlx_sentence_length(text + from)); from += n) {
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            all = talloc_realloc_size(ctx, all, capacity * sizeof *all);
            if (!all)
                return -ENOMEM;
        }
        size_t used = n;
        while (used > 1 && is_blank(text[from + used - 1]))
            used--;
        size_t breaks = 0;
        for (size_t i = used; i < n; i++)
            breaks += text[from + i] == '\n';
        all[count++] =
            (struct sentence){from, used, rlx_chunk_words(text + from, used), breaks > 1};
    }
    *sentencesp = all;
    *countp = count;
    return 0;
}

/* The sentence behind the last one of a chunk that begins with `first`. */
static size_t chunk_end(const struct sentence *all, size_t count, size_t first)
{
    size_t words = 0, next = first;

    while (next < count) {
        const struct sentence *s = &all[next];
        size_t bytes = s->from + s->length - all[first].from;
        if (next > first && (words + s->words > RLX_CHUNK_WORDS_MAX || bytes > RLX_CHUNK_BYTES_MAX))
            break;
        words += s->words;
        next++;
        if (words >= RLX_CHUNK_WORDS || (s->paragraph && words >= RLX_CHUNK_WORDS * 4 / 5))
            break;
    }
    return next;
}

/* Where the next chunk begins: some words before the end of this one, but always further on. */
static size_t step_back(const struct sentence *all, size_t first, size_t next)
{
    size_t words = 0, from = next;

    while (from > first + 1 && words + all[from - 1].words <= RLX_CHUNK_OVERLAP_WORDS)
        words += all[--from].words;
    return from;
}

int rlx_chunks_make(char ***chunksp, size_t *countp, TALLOC_CTX *ctx, const char *text)
{
    struct sentence *all = NULL;
    size_t sentences = 0, count = 0;
    char **chunks;

    if (!chunksp || !countp || !text)
        return -EINVAL;
    int err = cut(&all, &sentences, ctx, text);
    if (err)
        return err;
    /* Each chunk takes at least one sentence more, so there can't be more chunks. */
    chunks = talloc_zero_size(ctx, (sentences + 1) * sizeof *chunks);
    if (!chunks)
        err = -ENOMEM;
    for (size_t first = 0, next; !err && first < sentences;) {
        next = chunk_end(all, sentences, first);
        size_t length = all[next - 1].from + all[next - 1].length - all[first].from;
        chunks[count] = talloc_strndup(chunks, text + all[first].from, length);
        if (!chunks[count++])
            err = -ENOMEM;
        first = next < sentences ? step_back(all, first, next) : next;
    }
    talloc_free(all);
    if (err) {
        talloc_free(chunks);
        return err;
    }
    *chunksp = chunks;
    *countp = count;
    return 0;
}
