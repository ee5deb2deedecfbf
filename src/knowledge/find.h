/* The passages that a caller's words are about: full-text search joined with nearness of vectors, both in memory, by
 * reciprocal rank fusion (Cormack, Clarke, Büttcher 2009: 1 / (60 + rank) summed over the lists). */
#ifndef RLX_KNOWLEDGE_FIND_H
#define RLX_KNOWLEDGE_FIND_H

#include "knowledge/known.h"

#define RLX_FIND_LIST 20          /* of each list */
#define RLX_FIND_MOST 8           /* passages that are found */
#define RLX_FIND_PASSAGE_BYTES 500 /* of a passage: the sentences around what was asked for */
#define RLX_FIND_PROMPT 3         /* passages that go into a prompt: 1500 bytes, some 350 tokens */

struct rlx_found_passage {
    const struct rlx_known_chunk *chunk;
    char *text;       /* what the model gets */
    float score;      /* 0…1 by rank: 1 = first in every list */
    float similarity; /* cosine, 0 = no vector */
    float words;      /* score of the full-text search, 0 = not in its list */
};
struct rlx_found {
    struct rlx_found_passage passages[RLX_FIND_MOST];
    size_t count;
};

/* vector: of rlx_text_bare(text), unit length, dim long; NULL = words alone. Passages that have too little to do with the text are
 * left out. Texts are on ctx, chunks belong to `known`. Never waits; some ms for 10,000 chunks (bench/knowledge.py). */
void rlx_find(struct rlx_found *found, TALLOC_CTX *ctx, const struct rlx_known *known,
              const char *text, const float *vector, size_t dim);

/* The match of rlx_answers_match with the passages of both: a near answer first, then what was found, then other answers.
 * `found` may be NULL. What it points to belongs to `known` and `found`. */
void rlx_known_match(const struct rlx_known *known, const struct rlx_answers_query *query,
                     const struct rlx_found *found, struct rlx_answer_match *match);

#endif
