/* Words, abbreviations, codes and symbols. */
#include <ctype.h>
#include <string.h>

#include "call/spoken_parts.h"
#include "call/words.h"

enum {
    DOT = 1,   /* only with a full stop */
    CAP = 2,   /* only with a capital */
    TITLE = 4, /* its full stop never ends the sentence */
    DIGIT = 8, /* only before a number */
};

static const struct abbreviation {
    const char *text; /* lower case, without the last full stop */
    const char *words;
    int flags;
} abbreviations[] = {
    /* clang-format off */
    {"mr", "Mister", CAP | TITLE}, {"mrs", "Missus", CAP | TITLE}, {"ms", "Miss", CAP | TITLE},
    {"prof", "Professor", CAP | DOT | TITLE}, {"rev", "Reverend", CAP | DOT | TITLE},
    {"gov", "Governor", CAP | DOT | TITLE}, {"sen", "Senator", CAP | DOT | TITLE},
    {"rep", "Representative", CAP | DOT | TITLE}, {"gen", "General", CAP | DOT | TITLE},
    {"col", "Colonel", CAP | DOT | TITLE}, {"capt", "Captain", CAP | DOT | TITLE},
    {"lt", "Lieutenant", CAP | DOT | TITLE}, {"sgt", "Sergeant", CAP | DOT | TITLE},
    {"mt", "Mount", CAP | DOT | TITLE}, {"ft", "Fort", CAP | DOT | TITLE},
    {"jr", "Junior", CAP | TITLE}, {"sr", "Senior", CAP | TITLE}, {"m-f", "Monday to Friday", CAP},
    {"ave", "Avenue", CAP}, {"blvd", "Boulevard", CAP}, {"rd", "Road", CAP}, {"ln", "Lane", CAP},
    {"ct", "Court", CAP | DOT}, {"hwy", "Highway", 0}, {"pkwy", "Parkway", 0},
    {"pl", "Place", CAP | DOT}, {"cir", "Circle", CAP | DOT}, {"sq", "Square", CAP | DOT},
    {"apt", "apartment", DIGIT}, {"ste", "suite", DIGIT}, {"rm", "room", DIGIT},
    {"bldg", "building", 0}, {"fl", "floor", DOT}, {"dept", "department", 0},
    {"est", "established", DOT | DIGIT}, {"inc", "incorporated", CAP}, {"ltd", "limited", CAP},
    {"corp", "corporation", CAP}, {"co", "company", CAP | DOT}, {"llc", "L L C", 0},
    {"etc", "et cetera", 0}, {"e.g", "for example", TITLE}, {"eg", "for example", DOT | TITLE},
    {"i.e", "that is", TITLE}, {"ie", "that is", DOT | TITLE}, {"vs", "versus", TITLE},
    {"approx", "approximately", TITLE}, {"incl", "including", TITLE}, {"excl", "excluding", TITLE},
    {"appt", "appointment", 0}, {"appts", "appointments", 0},
    {"no", "number", DOT | DIGIT | TITLE}, {"nos", "numbers", DOT | DIGIT | TITLE},
    {"vol", "volume", DOT | DIGIT | TITLE}, {"ch", "chapter", DOT | DIGIT | TITLE},
    {"p", "page", DOT | DIGIT | TITLE}, {"pp", "pages", DOT | DIGIT | TITLE},
    {"fig", "figure", DOT | DIGIT | TITLE}, {"tel", "telephone", DOT}, {"ext", "extension", 0},
    {"min", "minimum", DOT}, {"max", "maximum", DOT}, {"avg", "average", 0}, {"qty", "quantity", 0},
    {"temp", "temperature", DOT}, {"misc", "miscellaneous", 0}, {"info", "info", 0},
    {"w/o", "without", 0}, {"w/", "with", 0}, {"c/o", "care of", 0}, {"n/a", "not available", 0},
    {"a/c", "A C", 0}, {"b/c", "because", 0}, {"b/w", "between", 0}, {"and/or", "and or", 0},
    {"he/she", "he or she", 0}, {"q&a", "Q and A", 0}, {"asap", "as soon as possible", 0},
    {"e-mail", "email", 0}, {"e-mails", "emails", 0}, {"a.k.a", "also known as", TITLE},
    {"aka", "also known as", 0}, {"rsvp", "R S V P", 0}, {"ok", "okay", 0}, {"wi-fi", "WiFi", 0},
    {"tbd", "to be determined", 0}, {"yrs", "years", 0}, {"hrs", "hours", 0},
    {"mins", "minutes", 0}, {"lbs", "pounds", 0}, {"thru", "through", 0}, {"govt", "government", 0},
    {"mgr", "manager", 0}, {"mgmt", "management", 0}, {"hr", "hour", 0}, {"ea", "each", DOT},
    {"attn", "attention", DOT}, {"ph.d", "P H D", 0}, {"m.d", "M D", 0}, {"d.d.s", "D D S", 0},
    {"sq", "square", DOT | TITLE},
    {"mon", "Monday", CAP}, {"tue", "Tuesday", CAP}, {"tues", "Tuesday", CAP},
    {"wed", "Wednesday", CAP}, {"thu", "Thursday", CAP}, {"thur", "Thursday", CAP},
    {"thurs", "Thursday", CAP}, {"fri", "Friday", CAP}, {"sat", "Saturday", CAP | DOT},
    {"sun", "Sunday", CAP | DOT},
    /* clang-format on */
};

