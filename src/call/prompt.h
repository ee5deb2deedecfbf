/* The prompt: agent, callee and knowledge turned into chat messages. Pure. */
#ifndef RLX_CALL_PROMPT_H
#define RLX_CALL_PROMPT_H

#include <jansson.h>
#include <talloc.h>

struct rlx_prompt_turn {
    const char *role;    /* "user", "assistant", "tool" */
    const char *content;
};

/* The messages array as JSON text on ctx. The system message holds only what stays the same during the call (so that a server
 * with a prefix cache reads it once); passages for this turn go into the last user message. Oldest turns are dropped beyond
 * max_chars of history. */
char *rlx_prompt_messages(TALLOC_CTX *ctx, const char *system, const struct rlx_prompt_turn *turns,
                          size_t count, const char *const *passages, size_t max_chars);

/* The system text of an agent: its prompt, the rules of speaking on a phone, and small knowledge as it stands. `knowledge`
 * is an array of texts (NULL-terminated), may be NULL. */
char *rlx_prompt_system(TALLOC_CTX *ctx, const char *agent_prompt, const char *const *knowledge);

#endif
