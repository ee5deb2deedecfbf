/* Numbers, marks of meaning and what is asked for: the words of a reading that are found by
 * patterns. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "call/answers_read_private.h"

/* clang-format off */
static const char *const past[] = {
    "did", "was", "were", "had", "used to", "yesterday", "ago", "already",
    ("last|previous week|month|year|time|night|monday|tuesday|wednesday|thursday|friday|saturday|"
    "sunday|summer|winter|visit|appointment|bill|one|cleaning"), "how long have|has", "been", NULL};
static const char *const conditions[] = {
    "if", "unless", "suppose|supposing", "in case", "whether", "assuming", NULL};
static const char *const exclusions[] = {
    "except", "besides", "other", "else", "instead", "only", "apart from", "excluding",
    "another",
    "rather", "opposed", "nothing but", "exclusively", NULL};
static const char *const comparisons[] = {
    "more", "less", "than", "cheaper", "cheapest", "better", "best", "lowest", "extra",
    "additional", "most expensive", "versus", "compared|compare", "difference", "higher", "lower",
    "longer", "later", "sooner than", "faster than", "double", "twice", NULL};
static const char *const doubts[] = {
    "do|does|did|are|is|can|will you|it|they|that|he|she|we really",
    "really true|do|have|free|take|charge|open", "sure", "true", "ever", "even", "seriously",
    "promise", "swear", "positive", "honestly", "supposedly", "actually", "allegedly", NULL};
static const char *const orders[] = {
    "before", "after", "during", "again", "since", "afterwards", "following", "once", "meanwhile",
    NULL};
static const char *const status[] = {
    "where|when|why|how|what is|are|was|will|does|did|can my|our",
    NULL};
static const char *const states[] = {
    "is|are|was|were|has|have my|our * ?now|still|already "
    "ready|here|done|there|coming|finished|confirmed|still|fixed|repaired|arrived|left", NULL};
/* clang-format on */

double rlx_word_number(const char *word)
{
    static const char *const names[] = {
        "zero",     "",        "two",     "three",     "four",     "five",     "six",
        "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
        "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
    static const char *const tens[] = {"thirty",  "forty",  "fifty",  "sixty",
                                       "seventy", "eighty", "ninety", "hundred"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (*names[i] && !strcmp(word, names[i]))
            return (double)i;
    }
    for (size_t i = 0; i < sizeof(tens) / sizeof(*tens); i++) {
        if (!strcmp(word, tens[i]))
            return (double)(30 + 10 * i);
    }
    if (!strcmp(word, "thousand"))
        return 1000;
    if (!strcmp(word, "dozen") || !strcmp(word, "noon"))
        return 12;
    if (!strcmp(word, "midnight"))
        return 24;
    return isdigit((unsigned char)*word) ? strtod(word, NULL) : -1;
}

/* Number words next to each other are one number: "seventy nine", "three hundred". */
void rlx_reading_numbers(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w)
{
    double sum = -1;
    for (unsigned i = 0; i <= w->count; i++) {
        double value = i < w->count ? rlx_word_number(w->word[i]) : -1;
        /* "one" is a number only before a measure: "one year", not "this one". */
        if (rlx_words_match(
                w, i,
                "one year|years|hour|day|month|week|mile|minute|percent|dollar|hundred|thousand")) {
            value = 1;
            r->per = rlx_word_stem(ctx, w->word[i + 1]);
        }
        if (value >= 0) {
            bool scale = value >= 100 && sum > 0 && !isdigit((unsigned char)*w->word[i]);
            sum = sum < 0 ? value : scale ? sum * value : sum + value;
        } else if (sum >= 0) {
            if (r->number_count < RLX_READ_NUMBERS)
                r->number[r->number_count++] = sum;
            sum = -1;
        }
    }
}

unsigned rlx_reading_marks(const struct rlx_words *w)
{
    static const char *const other_day[] = {"another day|date|time|week", NULL};
    static const struct {
        const char *const *patterns;
        unsigned mark;
    } table[] = {{past, RLX_MARK_PAST},
                 {conditions, RLX_MARK_CONDITION},
                 {exclusions, RLX_MARK_EXCLUSION},
                 {status, RLX_MARK_STATUS},
                 {comparisons, RLX_MARK_COMPARISON},
                 {doubts, RLX_MARK_DOUBT},
                 {orders, RLX_MARK_ORDER}};
    unsigned marks = 0;
    /* "Have you fixed it?", but "have you got a pool?". */
    if (rlx_words_match(w, 0, "have|has you|i|we|they|he|she *") &&
        !rlx_words_match(w, 2, "got|any|a|an|the"))
        marks |= RLX_MARK_PAST;
    /* "Is my phone ready?", but "When is my phone ready?". */
    if (rlx_words_match_any(w, 0, states))
        marks |= RLX_MARK_STATE;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (rlx_words_find(w, 0, table[i].patterns, NULL) >= 0)
            marks |= table[i].mark;
    }
    /* "to see if he likes it" */
    for (unsigned i = 1; i < w->count; i++) {
        if (rlx_word_in(w->word[i], "if") && rlx_word_in(w->word[i - 1], "see|know|check|find"))
            marks &= ~(unsigned)RLX_MARK_CONDITION;
    }
    /* "move it to another day" */
    if (rlx_words_find(w, 0, other_day, NULL) >= 0)
        marks &= ~(unsigned)RLX_MARK_EXCLUSION;
    /* "How did that go again?" */
    if (w->count > 3 && rlx_word_in(w->word[w->count - 1], "again") &&
        rlx_word_in(w->word[0], "what|where|when|how|which|who"))
        marks &= ~(unsigned)RLX_MARK_ORDER;
    /* "the cake that I ordered" */
    for (unsigned i = 1; i < w->count; i++) {
        size_t n = strlen(w->word[i]);
        if (n > 4 && !strcmp(w->word[i] + n - 2, "ed") && w->word[i][n - 3] != 'e' &&
            rlx_word_in(w->word[i - 1], "i|we|you|they|he|she") &&
            !rlx_words_match(w, i, "wanted|needed|interested|allowed|supposed"))
            marks |= RLX_MARK_PAST;
    }
    return marks;
}

