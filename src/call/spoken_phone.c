/* Telephone, card and other numbers that are said digit by digit, in groups. */
#include <ctype.h>
#include <string.h>

#include "call/spoken_parts.h"
#include "call/words.h"

#define GROUPS_MAX 7

struct groups {
    size_t at[GROUPS_MAX], digits[GROUPS_MAX];
    char before[GROUPS_MAX]; /* the separator before a group */
    size_t count;
    size_t length; /* bytes from the start */
    bool plus;
};

/* Groups of digits with one separator (blank, hyphen, dot, brackets) between. */
static void read_groups(const struct rlx_speaker *s, size_t at, struct groups *g)
{
    size_t i = at;
    memset(g, 0, sizeof(*g));
    g->plus = rlx_in(s, i) == '+';
    i += g->plus;
    while (g->count < GROUPS_MAX) {
        size_t k = i;
        char separator = 0;
        size_t dash = rlx_in_dash(s, k);
        if (g->count > 0 && dash) {
            separator = '-';
            k += dash;
        } else if (g->count > 0 && strchr(" .", rlx_in(s, k)) && rlx_in(s, k)) {
            separator = rlx_in(s, k++);
        }
        if (rlx_in(s, k) == '(' && (g->count == 0 || separator != '-')) {
            separator = '(';
            k++;
        } else if (g->count > 0 && g->before[g->count - 1] == '(' && rlx_in(s, i) == ')') {
            separator = ')';
            k = i + 1;
            k += rlx_in(s, k) == ' ' || rlx_in(s, k) == '-';
        }
        size_t n = rlx_in_digits(s, k);
        if (n == 0 || (g->count > 0 && !separator))
            break;
        g->at[g->count] = k;
        g->digits[g->count] = n;
        g->before[g->count++] = separator;
        i = k + n;
        g->length = i - at;
    }
}

static bool shape(const struct groups *g, const char *digits)
{
    if (strlen(digits) > g->count)
        return false;
    for (size_t i = 0; digits[i]; i++) {
        if (g->digits[i] != (size_t)(digits[i] - '0'))
            return false;
    }
    return true;
}

/* Says the first `count` groups. */
static size_t say_groups(struct rlx_speaker *s, size_t at, const struct groups *g, size_t count)
{
    size_t end = g->at[count - 1] + g->digits[count - 1];
    char words[RLX_SPEAK_BUFFER] = "";
    if (g->plus)
        rlx_words_add(words, "plus");
    for (size_t i = 0; i < count; i++) {
        const char *digits = s->in + g->at[i];
        size_t n = g->digits[i];
        bool hundreds = n == 3 && (!memcmp(digits, "800", 3) || !memcmp(digits, "900", 3)) &&
                        (i == 0 || (i == 1 && g->digits[0] == 1));
        if (hundreds)
            rlx_words_cardinal(words, rlx_in_value(s, g->at[i], 3));
        else
            rlx_words_digits(words, digits, n);
        if (i + 1 < count)
            strncat(words, ",", RLX_SPEAK_BUFFER - strlen(words) - 1);
    }
    rlx_speaker_say(s, words, at, end - at);
    return end - at;
}

/* Ten or eleven digits without separators. */
static size_t say_solid(struct rlx_speaker *s, size_t at, size_t digits)
{
    struct groups g = {.plus = s->in[at] == '+'};
    size_t first = digits == 11 ? 1 : 0, i = at + g.plus, k = 0;
    if (first) {
        g.at[k] = i++;
        g.digits[k++] = 1;
    }
    static const size_t lengths[] = {3, 3, 4};
    for (size_t part = 0; part < 3; part++) {
        g.at[k] = i;
        g.digits[k++] = lengths[part];
        i += lengths[part];
    }
    return say_groups(s, at, &g, k);
}

/* " ext. 12", " x12". */
static size_t extension(struct rlx_speaker *s, size_t at)
{
    size_t i = at;
    while (rlx_in(s, i) == ' ' || rlx_in(s, i) == ',')
        i++;
    size_t word = rlx_in_is(s, i, "extension") ? 9
                  : rlx_in_is(s, i, "ext.")    ? 4
                  : rlx_in_is(s, i, "ext")     ? 3
                  : rlx_in_is(s, i, "x")       ? 1
                                               : 0;
    if (!word)
        return 0;
    i += word;
    while (rlx_in(s, i) == ' ' || rlx_in(s, i) == '#')
        i++;
    size_t digits = rlx_in_digits(s, i);
    if (digits == 0 || digits > 6)
        return 0;
    char words[RLX_SPEAK_BUFFER] = "extension";
    rlx_words_digits(words, s->in + i, digits);
    rlx_speaker_mark(s, ',');
    rlx_speaker_say(s, words, at, i + digits - at);
    return i + digits - at;
}

