/* What agents know: entries, their chunks with a full-text index, and their vectors. See store.h for results and threads.
 *
 * source_type: manual | answer | url | file. An answer has `questions` (JSON array of ways to ask) and content = the words to
 * say. An entry's vectors are those of its ways to ask for an answer, else of its chunks, in their order. */
#ifndef RLX_STORE_KNOWLEDGE_H
#define RLX_STORE_KNOWLEDGE_H

#include "store/store.h"

#define RLX_KNOWLEDGE_CHUNKS_MAX 10000 /* of an agent */

/* What is made of an entry's text. */
struct rlx_knowledge_parts {
    char *const *chunks;
    size_t chunk_count;
    const float *vectors; /* vector_count × dim; NULL: a job "embed" makes them later */
    size_t vector_count, dim;
};

/* fields: agent_id, title, content, source_type, source_url, questions. RLX_ENOTFOUND when the agent is not this user's,
 * RLX_ETOOBIG when it would have more chunks than RLX_KNOWLEDGE_CHUNKS_MAX. *jsonp gets {id, agent_id, title, content,
 * source_type, source_url, questions, created_at, updated_at}. */
int rlx_knowledge_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const json_t *fields, const struct rlx_knowledge_parts *parts, char **jsonp)
    __attribute__((warn_unused_result));
/* fields: any of title, content, source_type, questions. Chunks and vectors are replaced. */
int rlx_knowledge_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *knowledge_id, const json_t *fields,
                         const struct rlx_knowledge_parts *parts, char **jsonp)
    __attribute__((warn_unused_result));
/* user_id NULL: anybody's (for jobs). */
int rlx_knowledge_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const char *knowledge_id, char **jsonp) __attribute__((warn_unused_result));
/* Array, newest first; content is cut to its first 10,000 characters, `length` says how many there are. q (may be NULL): only
 * entries of which one chunk (with title and ways to ask) holds all of its words, by full-text search. */
int rlx_knowledge_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *agent_id, const char *q, int limit, const char *cursor, char **jsonp,
                       char **next_cursorp, int64_t *totalp) __attribute__((warn_unused_result));
int rlx_knowledge_delete(struct rlx_store *store, const char *user_id, const char *knowledge_id)
    __attribute__((warn_unused_result));

/* ---- for the embedding job ---- */

/* The chunks of an entry, and its revision. */
int rlx_knowledge_chunks(struct rlx_store *store, TALLOC_CTX *ctx, const char *knowledge_id,
                         char ***chunksp, size_t *countp, int64_t *revisionp)
    __attribute__((warn_unused_result));
/* Cuts an entry that has no chunks yet (one that was there before there were chunks). */
int rlx_knowledge_set_chunks(struct rlx_store *store, const char *knowledge_id, char *const *chunks,
                             size_t count) __attribute__((warn_unused_result));
/* RLX_ENOTFOUND when the entry was deleted or has changed since. */
int rlx_knowledge_set_vectors(struct rlx_store *store, const char *knowledge_id, int64_t revision,
                              const float *vectors, size_t count, size_t dim)
    __attribute__((warn_unused_result));
/* Adds a job for each entry without vectors; *countp (optional) how many. */
int rlx_knowledge_embed_missing(struct rlx_store *store, int *countp) __attribute__((warn_unused_result));

/* ---- for a live call (no user check: the call's own agent) ---- */

/* A text that changes whenever any of the agent's knowledge does. */
int rlx_knowledge_stamp(struct rlx_store *store, TALLOC_CTX *ctx, const char *agent_id, char **stampp)
    __attribute__((warn_unused_result));

struct rlx_knowledge_row {
    char *id, *title, *source_type;
    char *content;    /* "" for a text of more than 1500 characters: see its chunks */
    char **questions; /* NULL-terminated; empty unless an answer */
    char **chunks;    /* chunk_count long */
    size_t chunk_count;
    float *vectors; /* vector_count × dim, NULL when not embedded */
    size_t vector_count, dim;
};
/* All of an agent, ordered by id. */
int rlx_knowledge_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *agent_id,
                       struct rlx_knowledge_row **rowsp, size_t *countp)
    __attribute__((warn_unused_result));

#endif
