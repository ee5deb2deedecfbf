/* Dates and times of day. */
#include <ctype.h>
#include <string.h>

#include "call/spoken_parts.h"
#include "call/words.h"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

const char *rlx_month_name(unsigned month)
{
    return months[(month - 1) % 12];
}

unsigned rlx_month_at(const struct rlx_speaker *s, size_t i, size_t *lengthp)
{
    char word[24];
    size_t n = rlx_in_word_at(s, i, word);
    if (n < 3 || !isupper((unsigned char)s->in[i]) || isupper((unsigned char)s->in[i + 1]))
        return 0;
    for (unsigned m = 0; m < 12; m++) {
        bool whole = strlen(months[m]) == n && rlx_in_is(s, i, months[m]);
        bool abbreviated =
            (n == 3 && rlx_in_is(s, i, (char[]){months[m][0], months[m][1], months[m][2], 0})) ||
            (m == 8 && n == 4 && !strcmp(word, "sept"));
        if (!whole && !abbreviated)
            continue;
        *lengthp = n + (!whole && rlx_in(s, i + n) == '.');
        return m + 1;
    }
    return 0;
}

static bool is_day(const struct rlx_speaker *s, size_t i, size_t digits)
{
    uint64_t day = rlx_in_value(s, i, digits);
    return digits > 0 && digits <= 2 && day >= 1 && day <= 31;
}

/* st, nd, rd, th after digits. */
static size_t suffix_at(const struct rlx_speaker *s, size_t i)
{
    static const char *const suffixes[] = {"st", "nd", "rd", "th"};
    for (size_t k = 0; k < 4; k++) {
        if (rlx_in_is(s, i, suffixes[k]) && !isalnum((unsigned char)rlx_in(s, i + 2)))
            return 2;
    }
    return 0;
}

static void say_ordinal(struct rlx_speaker *s, uint64_t n, size_t from, size_t length)
{
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_ordinal(words, n);
    rlx_speaker_say(s, words, from, length);
}

static void say_year(struct rlx_speaker *s, uint64_t year, size_t from, size_t length)
{
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_year(words, (unsigned)year);
    rlx_speaker_say(s, words, from, length);
}

/* ", 2024" or " 2024" after a day: speaks it. */
static size_t year_after(struct rlx_speaker *s, size_t at)
{
    size_t i = at;
    bool comma = rlx_in(s, i) == ',';
    i += comma;
    while (rlx_in(s, i) == ' ')
        i++;
    size_t digits = rlx_in_digits(s, i);
    uint64_t year = digits == 4 ? rlx_in_value(s, i, 4) : 0;
    if (i == at || year < 1100 || year > 2199 || rlx_in_dash(s, i + 4) ||
        isalpha((unsigned char)rlx_in(s, i + 4)) ||
        (rlx_in(s, i + 4) == ':' && rlx_in_digit(s, i + 5)))
        return 0;
    if (comma)
        rlx_speaker_mark(s, ',');
    say_year(s, year, i, digits);
    return i + digits - at;
}

/* "May 5", "Jan. 5th, 2024", "May 5-7". */
static size_t month_day(struct rlx_speaker *s, size_t at)
{
    size_t name = 0;
    unsigned month = rlx_month_at(s, at, &name);
    if (!month)
        return 0;
    size_t i = at + name;
    while (rlx_in(s, i) == ' ')
        i++;
    size_t digits = rlx_in_digits(s, i), after = i + digits + suffix_at(s, i + digits);
    bool day = i > at + name && is_day(s, i, digits) && !isalnum((unsigned char)rlx_in(s, after)) &&
               !((rlx_in(s, after) == ':' || rlx_in(s, after) == '.' || rlx_in(s, after) == '/') &&
                 rlx_in_digit(s, after + 1)) &&
               rlx_in(s, after) != '%';
    size_t unit;
    bool quantity = after == i + digits && rlx_meridiem_at(s, after, &unit);
    if (!day || quantity) {
        /* "Sept. is busy": the name alone, when it is no word of its own. */
        char word[24];
        rlx_in_word_at(s, at, word);
        if (rlx_word_in(word, "may|mar|jun|jul|oct|dec|nov|sep") && rlx_in(s, at + name - 1) != '.')
            return 0;
        rlx_speaker_say(s, months[month - 1], at, name);
        return name;
    }
    rlx_speaker_say(s, months[month - 1], at, name);
    say_ordinal(s, rlx_in_value(s, i, digits), i, after - i);
    size_t range = rlx_range_at(s, after), second = rlx_in_digits(s, after + range);
    if (range && is_day(s, after + range, second)) {
        rlx_speaker_say(s, "to", after, range);
        size_t end = after + range + second;
        end += suffix_at(s, end);
        say_ordinal(s, rlx_in_value(s, after + range, second), after + range, end - after - range);
        after = end;
    }
    return after + year_after(s, after) - at;
}

