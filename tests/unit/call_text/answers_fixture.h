/* The labelled set of tests/fixtures/answers: knowledge, utterances, and their stored vectors. For
 * the test and for answers_eval. */
#ifndef RLX_TEST_ANSWERS_FIXTURE_H
#define RLX_TEST_ANSWERS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "call/answers.h"

#define RLX_FIXTURE_DIM 384
#define RLX_FIXTURE_WAYS 8

struct fixture_answer {
    char *business, *id, *title, *text;
    char *ways[RLX_FIXTURE_WAYS];
    size_t way_count;
};

struct fixture_utterance {
    char *business, *want, *kind, *text; /* want "-": no answer may be spoken */
};

struct fixture {
    struct fixture_answer *answers;
    size_t answer_count;
    struct fixture_utterance *utterances;
    size_t utterance_count;
    unsigned char
        *vectors; /* records: FNV-1a of the bare text (8), scale as float (4), int8 × dim */
    size_t vector_count;
};

/* Reads knowledge.tsv and utterances.tsv of `folder`, and vectors.bin when it is there. NULL when a
 * file is missing. */
struct fixture *fixture_load(TALLOC_CTX *ctx, const char *folder);
/* The unit vector of rlx_text_bare(text); false when it is not stored. */
bool fixture_vector(const struct fixture *fixture, const char *text, float *vector);
/* The answers of one business. NULL when a vector is missing. */
struct rlx_answers *fixture_answers(TALLOC_CTX *ctx, const struct fixture *fixture,
                                    const char *business, bool vectors);
/* Every bare text, one a line, to standard output. */
void fixture_print_texts(const struct fixture *fixture);

#endif