/* Said letter by letter though they look like words, or have no word to them. */
static const char *const spelled =
    "US|USA|UK|EU|EST|PST|CST|MST|EDT|PDT|CDT|MDT|GMT|UTC|TV|DIY|FAQ|FAQs|ATM|GPS|IRS|FBI|CIA|CEO|"
    "CFO|PC|AC|SUV|UPS|USPS|DVD|CD|PDF|SMS|URL|API|AI|HTML|SSN|DOB|DMV|ETA|FYI|MRI|ICU|IV|LED|PVC|"
    "HOA|NYC|GFCI|ID|"
    "IDs|VIP|IT|PO|RV|BBQ|PTO|HSA|FSA|PPO|HMO|COD|APR|OTC|CPR|EKG|X|DC|LA";

static const char *const states[][2] = {
    {"AL", "Alabama"},        {"AK", "Alaska"},        {"AZ", "Arizona"},
    {"AR", "Arkansas"},       {"CA", "California"},    {"CO", "Colorado"},
    {"CT", "Connecticut"},    {"DE", "Delaware"},      {"FL", "Florida"},
    {"GA", "Georgia"},        {"HI", "Hawaii"},        {"ID", "Idaho"},
    {"IL", "Illinois"},       {"IN", "Indiana"},       {"IA", "Iowa"},
    {"KS", "Kansas"},         {"KY", "Kentucky"},      {"LA", "Louisiana"},
    {"ME", "Maine"},          {"MD", "Maryland"},      {"MA", "Massachusetts"},
    {"MI", "Michigan"},       {"MN", "Minnesota"},     {"MS", "Mississippi"},
    {"MO", "Missouri"},       {"MT", "Montana"},       {"NE", "Nebraska"},
    {"NV", "Nevada"},         {"NH", "New Hampshire"}, {"NJ", "New Jersey"},
    {"NM", "New Mexico"},     {"NY", "New York"},      {"NC", "North Carolina"},
    {"ND", "North Dakota"},   {"OH", "Ohio"},          {"OK", "Oklahoma"},
    {"OR", "Oregon"},         {"PA", "Pennsylvania"},  {"RI", "Rhode Island"},
    {"SC", "South Carolina"}, {"SD", "South Dakota"},  {"TN", "Tennessee"},
    {"TX", "Texas"},          {"UT", "Utah"},          {"VT", "Vermont"},
    {"VA", "Virginia"},       {"WA", "Washington"},    {"WV", "West Virginia"},
    {"WI", "Wisconsin"},      {"WY", "Wyoming"},       {"DC", "D C"}};

/* Bytes of a letter outside ASCII at i that a voice can read (Latin, Greek, Cyrillic), or 0. */
static size_t wide_letter(const struct rlx_speaker *s, size_t i)
{
    unsigned char c = (unsigned char)rlx_in(s, i), next = (unsigned char)rlx_in(s, i + 1);
    if (c >= 0xC3 && c <= 0xD4 && (next & 0xC0) == 0x80 &&
        !(c == 0xC3 && (next == 0x97 || next == 0xB7)) && (c < 0xCB || c > 0xCD))
        return 2;
    return c == 0xE1 && next >= 0xB8 && next <= 0xBB &&
                   ((unsigned char)rlx_in(s, i + 2) & 0xC0) == 0x80
               ? 3
               : 0;
}