/* "5 May 2024", "5th of May". */
static size_t day_month(struct rlx_speaker *s, size_t at)
{
    size_t digits = rlx_in_digits(s, at);
    size_t i = at + digits + suffix_at(s, at + digits), name = 0;
    if (!is_day(s, at, digits) || rlx_in(s, i) != ' ')
        return 0;
    bool of = rlx_in_is(s, i, " of ");
    size_t start = i + (of ? 4 : 1);
    unsigned month = rlx_month_at(s, start, &name);
    if (!month)
        return 0;
    /* "5 May 7": the day belongs to the right. */
    if (!of && rlx_in(s, start + name) == ' ' && rlx_in_digits(s, start + name + 1) > 0 &&
        rlx_in_digits(s, start + name + 1) < 3)
        return 0;
    say_ordinal(s, rlx_in_value(s, at, digits), at, i - at);
    rlx_speaker_say(s, "of", i, start - i);
    rlx_speaker_say(s, months[month - 1], start, name);
    return start + name + year_after(s, start + name) - at;
}

static void say_date(struct rlx_speaker *s, unsigned month, uint64_t day, uint64_t year, size_t at,
                     size_t length)
{
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_add(words, months[month - 1]);
    rlx_words_ordinal(words, day);
    if (year) {
        strncat(words, ",", RLX_SPEAK_BUFFER - strlen(words) - 1);
        rlx_words_year(words, (unsigned)year);
    }
    rlx_speaker_say(s, words, at, length);
}

/* Month and day of two numbers, American order when both fit. */
static bool order_month_day(uint64_t a, uint64_t b, unsigned *monthp, uint64_t *dayp)
{
    bool american = a >= 1 && a <= 12 && b >= 1 && b <= 31;
    if (!american && !(b >= 1 && b <= 12 && a >= 1 && a <= 31))
        return false;
    *monthp = (unsigned)(american ? a : b);
    *dayp = american ? b : a;
    return true;
}

/* 2024-05-14, 5/14/2024, 5-14-24, 14.05.2024. */
static size_t numeric_date(struct rlx_speaker *s, size_t at)
{
    size_t a = rlx_in_digits(s, at);
    char separator = rlx_in(s, at + a);
    if (a == 0 || !separator || !strchr("-/.", separator))
        return 0;
    size_t b = rlx_in_digits(s, at + a + 1), second = at + a + 1 + b;
    if (b == 0 || b > 2 || rlx_in(s, second) != separator)
        return 0;
    size_t c = rlx_in_digits(s, second + 1), length = second + 1 + c - at;
    char next = rlx_in(s, at + length);
    if (isalnum((unsigned char)next) ||
        (next && strchr("-/.", next) && rlx_in_digit(s, at + length + 1)))
        return 0;
    unsigned month;
    uint64_t day, year = rlx_in_value(s, at, a);
    if (a == 4 && c > 0 && c <= 2) {
        if (!order_month_day(rlx_in_value(s, at + 5, b), rlx_in_value(s, second + 1, c), &month,
                             &day))
            return 0;
    } else if (a <= 2 && (c == 4 || (c == 2 && separator != '.'))) {
        if (!order_month_day(year, rlx_in_value(s, at + a + 1, b), &month, &day))
            return 0;
        year = rlx_in_value(s, second + 1, c) + (c == 2 ? 2000 : 0);
    } else {
        return 0;
    }
    if (year < 1000 || year > 2999)
        return 0;
    say_date(s, month, day, year, at, length);
    return length;
}

