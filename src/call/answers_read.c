#include "call/answers_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/phrases.h"
#include "call/words.h"

/* clang-format off */
static const char *const negations =
    "not|non|no|never|none|nothing|nobody|neither|nor|without|hardly|nowhere";
static const char *const hostile_words =
    "scam|scams|scammer|scammers|ripoff|rip|ripping|ridiculous|stupid|idiot|idiots|hell|damn|"
    "goddamn|fuck|fucking|fucked|shit|shitty|crap|bullshit|bs|ass|asshole|bastard|bastards|"
    "robbing|robbery|rob|thief|thieves|crook|crooks|crooked|sue|lawsuit|liar|liars|lying|"
    "outrageous|"
    "joke|kidding|insane|nonsense|terrible|awful|worst|horrible|sick|annoying|bother|bothering|"
    "dare|moron|morons|incompetent|useless|garbage|rude|shame|disgusting|pathetic|greedy|cheat|"
    "cheating|cheats|fraud|con|suck|sucks|wtf|lazy|hate|absurd|overpriced|steal|stealing|fooling|"
    "dumb|jerk|jerks|screw|screwed|screwing|unbelievable|disgrace|clowns|clown|complain|"
    "complaint|trash|gouging|gouge|harassing";
static const char *const hostile_phrases[] = {
    "too|so|very|pretty expensive|much|pricey|high|long", "waste of", "out of your mind",
    "are you crazy|serious|nuts|insane", "what is wrong with", "that|this much", "what do you mean",
    "you are telling|kidding|joking", "are you telling me", "can not believe", "come on",
    "what kind of *person|people|place|company|idiot|business", "on earth", "the heck",
    "is this some", "you people", "shut up", "tired of", "fed up", "so damn", "how come",
    "what the", "who do you think", "get lost", "not worth", "a lot of money", NULL};
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
    "is|are|was|has my|our * ready|here|done|there|coming|finished|confirmed|still", NULL};
static const char *const weekdays =
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mondays|tuesdays|wednesdays|"
    "thursdays|fridays|saturdays|sundays|weekend|weekends|weekday|weekdays|monday's|saturday's|"
    "sunday's";
static const char *const question_starts =
    "what|which|who|whom|whose|where|when|why|how|do|does|did|is|are|was|were|can|could|will|"
    "would|should|shall|may|have|has|am|what's|who's|where's|when's|how's|don't|doesn't|didn't|"
    "isn't|aren't|can't|couldn't|won't|wouldn't|shouldn't|haven't|hasn't";
static const char *const intents[] = {
    ("speak|talk|speaking|talking|chat to|with ?a|an|the|your|my|some ?real|live|actual human|"
    "person|manager|supervisor|representative|rep|agent|operator|somebody|someone|owner|boss|"
    "people|doctor|dentist|technician"), "transfer ?me", "put me through|on",
    "connect|pass me through|to|with|on", "real|actual|live person|human",
    "are you a|an ?real robot|machine|bot|ai|human|person|computer|recording", "call me back",
    NULL};
/* clang-format on */

static double word_number(const char *word)
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
static void read_numbers(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w)
{
    double sum = -1;
    for (unsigned i = 0; i <= w->count; i++) {
        double value = i < w->count ? word_number(w->word[i]) : -1;
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

static unsigned read_marks(const struct rlx_words *w)
{
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
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (rlx_words_find(w, 0, table[i].patterns, NULL) >= 0)
            marks |= table[i].mark;
    }
    /* "to see if he likes it" */
    for (unsigned i = 1; i < w->count; i++) {
        if (rlx_word_in(w->word[i], "if") && rlx_word_in(w->word[i - 1], "see|know|check|find"))
            marks &= ~(unsigned)RLX_MARK_CONDITION;
    }
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

static unsigned read_asks(const struct rlx_words *w)
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
          "cost|costs|price|prices|pricing|charge|charges|fee|fees|rate|rates", NULL},
         RLX_ASKS_PRICE},
        {{"how expensive|pricey", NULL}, RLX_ASKS_PRICE},
        {{"how long", NULL}, RLX_ASKS_LENGTH},
        {{"how early", "how far ahead|in|before", "how much notice|time",
          "how many days|weeks|hours|months|minutes ?in ahead|before|advance|beforehand",
          "how long|soon ?in ahead|before|advance|beforehand", NULL},
         RLX_ASKS_NOTICE},
        {{"how many|often|old|big|tall|large|frequently|heavy", "what age|size", NULL},
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
    /* "How many days before": no count, and no price in "how much notice". */
    if (asks & RLX_ASKS_NOTICE)
        asks &= ~(unsigned)(RLX_ASKS_COUNT | RLX_ASKS_PRICE | RLX_ASKS_LENGTH | RLX_ASKS_WHERE);
    return asks ? asks : RLX_ASKS_OTHER;
}

