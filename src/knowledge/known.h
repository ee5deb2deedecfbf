/* What one agent knows, ready to be asked during a call: approved answers, passages with their vectors, and the texts that are
 * small enough for the prompt. Immutable and shared: all calls of an agent in a process use one copy, which is loaded anew
 * when the agent's knowledge has changed. Any thread. */
#ifndef RLX_KNOWLEDGE_KNOWN_H
#define RLX_KNOWLEDGE_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "call/answers.h"
#include "knowledge/words.h"
#include "store/knowledge.h"

/* Knowledge up to this size stands in the system prompt, where a prefix cache reads it once a call; more is looked up. */
#define RLX_KNOWN_INLINE 1500

struct rlx_known;

struct rlx_known_chunk {
    const char *id, *title, *text; /* id: of the entry */
    int number;                    /* of the chunk in its entry */
};

/* Loads it, or takes what is loaded already. mode is the agent's knowledge_mode: "answers" takes approved answers alone,
 * "passages" gives all to the model as facts, "off" nothing, "auto" (NULL) each as what it is. Blocking. The caller drops it. */
int rlx_known_load(struct rlx_known **knownp, struct rlx_store *store, const char *agent_id,
                   const char *mode) __attribute__((warn_unused_result));
struct rlx_known *rlx_known_keep(struct rlx_known *known);
void rlx_known_drop(struct rlx_known *known);
/* Forgets what is kept for later calls (at the end of a process or a test). */
void rlx_known_forget(void);

const char *rlx_known_agent(const struct rlx_known *known);
const struct rlx_answers *rlx_known_answers(const struct rlx_known *known);
/* Texts that are few enough to stand in the prompt; NULL-terminated. */
const char *const *rlx_known_inline(const struct rlx_known *known);
/* What approved answers say; NULL-terminated. */
char **rlx_known_says(const struct rlx_known *known);
/* Passages to search in; ordered by id and number. */
const struct rlx_known_chunk *rlx_known_chunks(const struct rlx_known *known, size_t *countp);
/* The chunk's unit vector, NULL when it has none. */
const float *rlx_known_vector(const struct rlx_known *known, size_t chunk, size_t *dimp);
/* Their words: BM25. */
const struct rlx_word_index *rlx_known_words(const struct rlx_known *known);
/* A look-up is worth asking. */
bool rlx_known_can_look_up(const struct rlx_known *known);

#endif
