/* Templates in an agent's texts: {{contact.name}}, {{variables.order}}, {{call.phone_number}}, {{agent.name}}, each with an
 * optional default behind a bar: {{contact.name|there}}. Pure; any thread. */
#ifndef RLX_CALL_TEMPLATE_H
#define RLX_CALL_TEMPLATE_H

#include <jansson.h>
#include <stdint.h>
#include <talloc.h>

/* Checks a text before it is kept: 0, or RLX_EINVAL with a sentence in *whyp (on ctx) that names line and column: a {{ that is
 * never closed, a name that is none, a root other than contact, variables, call and agent, an unknown field of call or agent. */
int rlx_template_check(TALLOC_CTX *ctx, const char *text, char **whyp);

/* Replaces each {{path|default}} by its value in a (nested) JSON object; one that has no value, or an empty one, becomes its
 * default or "". A value goes in as one line of at most 500 bytes. What is never closed stays as it is. On ctx; at most 32 KiB. */
char *rlx_template_fill(TALLOC_CTX *ctx, const char *text, const json_t *values);

/* What templates of a call are filled from: {contact, variables, call, agent}, of a call as rlx_call_load gives it. A field of
 * variables.contact stands before the same field of the contact that is known for the number. Texts that were kept before
 * templates were checked may name a variable alone ({{name}}): variables stand at the top as well. A new reference. */
json_t *rlx_template_values(const json_t *call);

#endif
