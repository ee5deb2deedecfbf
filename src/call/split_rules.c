#include "call/split_rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "call/words.h"

#define WORD_MAX 24

/* A full stop after these never ends a sentence. */
static const char *const titles =
    "dr|mr|mrs|ms|prof|gen|sen|rep|gov|capt|lt|col|sgt|mt|ft|vs|approx|rev|hon|e.g|i.e|messrs|cf|"
    "eg|ie|viz|incl|est|attn|mme|fr";
/* After these it ends one only when a new sentence plainly begins. */
static const char *const abbreviations = "a.m|p.m|am|pm|etc|inc|ltd|co|corp|st|ave|blvd|rd|ln|ct|"
                                         "hwy|pkwy|jr|sr|u.s|u.k|u.s.a|d.c|dept|apt|ste|"
                                         "ph.d|m.d|b.c|a.d|llc|bros|sq|mon|tue|tues|wed|thu|thur|"
                                         "thurs|fri|sat|sun|min|mins|hr|hrs|lb|lbs|oz|in|"
                                         "max|appt|n.y|l.a";
/* After these it ends none before a number. */
static const char *const before_numbers = "no|nos|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|"
                                          "ext|tel|fig|vol|pp|p|ch|sec|rm|para|art";
static const char *const starters =
    "we|i|you|the|it|that|this|they|he|she|our|your|my|would|do|does|did|is|are|can|could|will|"
    "what|when|where|how|who|"
    "why|if|so|but|and|or|there|please|yes|no|on|for|in|at|after|before|then|also|however|just|let|"
    "let's|we're|i'm|i'll|"
    "we'll|it's|that's|there's|you're|you'll|a|an|any|all|each|every|these|those|thank|thanks|"
    "sorry|feel|call|ask|to|as|"
    "with|our|his|her|their|some|most|many|should|may|might|have|has|shall|don't|what's|how's";

static bool is_gap(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The word (letters, dots inside, apostrophes) that ends before `stop`, lower case. */
static void word_before(const char *text, size_t stop, char *word)
{
    size_t at = stop;
    while (at > 0 && stop - at < WORD_MAX - 1 &&
           (isalpha((unsigned char)text[at - 1]) || text[at - 1] == '.' || text[at - 1] == '\''))
        at--;
    size_t n = 0;
    for (; at < stop; at++)
        word[n++] = (char)tolower((unsigned char)text[at]);
    word[n] = '\0';
}

/* The word that begins at `at`, lower case; false when it may still go on. */
static bool word_after(const char *text, size_t n, size_t at, bool closed, char *word)
{
    size_t k = 0;
    while (at < n && k < WORD_MAX - 1 && (isalpha((unsigned char)text[at]) || text[at] == '\''))
        word[k++] = (char)tolower((unsigned char)text[at++]);
    word[k] = '\0';
    return at < n || closed;
}

/* "1." or "12)" alone at the start of the piece or of a line: the mark of a list. */
static bool is_list_number(const char *text, size_t dot)
{
    size_t at = dot;
    while (at > 0 && isdigit((unsigned char)text[at - 1]))
        at--;
    if (at == dot || dot - at > 2)
        return false;
    size_t number = at;
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '*' || text[at - 1] == '#'))
        at--;
    return at == 0 || text[at - 1] == '\n' || (at < number && text[at - 1] == ':');
}

/* A full stop at `dot`, then a gap, and at `next` the following text. */
static enum rlx_cut full_stop(const char *text, size_t n, size_t dot, size_t next, bool closed)
{
    char word[WORD_MAX], after[WORD_MAX];
    word_before(text, dot, word);
    size_t length = strlen(word);
    bool initial = dot > 0 && isupper((unsigned char)text[dot - 1]) && length > 0 &&
                   (length == 1 || word[length - 2] == '.');
    if (is_list_number(text, dot))
        return RLX_CUT_NONE;
    if (length == 0)
        return RLX_CUT_SENTENCE;
    if (rlx_word_in(word, titles))
        return RLX_CUT_NONE;
    if (!rlx_word_in(word, abbreviations) && !rlx_word_in(word, before_numbers) && !initial)
        return RLX_CUT_SENTENCE;
    if (next >= n)
        return RLX_CUT_SENTENCE;
    if (rlx_word_in(word, before_numbers) && !initial)
        return isdigit((unsigned char)text[next]) ? RLX_CUT_NONE : RLX_CUT_SENTENCE;
    if (initial && length == 1 && word[0] == 'i')
        return RLX_CUT_SENTENCE;
    if (!isupper((unsigned char)text[next]))
        return RLX_CUT_NONE;
    if (!word_after(text, n, next, closed, after))
        return RLX_CUT_UNKNOWN;
    return rlx_word_in(after, starters) ? RLX_CUT_SENTENCE : RLX_CUT_NONE;
}

