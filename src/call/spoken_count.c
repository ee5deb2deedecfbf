/* Numbers that are no money, date, time or telephone number. */
#include <ctype.h>
#include <string.h>

#include "call/spoken_parts.h"
#include "call/words.h"

/* What the number at `at` means by the words around it. */
enum number_kind { NUMBER_PLAIN, NUMBER_ROOM, NUMBER_DIGITS, NUMBER_YEAR };

static const char *const room_words =
    "room|suite|ste|apartment|apt|unit|form|seat|row|flight|route|rt|rte|highway|hwy|interstate|"
    "exit|gate|building|bldg|rm|locker|bus|train|model|bay|booth|box|us";
static const char *const digit_words =
    "code|pin|zip|number|account|acct|order|invoice|reference|ref|confirmation|ticket|card|case|"
    "policy|id|extension|ext|license|"
    "ending|tracking|digits|area|member|routing|channel|dial|version";
static const char *const year_words = "in|since|of|year|from|until|till|by|before|after|built|"
                                      "circa|during|established|est|founded|around|the";
static const char *const street_words =
    "street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|way|place|pl|parkway|"
    "pkwy|highway|hwy|circle|cir|terrace|square|sq|trail|loop|broadway";

/* "1234 Oak Park Street": one to three capitalised words, then a street word. */
static bool is_house_number(const struct rlx_speaker *s, size_t end)
{
    size_t i = end;
    char word[24];
    for (int n = 0; n < 5; n++) {
        if (rlx_in(s, i) != ' ')
            return false;
        i++;
        /* "42nd Street", "N. Main St". */
        size_t digits = rlx_in_digits(s, i);
        if (!digits && !isupper((unsigned char)rlx_in(s, i)))
            return false;
        size_t letters = rlx_in_word_at(s, i + digits, word);
        if (n > 0 && rlx_word_in(word, street_words))
            return true;
        if (n == 0 && rlx_word_in(word, "broadway"))
            return true;
        i += digits + letters;
        i += rlx_in(s, i) == '.';
    }
    return false;
}

static bool is_state_before(const struct rlx_speaker *s, size_t at)
{
    return at >= 3 && s->in[at - 1] == ' ' && isupper((unsigned char)s->in[at - 2]) &&
           isupper((unsigned char)s->in[at - 3]) &&
           (at == 3 || !isalnum((unsigned char)s->in[at - 4]));
}

static enum number_kind kind_of(const struct rlx_speaker *s, size_t at,
                                const struct rlx_quantity *q)
{
    char before[24], after[24];
    size_t end = at + q->length, unit = 0;
    if (q->grouped || q->fraction)
        return NUMBER_PLAIN;
    rlx_in_word_before(s, at, before);
    if (q->leading_zero)
        return NUMBER_DIGITS;
    bool ending = !strcmp(before, "in") && at > 10 && rlx_in_is(s, at - 10, "ending in");
    if (q->digits >= 3 && (ending || rlx_word_in(before, digit_words)))
        return NUMBER_DIGITS;
    if (q->digits >= 3 && q->digits <= 4 &&
        (rlx_word_in(before, room_words) || is_house_number(s, end)))
        return NUMBER_ROOM;
    if (q->digits == 5 && (is_state_before(s, at) || is_house_number(s, end)))
        return NUMBER_DIGITS;
    if (q->digits == 4 && q->whole >= 1100 && q->whole <= 2099 &&
        !rlx_unit_at(s, end, false, &unit)) {
        size_t gap = rlx_in(s, end) == ' ';
        bool word_follows =
            gap && rlx_in_word_at(s, end + 1, after) && islower((unsigned char)s->in[end + 1]);
        bool counted =
            word_follows &&
            !rlx_word_in(
                after,
                "and|or|to|was|is|we|when|it|that|in|for|model|season|by|the|has|with|at|as|a|"
                "until|through|were|will|tax|i|on|after|before|had|so|they|election|calendar");
        if (q->whole >= 1900 && !counted)
            return NUMBER_YEAR;
        if (rlx_word_in(before, year_words) && !counted)
            return NUMBER_YEAR;
    }
    return q->digits >= 7 && !rlx_unit_at(s, end, false, &unit) ? NUMBER_DIGITS : NUMBER_PLAIN;
}