/* "1-800-FLOWERS". */
static size_t vanity(struct rlx_speaker *s, size_t at)
{
    size_t i = at;
    bool one = rlx_in_is(s, i, "1-");
    i += one ? 2 : 0;
    if (rlx_in_digits(s, i) != 3 || rlx_in(s, i + 3) != '-' ||
        !isupper((unsigned char)rlx_in(s, i + 4)))
        return 0;
    size_t n = 0;
    while (rlx_in_letter(s, i + 4 + n) ||
           (rlx_in(s, i + 4 + n) == '-' && rlx_in_letter(s, i + 5 + n)))
        n++;
    if (n < 4 || n > 14)
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    if (one)
        rlx_words_add(words, "one,");
    rlx_words_cardinal(words, rlx_in_value(s, i, 3));
    strncat(words, ",", RLX_SPEAK_BUFFER - strlen(words) - 1);
    char letters[16] = "";
    for (size_t k = 0; k < n; k++)
        letters[k] = s->in[i + 4 + k] == '-' ? ' ' : s->in[i + 4 + k];
    rlx_words_add(words, letters);
    rlx_speaker_say(s, words, at, i + 4 + n - at);
    return i + 4 + n - at;
}

static bool is_dialled(const struct rlx_speaker *s, size_t at)
{
    char word[24];
    rlx_in_word_before(s, at, word);
    return rlx_word_in(word, "call|dial|text|to|calling|press");
}

/* How many groups from the first make a number that is said in digits; 0 when none do. */
static size_t number_groups(const struct rlx_speaker *s, size_t at, const struct groups *g)
{
    static const char *const shapes[] = {"1334", "334", "4444", "446", "465",
                                         "324",  "54",  "34",   "27"};
    char next = rlx_in(s, at + g->length);
    if (g->plus && g->count >= 2)
        return g->count;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        size_t n = strlen(shapes[i]);
        if (!shape(g, shapes[i]) || (g->count > n && g->before[n] == '-') ||
            (g->count == n && isalnum((unsigned char)next) && next != 'x'))
            continue;
        /* Two or three groups may be a sum or a range unless a hyphen holds them together. */
        bool hyphens = g->before[n - 1] == '-' && (n < 3 || g->before[n - 2] == '-');
        if (n == 2 && (!hyphens || g->before[0] == '(' || (n == 2 && s->in[g->at[0]] == '0')))
            continue;
        if (!strcmp(shapes[i], "324") && !hyphens)
            continue;
        if (!strcmp(shapes[i], "34") && s->in[g->at[0]] == '1')
            continue;
        return n;
    }
    return 0;
}

size_t rlx_speak_phone(struct rlx_speaker *s, size_t at)
{
    char c = s->in[at], before = at > 0 ? s->in[at - 1] : ' ';
    if (!(isdigit((unsigned char)c) || ((c == '+' || c == '(') && rlx_in_digit(s, at + 1))))
        return 0;
    if (isalnum((unsigned char)before) || strchr("$.,-/:#", before))
        return 0;
    struct groups g;
    size_t n = vanity(s, at);
    if (n)
        return n;
    read_groups(s, at, &g);
    size_t count = g.count ? number_groups(s, at, &g) : 0;
    char next = g.count ? rlx_in(s, g.at[0] + g.digits[0]) : ' ';
    bool solid = c != '(' && g.count > 0 && !isalpha((unsigned char)next) &&
                 !(next == '.' && rlx_in_digit(s, g.at[0] + g.digits[0] + 1));
    if (count > 0)
        n = say_groups(s, at, &g, count);
    else if (solid && (g.digits[0] == 10 || (g.digits[0] == 11 && (g.plus || c == '1'))))
        n = say_solid(s, at, g.digits[0]);
    else if (solid && g.digits[0] == 3 &&
             (rlx_in_is(s, at, "911") || (is_dialled(s, at) && rlx_in_is(s, at + 1, "11"))))
        n = say_groups(s, at, &g, 1);
    else
        return 0;
    return n + extension(s, at + n);
}
