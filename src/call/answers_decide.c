/* Whether an answer is spoken as it stands: all conditions, and the first that fails. */
#include <string.h>

#include "call/answers_private.h"

/* Chosen on the seen labels; docs/internals/answers.md has the tables. */
#define SCORE_FIRE 0.58f
#define SCORE_FIRE_CLEAR 0.50f   /* all words known, and far from every other answer */
#define SCORE_FIRE_NAMED 0.48f   /* a name stands in the answer itself */
#define SCORE_FIRE_ADDED 0.70f   /* one word more than the way to ask has */
#define SCORE_FIRE_SWAPPED 0.80f /* one word in the place of another */
#define SCORE_FIRE_ASIDE 0.60f   /* strangers only where or whose, far from every other answer */
#define MARGIN_ASIDE 0.30f
#define SCORE_SURE 0.78f /* with MARGIN_CLEAR: suspicion of single words is dropped */
#define MARGIN_CLEAR 0.15f
#define MARGIN_KNOWN 0.10f    /* for SCORE_FIRE_CLEAR */
#define SCORE_MISHEARD 0.66f  /* a question whose first word was heard wrong, */
#define MARGIN_MISHEARD 0.20f /* far from every other answer */
#define SCORE_NEAR 0.42f
#define MARGIN 0.08f
#define WORDS_MAX 20

static bool is_recent(const struct rlx_answers_query *query, const char *id)
{
    return (query->recent[0] && !strcmp(query->recent[0], id)) ||
           (query->recent[1] && !strcmp(query->recent[1], id));
}

/* "With the charge for sending a plumber": a question but for its first word. */
static bool is_misheard(const struct candidate *best, const struct rlx_reading *heard)
{
    return heard->misheard && best->unknown == 0 && best->score >= SCORE_MISHEARD &&
           best->margin >= MARGIN_MISHEARD;
}

/* The first condition that forbids to speak the answer, or "". */
static const char *forbidden(const struct candidate *best, const struct rlx_reading *heard,
                             const struct rlx_answers_query *query)
{
    const struct entry *entry = best->entry;
    const struct rlx_reading *way = &best->way->reading;
    bool exact = !strcmp(heard->bare, way->bare);
    if (heard->excluded)
        return "the words mean something else: goodbye, opt-out, patience or a person is wanted";
    if (is_recent(query, entry->id))
        return "given in the last two turns";
    if (query->agent_asked && !heard->asking)
        return "the agent waits for a reply";
    if (heard->words > WORDS_MAX)
        return "too many words";
    if (exact)
        return "";
    if (heard->questions > 1)
        return "more than one question";
    if ((heard->hostile && !way->hostile) || (heard->accusing && !way->accusing))
        return "hostile";
    if (heard->negated ? !best->negated : !best->plain)
        return "negation does not agree";
    if (!rlx_entry_lacks_agree(entry, way, heard))
        return "without what, does not agree";
    if (!heard->asking && !entry->states && !is_misheard(best, heard))
        return "not a question";
    if (heard->follow_up)
        return "a bare follow-up";
    if (heard->pronoun && !way->pronoun)
        return "points back to something said before";
    if (!rlx_entry_numbers_agree(entry, heard))
        return "a number does not agree";
    if (!rlx_entry_names_agree(entry, heard))
        return "a name does not agree";
    if (!rlx_entry_owners_agree(entry, heard))
        return "whose it is does not agree";
    unsigned marks = heard->marks & ~entry->marks;
    if (best->score >= SCORE_SURE)
        marks &= ~(unsigned)(RLX_MARK_CONDITION | RLX_MARK_ORDER);
    /* "What would it cost if you bring it?", "How many days before?" */
    if (heard->asks & RLX_ASKS_PRICE && best->unknown == 0)
        marks &= ~(unsigned)RLX_MARK_CONDITION;
    if (heard->asks & RLX_ASKS_NOTICE)
        marks &= ~(unsigned)RLX_MARK_ORDER;
    if (marks)
        return "a condition, comparison or tense does not agree";
    if (!rlx_entry_asks_agree(entry, best->asks, heard))
        return "asks for another kind of thing";
    if (!rlx_entry_prices_it(entry, heard))
        return "asks for the price of something else";
    return "";
}

/* Whether words alone speak against a match that the vectors make: what is to be done, and words
 * that the answer does not know. */
static const char *suspicious(const struct candidate *best, float margin,
                              const struct rlx_reading *heard)
{
    bool sure = best->score >= SCORE_SURE && margin >= MARGIN_CLEAR;
    if (rlx_entry_is_reversed(best->entry, heard))
        return "somebody else is to do it";
    if (heard->verb && !rlx_entry_knows_verb(best->entry, heard) && !(sure && heard->own_verb) &&
        !rlx_entry_is_offer(best->entry, &best->way->reading, heard))
        return "another thing is to be done";
    if (best->unknown == 0 || (sure && best->unknown == 1 && heard->own_verb && heard->verb &&
                               !rlx_entry_knows_verb(best->entry, heard)))
        return "";
    unsigned asked = best->unknown - best->asides;
    if (asked == 0)
        return best->score >= SCORE_FIRE_ASIDE && margin >= MARGIN_ASIDE
                   ? ""
                   : "a word that the answer does not know";
    float least =
        rlx_way_is_swapped(&best->way->reading, heard) ? SCORE_FIRE_SWAPPED : SCORE_FIRE_ADDED;
    if (asked > 1 ? !sure || least > SCORE_FIRE_ADDED : best->score < least)
        return "a word that the answer does not know";
    return "";
}

void rlx_candidate_decide(const struct candidate *best, const struct rlx_reading *heard,
                          const struct rlx_answers_query *query, struct rlx_answer_match *match)
{
    bool exact = !strcmp(heard->bare, best->way->reading.bare);
    match->id = best->entry->id;
    match->text = best->entry->text;
    match->score = best->score;
    match->margin = best->margin;
    match->kind = best->score >= SCORE_NEAR ? RLX_ANSWER_NEAR : RLX_ANSWER_NONE;
    match->why = forbidden(best, heard, query);
    float least = SCORE_FIRE;
    if (best->unknown == 0 && match->margin >= MARGIN_KNOWN)
        least = SCORE_FIRE_CLEAR;
    if (best->unknown == 0 && rlx_entry_is_named(best->entry, heard))
        least = SCORE_FIRE_NAMED;
    if (!*match->why && best->score < least)
        match->why = "not alike enough";
    if (!*match->why && !exact)
        match->why = suspicious(best, match->margin, heard);
    if (!*match->why && match->margin < MARGIN)
        match->why = "another answer is as near";
    if (!*match->why)
        match->kind = RLX_ANSWER_FIRE;
}
