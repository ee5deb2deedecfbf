/* Money, quantities with their units, ranges, fractions, ordinals, years, codes. */
#include <ctype.h>
#include <string.h>

#include "call/spoken_parts.h"
#include "call/words.h"

bool rlx_quantity_at(const struct rlx_speaker *s, size_t i, struct rlx_quantity *q)
{
    size_t n = rlx_in_digits(s, i);
    memset(q, 0, sizeof(*q));
    q->whole = rlx_in_value(s, i, n);
    q->digits = n;
    q->leading_zero = n > 1 && s->in[i] == '0';
    if (n > 0 && n <= 3) {
        while (rlx_in(s, i + n) == ',' && rlx_in_digits(s, i + n + 1) == 3 && q->digits < 15) {
            q->whole = q->whole * 1000 + rlx_in_value(s, i + n + 1, 3);
            q->digits += 3;
            q->grouped = true;
            n += 4;
        }
    }
    if (rlx_in(s, i + n) == '.' && rlx_in_digit(s, i + n + 1)) {
        q->fraction_at = i + n + 1;
        q->fraction = rlx_in_digits(s, i + n + 1);
        n += 1 + q->fraction;
    }
    q->length = n;
    return n > 0 && q->digits <= 18 && q->fraction <= 12;
}

void rlx_words_quantity(const struct rlx_speaker *s, char *out, const struct rlx_quantity *q)
{
    rlx_words_cardinal(out, q->whole);
    if (q->fraction) {
        rlx_words_add(out, "point");
        rlx_words_digits(out, s->in + q->fraction_at, q->fraction);
    }
}

size_t rlx_range_at(const struct rlx_speaker *s, size_t i)
{
    size_t k = i;
    while (rlx_in(s, k) == ' ' && k < i + 2)
        k++;
    size_t dash = rlx_in_dash(s, k);
    if (!dash)
        return 0;
    bool spaced = k > i;
    k += dash;
    while (rlx_in(s, k) == ' ' && spaced)
        k++;
    return rlx_in_digit(s, k) || rlx_in(s, k) == '$' ? k - i : 0;
}

/* --- units --- */

