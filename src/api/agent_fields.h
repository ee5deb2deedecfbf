/* What the description can't say of an agent's fields. */
#ifndef RLX_API_AGENT_FIELDS_H
#define RLX_API_AGENT_FIELDS_H

#include <jansson.h>
#include <talloc.h>

/* Checks fields that are to be written; `current` is the agent as it is, NULL for a new one. An array of {field, message},
 * empty when all is well; a new reference. */
json_t *rlx_agent_fields_check(TALLOC_CTX *ctx, const json_t *fields, const json_t *current);

/* Sentences about names of models and voices that no provider knows: the provider's default is used for them. Of the agent as
 * it will be. A new reference, NULL when out of memory. */
json_t *rlx_agent_warnings(const json_t *fields, const json_t *current);

#endif