static void number_words(const struct rlx_speaker *s, char *words, size_t at,
                         const struct rlx_quantity *q)
{
    switch (kind_of(s, at, q)) {
    case NUMBER_ROOM:
        rlx_words_room(words, (unsigned)q->whole);
        break;
    case NUMBER_DIGITS:
        rlx_words_digits(words, s->in + at, q->length);
        break;
    case NUMBER_YEAR:
        rlx_words_year(words, (unsigned)q->whole);
        break;
    case NUMBER_PLAIN:
        rlx_words_quantity(s, words, q);
        break;
    }
}

/* 1st, 2nd, 21st, 1,000th. */
static size_t ordinal(struct rlx_speaker *s, size_t at)
{
    struct rlx_quantity q;
    if (!rlx_quantity_at(s, at, &q) || q.fraction)
        return 0;
    size_t end = at + q.length;
    bool suffix = rlx_in_is(s, end, "st") || rlx_in_is(s, end, "nd") || rlx_in_is(s, end, "rd") ||
                  rlx_in_is(s, end, "th");
    if (!suffix || isalnum((unsigned char)rlx_in(s, end + 2)))
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_ordinal(words, q.whole);
    rlx_speaker_say(s, words, at, q.length + 2);
    return q.length + 2;
}

/* 1990s, 90s. */
static size_t decade(struct rlx_speaker *s, size_t at)
{
    size_t n = rlx_in_digits(s, at), mark = rlx_in(s, at + n) == '\'' ? 1 : 0;
    if ((n != 4 && n != 2) || rlx_in(s, at + n + mark) != 's' ||
        isalnum((unsigned char)rlx_in(s, at + n + mark + 1)) || s->in[at + n - 1] != '0' ||
        (n == 2 && rlx_in_value(s, at, 2) < 20))
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_year(words, (unsigned)rlx_in_value(s, at, n));
    size_t length = strlen(words);
    if (words[length - 1] == 'y')
        memcpy(words + length - 1, "ies", 4);
    else
        memcpy(words + length, "s", 2);
    rlx_speaker_say(s, words, at, n + mark + 1);
    return n + mark + 1;
}

static const char *fraction_name(uint64_t denominator, bool many, char *words)
{
    if (denominator == 2)
        return many ? "halves" : "half";
    if (denominator == 4)
        return many ? "quarters" : "quarter";
    rlx_words_ordinal(words, denominator);
    if (many)
        strncat(words, "s", RLX_SPEAK_BUFFER - strlen(words) - 1);
    return words;
}

static void fraction_words(char *words, uint64_t above, uint64_t below, bool after_whole)
{
    char name[RLX_SPEAK_BUFFER] = "";
    if (after_whole)
        rlx_words_add(words, "and");
    if (after_whole && above == 1)
        rlx_words_add(words, below == 8 ? "an" : "a");
    else
        rlx_words_cardinal(words, above);
    rlx_words_add(words, fraction_name(below, above > 1, name));
}

/* ½ and its kind at i: bytes, with what it stands for. */
static size_t vulgar_at(const struct rlx_speaker *s, size_t i, uint64_t *abovep, uint64_t *belowp)
{
    static const struct {
        const char *sign;
        uint64_t above, below;
    } vulgar[] = {{"\xC2\xBC", 1, 4},     {"\xC2\xBD", 1, 2},     {"\xC2\xBE", 3, 4},
                  {"\xE2\x85\x93", 1, 3}, {"\xE2\x85\x94", 2, 3}, {"\xE2\x85\x9B", 1, 8},
                  {"\xE2\x85\x9C", 3, 8}, {"\xE2\x85\x9D", 5, 8}, {"\xE2\x85\x9E", 7, 8},
                  {"\xE2\x85\x95", 1, 5}};
    for (size_t k = 0; k < sizeof(vulgar) / sizeof(*vulgar); k++) {
        size_t n = strlen(vulgar[k].sign);
        if (i + n <= s->length && !memcmp(s->in + i, vulgar[k].sign, n)) {
            *abovep = vulgar[k].above;
            *belowp = vulgar[k].below;
            return n;
        }
    }
    return 0;
}