/* 5/14: a date when it can't be a fraction, or a word of time stands before it. */
static size_t short_date(struct rlx_speaker *s, size_t at)
{
    size_t a = rlx_in_digits(s, at), b = rlx_in_digits(s, at + a + 1);
    char word[24], next = rlx_in(s, at + a + 1 + b);
    if (a == 0 || a > 2 || b == 0 || b > 2 || rlx_in(s, at + a) != '/' ||
        isalnum((unsigned char)next) || next == '/' || next == '%')
        return 0;
    uint64_t x = rlx_in_value(s, at, a), y = rlx_in_value(s, at + a + 1, b);
    unsigned month;
    uint64_t day;
    rlx_in_word_before(s, at, word);
    bool dated = rlx_word_in(
        word,
        "on|by|before|after|until|since|due|from|through|monday|tuesday|wednesday|thursday|friday|"
        "saturday|sunday|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|date|dated|starting|of");
    bool fraction = x < y && (y <= 5 || y == 6 || y == 8 || y == 10 || y == 16);
    if ((x == 24 && y == 7) || x > 12 || y > 31 || y == 0 || (fraction && !dated) ||
        (!dated && x == y) || rlx_in(s, at + a + 1 + b) == '"')
        return 0;
    if (!order_month_day(x, y, &month, &day))
        return 0;
    say_date(s, month, day, 0, at, a + 1 + b);
    return a + 1 + b;
}

size_t rlx_speak_date(struct rlx_speaker *s, size_t at)
{
    char before = at > 0 ? s->in[at - 1] : ' ';
    size_t n = 0;
    if (isalnum((unsigned char)before) || strchr("$/'", before) || before == '.' ||
        (unsigned char)before >= 0xC3)
        return 0;
    if (isalpha((unsigned char)s->in[at]))
        return month_day(s, at);
    if (!isdigit((unsigned char)s->in[at]))
        return 0;
    if ((n = numeric_date(s, at)) || (n = short_date(s, at)))
        return n;
    return day_month(s, at);
}

const char *rlx_meridiem_at(const struct rlx_speaker *s, size_t i, size_t *lengthp)
{
    size_t k = i;
    while (rlx_in(s, k) == ' ' && k < i + 2)
        k++;
    char letter = (char)tolower((unsigned char)rlx_in(s, k));
    if (letter != 'a' && letter != 'p')
        return NULL;
    size_t n = 1;
    bool dotted = rlx_in(s, k + n) == '.';
    n += dotted;
    if (dotted && rlx_in(s, k + n) == ' ' && tolower((unsigned char)rlx_in(s, k + n + 1)) == 'm')
        n++;
    if (tolower((unsigned char)rlx_in(s, k + n)) != 'm')
        return NULL;
    n++;
    n += dotted && rlx_in(s, k + n) == '.';
    if (isalnum((unsigned char)rlx_in(s, k + n)) || rlx_in(s, k + n) == '\'')
        return NULL;
    *lengthp = k + n - i;
    return letter == 'a' ? "a m" : "p m";
}

/* Speaks "a m" or "p m" at i, and the end of the sentence that its full stop may be. */
static size_t say_meridiem(struct rlx_speaker *s, size_t i)
{
    size_t n = 0;
    const char *meridiem = rlx_meridiem_at(s, i, &n);
    if (!meridiem)
        return 0;
    rlx_speaker_say(s, meridiem, i, n);
    if (s->in[i + n - 1] == '.' && rlx_in_sentence_end(s, i + n))
        rlx_speaker_mark(s, '.');
    return n;
}