/* Bytes of an apostrophe at i with a letter after it, or 0. */
static size_t inner_apostrophe(const struct rlx_speaker *s, size_t i)
{
    size_t n = rlx_in(s, i) == '\'' ? 1 : rlx_in_is(s, i, "\xE2\x80\x99") ? 3 : 0;
    return n && (rlx_in_letter(s, i + n) || wide_letter(s, i + n)) ? n : 0;
}

static bool is_boundary(const struct rlx_speaker *s, size_t at)
{
    return at == 0 ||
           (!isalnum((unsigned char)s->in[at - 1]) && (unsigned char)s->in[at - 1] < 0x80) ||
           isspace((unsigned char)s->in[at - 1]) ||
           (at >= 3 && !memcmp(s->in + at - 3, "\xE2\x80", 2));
}

/* Whether the word before ends with a capitalised word or an ordinal: "Main", "42nd". */
static bool name_before(const struct rlx_speaker *s, size_t at)
{
    size_t i = at;
    while (i > 0 && s->in[i - 1] == ' ')
        i--;
    if (i == at || i == 0)
        return false;
    size_t stop = i;
    while (i > 0 && isalnum((unsigned char)s->in[i - 1]))
        i--;
    return i < stop && (isupper((unsigned char)s->in[i]) || isdigit((unsigned char)s->in[i]));
}

/* Whether a house number stands before the name before `at`: "12 Oak Dr." */
static bool house_before(const struct rlx_speaker *s, size_t at)
{
    size_t i = at;
    for (int words = 0; words < 3 && i > 0; words++) {
        while (i > 0 && strchr(" .", s->in[i - 1]))
            i--;
        size_t stop = i;
        while (i > 0 && isalnum((unsigned char)s->in[i - 1]))
            i--;
        if (i == stop)
            return false;
        if (words > 0 && isdigit((unsigned char)s->in[i]))
            return true;
        if (!isupper((unsigned char)s->in[i]) && !isdigit((unsigned char)s->in[i]))
            return false;
    }
    return false;
}

static bool capital_after(const struct rlx_speaker *s, size_t i)
{
    return rlx_in(s, i) == ' ' && isupper((unsigned char)rlx_in(s, i + 1));
}

/* Speaks an abbreviation of `n` bytes and the end of the sentence that its full stop may be. */
static size_t say_abbreviation(struct rlx_speaker *s, const char *words, size_t at, size_t n,
                               bool title)
{
    bool dot = rlx_in(s, at + n) == '.';
    rlx_speaker_say(s, words, at, n + dot);
    if (dot && (!title || at + n + 1 >= s->length) && rlx_in_sentence_end(s, at + n + 1))
        rlx_speaker_mark(s, '.');
    return n + dot;
}

/* Dr. and St. have two meanings each. */
static size_t doctor_or_street(struct rlx_speaker *s, size_t at)
{
    bool doctor = rlx_in_is(s, at, "dr"), saint = rlx_in_is(s, at, "st");
    bool dot = rlx_in(s, at + 2) == '.';
    if ((!doctor && !saint) || !isupper((unsigned char)s->in[at]) || rlx_in_letter(s, at + 2) ||
        rlx_in_digit(s, at + 2))
        return 0;
    bool capital = capital_after(s, at + 2 + dot);
    bool street = doctor ? house_before(s, at) : name_before(s, at);
    if (!street && !capital && !dot)
        return 0;
    if (street)
        return say_abbreviation(s, doctor ? "Drive" : "Street", at, 2, false);
    return say_abbreviation(s, doctor ? "Doctor" : "Saint", at, 2, true);
}

