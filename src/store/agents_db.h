/* What agents keep inside of other verbs' transactions. Private to src/store. */
#ifndef RLX_STORE_AGENTS_DB_H
#define RLX_STORE_AGENTS_DB_H

#include "store/db.h"

/* True when a setting differs between two agents as JSON text. */
bool rlx_agent_differs(const char *before, const char *after);
/* Keeps an agent (JSON text) as the version that it is. `before` (NULL for a new one) is kept too when its version is not there
 * yet, and tells what has changed. */
int rlx_db_agent_version(struct rlx_db *db, const char *before, const char *after)
    __attribute__((warn_unused_result));

/* Gives the entries of one agent to another too, with their chunks and vectors; those that have none yet get a job. */
int rlx_db_knowledge_copy(struct rlx_db *db, const char *user_id, const char *from_agent,
                          const char *to_agent) __attribute__((warn_unused_result));

/* The agent's statistics, when a call has begun, has ended (also again, with another duration), and before it is removed. */
int rlx_db_stats_begin(struct rlx_db *db, const char *call_id) __attribute__((warn_unused_result));
int rlx_db_stats_end(struct rlx_db *db, const char *call_id) __attribute__((warn_unused_result));
int rlx_db_stats_remove(struct rlx_db *db, const char *call_id) __attribute__((warn_unused_result));

#endif
