/* The form of an utterance: how many questions, whether it points back, follows up, blames or
 * insults. */
#include <string.h>

#include "call/answers_read_private.h"
#include "call/phrases.h"

/* clang-format off */
static const char *const hostile_words =
    "scam|scams|scammer|scammers|ripoff|rip|ripping|ridiculous|stupid|idiot|idiots|hell|damn|"
    "goddamn|fuck|fucking|fucked|shit|shitty|crap|bullshit|bs|ass|asshole|bastard|bastards|"
    "robbing|robbery|rob|thief|thieves|crook|crooks|crooked|sue|lawsuit|liar|liars|lying|"
    "outrageous|"
    "joke|kidding|insane|nonsense|terrible|awful|worst|horrible|annoying|bother|bothering|"
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
    "what the", "who do you think", "sick of", "or just|only me|mine|us",
    "not worth", "a lot of money", NULL};
const char *const rlx_question_starts =
    "what|which|who|whom|whose|where|when|why|how|do|does|did|is|are|was|were|can|could|will|"
    "would|should|shall|may|have|has|am|what's|who's|where's|when's|how's|don't|doesn't|didn't|"
    "isn't|aren't|can't|couldn't|won't|wouldn't|shouldn't|haven't|hasn't";
/* clang-format on */

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
bool rlx_words_point_back(const struct rlx_words *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        bool last = i + 1 >= w->count;
        /* "a phone that got wet" */
        if (i > 0 && !last && rlx_word_in(w->word[i], "that") && !rlx_word_is_light(w->word[i - 1]))
            continue;
        /* "that?", "this price", but not "that you do", "this week". */
        if (rlx_word_in(w->word[i], "that|this|those|these") &&
            (last ||
             !rlx_word_in(w->word[i + 1],
                          "you|i|we|they|he|she|your|the|my|there|it|a|week|month|morning|"
                          "afternoon|evening|year|weekend|time|can|do|does|are|need|have|has")))
            return true;
        if (rlx_word_in(w->word[i], "them|they|those") && !is_resolved(w, i) &&
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

bool rlx_words_follow_up(const struct rlx_words *w, unsigned content)
{
    static const char *const openings[] = {
        "and",  "or",   "but",      "what about",       "how about", "what if",
        "also", "then", "same for", "even on|for|with", NULL};
    if (w->count == 0)
        return true;
    if (rlx_words_match_any(w, 0, openings))
        return w->count <= (rlx_words_match(w, 0, "what if") && content > 1 ? 4U : 8U) ||
               rlx_words_match(w, 0, "what|how about");
    if (w->count <= 5 &&
        rlx_word_in(w->word[0], "on|for|with|at|to|in|even|same|too|without|from|by"))
        return !(w->count > 2 && rlx_word_in(w->word[1], "what|which|whom"));
    bool fragment = !rlx_word_in(w->word[0], rlx_question_starts) && w->count <= 2;
    return fragment || (content == 0 && w->count <= 3);
}

/* The first word of a bare text, cut off after it. */
static const char *first_word(char *bare)
{
    bare[strcspn(bare, " ")] = '\0';
    return bare;
}

/* Whether a clause without a question blames: "You are never on time, …", "Your site says". */
bool rlx_text_accuses(TALLOC_CTX *ctx, const char *text)
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

/* "Could you come and HAVE a look" */
static bool is_second_verb(const struct rlx_words *w, unsigned i)
{
    return i > 0 && rlx_word_in(w->word[i], "have|do") && i + 1 < w->count &&
           !rlx_word_in(w->word[i + 1], "you|i|we|they|your|my|the|people");
}

/* Questions in `text`: clauses that begin as a question does. A tag ("…, do you?") is none. */
unsigned rlx_text_questions(TALLOC_CTX *ctx, const char *text)
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
            if (start && rlx_word_in(w.word[i], rlx_question_starts) && !is_second_verb(&w, i) &&
                w.count - i >= 3 && !(questions == 1 && is_price_tail(&w, i)))
                questions++;
            start = joint;
        }
        static const char *const requests[] = {"tell me", "want|like|need to know|ask",
                                               "let me know", "was wondering", NULL};
        bool request =
            !rlx_words_make(&w, ctx, clause, true) && rlx_words_find(&w, 0, requests, NULL) >= 0;
        /* "tell me your hours and what a visit costs" */
        questions +=
            request && (questions == before || !rlx_word_in(first_word(bare), rlx_question_starts));
    }
    return questions;
}

bool rlx_words_hostile(const struct rlx_words *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (rlx_word_in(w->word[i], hostile_words))
            return true;
    }
    return rlx_words_find(w, 0, hostile_phrases, NULL) >= 0;
}
