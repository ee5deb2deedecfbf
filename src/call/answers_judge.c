/* How near an entry is to an utterance, and the order of entries. */
#include <string.h>

#include "call/answers_private.h"

#define STRANGER_COSTS 0.25f /* in the order of answers */
#define KIND_COSTS 0.15f     /* the same, an answer that tells no price when one is asked for */
#define NEAR_WAYS 0.12f      /* ways as near as the best, for negation */
#define NEAR_ASKS 0.35f      /* the same, for the kind of thing asked for */

/* Eight sums at a time, so that the compiler may use vector registers without reordering one sum.
 */
static float dot(const float *a, const float *b, size_t n)
{
    float sums[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t k = 0; k < 8; k++)
            sums[k] += a[i + k] * b[i + k];
    }
    float sum = 0;
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (size_t k = 0; k < 8; k++)
        sum += sums[k];
    return sum;
}

/* Share of the words of the question that a passage has: the order of passages when there are no
 * vectors. */
static float lexical(const struct entry *entry, const struct rlx_reading *heard)
{
    unsigned known = 0;
    for (unsigned i = 0; i < heard->token_count; i++) {
        bool found = (rlx_word_groups(heard->token[i]) & entry->vocabulary.groups) != 0;
        for (unsigned k = 0; !found && k < entry->vocabulary.count; k++)
            found = !strcmp(heard->token[i], entry->vocabulary.stems[k]);
        known += found;
    }
    return heard->token_count ? 0.6f * (float)known / (float)heard->token_count : 0.0f;
}

/* The best way to ask of an entry. */
struct candidate rlx_candidate_judge(const struct entry *entry,
                                     const struct rlx_answers_query *query,
                                     const struct rlx_reading *heard)
{
    struct candidate best = {.entry = entry, .score = -1.0f};
    size_t count = entry->ways ? entry->way_count : 1;
    bool vectors = entry->vectors && query->vector && entry->dim == query->dim;
    for (size_t i = 0; i < count; i++) {
        const struct way *way = entry->ways ? &entry->ways[i] : NULL;
        float score =
            vectors ? dot(entry->vectors + i * entry->dim, query->vector, entry->dim) : -1.0f;
        if (way && *heard->bare && !strcmp(heard->bare, way->reading.bare))
            score = 1.0f;
        if (score > best.score) {
            best.score = score;
            best.way = way;
        }
    }
    if (best.score < 0)
        best.score = vectors ? 0.0f : lexical(entry, heard) * 0.6f;
    return best;
}

/* What the ways about as near as the best one have in common with the question. */
static void look_near(struct candidate *best, const struct rlx_answers_query *query)
{
    const struct entry *entry = best->entry;
    bool vectors = entry->vectors && query->vector && entry->dim == query->dim;
    for (size_t i = 0; i < entry->way_count; i++) {
        const struct rlx_reading *way = &entry->ways[i].reading;
        float score =
            vectors ? dot(entry->vectors + i * entry->dim, query->vector, entry->dim) : -1.0f;
        bool near = &entry->ways[i] == best->way || score > best->score - NEAR_WAYS;
        best->asks |= near || score > best->score - NEAR_ASKS ? way->asks : 0U;
        best->negated = best->negated || (near && way->negated);
        best->plain = best->plain || (near && !way->negated);
    }
}

/* Puts the answers first that know the words of the question and are of the kind asked for. */
void rlx_candidates_rank(struct candidate *answer, size_t count,
                         const struct rlx_answers_query *query, const struct rlx_reading *heard)
{
    for (size_t i = 0; i < count && answer[i].entry; i++) {
        unsigned unknown =
            rlx_entry_strangers(answer[i].entry, &answer[i].way->reading, heard, &answer[i].asides);
        answer[i].unknown = unknown;
        answer[i].rank = answer[i].score - STRANGER_COSTS * (float)(unknown > 2 ? 2 : unknown);
        look_near(&answer[i], query);
        if (heard->asks & RLX_ASKS_PRICE &&
            !rlx_entry_asks_agree(answer[i].entry, answer[i].asks, heard))
            answer[i].rank -= KIND_COSTS;
        if (!strcmp(heard->bare, answer[i].way->reading.bare))
            answer[i].rank = answer[i].score;
        for (size_t k = i; k > 0 && answer[k].rank > answer[k - 1].rank; k--) {
            struct candidate swapped = answer[k];
            answer[k] = answer[k - 1];
            answer[k - 1] = swapped;
        }
    }
}