static const struct unit {
    const char *symbol;
    const char *one, *many;
    bool exact;    /* case matters */
    bool attached; /* only right after the digits */
} units[] = {
    /* clang-format off */
    {"sq. ft.", "square foot", "square feet", false, false},
    {"sq ft", "square foot", "square feet", false, false},
    {"sqft", "square foot", "square feet", false, false},
    {"sq. ft", "square foot", "square feet", false, false},
    {"sq. mi.", "square mile", "square miles", false, false},
    {"sq mi", "square mile", "square miles", false, false},
    {"cu ft", "cubic foot", "cubic feet", false, false},
    {"cu. ft.", "cubic foot", "cubic feet", false, false},
    {"fl. oz.", "fluid ounce", "fluid ounces", false, false},
    {"fl oz", "fluid ounce", "fluid ounces", false, false},
    {"ft\xC2\xB2", "square foot", "square feet", false, false},
    {"m\xC2\xB2", "square meter", "square meters", false, false},
    {"m\xC2\xB3", "cubic meter", "cubic meters", false, false},
    {"\xC2\xB0" "F", "degree Fahrenheit", "degrees Fahrenheit", true, false},
    {"\xC2\xB0 F", "degree Fahrenheit", "degrees Fahrenheit", true, false},
    {"\xC2\xB0" "C", "degree Celsius", "degrees Celsius", true, false},
    {"\xC2\xB0 C", "degree Celsius", "degrees Celsius", true, false},
    {"\xC2\xB0", "degree", "degrees", true, false},
    {"%", "percent", "percent", false, false}, {"pct", "percent", "percent", false, false},
    {"\xC2\xA2", "cent", "cents", true, false},
    {"km/h", "kilometer per hour", "kilometers per hour", false, false},
    {"kph", "kilometer per hour", "kilometers per hour", false, false},
    {"mph", "mile per hour", "miles per hour", false, false},
    {"mpg", "mile per gallon", "miles per gallon", false, false},
    {"m/s", "meter per second", "meters per second", false, false},
    {"lbs.", "pound", "pounds", false, false}, {"lbs", "pound", "pounds", false, false},
    {"lb.", "pound", "pounds", false, false}, {"lb", "pound", "pounds", false, false},
    {"oz.", "ounce", "ounces", false, false}, {"oz", "ounce", "ounces", false, false},
    {"kg", "kilogram", "kilograms", false, false}, {"mg", "milligram", "milligrams", false, false},
    {"mcg", "microgram", "micrograms", false, false}, {"g", "gram", "grams", true, true},
    {"ft.", "foot", "feet", false, false}, {"ft", "foot", "feet", false, false},
    {"in.", "inch", "inches", true, false}, {"in", "inch", "inches", true, true},
    {"yds", "yard", "yards", false, false}, {"yd", "yard", "yards", false, false},
    {"mi.", "mile", "miles", true, false}, {"mi", "mile", "miles", true, false},
    {"km", "kilometer", "kilometers", false, false},
    {"cm", "centimeter", "centimeters", false, false},
    {"mm", "millimeter", "millimeters", false, false}, {"m", "meter", "meters", true, true},
    {"gal.", "gallon", "gallons", false, false}, {"gal", "gallon", "gallons", false, false},
    {"qt", "quart", "quarts", false, false}, {"pt", "pint", "pints", true, true},
    {"ml", "milliliter", "milliliters", false, false}, {"L", "liter", "liters", true, true},
    {"tbsp", "tablespoon", "tablespoons", false, false},
    {"tsp", "teaspoon", "teaspoons", false, false},
    {"GB", "gigabyte", "gigabytes", false, false}, {"MB", "megabyte", "megabytes", true, false},
    {"KB", "kilobyte", "kilobytes", false, false}, {"TB", "terabyte", "terabytes", true, false},
    {"Gbps", "gigabit per second", "gigabits per second", false, false},
    {"Mbps", "megabit per second", "megabits per second", false, false},
    {"kWh", "kilowatt hour", "kilowatt hours", false, false},
    {"kW", "kilowatt", "kilowatts", true, false}, {"MW", "megawatt", "megawatts", true, false},
    {"W", "watt", "watts", true, true}, {"V", "volt", "volts", true, true},
    {"A", "amp", "amps", true, true}, {"mAh", "milliamp hour", "milliamp hours", true, false},
    {"BTUs", "B T U", "B T Us", false, false}, {"BTU", "B T U", "B T U", false, false},
    {"psi", "P S I", "P S I", false, false},
    {"gpm", "gallon per minute", "gallons per minute", false, false},
    {"gpf", "gallon per flush", "gallons per flush", false, false},
    {"rpm", "R P M", "R P M", false, false}, {"kHz", "kilohertz", "kilohertz", false, false},
    {"MHz", "megahertz", "megahertz", false, false},
    {"GHz", "gigahertz", "gigahertz", false, false}, {"Hz", "hertz", "hertz", false, false},
    {"dB", "decibel", "decibels", true, false}, {"hp", "horsepower", "horsepower", false, false},
    {"hrs.", "hour", "hours", false, false}, {"hrs", "hour", "hours", false, false},
    {"hr.", "hour", "hours", false, false}, {"hr", "hour", "hours", false, false},
    {"h", "hour", "hours", true, true}, {"mins.", "minute", "minutes", false, false},
    {"mins", "minute", "minutes", false, false}, {"min.", "minute", "minutes", false, false},
    {"min", "minute", "minutes", false, false}, {"secs", "second", "seconds", false, false},
    {"sec.", "second", "seconds", false, false}, {"sec", "second", "seconds", false, false},
    {"ms", "millisecond", "milliseconds", true, false}, {"s", "second", "seconds", true, true},
    {"wks", "week", "weeks", false, false}, {"wk", "week", "weeks", false, false},
    {"mos.", "month", "months", false, false}, {"mos", "month", "months", false, false},
    {"mo.", "month", "months", false, false}, {"mo", "month", "months", false, false},
    {"yrs.", "year", "years", false, false}, {"yrs", "year", "years", false, false},
    {"yr.", "year", "years", false, false}, {"yr", "year", "years", false, false},
    {"pts", "points", "points", false, false}, {"pcs", "piece", "pieces", false, false},
    {"bn", "billion", "billion", false, true}, {"k", "thousand", "thousand", false, true},
    {"M", "million", "million", true, true}, {"x", "time", "times", false, true},
    {"\xC3\x97", "times", "times", true, true},
    {"USD", "dollar", "dollars", true, false}, {"EUR", "euro", "euros", true, false},
    {"GBP", "pound", "pounds", true, false}, {"\xE2\x82\xAC", "euro", "euros", true, false},
    {"\xC2\xA3", "pound", "pounds", true, false}, {"$", "dollar", "dollars", true, true},
    {"+", "plus", "plus", true, true},
    /* clang-format on */
};

