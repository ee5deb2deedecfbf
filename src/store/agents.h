/* Agents. See store.h for results and threads. */
#ifndef RLX_STORE_AGENTS_H
#define RLX_STORE_AGENTS_H

#include "store/store.h"

/* `fields` holds validated columns: name, prompt_text, template_source, voice_settings{},
 * llm_model, temperature, max_tokens, is_active, greeting, goodbye, language, first_speaker,
 * turn_settings{}, knowledge_mode, max_duration_s, extraction[], voicemail_message,
 * voicemail_policy, tools[], providers{}, warnings[]. *jsonp gets the whole agent. Each change of a setting (all but warnings) is kept as a version. */
int rlx_agent_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const json_t *fields, char **jsonp);
/* Changes only the fields that are present. */
int rlx_agent_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *agent_id, const json_t *fields, char **jsonp);
/* A new agent with the settings of another, and with its knowledge if wanted. name NULL: the old one and " (copy)". */
int rlx_agent_copy(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                   const char *agent_id, const char *name, bool knowledge, char **jsonp);
int rlx_agent_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                  const char *agent_id, char **jsonp);
/* Array of agents, each with call_count, avg_duration, last_used. */
int rlx_agents_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                    const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp);
/* Keeps the calls, with agent_id null. */
int rlx_agent_delete(struct rlx_store *store, const char *user_id, const char *agent_id);

/* ---- versions (agent_versions.c) ---- */

/* The settings of an agent object: what a version holds and a copy takes over. A new reference. */
json_t *rlx_agent_settings(const json_t *agent);
/* Newest first: [{version, changed[], created_at}]. `before`: only older versions (0 = from the newest); *nextp: where the
 * next page begins, 0 = none. */
int rlx_agent_versions(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *agent_id, int limit, int64_t before, char **jsonp,
                       int64_t *nextp, int64_t *totalp);
/* {agent_id, version, changed[], created_at, data{}}. */
int rlx_agent_version(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const char *agent_id, int64_t version, char **jsonp);

/* ---- statistics (agent_versions.c) ---- */

/* Compares call_count, avg_duration and last_used of all agents with their calls: *wrongp gets an array of those that
 * differ (100 at most), empty when all is well; the caller drops it. */
int rlx_agent_stats_check(struct rlx_store *store, json_t **wrongp);

#endif
