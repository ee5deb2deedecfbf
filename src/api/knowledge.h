/* What the files of the knowledge routes share. */
#ifndef RLX_API_KNOWLEDGE_H
#define RLX_API_KNOWLEDGE_H

#include "api/private.h"
#include "extract/extract.h"

/* Cuts and embeds the entry, writes it (a new one when id is NULL) and answers. Few texts are embedded at once, so that a call placed in the next
 * moment knows them; many by the worker. `entry` has title, content, source_type, questions, and agent_id for a new one. */
void rlx_knowledge_write(struct rlx_request *req, struct rlx_api *api, const char *id,
                         const json_t *entry);
/* Makes an entry of a file's or a page's text: title NULL or "" = its own, else `fallback`. source_url may be NULL. Answers. */
void rlx_knowledge_take(struct rlx_request *req, struct rlx_api *api, const json_t *body,
                        const char *source_type, const char *source_url,
                        const struct rlx_extracted *extracted, const char *fallback);
/* Answers 404 unless the agent is the user's; *agentp (optional) gets it: the caller drops it. */
bool rlx_knowledge_agent(struct rlx_request *req, struct rlx_api *api, const char *agent_id,
                         json_t **agentp);

#endif