/* A question word, not one that joins ("what happens when I am late", "children who are new"). */
static bool opens_question(const struct rlx_words *w, unsigned i)
{
    return i == 0 ||
           rlx_word_in(w->word[i - 1],
                       "and|or|but|from|until|till|by|since|to|for|at|so|then|exactly") ||
           (i + 1 < w->count && rlx_word_in(w->word[i], "where|when") &&
            rlx_word_in(w->word[i + 1], "is|are|do|does|did|can|could|will|would|should"));
}

/* "How much experience do you have?" asks for no price. */
static bool is_how_much_of(const struct rlx_words *w)
{
    static const char *const counted[] = {
        "how much experience|practice|training|space|room|luggage|weight|work|water|food", NULL};
    return rlx_words_find(w, 0, counted, NULL) >= 0;
}

/* Drops what a more special kind of question rules out. */
static unsigned settle(unsigned asks, const struct rlx_words *w)
{
    if (asks & RLX_ASKS_WHERE)
        asks &= ~(unsigned)RLX_ASKS_MANNER;
    if (is_how_much_of(w))
        asks &= ~(unsigned)RLX_ASKS_PRICE;
    if (asks & RLX_ASKS_SPAN)
        asks &= ~(unsigned)RLX_ASKS_COUNT;
    if (asks & RLX_ASKS_NOTICE)
        asks &= ~(unsigned)RLX_ASKS_SPAN;
    /* How long something takes is not how long it lasts. */
    static const char *const takes[] = {"take|takes", NULL};
    static const char *const lasts[] = {"last|lasts|valid|good|hold|keep|stay", NULL};
    if (asks & RLX_ASKS_LENGTH)
        asks |= rlx_words_find(w, 0, takes, NULL) >= 0   ? RLX_ASKS_TAKING
                : rlx_words_find(w, 0, lasts, NULL) >= 0 ? RLX_ASKS_LASTING
                                                         : 0U;
    /* "How many days before": no count, and no price in "how much notice". */
    if (asks & RLX_ASKS_NOTICE)
        asks &= ~(unsigned)(RLX_ASKS_COUNT | RLX_ASKS_PRICE | RLX_ASKS_LENGTH | RLX_ASKS_WHERE |
                            RLX_ASKS_TAKING | RLX_ASKS_LASTING);
    return asks;
}

unsigned rlx_reading_asks(const struct rlx_words *w)
{
    static const struct {
        const char *patterns[6];
        unsigned asks;
    } table[] = {
        {{"why", "how come", "what for", "for what reason", NULL}, RLX_ASKS_WHY},
        {{"how far",
          ("what|which "
           "area|areas|city|cities|town|towns|neighborhood|neighborhoods|street|address|location|"
           "part|parts|region|counties"),
          "how do|can|would i|we get|find to|there|you", NULL},
         RLX_ASKS_WHERE},
        {{"what|which ?are ?your ?business|opening|office|store|regular|normal "
          "time|times|hour|hours|day|days",
          "how late|soon|quickly|fast", "what time", NULL},
         RLX_ASKS_WHEN},
        {{"how much",
          "what ?would|does|will|do|is|are ?it|you|the|your|a|that|i * "
          "cost|charge|price|fee|rate|pay",
          "what would|will|do|should i|we ?have ?to pay",
          "cost|costs|price|prices|pricing|charge|charges|fee|fees|rate|rates", NULL},
         RLX_ASKS_PRICE},
        {{"how do|can|could|should|would|must|does i|we|one", NULL}, RLX_ASKS_MANNER},
        {{"how expensive|pricey", NULL}, RLX_ASKS_PRICE},
        {{"how long", NULL}, RLX_ASKS_LENGTH},
        {{"how early", "how far ahead|in|before", "how much notice|time",
          "how many days|weeks|hours|months|minutes ?in ahead|before|advance|beforehand",
          "how long|soon ?in ahead|before|advance|beforehand", NULL},
         RLX_ASKS_NOTICE},
        {{"how many ?more days|weeks|hours|months|minutes", NULL}, RLX_ASKS_SPAN},
        {{"how many|often|old|big|tall|large|frequently|heavy|deep|wide|high|cold|hot",
          "what age|size", NULL},
         RLX_ASKS_COUNT},
    };
    unsigned asks = 0;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (rlx_words_find(w, 0, table[i].patterns, NULL) >= 0)
            asks |= table[i].asks;
    }
    for (unsigned i = 0; i < w->count; i++) {
        if (opens_question(w, i))
            asks |= rlx_word_in(w->word[i], "where")            ? RLX_ASKS_WHERE
                    : rlx_word_in(w->word[i], "when")           ? RLX_ASKS_WHEN
                    : rlx_word_in(w->word[i], "who|whose|whom") ? RLX_ASKS_WHO
                                                                : 0U;
    }
    asks = settle(asks, w);
    return asks ? asks : RLX_ASKS_OTHER;
}
