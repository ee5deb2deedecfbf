/* Markup, web addresses and e-mail addresses. */
#include <ctype.h>
#include <string.h>

#include "call/spoken_parts.h"
#include "call/words.h"

static bool at_line_start(const struct rlx_speaker *s, size_t at)
{
    while (at > 0 && (s->in[at - 1] == ' ' || s->in[at - 1] == '\t'))
        at--;
    return at == 0 || s->in[at - 1] == '\n';
}

/* A fenced block goes whole; an open one to the end. */
static size_t fence(const struct rlx_speaker *s, size_t at)
{
    if (!rlx_in_is(s, at, "```") && !rlx_in_is(s, at, "~~~"))
        return 0;
    const char *stop =
        memmem(s->in + at + 3, s->length - at - 3, s->in[at] == '`' ? "```" : "~~~", 3);
    return stop ? (size_t)(stop - s->in) + 3 - at : s->length - at;
}

/* Marks at the start of a line: headings, quotes, lists, rules. */
static size_t line_start(struct rlx_speaker *s, size_t at)
{
    if (!at_line_start(s, at))
        return 0;
    size_t n = 0;
    char c = rlx_in(s, at);
    if (c == '#')
        while (rlx_in(s, at + n) == '#')
            n++;
    else if (c == '-' || c == '*' || c == '_' || c == '=') {
        while (rlx_in(s, at + n) == c)
            n++;
        /* "---" is a rule, "- x" an item, "-5" and "**bold" are none. */
        if (n >= 3 && (rlx_in(s, at + n) == '\n' || at + n >= s->length))
            return n;
        if (n != 1 || c == '_' || c == '=')
            return 0;
    } else if (c == '>' || c == '+')
        n = 1;
    else if (rlx_in_is(s, at, "\xE2\x80\xA2") || rlx_in_is(s, at, "\xE2\x96\xAA") ||
             rlx_in_is(s, at, "\xE2\x97\xA6"))
        return 3;
    if (n == 0 || rlx_in(s, at + n) != ' ')
        return 0;
    while (rlx_in(s, at + n) == ' ')
        n++;
    /* Check boxes. */
    if (rlx_in(s, at + n) == '[' && rlx_in(s, at + n + 2) == ']' &&
        strchr(" xX", rlx_in(s, at + n + 1)))
        n += 3;
    return n;
}

/* "1. " or "2) " at the start of a line: the number, then a pause. */
static size_t list_number(struct rlx_speaker *s, size_t at)
{
    size_t digits = rlx_in_digits(s, at);
    if (digits == 0 || digits > 2 || !at_line_start(s, at))
        return 0;
    char c = rlx_in(s, at + digits);
    if ((c != '.' && c != ')') || rlx_in(s, at + digits + 1) != ' ')
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_cardinal(words, rlx_in_value(s, at, digits));
    rlx_speaker_say(s, words, at, digits + 1);
    rlx_speaker_pause(s, ',');
    return digits + 2;
}

/* A newline ends a sentence unless the text goes on in lower case. */
static size_t newline(struct rlx_speaker *s, size_t at)
{
    size_t next = at;
    while (next < s->length && isspace((unsigned char)s->in[next]))
        next++;
    if (!islower((unsigned char)rlx_in(s, next)))
        rlx_speaker_pause(s, '.');
    return next - at;
}

/* HTML: a tag goes; an entity is a character. */
static size_t html(struct rlx_speaker *s, size_t at)
{
    static const struct {
        const char *entity, *word;
    } entities[] = {{"&amp;", "and"}, {"&nbsp;", ""},        {"&quot;", ""},
                    {"&apos;", ""},   {"&lt;", "less than"}, {"&gt;", "greater than"},
                    {"&#39;", ""},    {"&rsquo;", ""},       {"&mdash;", ""},
                    {"&ndash;", ""}};
    for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++) {
        if (rlx_in_is(s, at, entities[i].entity)) {
            size_t n = strlen(entities[i].entity);
            rlx_speaker_say(s, entities[i].word, at, n);
            return n;
        }
    }
    if (rlx_in(s, at) != '<' ||
        !(rlx_in_letter(s, at + 1) || rlx_in(s, at + 1) == '/' || rlx_in(s, at + 1) == '!'))
        return 0;
    const char *stop = memchr(s->in + at, '>', s->length - at);
    if (!stop || memchr(s->in + at, '\n', (size_t)(stop - s->in) - at))
        return 0;
    if (rlx_in_is(s, at, "<br") || rlx_in_is(s, at, "<p") || rlx_in_is(s, at, "</p") ||
        rlx_in_is(s, at, "</li"))
        rlx_speaker_pause(s, '.');
    /* "<https://…>" is an address in brackets. */
    if (memmem(s->in + at, (size_t)(stop - s->in) - at, "://", 3) && rlx_in_is(s, at + 1, "http"))
        return 1;
    if (memchr(s->in + at, '@', (size_t)(stop - s->in) - at))
        return 1;
    return (size_t)(stop - s->in) + 1 - at;
}