/* Whether the "it" at i stands for a noun before it in the same clause: "a lesson, to see if he
 * likes it", "bread that has no gluten in it". */
static bool is_resolved(const struct rlx_words *w, unsigned i)
{
    bool subject = false;
    for (unsigned k = i; k > 1; k--) {
        const char *word = w->word[k - 1];
        if (subject && !rlx_word_is_light(word))
            return true;
        subject = subject || (k < i && rlx_word_in(word, "he|she|i|we|you|they|that|who|which"));
    }
    return false;
}

/* "it", "that", "this" that point back; the empty "it" of "is it possible", "how long does it take
 * to" points nowhere. */
static bool points_back(const struct rlx_words *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        bool last = i + 1 >= w->count;
        /* "that?", "this price", but not "that you do", "this week". */
        if (rlx_word_in(w->word[i], "that|this|those|these") &&
            (last ||
             !rlx_word_in(w->word[i + 1],
                          "you|i|we|they|he|she|your|the|my|there|it|a|week|month|morning|"
                          "afternoon|evening|year|weekend|time|can|do|does|are|need|have|has")))
            return true;
        if (rlx_word_in(w->word[i], "them|they|those") &&
            (last || i == 0 || rlx_words_match(w, i, "they|them *")))
            return true;
        if (!rlx_word_in(w->word[i], "it"))
            continue;
        static const char *const empty[] = {
            "it ?cost|take|be|usually|normally ?cost|take|be ?me|us|you ?about ?for|to *",
            "it to *",
            "it possible|okay|ok|true|alright|necessary|a|an|the|safe",
            "it for|if|that|when *",
            "it off|out|done|all",
            NULL};
        /* "come and look at it" */
        if (i > 1 && rlx_word_in(w->word[i - 1], "at") && rlx_word_in(w->word[i - 2], "look"))
            continue;
        if (is_resolved(w, i))
            continue;
        unsigned n = rlx_words_match_any(w, i, empty);
        if (n < 2 || (n == 2 && rlx_word_in(w->word[i + 1], "cost|take|be")))
            return true;
    }
    return false;
}

static bool is_follow_up(const struct rlx_words *w, unsigned content)
{
    static const char *const openings[] = {
        "and",  "or",   "but",      "what about",       "how about", "what if",
        "also", "then", "same for", "even on|for|with", NULL};
    if (w->count == 0)
        return true;
    if (rlx_words_match_any(w, 0, openings))
        return w->count <= 8 || rlx_words_match(w, 0, "what|how about");
    if (w->count <= 5 &&
        rlx_word_in(w->word[0], "on|for|with|at|to|in|even|same|too|without|from|by"))
        return !(w->count > 2 && rlx_word_in(w->word[1], "what|which|whom"));
    bool fragment = !rlx_word_in(w->word[0], question_starts) && w->count <= 2;
    return fragment || (content == 0 && w->count <= 3);
}

/* The first word of a bare text, cut off after it. */
static const char *first_word(char *bare)
{
    bare[strcspn(bare, " ")] = '\0';
    return bare;
}

/* Whether a clause without a question blames: "You are never on time, …", "Your site says". */
static bool is_accusing(TALLOC_CTX *ctx, const char *text)
{
    char *copy = talloc_strdup(ctx, text), *rest = copy;
    unsigned clauses = 0, blaming = 0;
    for (char *clause; copy && (clause = strsep(&rest, ",.?!;"));) {
        struct rlx_words w;
        char *bare = rlx_text_bare(ctx, clause);
        if (!bare || rlx_words_make(&w, ctx, bare, true) || w.count == 0)
            continue;
        clauses++;
        blaming += w.count >= 4 && rlx_word_in(w.word[0], "you|your|that|this|they|everybody");
    }
    return clauses > 1 && blaming > 0;
}

/* "…, and how much is that?": the price of what was just asked for. */
static bool is_price_tail(const struct rlx_words *w, unsigned i)
{
    static const char *const tails[] = {"how much ?is|would|will|does that|it ?be|cost",
                                        "what does|would|will that|it ?be cost",
                                        "what is the price|cost|charge", NULL};
    unsigned n = rlx_words_match_any(w, i, tails);
    return n > 0 && i + n == w->count;
}