const char *rlx_unit_at(const struct rlx_speaker *s, size_t i, bool one, size_t *lengthp)
{
    size_t gap = rlx_in(s, i) == ' ' || (rlx_in(s, i) == '-' && rlx_in_letter(s, i + 1)) ? 1 : 0;
    bool hyphen = rlx_in(s, i) == '-';
    for (size_t k = 0; k < sizeof(units) / sizeof(*units); k++) {
        const struct unit *unit = &units[k];
        size_t n = strlen(unit->symbol);
        if ((gap && unit->attached) || !rlx_in_is(s, i + gap, unit->symbol))
            continue;
        if (unit->exact && strncmp(s->in + i + gap, unit->symbol, n) != 0)
            continue;
        if (isalnum((unsigned char)unit->symbol[n - 1]) &&
            (isalnum((unsigned char)rlx_in(s, i + gap + n)) || rlx_in(s, i + gap + n) == '\''))
            continue;
        *lengthp = gap + n;
        return one || hyphen ? unit->one : unit->many;
    }
    return NULL;
}

size_t rlx_speak_per(struct rlx_speaker *s, size_t i)
{
    size_t gap = rlx_in(s, i) == ' ' ? 1 : 0, n = 0;
    if (rlx_in(s, i + gap) != '/')
        return 0;
    size_t at = i + gap + 1;
    at += rlx_in(s, at) == ' ';
    const char *unit = rlx_unit_at(s, at, true, &n);
    if (!rlx_in_letter(s, at))
        return 0;
    rlx_speaker_say(s, "per", i, at - i);
    /* A plain word ("/month") is left to the word reader. */
    if (!unit || n == 0 || s->in[at] == ' ')
        return at - i;
    rlx_speaker_say(s, unit, at, n);
    return at + n - i;
}

/* --- money --- */

static const struct currency {
    const char *sign, *one, *many, *cent, *cents;
} currencies[] = {
    {"US$", "dollar", "dollars", "cent", "cents"},
    {"CA$", "Canadian dollar", "Canadian dollars", "cent", "cents"},
    {"A$", "Australian dollar", "Australian dollars", "cent", "cents"},
    {"$", "dollar", "dollars", "cent", "cents"},
    {"\xE2\x82\xAC", "euro", "euros", "cent", "cents"},
    {"\xC2\xA3", "pound", "pounds", "penny", "pence"},
    {"\xC2\xA5", "yen", "yen", "sen", "sen"},
    {"\xE2\x82\xB9", "rupee", "rupees", "paisa", "paise"},
    {"USD ", "dollar", "dollars", "cent", "cents"},
    {"EUR ", "euro", "euros", "cent", "cents"},
    {"GBP ", "pound", "pounds", "penny", "pence"},
};

static const struct currency *currency_at(const struct rlx_speaker *s, size_t i, size_t *lengthp)
{
    for (size_t k = 0; k < sizeof(currencies) / sizeof(*currencies); k++) {
        size_t n = strlen(currencies[k].sign);
        if (i + n > s->length || memcmp(s->in + i, currencies[k].sign, n) != 0)
            continue;
        n += rlx_in(s, i + n) == ' ' && rlx_in_digit(s, i + n + 1);
        if (!rlx_in_digit(s, i + n) && !(rlx_in(s, i + n) == '.' && rlx_in_digit(s, i + n + 1)))
            continue;
        *lengthp = n;
        return &currencies[k];
    }
    return NULL;
}