static size_t state_name(struct rlx_speaker *s, size_t at)
{
    bool comma = at >= 2 && s->in[at - 1] == ' ' && s->in[at - 2] == ',';
    bool zip = rlx_in(s, at + 2) == ' ' && rlx_in_digits(s, at + 3) == 5;
    if ((!comma && !zip) || rlx_in_letters(s, at) != 2 || rlx_in_digit(s, at + 2))
        return 0;
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
        if (memcmp(s->in + at, states[i][0], 2) != 0)
            continue;
        rlx_speaker_say(s, states[i][1], at, 2);
        return 2;
    }
    return 0;
}

static const char *const weekdays = "mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|tuesday|"
                                    "wednesday|thursday|friday|saturday|sunday";

/* Sat and Sun without a full stop are days only beside another day or a time. */
static size_t short_weekday(struct rlx_speaker *s, size_t at)
{
    char word[24], other[24];
    size_t n = rlx_in_word_at(s, at, word);
    bool saturday = !strcmp(word, "sat");
    if (n != 3 || !isupper((unsigned char)s->in[at]) || (!saturday && strcmp(word, "sun") != 0))
        return 0;
    size_t i = at + n;
    while (rlx_in(s, i) && strchr(" &/,:", rlx_in(s, i)))
        i++;
    i += rlx_in_dash(s, i);
    while (rlx_in(s, i) == ' ')
        i++;
    rlx_in_word_at(s, i, other);
    bool beside = i > at + n && (rlx_in_digit(s, i) || rlx_word_in(other, weekdays));
    size_t k = at;
    while (k > 0 && (strchr(" &/,-", s->in[k - 1]) || (unsigned char)s->in[k - 1] >= 0x80))
        k--;
    rlx_in_word_before(s, k, other);
    if (!beside && !(k < at && rlx_word_in(other, weekdays)))
        return 0;
    return say_abbreviation(s, saturday ? "Saturday" : "Sunday", at, n, false);
}

size_t rlx_speak_abbreviation(struct rlx_speaker *s, size_t at)
{
    size_t taken = 0;
    if (!rlx_in_letter(s, at) || !is_boundary(s, at))
        return 0;
    if ((taken = doctor_or_street(s, at)) || (taken = state_name(s, at)) ||
        (taken = short_weekday(s, at)))
        return taken;
    for (size_t i = 0; i < sizeof(abbreviations) / sizeof(*abbreviations); i++) {
        const struct abbreviation *a = &abbreviations[i];
        size_t n = strlen(a->text);
        if (!rlx_in_is(s, at, a->text))
            continue;
        bool dot = rlx_in(s, at + n) == '.';
        size_t next = at + n + dot;
        bool inside =
            isalnum((unsigned char)rlx_in(s, next)) || inner_apostrophe(s, next) ||
            wide_letter(s, next) ||
            (!dot && rlx_in(s, next) == '-' && rlx_in_letter(s, next + 1) && !(a->flags & CAP));
        if (a->text[n - 1] == '/')
            inside = false;
        next += rlx_in(s, next) == ' ';
        next += rlx_in(s, next) == '#';
        if (inside || ((a->flags & DOT) && !dot) ||
            ((a->flags & CAP) && !isupper((unsigned char)s->in[at])) ||
            ((a->flags & DIGIT) && !rlx_in_digit(s, next)) || (strchr(a->text, '.') && !dot))
            continue;
        /* "No." before a number may be an answer, but never in lower case after a word. */
        return say_abbreviation(s, a->words, at, n, (a->flags & TITLE) != 0);
    }
    return 0;
}

/* "U.S.", "J. R. Smith", "Ph. D.": letters with full stops between. */
static size_t initials(struct rlx_speaker *s, size_t at)
{
    char words[RLX_SPEAK_BUFFER] = "";
    size_t i = at, letters = 0;
    while (rlx_in_letter(s, i) && rlx_in(s, i + 1) == '.' && letters < 8) {
        rlx_words_spelled(words, s->in + i, 1);
        i += 2;
        letters++;
    }
    if (letters == 0 || (letters == 1 && !isupper((unsigned char)s->in[at])) || rlx_in_letter(s, i))
        return 0;
    /* One letter ends a sentence ("plan B.") unless a name follows. */
    bool end = rlx_in_sentence_end(s, i);
    bool compass = strchr("NSEW", s->in[at]) && rlx_in(s, i) == ' ' && rlx_in_digit(s, i + 1);
    if (letters == 1 && (s->in[at] == 'I' || (!capital_after(s, i) && !compass)))
        return 0;
    rlx_speaker_say(s, words, at, i - at);
    if (end && letters > 1 && !capital_after(s, i))
        rlx_speaker_mark(s, '.');
    return i - at;
}

