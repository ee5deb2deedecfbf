/* A user's own numbers, and which agent answers them. See store.h for results and threads. */
#ifndef RLX_STORE_PHONE_NUMBERS_H
#define RLX_STORE_PHONE_NUMBERS_H

#include "store/store.h"

/* fields: label, agent_id (each may be null). *jsonp gets {id, phone_number, label, agent_id, agent_name, created_at,
 * updated_at}. RLX_ECONFLICT when the user has the number already, RLX_ENOTFOUND when the agent is not the user's. */
int rlx_phone_number_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *phone_number, const json_t *fields, char **jsonp);
int rlx_phone_number_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *id, const json_t *fields, char **jsonp);
int rlx_phone_number_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *id, char **jsonp);
int rlx_phone_numbers_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                           const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp);
int rlx_phone_number_delete(struct rlx_store *store, const char *user_id, const char *id);

#endif
