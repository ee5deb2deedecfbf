/* Approved answers: the callee's words matched to an entry whose text is said as it stands. Pure;
 * one thread per set.
 *
 * Spoken without the LLM only if all conditions hold (docs/internals/answers.md): score and margin,
 * one question, <= 20 words, negation, numbers and names agree with the matched way to ask, no bare
 * follow-up, not given in the last two turns, the agent is not waiting for a reply unless the words
 * are themselves a question. A near miss is the model's top passage.
 */
#ifndef RLX_CALL_ANSWERS_H
#define RLX_CALL_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct rlx_answers;

int rlx_answers_create(struct rlx_answers **answersp, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));
/* Adds an answer with its ways to ask and their unit vectors (count × dim, NULL = exact match
 * only). Copied. */
int rlx_answers_add(struct rlx_answers *answers, const char *id, const char *title,
                    const char *text, const char *const *questions, size_t count,
                    const float *vectors, size_t dim);
/* Adds a passage (ordinary knowledge) with one vector, or NULL. Copied. */
int rlx_answers_add_passage(struct rlx_answers *answers, const char *id, const char *title,
                            const char *text, const float *vector, size_t dim);
size_t rlx_answers_count(const struct rlx_answers *answers);

struct rlx_answers_query {
    const char *heard;   /* the callee's words */
    const float *vector; /* their unit vector (of rlx_text_bare(heard)), NULL = exact match only */
    size_t dim;
    bool agent_asked;      /* the agent's last words were a question */
    const char *recent[2]; /* ids of answers given in the last two turns, or NULL */
};

/* Where a passage is from; owned by the set. */
struct rlx_answer_source {
    const char *id, *title; /* of the entry */
    int chunk;              /* of a text, from 0; -1 = an answer */
    float score;
};

enum rlx_answer_kind { RLX_ANSWER_NONE, RLX_ANSWER_NEAR, RLX_ANSWER_FIRE };
struct rlx_answer_match {
    enum rlx_answer_kind kind;
    const char *id, *text; /* of the matched answer; owned by the set */
    float score,
        margin;      /* margin: to the next answer, after both paid for words they do not know */
    const char *why; /* static: which condition forbade it ("" when it fires) */
    const char *passages[3]; /* best knowledge for the prompt (a near answer first), owned by the
                                set; NULL-filled */
    struct rlx_answer_source sources[3]; /* where each of them is from */
};
void rlx_answers_match(const struct rlx_answers *answers, const struct rlx_answers_query *query,
                       struct rlx_answer_match *match);

#endif