/* "4B", "A12", "B2B", "X7K9Q2": runs of letters and of digits, apart. */
static void code_words(const struct rlx_speaker *s, char *words, size_t at, size_t n)
{
    for (size_t i = at; i < at + n;) {
        size_t digits = rlx_in_digits(s, i), letters = rlx_in_letters(s, i);
        size_t run = digits ? digits : letters ? letters : 1;
        if (i + run > at + n)
            run = at + n - i;
        bool upper = true;
        for (size_t k = i; k < i + run; k++)
            upper = upper && !islower((unsigned char)s->in[k]);
        if (digits && digits <= 2 && s->in[i] != '0' && n < 6)
            rlx_words_cardinal(words, rlx_in_value(s, i, run));
        else if (digits || upper || run <= 2)
            rlx_words_spelled(words, s->in + i, run);
        else if (run < 40) {
            char part[48] = "";
            memcpy(part, s->in + i, run);
            rlx_words_add(words, part);
        }
        i += run;
    }
}

size_t rlx_speak_word(struct rlx_speaker *s, size_t at)
{
    char word[RLX_SPEAK_BUFFER] = "";
    size_t i = at, n = 0, digits = 0, wide = 0;
    if (!rlx_in_letter(s, at) && !rlx_in_digit(s, at) && !wide_letter(s, at))
        return 0;
    size_t spelled_out = initials(s, at);
    if (spelled_out)
        return spelled_out;
    while (i < s->length && n < 100) {
        size_t quote = inner_apostrophe(s, i), letter = wide_letter(s, i);
        if (rlx_in_letter(s, i) || rlx_in_digit(s, i)) {
            digits += rlx_in_digit(s, i);
            word[n++] = s->in[i++];
        } else if (letter) {
            memcpy(word + n, s->in + i, letter);
            n += letter;
            i += letter;
            wide++;
        } else if (quote && i > at) {
            word[n++] = '\'';
            i += quote;
        } else {
            break;
        }
    }
    word[n] = '\0';
    if (digits > 0) {
        char words[RLX_SPEAK_BUFFER] = "";
        code_words(s, words, at, i - at);
        rlx_speaker_say(s, words, at, i - at);
        return i - at;
    }
    if (wide == 0 && rlx_word_in(word, spelled)) {
        char words[RLX_SPEAK_BUFFER] = "";
        size_t plural = n > 1 && word[n - 1] == 's';
        rlx_words_spelled(words, word, n - plural);
        if (plural)
            strncat(words, "s", RLX_SPEAK_BUFFER - strlen(words) - 1);
        rlx_speaker_say(s, words, at, i - at);
        return i - at;
    }
    rlx_speaker_say(s, word, at, i - at);
    return i - at;
}

/* A dash: "to" between days or months, a pause with blanks around or when long, else a gap. */
static size_t dash(struct rlx_speaker *s, size_t at)
{
    size_t n = rlx_in_dash(s, at), length;
    char before[24], after[24];
    while (rlx_in_dash(s, at + n))
        n += rlx_in_dash(s, at + n);
    size_t next = at + n;
    while (rlx_in(s, next) == ' ')
        next++;
    size_t back = at;
    while (back > 0 && s->in[back - 1] == ' ')
        back--;
    rlx_in_word_before(s, back, before);
    rlx_in_word_at(s, next, after);
    bool days = rlx_word_in(before, weekdays) && rlx_word_in(after, weekdays);
    bool months = rlx_month_at(s, next, &length) && back >= 3 && strlen(before) >= 3 &&
                  rlx_month_at(s, back - strlen(before) - (s->in[back - 1] == '.'), &length);
    bool range = rlx_range_at(s, at) && at > 0 &&
                 (isalnum((unsigned char)s->in[at - 1]) || s->in[at - 1] == '.') && n <= 3;
    bool meridiem = range && rlx_word_in(before, "am|pm|m|noon|midnight|now|today");
    if (days || months || meridiem)
        rlx_speaker_say(s, "to", at, n);
    else if (next > at + n || back < at || n > 1)
        rlx_speaker_pause(s, ',');
    return n;
}

