/* Numbers as English words, and what every reader needs to look at the input. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "call/spoken_parts.h"
#include "call/words.h"

static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};

void rlx_words_add(char *out, const char *words)
{
    size_t have = strlen(out), n = strlen(words);
    if (n == 0 || have + n + 2 > RLX_SPEAK_BUFFER)
        return;
    if (have > 0)
        out[have++] = ' ';
    memcpy(out + have, words, n + 1);
}

static void below_hundred(char *out, uint64_t n)
{
    if (n < 20) {
        rlx_words_add(out, small[n]);
        return;
    }
    rlx_words_add(out, tens[n / 10]);
    if (n % 10)
        rlx_words_add(out, small[n % 10]);
}

void rlx_words_cardinal(char *out, uint64_t n)
{
    static const struct {
        uint64_t value;
        const char *name;
    } scales[] = {{1000000000000000ULL, "quadrillion"},
                  {1000000000000ULL, "trillion"},
                  {1000000000ULL, "billion"},
                  {1000000ULL, "million"},
                  {1000ULL, "thousand"},
                  {100ULL, "hundred"}};
    if (n < 100) {
        below_hundred(out, n);
        return;
    }
    for (size_t i = 0; i < sizeof(scales) / sizeof(*scales); i++) {
        if (n < scales[i].value)
            continue;
        rlx_words_cardinal(out, n / scales[i].value);
        rlx_words_add(out, scales[i].name);
        if (n % scales[i].value)
            rlx_words_cardinal(out, n % scales[i].value);
        return;
    }
}

void rlx_words_ordinal(char *out, uint64_t n)
{
    static const char *const odd[][2] = {
        {"one", "first"},    {"two", "second"}, {"three", "third"},   {"five", "fifth"},
        {"eight", "eighth"}, {"nine", "ninth"}, {"twelve", "twelfth"}};
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_cardinal(words, n);
    char *last = strrchr(words, ' ');
    last = last ? last + 1 : words;
    size_t length = strlen(last);
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        if (!strcmp(last, odd[i][0])) {
            *last = '\0';
            if (last > words)
                last[-1] = '\0';
            rlx_words_add(words, odd[i][1]);
            rlx_words_add(out, words);
            return;
        }
    }
    if (length > 0 && last[length - 1] == 'y')
        memcpy(last + length - 1, "ieth", 5);
    else
        memcpy(last + length, "th", 3);
    rlx_words_add(out, words);
}

void rlx_words_year(char *out, unsigned year)
{
    unsigned high = year / 100, low = year % 100;
    if (year % 1000 < 10 || high < 11) {
        rlx_words_cardinal(out, year);
        return;
    }
    below_hundred(out, high);
    if (low == 0)
        rlx_words_add(out, "hundred");
    else if (low < 10)
        rlx_words_add(out, "oh");
    if (low > 0)
        below_hundred(out, low);
}

void rlx_words_room(char *out, unsigned n)
{
    unsigned high = n / 100, low = n % 100;
    if (n < 100 || n > 9999 || n % 1000 == 0) {
        rlx_words_cardinal(out, n);
        return;
    }
    below_hundred(out, high);
    if (low == 0)
        rlx_words_add(out, "hundred");
    else if (low < 10)
        rlx_words_add(out, "oh");
    if (low > 0)
        below_hundred(out, low);
}

void rlx_words_digits(char *out, const char *digits, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (isdigit((unsigned char)digits[i]))
            rlx_words_add(out, small[digits[i] - '0']);
    }
}

void rlx_words_spelled(char *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char letter[2] = {text[i], '\0'};
        if (isalpha((unsigned char)text[i]))
            rlx_words_add(out, letter);
        else
            rlx_words_digits(out, text + i, 1);
    }
}

char rlx_in(const struct rlx_speaker *s, size_t i)
{
    return i < s->length ? s->in[i] : '\0';
}

bool rlx_in_digit(const struct rlx_speaker *s, size_t i)
{
    return i < s->length && isdigit((unsigned char)s->in[i]);
}

bool rlx_in_letter(const struct rlx_speaker *s, size_t i)
{
    return i < s->length && isalpha((unsigned char)s->in[i]);
}

size_t rlx_in_digits(const struct rlx_speaker *s, size_t i)
{
    size_t n = 0;
    while (rlx_in_digit(s, i + n))
        n++;
    return n;
}

size_t rlx_in_letters(const struct rlx_speaker *s, size_t i)
{
    size_t n = 0;
    while (rlx_in_letter(s, i + n))
        n++;
    return n;
}

size_t rlx_in_dash(const struct rlx_speaker *s, size_t i)
{
    if (rlx_in(s, i) == '-')
        return 1;
    if (i + 3 <= s->length && !memcmp(s->in + i, "\xE2\x80", 2)) {
        unsigned char c = (unsigned char)s->in[i + 2];
        return c >= 0x90 && c <= 0x95 ? 3 : 0;
    }
    return i + 3 <= s->length && !memcmp(s->in + i, "\xE2\x88\x92", 3) ? 3 : 0;
}

bool rlx_in_is(const struct rlx_speaker *s, size_t i, const char *text)
{
    size_t n = strlen(text);
    return i <= s->length && n <= s->length - i && !strncasecmp(s->in + i, text, n);
}

uint64_t rlx_in_value(const struct rlx_speaker *s, size_t i, size_t count)
{
    uint64_t value = 0;
    for (size_t k = 0; k < count && k < 18; k++)
        value = value * 10 + (uint64_t)(s->in[i + k] - '0');
    return value;
}

void rlx_in_word_before(const struct rlx_speaker *s, size_t i, char word[24])
{
    size_t stop = i;
    while (stop > 0 && strchr(" \t.:#(", s->in[stop - 1]))
        stop--;
    size_t at = stop;
    while (at > 0 && isalpha((unsigned char)s->in[at - 1]))
        at--;
    size_t n = 0;
    for (; stop - at < 24 && at < stop; at++)
        word[n++] = (char)tolower((unsigned char)s->in[at]);
    word[n] = '\0';
}

size_t rlx_in_word_at(const struct rlx_speaker *s, size_t i, char word[24])
{
    size_t n = rlx_in_letters(s, i);
    if (n >= 24)
        n = 0;
    for (size_t k = 0; k < n; k++)
        word[k] = (char)tolower((unsigned char)s->in[i + k]);
    word[n] = '\0';
    return n;
}

bool rlx_is_describing(const struct rlx_speaker *s, size_t at, size_t end)
{
    char before[24], after[24];
    if (rlx_in(s, end) == '-' && rlx_in_letter(s, end + 1))
        return true;
    rlx_in_word_before(s, at, before);
    rlx_in_word_at(s, end + 1, after);
    bool article = rlx_word_in(before, "a|an") && at >= 2 && s->in[at - 1] == ' ';
    return article && rlx_in(s, end) == ' ' && *after &&
           !rlx_word_in(after, "and|or|in|to|for|per|each|a|an|at|on|if|plus|more|when|off");
}

bool rlx_in_sentence_end(const struct rlx_speaker *s, size_t i)
{
    size_t at = i;
    while (at < s->length && strchr("\"')]*_ \t\n\r", s->in[at]))
        at++;
    return at >= s->length || (at > i && isupper((unsigned char)s->in[at]));
}