/* The end of the text right after a mark, while more may come: only what surely ends is taken. */
static enum rlx_cut at_open_end(const char *text, size_t mark, bool stalled)
{
    char word[WORD_MAX];
    if (!stalled)
        return RLX_CUT_UNKNOWN;
    unsigned char before = mark > 0 ? (unsigned char)text[mark - 1] : ' ';
    if (strchr("!?;", text[mark]))
        return text[mark] == ';' ? RLX_CUT_CLAUSE : RLX_CUT_SENTENCE;
    if (isdigit(before))
        return RLX_CUT_UNKNOWN;
    if (text[mark] != '.')
        return RLX_CUT_CLAUSE;
    word_before(text, mark, word);
    size_t length = strlen(word);
    bool open = length < 2 || strchr(word, '.') || rlx_word_in(word, titles) ||
                rlx_word_in(word, abbreviations) || rlx_word_in(word, before_numbers);
    return open ? RLX_CUT_UNKNOWN : RLX_CUT_SENTENCE;
}

/* A comma, colon or dash before a gap, `next` = what follows it. */
static enum rlx_cut clause_mark(const char *text, size_t n, size_t i, size_t next, bool closed)
{
    bool digit_before = i > 0 && isdigit((unsigned char)text[i - 1]);
    if (text[i] == ',' && next < n) {
        /* "May 5, 2024", "Portland, OR". */
        if (digit_before && isdigit((unsigned char)text[next]))
            return RLX_CUT_SPACE;
        if (next + 1 >= n && !closed)
            return RLX_CUT_UNKNOWN;
        if (next + 1 < n && isupper((unsigned char)text[next]) &&
            isupper((unsigned char)text[next + 1]))
            return RLX_CUT_SPACE;
    }
    if (text[i] == ':' && next < n && digit_before && isdigit((unsigned char)text[next]))
        return RLX_CUT_SPACE;
    return RLX_CUT_CLAUSE;
}

/* Bytes of closing quotes and brackets at `at`. */
static size_t closers(const char *text, size_t n, size_t at)
{
    size_t i = at;
    for (;;) {
        if (i < n && strchr("\"')]*_", text[i]))
            i++;
        else if (i + 2 < n &&
                 (!memcmp(text + i, "\xE2\x80\x9D", 3) || !memcmp(text + i, "\xE2\x80\x99", 3)))
            i += 3;
        else
            return i - at;
    }
}

/* A newline ends a sentence unless the text goes on in lower case. */
static enum rlx_cut newline(const char *text, size_t n, size_t i, bool ended)
{
    size_t next = i;
    while (next < n && is_gap(text[next]))
        next++;
    if (next >= n)
        return ended ? RLX_CUT_SENTENCE : RLX_CUT_UNKNOWN;
    return islower((unsigned char)text[next]) ? RLX_CUT_SPACE : RLX_CUT_SENTENCE;
}

/* Whether byte i ends a dash with gaps on both sides ("open daily – except Sundays"). */
static bool is_dash(const char *text, size_t n, size_t i)
{
    if (text[i] == '-')
        return i > 0 && (is_gap(text[i - 1]) || text[i - 1] == '-') && i + 1 < n &&
               is_gap(text[i + 1]) && !(i >= 2 && isdigit((unsigned char)text[i - 2]));
    return i >= 2 && !memcmp(text + i - 2, "\xE2\x80", 2) &&
           ((unsigned char)text[i] == 0x94 || (unsigned char)text[i] == 0x93) &&
           !(i >= 4 && isdigit((unsigned char)text[i - 4])) &&
           !(i >= 3 && isdigit((unsigned char)text[i - 3]));
}

/* A blank that must not be a cut: inside "Dr. Smith", "9 a.m.", "555 1234", "$ 5". */
static enum rlx_cut blank(const char *text, size_t n, size_t i)
{
    unsigned char before = i > 0 ? (unsigned char)text[i - 1] : ' ';
    unsigned char after = i + 1 < n ? (unsigned char)text[i + 1] : ' ';
    if (before == '.' || before == '$' || isdigit(after) || (isdigit(before) && !isupper(after)))
        return RLX_CUT_NONE;
    return RLX_CUT_SPACE;
}