/* Questions in `text`: clauses that begin as a question does. A tag ("…, do you?") is none. */
static unsigned count_questions(TALLOC_CTX *ctx, const char *text)
{
    unsigned questions = 0;
    char *copy = talloc_strdup(ctx, text), *rest = copy;
    for (char *clause; copy && (clause = strsep(&rest, ",.?!;"));) {
        struct rlx_words w;
        char *bare = rlx_text_bare(ctx, clause);
        if (!bare || rlx_words_make(&w, ctx, bare, false))
            return questions;
        bool start = true;
        unsigned before = questions;
        for (unsigned i = 0; i < w.count; i++) {
            bool joint =
                rlx_word_in(w.word[i], "and|or|but|also|plus|then|so|because|oh|well|okay");
            /* "and do you", but "what you do and how", "you come and are". */
            if (start && rlx_word_in(w.word[i], question_starts) && w.count - i >= 3 &&
                !(questions == 1 && is_price_tail(&w, i)))
                questions++;
            start = joint;
        }
        static const char *const requests[] = {"tell me", "want|like|need to know|ask",
                                               "let me know", "was wondering", NULL};
        bool request =
            !rlx_words_make(&w, ctx, clause, true) && rlx_words_find(&w, 0, requests, NULL) >= 0;
        /* "tell me your hours and what a visit costs" */
        questions +=
            request && (questions == before || !rlx_word_in(first_word(bare), question_starts));
    }
    return questions;
}

static bool is_name(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at++) {
        bool inside =
            (at > text && isalnum((unsigned char)at[-1])) || isalnum((unsigned char)at[n]);
        if (inside || !isupper((unsigned char)*at))
            continue;
        const char *back = at;
        while (back > text && strchr(" \t\"'(", back[-1]))
            back--;
        if (back > text && !strchr(".?!", back[-1]))
            return true;
    }
    return false;
}

/* Whether word i is the verb of "do you …", "can your people …". */
static bool is_verb_place(const struct rlx_words *w, unsigned i)
{
    unsigned subject = i - 1;
    if (rlx_word_in(w->word[subject], "guys|folks|people|also|still|even|all") && subject > 0)
        subject--;
    return subject > 0 && rlx_word_in(w->word[subject], "you|i|we|they|someone|somebody|anyone") &&
           rlx_word_in(w->word[subject - 1], "do|does|can|could|will|would|should|may");
}

static int read_tokens(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w,
                       const char *text)
{
    for (unsigned i = 0; i < w->count && r->token_count < RLX_READ_TOKENS; i++) {
        const char *word = w->word[i];
        if (rlx_word_in(word, weekdays)) {
            r->weekday = true;
            continue;
        }
        size_t length = strlen(word);
        bool adverb = length > 4 && !strcmp(word + length - 2, "ly") &&
                      !rlx_word_in(word, "monthly|family|supply|assembly|apply|reply|jelly|belly|"
                                         "weekly|daily|yearly|hourly");
        /* "how late", "how far": part of the question word. */
        bool measure =
            i > 0 && rlx_word_in(w->word[i - 1], "how") &&
            rlx_word_in(word, "late|early|soon|long|far|fast|quick|quickly|often|old|big|large");
        /* "my daughter": for whom, not what */
        bool family = i > 1 && rlx_word_in(w->word[i - 1], "my|our") &&
                      rlx_word_in(w->word[i - 2], "can|could|does|do|is|will|would|may|must|should|"
                                                  "for|if|has|have") &&
                      rlx_word_in(word, "kid|kids|child|children|son|daughter|husband|wife|mother|"
                                        "father|mom|dad|parents|friend|friends|family");
        if (adverb || measure || rlx_word_is_light(word) || word_number(word) >= 0 ||
            rlx_word_in(word, negations))
            continue;
        char *stem = rlx_word_stem(ctx, word);
        if (!stem)
            return -ENOMEM;
        if (i > 0 && !r->verb && is_verb_place(w, i)) {
            r->verb = stem;
            r->own_verb = rlx_word_in(w->word[i - 1], "i|we");
        }
        if (i > 0 && rlx_word_in(w->word[i - 1], "we") && r->deed_count < RLX_READ_DEEDS)
            r->deeds[r->deed_count++] = stem;
        if (family && r->context_count < RLX_READ_TOKENS)
            r->context[r->context_count++] = stem;
        r->token[r->token_count++] = stem;
        if (r->names < 8 && is_name(text, word))
            r->name[r->names++] = stem;
    }
    return 0;
}

/* The content words of what is said before the question. */
static int read_context(struct rlx_reading *r, TALLOC_CTX *ctx, const char *text)
{
    const char *comma = strpbrk(text, ",.;");
    struct rlx_words w;
    if (!comma)
        return 0;
    char *before = talloc_strndup(ctx, text, (size_t)(comma - text));
    int err = before ? rlx_words_make(&w, ctx, before, true) : -ENOMEM;
    struct rlx_reading part = {0};
    if (err || w.count < 3 || rlx_word_in(w.word[0], question_starts) ||
        (err = read_tokens(&part, ctx, &w, "")))
        return err;
    for (unsigned i = 0; i < part.token_count && r->context_count < RLX_READ_TOKENS; i++)
        r->context[r->context_count++] = part.token[i];
    return 0;
}