static void clock_words(char *words, uint64_t hour, uint64_t minute, bool meridiem)
{
    bool afternoon = !meridiem && hour > 12 && hour < 24;
    bool night = !meridiem && (hour == 0 || hour == 24);
    uint64_t shown = night ? 12 : hour > 12 ? hour - 12 : hour;
    rlx_words_cardinal(words, shown);
    if (minute > 0 && minute < 10)
        rlx_words_add(words, "oh");
    if (minute > 0)
        rlx_words_cardinal(words, minute);
    else if (!meridiem && !afternoon && !night)
        rlx_words_add(words, "o'clock");
    if (afternoon || night)
        rlx_words_add(words, night ? "a m" : "p m");
}

/* "9:30", "9:30:15", "17:00", with or without a. m. or p. m. */
static size_t clock_time(struct rlx_speaker *s, size_t at)
{
    size_t h = rlx_in_digits(s, at), m = rlx_in_digits(s, at + h + 1);
    if (h == 0 || h > 2 || rlx_in(s, at + h) != ':' || m != 2)
        return 0;
    uint64_t hour = rlx_in_value(s, at, h), minute = rlx_in_value(s, at + h + 1, 2);
    size_t end = at + h + 3, n = 0;
    bool seconds = rlx_in(s, end) == ':' && rlx_in_digits(s, end + 1) == 2;
    if (hour > 24 || minute > 59)
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    bool meridiem = rlx_meridiem_at(s, end, &n) != NULL;
    clock_words(words, hour, minute, meridiem || seconds);
    if (seconds) {
        rlx_words_add(words, "and");
        rlx_words_cardinal(words, rlx_in_value(s, end + 1, 2));
        rlx_words_add(words, "seconds");
        end += 3;
        meridiem = rlx_meridiem_at(s, end, &n) != NULL;
    }
    rlx_speaker_say(s, words, at, end - at);
    return end + (meridiem ? say_meridiem(s, end) : 0) - at;
}

/* "9am", "9 p.m." */
static size_t bare_hour(struct rlx_speaker *s, size_t at)
{
    size_t h = rlx_in_digits(s, at), n = 0;
    if (h == 0 || h > 2 || rlx_in_value(s, at, h) > 12 || !rlx_meridiem_at(s, at + h, &n))
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_cardinal(words, rlx_in_value(s, at, h));
    rlx_speaker_say(s, words, at, h);
    return h + say_meridiem(s, at + h);
}

/* The hour of "9-5pm" or "9-5:30": bare, but followed by a range to a time. */
static size_t open_hour(struct rlx_speaker *s, size_t at)
{
    size_t h = rlx_in_digits(s, at), range = rlx_range_at(s, at + h);
    if (h == 0 || h > 2 || !range || rlx_in_value(s, at, h) > 12 || rlx_in_value(s, at, h) == 0)
        return 0;
    size_t next = at + h + range, digits = rlx_in_digits(s, next), n = 0;
    bool timed = digits > 0 && digits <= 2 &&
                 ((rlx_in(s, next + digits) == ':' && rlx_in_digits(s, next + digits + 1) == 2) ||
                  rlx_meridiem_at(s, next + digits, &n));
    if (!timed)
        return 0;
    char words[RLX_SPEAK_BUFFER] = "";
    rlx_words_cardinal(words, rlx_in_value(s, at, h));
    rlx_speaker_say(s, words, at, h);
    return h;
}

size_t rlx_speak_time(struct rlx_speaker *s, size_t at)
{
    char before = at > 0 ? s->in[at - 1] : ' ';
    if (!isdigit((unsigned char)s->in[at]) || isalnum((unsigned char)before) ||
        strchr("$./", before))
        return 0;
    size_t n = clock_time(s, at);
    if (!n && !(n = bare_hour(s, at)))
        n = open_hour(s, at);
    if (!n)
        return 0;
    /* A hyphen here is a range and no pause. */
    size_t range = rlx_range_at(s, at + n);
    if (range && rlx_in_digit(s, at + n + range)) {
        rlx_speaker_say(s, "to", at + n, range);
        n += range;
    }
    return n;
}