/* "…" and "...": a pause inside a sentence, else its end. */
static size_t full_stop(struct rlx_speaker *s, size_t at)
{
    size_t i = at, dots = 0;
    while (rlx_in(s, i) == '.' || rlx_in_is(s, i, "\xE2\x80\xA6")) {
        dots += rlx_in(s, i) == '.' ? 1 : 3;
        i += rlx_in(s, i) == '.' ? 1 : 3;
    }
    if (dots == 0)
        return 0;
    size_t next = i;
    while (rlx_in(s, next) == ' ')
        next++;
    rlx_speaker_mark(s, dots > 1 && islower((unsigned char)rlx_in(s, next)) ? ',' : '.');
    return i - at;
}

static const struct {
    const char *sign, *words; /* "" = a gap, "," = a pause */
} symbols[] = {
    {"->", ","},
    {"=>", ","},
    {"<-", ","},
    {"\xE2\x86\x92", ","},
    {"&", "and"},
    {"@", "at"},
    {"%", "percent"},
    {"+", "plus"},
    {"=", "equals"},
    {"(", ","},
    {")", ","},
    {"{", ","},
    {"}", ","},
    {"|", ","},
    {"\xE2\x80\xA2", ","},
    {"\xC2\xB7", ","},
    {"\xC3\x97", "times"},
    {"\xC3\xB7", "divided by"},
    {"\xC2\xB1", "plus or minus"},
    {"\xE2\x89\xA4", "at most"},
    {"\xE2\x89\xA5", "at least"},
    {"\xE2\x89\x88", "about"},
    {"\xC2\xB0", "degrees"},
    {"\xE2\x82\xAC", "euros"},
    {"\xC2\xA3", "pounds"},
    {"\xC2\xA7", "section"},
    {"\xC2\xB2", "squared"},
    {"\xC2\xB3", "cubed"},
    {"\xC2\xB5", "micro"},
    {"\xE2\x84\xA2", ""},
};

/* Signs that mean something only beside a number. */
static size_t beside_number(struct rlx_speaker *s, size_t at)
{
    char c = s->in[at];
    size_t next = at + 1 + (rlx_in(s, at + 1) == ' ');
    bool number = rlx_in_digit(s, next) || rlx_in(s, next) == '$';
    bool after =
        at > 0 && (isdigit((unsigned char)s->in[at - 1]) ||
                   (s->in[at - 1] == ' ' && at > 1 && isdigit((unsigned char)s->in[at - 2])));
    if (c == '~')
        rlx_speaker_say(s, number ? "about" : "", at, 1);
    else if (c == '<' || c == '>')
        rlx_speaker_say(s, !number ? "" : c == '<' ? "less than" : "greater than", at, 1);
    else if (c == '*')
        rlx_speaker_say(s, number && after ? "times" : "", at, 1);
    else if (c == '/') {
        bool words = (rlx_in_letter(s, next) || rlx_in_digit(s, next)) && at > 0;
        rlx_speaker_say(s, words ? "or" : "", at, 1);
    } else
        return 0;
    return 1;
}

size_t rlx_speak_symbol(struct rlx_speaker *s, size_t at)
{
    unsigned char c = (unsigned char)s->in[at];
    size_t n = 0;
    if (strchr(",;:", c)) {
        rlx_speaker_mark(s, ',');
        return 1;
    }
    if (c == '?' || c == '!') {
        rlx_speaker_mark(s, (char)c);
        return 1;
    }
    if (rlx_in_is(s, at, "->"))
        n = 2;
    if (!n && rlx_in_dash(s, at))
        return dash(s, at);
    if ((n = full_stop(s, at)) || (n = beside_number(s, at)))
        return n;
    for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
        n = strlen(symbols[i].sign);
        if (at + n > s->length || memcmp(s->in + at, symbols[i].sign, n) != 0)
            continue;
        if (symbols[i].words[0] == ',')
            rlx_speaker_pause(s, ',');
        else
            rlx_speaker_say(s, symbols[i].words, at, n);
        return n;
    }
    /* Everything else (quotes, emoji, other scripts) is silent. */
    n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    return n <= s->length - at ? n : s->length - at;
}