/* "1/2" at i. */
static size_t slash_at(const struct rlx_speaker *s, size_t i, uint64_t *abovep, uint64_t *belowp)
{
    size_t a = rlx_in_digits(s, i), b = rlx_in_digits(s, i + a + 1);
    if (a == 0 || a > 3 || b == 0 || b > 3 || rlx_in(s, i + a) != '/' ||
        isalnum((unsigned char)rlx_in(s, i + a + 1 + b)))
        return 0;
    *abovep = rlx_in_value(s, i, a);
    *belowp = rlx_in_value(s, i + a + 1, b);
    return a + 1 + b;
}

/* The unit or plain word after a number, with "per"; a noun after a hyphen ("30-minute") stays for
 * the word reader. */
static size_t unit_after(struct rlx_speaker *s, size_t at, bool one)
{
    size_t n = 0;
    const char *unit = rlx_unit_at(s, at, one, &n);
    if (unit) {
        rlx_speaker_say(s, unit, at, n);
        /* "5 lbs." may end the sentence as well. */
        if (s->in[at + n - 1] == '.' && rlx_in_sentence_end(s, at + n))
            rlx_speaker_mark(s, '.');
    }
    return n + rlx_speak_per(s, at + n);
}

/* ½, 1/2, 1½, 1 1/2, 2-1/2. */
static size_t fraction(struct rlx_speaker *s, size_t at)
{
    uint64_t above = 0, below = 0;
    char words[RLX_SPEAK_BUFFER] = "";
    size_t whole = rlx_in_digits(s, at), n = vulgar_at(s, at, &above, &below), i = at;
    if (!n && whole > 0 && whole <= 4) {
        i = at + whole;
        n = vulgar_at(s, i, &above, &below);
        if (!n && (rlx_in(s, i) == ' ' || rlx_in(s, i) == '-')) {
            n = vulgar_at(s, i + 1, &above, &below);
            n = n ? n : slash_at(s, i + 1, &above, &below);
            i += n ? 1 : 0;
            n = n && above < below && below <= 64 ? n : 0;
        }
        if (n) {
            rlx_words_cardinal(words, rlx_in_value(s, at, whole));
        } else {
            i = at;
            n = slash_at(s, at, &above, &below);
        }
    }
    if (n == 0)
        return 0;
    bool after_whole = words[0] != '\0';
    if (above < below && below <= 100 && above > 0)
        fraction_words(words, above, below, after_whole);
    else {
        rlx_words_cardinal(words, above);
        if (!(above == 24 && below == 7) && above != below)
            rlx_words_add(words, "over");
        rlx_words_cardinal(words, below);
    }
    size_t length = i + n - at;
    rlx_speaker_say(s, words, at, length);
    size_t quote = rlx_in(s, at + length) == '"';
    if (quote)
        rlx_speaker_say(s, after_whole ? "inches" : "inch", at + length, 1);
    return length + quote + unit_after(s, at + length + quote, !after_whole);
}

/* "x" or "×" between two sizes: "10 x 12", "2x4". */
static size_t by_at(const struct rlx_speaker *s, size_t i)
{
    size_t k = i;
    k += rlx_in(s, k) == ' ';
    size_t n = rlx_in_is(s, k, "x") ? 1 : rlx_in_is(s, k, "\xC3\x97") ? 2 : 0;
    if (!n)
        return 0;
    k += n;
    k += rlx_in(s, k) == ' ';
    return rlx_in_digit(s, k) ? k - i : 0;
}