enum rlx_cut rlx_split_cut(const char *text, size_t n, size_t i, bool ended, bool stalled)
{
    char c = text[i];
    if (c == '\n')
        return newline(text, n, i, ended);
    if (is_gap(c))
        return blank(text, n, i);
    bool dash = is_dash(text, n, i);
    /* The last of several marks ("?!", "...") and of the quotes after it decides; so do the quotes
     * before byte i. */
    size_t mark = i;
    while (mark > 0 && strchr("\"')]*_", text[mark]))
        mark--;
    if (mark + 1 > 3 && mark != i && (!memcmp(text + mark - 2, "\xE2\x80\x9D", 3)))
        mark -= 3;
    if ((unsigned char)c >= 0x80 && i >= 3 &&
        (!memcmp(text + i - 2, "\xE2\x80\x9D", 3) || !memcmp(text + i - 2, "\xE2\x80\x99", 3)))
        mark = i - 3;
    if (!dash && !strchr(".!?,;:", text[mark]))
        return RLX_CUT_NONE;
    if (!dash && mark + 1 < n && closers(text, n, i + 1) > 0)
        return RLX_CUT_NONE;
    size_t next = i + 1;
    if (next >= n)
        return ended ? RLX_CUT_SENTENCE : at_open_end(text, mark, stalled);
    if (!is_gap(text[next]))
        return RLX_CUT_NONE;
    while (next < n && is_gap(text[next]))
        next++;
    bool closed = ended || stalled;
    if (dash)
        return RLX_CUT_CLAUSE;
    if (next >= n && !ended && strchr(".,:", text[mark]))
        return at_open_end(text, mark, stalled);
    if (text[mark] == ';')
        return RLX_CUT_CLAUSE;
    if (text[mark] == ',' || text[mark] == ':')
        return clause_mark(text, n, mark, next, closed);
    if (text[mark] != '.')
        return RLX_CUT_SENTENCE;
    if (mark > 0 && text[mark - 1] == '.')
        return next < n && islower((unsigned char)text[next]) ? RLX_CUT_CLAUSE : RLX_CUT_SENTENCE;
    return full_stop(text, n, mark, next, closed);
}

/* Bytes up to the close that belongs to the bracket at 0, strings in quotes skipped; 0 when it is
 * open. */
static size_t balanced(const char *text, size_t n, char open, char close)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (open == '{' && text[i] == '"' && (i == 0 || text[i - 1] != '\\'))
            quoted = !quoted;
        if (quoted)
            continue;
        if (text[i] == open)
            depth++;
        else if (text[i] == close && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* A tag: formatting goes alone, anything else goes with all that it holds. */
static int tag(const char *text, size_t n, bool ended)
{
    static const char *const formatting =
        "b|i|u|p|em|strong|br|s|span|speak|div|li|ul|ol|small|mark|a|h|hr";
    char name[WORD_MAX];
    int open = ended ? (int)n : -1;
    if (n < 2)
        return ended ? 0 : -1;
    if (text[1] != '|' && text[1] != '/' && text[1] != '!' && !isalpha((unsigned char)text[1]))
        return 0;
    const char *stop = memchr(text, '>', n);
    if (!stop)
        return open;
    size_t length = (size_t)(stop - text) + 1, k = 0;
    for (size_t i = 1; k < WORD_MAX - 1 && (isalpha((unsigned char)text[i]) || text[i] == '_'); i++)
        name[k++] = (char)tolower((unsigned char)text[i]);
    name[k] = '\0';
    if (k == 0 || rlx_word_in(name, formatting) || stop[-1] == '/')
        return (int)length;
    for (const char *at = stop; (at = memchr(at, '<', n - (size_t)(at - text))); at++) {
        size_t left = n - (size_t)(at - text);
        if (left > k + 2 && at[1] == '/' && !strncasecmp(at + 2, name, k) && at[k + 2] == '>')
            return (int)((size_t)(at - text) + k + 3);
    }
    return open;
}

int rlx_split_markup(const char *text, size_t n, bool ended)
{
    int open = ended ? (int)n : -1;
    if (n == 0)
        return open;
    if (text[0] == '<')
        return tag(text, n, ended);
    if (text[0] == '{' || text[0] == '[') {
        size_t length = balanced(text, n, text[0], text[0] == '{' ? '}' : ']');
        if (length == 0)
            return open;
        /* "[our site](https://…)" is prose; the byte after the bracket says. */
        if (text[0] == '[' && length == n && !ended)
            return -1;
        return text[0] == '[' && length < n && text[length] == '(' ? 0 : (int)length;
    }
    if (text[0] != '`' && text[0] != '~')
        return 0;
    if (n < 3 && !ended)
        return n == 1 || text[1] == text[0] ? -1 : 0;
    if (n < 3 || text[1] != text[0] || text[2] != text[0])
        return 0;
    const char *stop = memmem(text + 3, n - 3, text[0] == '`' ? "```" : "~~~", 3);
    return stop ? (int)(stop - text) + 3 : open;
}