/* "](address)" after the text of a link: only the text is said. A bare "[" or "]" goes too. */
static size_t brackets(struct rlx_speaker *s, size_t at)
{
    if (rlx_in_is(s, at, "[x] ") || rlx_in_is(s, at, "[ ] "))
        return 4;
    if (rlx_in(s, at) == '!' && rlx_in(s, at + 1) == '[')
        return 2;
    if (rlx_in(s, at) == '[')
        return 1;
    if (rlx_in(s, at) != ']')
        return 0;
    if (rlx_in(s, at + 1) != '(')
        return 1;
    const char *stop = memchr(s->in + at, ')', s->length - at);
    return stop ? (size_t)(stop - s->in) + 1 - at : 1;
}

size_t rlx_speak_markup(struct rlx_speaker *s, size_t at)
{
    size_t n = 0;
    if (rlx_in(s, at) == '\n')
        return newline(s, at);
    if ((n = fence(s, at)) || (n = line_start(s, at)) || (n = list_number(s, at)) ||
        (n = html(s, at)))
        return n;
    return brackets(s, at);
}

/* --- addresses --- */

static bool is_local(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._%+-", c));
}

static bool is_host(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '.';
}

/* One label: words stay, digits one by one, two letters at the end of a host spelled. */
static void add_label(char *out, const char *at, size_t n, bool last)
{
    static const char *const spelled = "io|ai|uk|us|de|eu|fr|ca|au|nz|tv|fm|ch|es|nl|jp|cn|br|nyc|"
                                       "usa|in|at|be|ie|gg|ly|sh|so|to|cc|xyz";
    char word[RLX_SPEAK_BUFFER] = "";
    if (last && n < 8) {
        for (size_t i = 0; i < n; i++)
            word[i] = (char)tolower((unsigned char)at[i]);
        if (rlx_word_in(word, spelled)) {
            rlx_words_spelled(out, at, n);
            return;
        }
    }
    for (size_t i = 0; i < n;) {
        size_t k = i;
        while (k < n && isalpha((unsigned char)at[k]) && k - i < 40)
            k++;
        if (k > i) {
            memcpy(word, at + i, k - i);
            word[k - i] = '\0';
            rlx_words_add(out, word);
            i = k;
            continue;
        }
        if (isdigit((unsigned char)at[i]))
            rlx_words_digits(out, at + i, 1);
        else
            rlx_words_add(out, at[i] == '-'   ? "dash"
                               : at[i] == '_' ? "underscore"
                               : at[i] == '+' ? "plus"
                               : at[i] == '%' ? "percent"
                                              : "");
        i++;
    }
}

/* Labels with "dot" between. */
static void add_dotted(char *out, const char *at, size_t n, bool host)
{
    for (size_t i = 0; i <= n;) {
        const char *dot = memchr(at + i, '.', n - i);
        size_t stop = dot ? (size_t)(dot - at) : n;
        add_label(out, at + i, stop - i, host && !dot);
        if (dot)
            rlx_words_add(out, "dot");
        i = stop + 1;
    }
}