static int add_lack(struct rlx_reading *r, TALLOC_CTX *ctx, const char *word)
{
    if (rlx_word_is_light(word) || rlx_word_in(word, negations) || r->lack_count >= RLX_READ_LACKS)
        return 0;
    char *stem = rlx_word_stem(ctx, word);
    if (!stem)
        return -ENOMEM;
    if (rlx_word_groups(stem) & RLX_GROUP_MONEY)
        r->gratis = true;
    else
        r->lacks[r->lack_count++] = stem;
    return 0;
}

/* Whether word i stands in "… that has", "… who can": the thing is described, not the request. */
static bool is_relative(const struct rlx_words *w, unsigned i)
{
    for (unsigned k = i; k > 1 && i - k < 3; k--) {
        if (rlx_words_match(w, k - 1,
                            "who|that|which can|could|must|may|should|has|have|is|are|do|"
                            "does|contains|contain"))
            return true;
    }
    return false;
}

/* Sorts what is denied (`negated`) from what a thing is without (`lacks`). */
static int read_negations(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w)
{
    int err = 0;
    for (unsigned i = 0; i < w->count && !err; i++) {
        if (rlx_word_in(w->word[i], "free")) {
            bool noun = i > 0 && !rlx_word_is_light(w->word[i - 1]);
            bool before = noun && i + 1 < w->count && !rlx_word_is_light(w->word[i + 1]);
            if (before || (noun && i > 1 && !rlx_word_is_light(w->word[i - 2])))
                err = add_lack(r, ctx, w->word[i - 1]);
            else
                r->gratis = true;
            continue;
        }
        if (!rlx_word_in(w->word[i], negations))
            continue;
        bool relative = is_relative(w, i);
        if (!relative && !rlx_word_in(w->word[i], "without") &&
            !(i > 0 && rlx_word_in(w->word[i - 1], "with")))
            r->negated = true;
        unsigned last = relative ? i + 4 : i + 3;
        for (unsigned k = i + 1; !r->negated && k < w->count && k <= last && !err; k++) {
            /* "that is not gluten free" */
            if (rlx_word_in(w->word[k], "free"))
                r->negated = true;
            err = add_lack(r, ctx, w->word[k]);
        }
    }
    return err;
}

static bool is_hostile(const struct rlx_words *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (rlx_word_in(w->word[i], hostile_words))
            return true;
    }
    return rlx_words_find(w, 0, hostile_phrases, NULL) >= 0;
}

/* Whether a pronoun of `text` has nothing in an earlier clause of the same utterance that it could
 * stand for. */
static bool points_out(TALLOC_CTX *ctx, const char *text)
{
    char *copy = talloc_strdup(ctx, text), *rest = copy;
    for (char *clause; copy && (clause = strsep(&rest, ",.?!;"));) {
        struct rlx_reading part = {0};
        struct rlx_words w;
        char *bare = rlx_text_bare(ctx, clause);
        if (!bare || rlx_words_make(&w, ctx, bare, true))
            return false;
        if (points_back(&w))
            return true;
        if (read_tokens(&part, ctx, &w, "") || part.token_count > 0)
            return false;
    }
    return false;
}

/* What, would, which, where, when, how, is: as a small model hears them at the start of a call. */
static const char *const heard_as_asking =
    "with|wood|witch|watch|wear|ware|win|wen|house|hows|if|his";

int rlx_reading_make(struct rlx_reading *r, TALLOC_CTX *ctx, const char *text)
{
    struct rlx_words all, bare;
    memset(r, 0, sizeof(*r));
    r->bare = rlx_text_bare(ctx, text);
    if (!r->bare || rlx_words_make(&all, ctx, text, true) ||
        rlx_words_make(&bare, ctx, r->bare, true))
        return -ENOMEM;
    int err = read_tokens(r, ctx, &bare, text);
    if (err || (err = read_negations(r, ctx, &all)) || (err = read_context(r, ctx, text)))
        return err;
    read_numbers(r, ctx, &bare);
    r->words = bare.count;
    r->marks = read_marks(&bare);
    r->asks = read_asks(&bare);
    r->amount = rlx_words_match(&bare, 0, "how big|high|large is|are|would|will the|your") > 0;
    r->asking = rlx_is_asking(text);
    r->misheard = !r->asking && bare.count > 3 && rlx_word_in(bare.word[0], heard_as_asking);
    r->questions = count_questions(ctx, text);
    r->hostile = is_hostile(&all);
    r->accusing = is_accusing(ctx, text);
    r->pronoun = points_out(ctx, text);
    r->follow_up = is_follow_up(&bare, r->token_count + r->number_count + r->weekday);
    r->excluded = rlx_is_opt_out(text) || rlx_is_farewell(text) || rlx_is_hold_request(text) ||
                  rlx_words_find(&all, 0, intents, NULL) >= 0;
    return 0;
}