/* 5'10", 24", 6' when the mark can't be a closing quote. */
static size_t feet_inches(struct rlx_speaker *s, size_t at)
{
    struct rlx_quantity q, inches;
    char words[RLX_SPEAK_BUFFER] = "";
    if (!rlx_quantity_at(s, at, &q))
        return 0;
    size_t end = at + q.length;
    char mark = rlx_in(s, end);
    bool by = by_at(s, end + 1) > 0;
    if ((mark != '\'' && mark != '"') || (isalpha((unsigned char)rlx_in(s, end + 1)) && !by))
        return 0;
    if (mark == '"') {
        size_t quotes = 0;
        for (size_t i = 0; i < at; i++)
            quotes += s->in[i] == '"';
        if (quotes % 2)
            return 0;
    }
    rlx_words_quantity(s, words, &q);
    bool has_inches = mark == '\'' && rlx_quantity_at(s, end + 1, &inches) &&
                      rlx_in(s, end + 1 + inches.length) == '"';
    bool one = (q.whole == 1 && !q.fraction) ||
               (rlx_in(s, end + 1) == ' ' && rlx_in_letter(s, end + 2)) ||
               rlx_is_describing(s, at, end + 1);
    if (!by)
        rlx_words_add(words, mark == '"'         ? (one ? "inch" : "inches")
                             : one || has_inches ? "foot"
                                                 : "feet");
    end++;
    if (has_inches) {
        rlx_words_quantity(s, words, &inches);
        end += inches.length + 1;
    }
    if (by) {
        rlx_words_add(words, "by");
        end += by_at(s, end);
    }
    rlx_speaker_say(s, words, at, end - at);
    return end - at;
}

/* 1.2.3 and 10.0.0.1: parts with "point" or "dot" between. */
static size_t dotted(struct rlx_speaker *s, size_t at)
{
    size_t n = rlx_in_digits(s, at), dots = 0, i = at + n;
    while (rlx_in(s, i) == '.' && rlx_in_digit(s, i + 1)) {
        i += 1 + rlx_in_digits(s, i + 1);
        dots++;
    }
    if (n == 0 || dots < 2 || i - at > 40)
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    for (size_t k = at; k < i;) {
        size_t digits = rlx_in_digits(s, k);
        if (digits > 3 || (digits > 1 && s->in[k] == '0'))
            rlx_words_digits(words, s->in + k, digits);
        else
            rlx_words_cardinal(words, rlx_in_value(s, k, digits));
        k += digits;
        if (k < i)
            rlx_words_add(words, dots == 3 ? "dot" : "point");
        k++;
    }
    rlx_speaker_say(s, words, at, i - at);
    return i - at;
}

/* "#5", "№ 5", "No. 5": the sign becomes "number". */
static size_t number_sign(struct rlx_speaker *s, size_t at)
{
    size_t n = rlx_in(s, at) == '#' ? 1 : rlx_in_is(s, at, "\xE2\x84\x96") ? 3 : 0;
    if (!n)
        return 0;
    size_t gap = n + (rlx_in(s, at + n) == ' ');
    if (!rlx_in_digit(s, at + gap))
        return 0;
    char before[24];
    rlx_in_word_before(s, at, before);
    if (!rlx_word_in(before,
                     "number|room|suite|apartment|apt|unit|order|account|invoice|ticket|case"))
        rlx_speaker_say(s, "number", at, gap);
    struct rlx_quantity q;
    char words[RLX_SPEAK_BUFFER] = "";
    if (!rlx_quantity_at(s, at + gap, &q) || q.digits < 3 || q.grouped ||
        isalnum((unsigned char)rlx_in(s, at + gap + q.length)))
        return gap;
    rlx_words_digits(words, s->in + at + gap, q.digits);
    rlx_speaker_say(s, words, at + gap, q.digits);
    return gap + q.digits;
}