/* Length of a host name at `at` that ends in a known or plausible top-level domain; 0 when none. */
static size_t host_length(const struct rlx_speaker *s, size_t at, bool sure)
{
    static const char *const domains =
        "com|org|net|edu|gov|mil|info|biz|io|ai|co|app|dev|uk|us|de|eu|fr|ca|au|nz|tv|me|nyc|shop|"
        "online|site|store|xyz|tech|cloud|"
        "health|care|dental|clinic|plumbing|law|online|example|test|local|ly|gg|fm|ch|nl|es|ie|"
        "club|pro|life|live|news|blog|support";
    size_t n = 0, dot = 0;
    while (at + n < s->length && is_host(s->in[at + n])) {
        if (s->in[at + n] == '.')
            dot = n;
        n++;
    }
    while (n > 0 && (s->in[at + n - 1] == '.' || s->in[at + n - 1] == '-')) {
        n--;
        dot = 0;
        for (size_t i = 0; i < n; i++)
            dot = s->in[at + i] == '.' ? i : dot;
    }
    if (dot == 0 || n - dot < 3 || n - dot > 12 || rlx_in_letters(s, at + dot + 1) != n - dot - 1)
        return 0;
    char last[24];
    rlx_in_word_at(s, at + dot + 1, last);
    return sure || rlx_word_in(last, domains) ? n : 0;
}

static size_t email(struct rlx_speaker *s, size_t at)
{
    size_t n = 0;
    while (at + n < s->length && is_local(s->in[at + n]))
        n++;
    if (n == 0 || n > 64 || rlx_in(s, at + n) != '@')
        return 0;
    size_t host = host_length(s, at + n + 1, true);
    if (host == 0 || host > 80)
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    add_dotted(words, s->in + at, n, false);
    rlx_words_add(words, "at");
    add_dotted(words, s->in + at + n + 1, host, true);
    rlx_speaker_say(s, words, at, n + 1 + host);
    return n + 1 + host;
}

/* Bytes of the path, query and fragment at `at`; the closing punctuation of the sentence is no part
 * of it. */
static size_t path_length(const struct rlx_speaker *s, size_t at)
{
    size_t n = 0;
    if (rlx_in(s, at) != '/' && rlx_in(s, at) != '?' && rlx_in(s, at) != '#')
        return 0;
    while (at + n < s->length && !isspace((unsigned char)s->in[at + n]) &&
           !strchr("<>\"'()[]{}|`*", s->in[at + n]) && (unsigned char)s->in[at + n] < 0x80)
        n++;
    while (n > 0 && strchr(".,;:!?", s->in[at + n - 1]))
        n--;
    return n;
}

/* A short path is said, a query never. */
static void add_path(char *out, const char *at, size_t n)
{
    size_t stop = 0;
    while (stop < n && at[stop] != '?' && at[stop] != '#')
        stop++;
    if (stop > 40)
        return;
    for (size_t i = 0; i < stop;) {
        size_t k = i + 1;
        while (k < stop && at[k] != '/')
            k++;
        if (k > i + 1) {
            rlx_words_add(out, "slash");
            add_dotted(out, at + i + 1, k - i - 1, false);
        }
        i = k;
    }
}

size_t rlx_speak_web(struct rlx_speaker *s, size_t at)
{
    if (at > 0 && (isalnum((unsigned char)s->in[at - 1]) || s->in[at - 1] == '@'))
        return 0;
    if (!isalnum((unsigned char)s->in[at]))
        return 0;
    size_t n = email(s, at);
    if (n)
        return n;
    size_t skip = 0;
    if (rlx_in_is(s, at, "mailto:"))
        return 7;
    if (rlx_in_is(s, at, "https://"))
        skip = 8;
    else if (rlx_in_is(s, at, "http://"))
        skip = 7;
    bool scheme = skip > 0;
    if (rlx_in_is(s, at + skip, "www."))
        skip += 4;
    size_t host = host_length(s, at + skip, skip > 0);
    /* "localhost:8080/x", "https://10.0.0.1/": whatever follows a scheme is an address. */
    if (host == 0 && scheme)
        while (at + skip + host < s->length && is_host(s->in[at + skip + host]))
            host++;
    if (host == 0 || host > 120)
        return scheme ? skip : 0;
    /* "end.So we" is a missing blank and no address. */
    if (skip == 0 && isupper((unsigned char)s->in[at + host - 1]) &&
        !isupper((unsigned char)s->in[at]))
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    add_dotted(words, s->in + at + skip, host, true);
    size_t used = skip + host;
    if (rlx_in(s, at + used) == ':' && rlx_in_digit(s, at + used + 1)) {
        rlx_words_add(words, "port");
        size_t digits = rlx_in_digits(s, at + used + 1);
        rlx_words_digits(words, s->in + at + used + 1, digits);
        used += digits + 1;
    }
    size_t path = path_length(s, at + used);
    add_path(words, s->in + at + used, path);
    rlx_speaker_say(s, words, at, used + path);
    return used + path;
}