/* " million", "M", "k" after an amount. */
static const char *magnitude_at(const struct rlx_speaker *s, size_t i, size_t *lengthp)
{
    static const struct {
        const char *text, *word;
    } magnitudes[] = {{" thousand", "thousand"}, {" million", "million"}, {" billion", "billion"},
                      {" trillion", "trillion"}, {"bn", "billion"},       {"mm", "million"},
                      {"k", "thousand"},         {"m", "million"},        {"b", "billion"},
                      {"t", "trillion"}};
    for (size_t k = 0; k < sizeof(magnitudes) / sizeof(*magnitudes); k++) {
        size_t n = strlen(magnitudes[k].text);
        if (!rlx_in_is(s, i, magnitudes[k].text) || isalnum((unsigned char)rlx_in(s, i + n)))
            continue;
        *lengthp = n;
        return magnitudes[k].word;
    }
    return NULL;
}

static void amount_words(const struct rlx_speaker *s, char *words, const struct currency *c,
                         const struct rlx_quantity *q)
{
    if (q->fraction != 1 && q->fraction != 2) {
        rlx_words_quantity(s, words, q);
        rlx_words_add(words, q->whole == 1 && !q->fraction ? c->one : c->many);
        return;
    }
    uint64_t cents = rlx_in_value(s, q->fraction_at, q->fraction) * (q->fraction == 1 ? 10 : 1);
    if (q->whole > 0 || cents == 0) {
        rlx_words_cardinal(words, q->whole);
        rlx_words_add(words, q->whole == 1 ? c->one : c->many);
    }
    if (cents == 0)
        return;
    if (q->whole > 0)
        rlx_words_add(words, "and");
    rlx_words_cardinal(words, cents);
    rlx_words_add(words, cents == 1 ? c->cent : c->cents);
}

/* The lower bound of "$45-50", "$1-2 million": its number, and "to". Bytes up to the upper bound, 0
 * when it is no range. */
static size_t money_range(struct rlx_speaker *s, size_t at, size_t number,
                          const struct rlx_quantity *q, const struct currency *c)
{
    size_t end = number + q->length, range = rlx_range_at(s, end), sign = 0;
    struct rlx_quantity upper;
    char words[RLX_SPEAK_BUFFER] = "";
    if (!range)
        return 0;
    size_t next = end + range;
    const struct currency *second = currency_at(s, next, &sign);
    if (!rlx_quantity_at(s, next + sign, &upper) || (second && second != c))
        return 0;
    if (q->fraction)
        amount_words(s, words, c, q);
    else
        rlx_words_quantity(s, words, q);
    rlx_speaker_say(s, words, at, end - at);
    rlx_speaker_say(s, "to", end, range + sign);
    return next + sign - at;
}

size_t rlx_speak_money(struct rlx_speaker *s, size_t at)
{
    size_t sign = 0, start = at, magnitude = 0;
    bool minus = rlx_in(s, at) == '-' && rlx_in(s, at + 1) == '$';
    const struct currency *c = currency_at(s, at + minus, &sign);
    if (!c || (at > 0 && isalnum((unsigned char)s->in[at - 1])))
        return 0;
    struct rlx_quantity q;
    size_t number = at + minus + sign;
    char words[RLX_SPEAK_BUFFER] = "";
    if (!rlx_quantity_at(s, number, &q))
        return 0;
    if (minus)
        rlx_speaker_say(s, "minus", at, 1);
    size_t lower = money_range(s, at, number, &q, c);
    if (lower) {
        start = number = at + lower;
        if (!rlx_quantity_at(s, number, &q))
            return lower;
    }
    size_t end = number + q.length;
    const char *scale = magnitude_at(s, end, &magnitude);
    if (scale) {
        rlx_words_quantity(s, words, &q);
        rlx_words_add(words, scale);
        rlx_words_add(words, c->many);
    } else {
        struct currency one = *c;
        if (rlx_is_describing(s, at, end) && !q.fraction)
            one.many = one.one;
        amount_words(s, words, &one, &q);
    }
    end += magnitude;
    if (rlx_in(s, end) == '+') {
        rlx_words_add(words, "or more");
        end++;
    }
    if (rlx_in_is(s, end, " USD"))
        end += 4;
    rlx_speaker_say(s, words, start, end - start);
    return end + rlx_speak_per(s, end) - at;
}