/* A number with a range, a unit, a share: "5-10 lbs", "3.5 %", "100+". */
static size_t quantity(struct rlx_speaker *s, size_t at)
{
    struct rlx_quantity q;
    char words[RLX_SPEAK_BUFFER] = "";
    bool bare_point = rlx_in(s, at) == '.';
    if (!rlx_quantity_at(s, at, &q))
        return 0;
    size_t end = at + q.length;
    /* "4B", "90210x": a code, not a count. */
    size_t unit = 0;
    char before[24];
    rlx_in_word_before(s, at, before);
    bool code = rlx_word_in(before, room_words) || (q.digits == 1 && rlx_in(s, end) == 'K');
    if (rlx_in_letter(s, end) && !by_at(s, end) && (code || !rlx_unit_at(s, end, false, &unit)))
        return 0;
    if (bare_point) {
        rlx_words_add(words, "point");
        rlx_words_digits(words, s->in + q.fraction_at, q.fraction);
    } else {
        number_words(s, words, at, &q);
    }
    rlx_speaker_say(s, words, at, q.length);
    size_t by = by_at(s, end), range = by ? 0 : rlx_range_at(s, end);
    if (by || (range && rlx_in(s, end + range) != '$')) {
        size_t next = end + range, second = rlx_in_digits(s, next);
        bool row = !by && ((at > 0 && s->in[at - 1] == '-') ||
                           (rlx_in(s, next + second) == '-' && rlx_in_digit(s, next + second + 1)));
        bool always = !by && rlx_in_is(s, at, "24-7") && second == 1;
        if (row)
            rlx_speaker_mark(s, ',');
        else
            rlx_speaker_say(s, by ? "by" : always ? "" : "to", end, by + range);
        return end + by + range - at;
    }
    if (rlx_in(s, end) == ':' && rlx_in_digit(s, end + 1)) {
        rlx_speaker_say(s, "to", end, 1);
        return end + 1 - at;
    }
    bool single = (q.whole == 1 && !q.fraction) ||
                  (rlx_unit_at(s, end, true, &unit) && rlx_is_describing(s, at, end + unit));
    return end + unit_after(s, end, single) - at;
}

/* Names made of numbers that have a sound of their own. */
static size_t named_number(struct rlx_speaker *s, size_t at)
{
    static const char *const named[][2] = {{"24/7/365", "twenty four seven three sixty five"},
                                           {"401(k)", "four oh one K"},
                                           {"401k", "four oh one K"}};
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
        size_t n = strlen(named[i][0]);
        if (!rlx_in_is(s, at, named[i][0]) || isalnum((unsigned char)rlx_in(s, at + n)))
            continue;
        rlx_speaker_say(s, named[i][1], at, n);
        return n;
    }
    return 0;
}

/* More digits than a number can have: said one by one. */
static size_t endless(struct rlx_speaker *s, size_t at)
{
    size_t n = rlx_in_digits(s, at);
    if (n > 24)
        n = 24;
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_digits(words, s->in + at, n);
    if (n > 0)
        rlx_speaker_say(s, words, at, n);
    return n;
}

size_t rlx_speak_number(struct rlx_speaker *s, size_t at)
{
    char c = s->in[at], before = at > 0 ? s->in[at - 1] : ' ';
    uint64_t above, below;
    /* The second size of "8x10". */
    bool second = before == 'x' && at > 1 &&
                  (isdigit((unsigned char)s->in[at - 2]) || strchr("'\"", s->in[at - 2]));
    if (isalnum((unsigned char)before) && !second)
        return 0;
    if (c == '#' || (unsigned char)c == 0xE2) {
        size_t n = number_sign(s, at);
        if (n || c == '#')
            return n;
    }
    if ((c == '-' || rlx_in_is(s, at, "\xE2\x88\x92")) &&
        rlx_in_digit(s, at + rlx_in_dash(s, at)) && strchr(" (\n", before)) {
        rlx_speaker_say(s, "minus", at, rlx_in_dash(s, at));
        return rlx_in_dash(s, at);
    }
    if (!isdigit((unsigned char)c) &&
        !(c == '.' && rlx_in_digit(s, at + 1) && !isalnum((unsigned char)before)) &&
        !vulgar_at(s, at, &above, &below))
        return 0;
    size_t n = 0;
    if ((n = named_number(s, at)) || (n = ordinal(s, at)) || (n = decade(s, at)) ||
        (n = dotted(s, at)) || (n = fraction(s, at)) || (n = feet_inches(s, at)) ||
        (n = quantity(s, at)))
        return n;
    return rlx_in_letter(s, at + rlx_in_digits(s, at)) ? 0 : endless(s, at);
}
