/* Agents and their knowledge. See store.h for results and threads. */
#ifndef RLX_STORE_AGENTS_H
#define RLX_STORE_AGENTS_H

#include "store/store.h"

/* `fields` holds validated columns: name, prompt_text, template_source, voice_settings{},
 * llm_model, temperature, max_tokens, is_active, greeting, goodbye, language, first_speaker,
 * turn_settings{}, knowledge_mode, max_duration_s, extraction[] … *jsonp gets the whole agent. */
int rlx_agent_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const json_t *fields, char **jsonp);
/* Changes only the fields that are present. */
int rlx_agent_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *agent_id, const json_t *fields, char **jsonp);
int rlx_agent_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                  const char *agent_id, char **jsonp);
/* Array of agents, each with call_count, avg_duration, last_used. */
int rlx_agents_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                    const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp);
/* Keeps the calls, with agent_id null. */
int rlx_agent_delete(struct rlx_store *store, const char *user_id, const char *agent_id);

/* Knowledge. source_type: manual | answer | url | file. An answer has `questions` (JSON array of
 * ways to ask) and content = the words to say. `vectors`: count × dim floats (one per question for
 * an answer, one per chunk else), may be NULL. *jsonp gets {id, agent_id, title, content,
 * source_type, source_url, questions, created_at}. */
int rlx_knowledge_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const json_t *fields, const float *vectors, size_t count, size_t dim,
                         char **jsonp);
int rlx_knowledge_set_vectors(struct rlx_store *store, const char *knowledge_id,
                              const float *vectors, size_t count, size_t dim);
/* One entry by id, for the embedding job (no user check). */
int rlx_knowledge_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *knowledge_id,
                      char **jsonp);
int rlx_knowledge_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *agent_id, int limit, const char *cursor, char **jsonp,
                       char **next_cursorp, int64_t *totalp);
int rlx_knowledge_delete(struct rlx_store *store, const char *user_id, const char *knowledge_id);

/* All knowledge of an agent for a live call (no user check: the call's own agent). */
struct rlx_knowledge_row {
    char *id, *title, *content, *source_type;
    char **questions; /* NULL-terminated; empty unless an answer */
    float *vectors;   /* vector_count × dim, NULL when not embedded */
    size_t vector_count, dim;
};
int rlx_knowledge_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *agent_id,
                       struct rlx_knowledge_row **rowsp, size_t *countp);

#endif
