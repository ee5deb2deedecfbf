/* Share links of calls: whoever has one sees the call until it expires. See store.h for results and threads. */
#ifndef RLX_STORE_SHARES_H
#define RLX_STORE_SHARES_H

#include "store/store.h"

/* Makes a link: *tokenp (on ctx) is told once and kept hashed. *jsonp gets {id, call_id, recording, views, created_at,
 * expires_at}. RLX_ENOTFOUND when the call is not the user's. */
int rlx_share_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *call_id, bool recording, int64_t expires_ms, char **tokenp,
                     char **jsonp);
int rlx_shares_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *call_id, int limit, const char *cursor, char **jsonp,
                    char **next_cursorp, int64_t *totalp);
int rlx_share_delete(struct rlx_store *store, const char *user_id, const char *call_id,
                     const char *share_id);
/* What a link shows, counted as a view: the call without its user, its ids and all but the last digits of its number.
 * RLX_ENOTFOUND when there is no such link, or no more. */
int rlx_share_open(struct rlx_store *store, TALLOC_CTX *ctx, const char *token, int64_t now_ms,
                   char **jsonp);
/* The recording that it lets hear, where one is. */
int rlx_share_recording(struct rlx_store *store, TALLOC_CTX *ctx, const char *token,
                        int64_t now_ms, char **pathp);
/* Forgets the expired ones. */
int rlx_shares_expire(struct rlx_store *store, int64_t now_ms);

#endif
