/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "guard.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX 512
#define MADE_UP_VOICED_MS 200   /* a real "thank you" holds more voice than this */
#define MADE_UP_LOGPROB (-0.9f) /* and is heard with more confidence */
#define DOUBT_LOGPROB                                                                              \
    (-1.25f) /* noise decodes below, words at 15 dB of noise above (docs/internals/speech.md) */
#define FASTEST_CHARS_PER_S 40 /* of voice; quick talkers reach 25 */
#define FEW_CHARS 12

/* Words that Whisper's training data (captions) put under silence. */
static const char *const made_up[] = {
    "you",
    "thank you",
    "thank you very much",
    "thanks for watching",
    "thank you for watching",
    "bye",
    "bye bye",
    "the end",
    "so",
    "please subscribe",
    "oh",
    "uh",
    "mm",
    "hm",
    "hmm",
};

/* What it calls the tones of a telephone line. */
static const char *const signals[] = {"beep", "beep beep", "beep beep beep", "beeping"};

struct word {
    size_t at, length;
};

static char closing(char open)
{
    switch (open) {
    case '[':
        return ']';
    case '(':
        return ')';
    case '*':
        return '*';
    default:
        return '\0';
    }
}

/* The end of the sound tag that begins at p, or NULL: "(555) 231-8940" is none. */
static const char *tag_end(const char *p)
{
    const char *end = closing(*p) ? strchr(p + 1, closing(*p)) : NULL;

    for (const char *c = p; end && c < end; c++)
        if (isdigit((unsigned char)*c))
            return NULL;
    return end;
}

/* The length of the valid UTF-8 character at p, 0 when it is none: the decoder may stop in the
 * middle of one. */
static size_t character(const char *p)
{
    const unsigned char *c = (const unsigned char *)p;
    size_t length = *c < 0x80 ? 1 : *c >= 0xf0 ? 4 : *c >= 0xe0 ? 3 : 2;
    unsigned value;

    if (length == 1)
        return 1;
    if (*c < 0xc2 || *c > 0xf4)
        return 0;
    value = *c & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (c[i] & 0x3fU);
    }
    if ((length == 3 && value < 0x800) || (length == 4 && (value < 0x10000 || value > 0x10ffff)) ||
        (value >= 0xd800 && value <= 0xdfff))
        return 0;
    return length;
}

/* Removes tags, musical notes and broken characters, and makes white space single. */
static void strip_tags(char *text)
{
    char *out = text;

    for (const char *p = text; *p;) {
        const char *end = tag_end(p);

        if (end) {
            p = end + 1;
        } else if (!strncmp(p, "\xe2\x99\xaa", 3) || !strncmp(p, "\xe2\x99\xab", 3)) {
            p += 3;
        } else if (isspace((unsigned char)*p)) {
            if (out > text && out[-1] != ' ')
                *out++ = ' ';
            p++;
        } else {
            size_t length = character(p);

            memmove(out, p, length);
            out += length;
            p += length ? length : 1;
        }
    }
    while (out > text && out[-1] == ' ')
        out--;
    *out = '\0';
}

static size_t words_find(struct word *words, const char *text)
{
    size_t n = 0;

    for (size_t i = 0; text[i] && n < WORDS_MAX;) {
        size_t start;

        while (text[i] == ' ')
            i++;
        start = i;
        while (text[i] && text[i] != ' ')
            i++;
        if (i > start)
            words[n++] = (struct word){start, i - start};
    }
    return n;
}

/* Equal but for case and punctuation at the end. */
static bool same_word(const char *text, struct word a, struct word b)
{
    while (a.length && ispunct((unsigned char)text[a.at + a.length - 1]))
        a.length--;
    while (b.length && ispunct((unsigned char)text[b.at + b.length - 1]))
        b.length--;
    return a.length == b.length && !strncasecmp(text + a.at, text + b.at, a.length);
}

/* How many words from `from` on repeat with a period of `period` words. */
static size_t repeating(const char *text, const struct word *words, size_t n, size_t from,
                        size_t period)
{
    size_t same = period;

    while (from + same < n && same_word(text, words[from + same], words[from + same - period]))
        same++;
    return same;
}

/* A loop runs to the text's end: people repeat a word two or three times, the decoder until it is
 * stopped. */
static void collapse_loop(char *text)
{
    struct word words[WORDS_MAX];
    size_t n = words_find(words, text);

    for (size_t from = 0; from < n; from++) {
        for (size_t period = 1; from + 3 * period <= n; period++) {
            size_t times = repeating(text, words, n, from, period) / period;

            if (times < (period <= 2 ? 4U : 3U) || from + (times + 1) * period <= n)
                continue;
            struct word last = words[from + period - 1];
            text[last.at + last.length] = '\0';
            return;
        }
    }
}

bool rlx_guard_loops(const char *text)
{
    struct word words[WORDS_MAX];
    size_t n = words_find(words, text);

    for (size_t from = 0; from + 5 < n; from++)
        for (size_t period = 3; from + period + 2 < n; period++)
            if (from + repeating(text, words, n, from, period) == n)
                return true;
    return false;
}

static bool speaks(const char *text)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || (unsigned char)*text >= 0x80)
            return true;
    return false;
}

void rlx_guard_clean(char *text)
{
    strip_tags(text);
    collapse_loop(text);
    if (!speaks(text))
        *text = '\0';
}

/* Compares letters and spaces only. */
static bool same_phrase(const char *text, const char *phrase)
{
    while (*text || *phrase) {
        if (*text && !isalpha((unsigned char)*text) && *text != ' ')
            text++;
        else if (tolower((unsigned char)*text) != *phrase)
            return false;
        else
            text++, phrase++;
    }
    return true;
}

static bool listed(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (same_phrase(text, list[i]))
            return true;
    return false;
}

bool rlx_guard_made_up(const char *text, uint32_t voiced_ms, float avg_logprob)
{
    if (avg_logprob < DOUBT_LOGPROB ||
        strlen(text) > FEW_CHARS + (size_t)voiced_ms * FASTEST_CHARS_PER_S / 1000)
        return true;
    if (listed(text, signals, sizeof signals / sizeof signals[0]))
        return true;
    return (voiced_ms < MADE_UP_VOICED_MS || avg_logprob < MADE_UP_LOGPROB) &&
           listed(text, made_up, sizeof made_up / sizeof made_up[0]);
}
