/* Model and voice names: what a provider knows, what its aliases are (share/models.json, built in).
 * Any thread. */
#ifndef RLX_PROVIDER_MODELS_H
#define RLX_PROVIDER_MODELS_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

struct rlx_models;

/* Parses the built-in table; each user has its own. */
int rlx_models_create(struct rlx_models **modelsp, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));

/* The name that the provider ("openai", "groq", "local") is asked for at a stage ("llm": models,
 * "tts": voices) when an agent wishes `wish` (may be NULL): the wish itself when the provider knows
 * it, what its alias stands for, else `fallback`, the configured one. Borrowed from models, wish or
 * fallback. */
const char *rlx_models_resolve(const struct rlx_models *models, const char *stage,
                               const char *provider, const char *wish, const char *fallback);

/* False when no provider of the stage knows the name or has an alias for it: the agent then
 * deserves a warning. */
bool rlx_models_known(const struct rlx_models *models, const char *stage, const char *wish);

/* Adds to a request body what this model needs besides (gpt-oss: reasoning_effort low); a null
 * takes a key away. */
int rlx_models_extend(const struct rlx_models *models, const char *model, json_t *body)
    __attribute__((warn_unused_result));

#endif
