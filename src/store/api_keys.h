/* API keys, tickets and invites: what opens the door besides a password. Secrets come in as SHA-256, in hex. See store.h for
 * results and threads. */
#ifndef RLX_STORE_API_KEYS_H
#define RLX_STORE_API_KEYS_H

#include "store/store.h"

#define RLX_API_KEYS_MAX 100 /* of a user, not revoked */

/* Adds a key: prefix is what may be shown of it, scopes are separated by spaces, expires_ms 0 = never. *jsonp: {id, name,
 * prefix, scopes[], created_at, last_used_at, expires_at, revoked_at}, the caller drops it. RLX_ELIMIT when the user has
 * RLX_API_KEYS_MAX. */
int rlx_api_key_create(struct rlx_store *store, const char *user_id, const char *name,
                       const char *prefix, const char *key_sha256, const char *scopes,
                       int64_t now_ms, int64_t expires_ms, json_t **jsonp);
/* All keys, newest first, also those that were revoked (at most 200). */
int rlx_api_keys_list(struct rlx_store *store, const char *user_id, json_t **jsonp);
int rlx_api_key_revoke(struct rlx_store *store, const char *user_id, const char *key_id,
                       int64_t now_ms);
/* The user and the scopes (on ctx) of a key that counts now, else RLX_EAUTH. Its last use is written at most once a
 * minute. */
int rlx_api_key_use(struct rlx_store *store, TALLOC_CTX *ctx, const char *key_sha256,
                    int64_t now_ms, char user_id[37], char **scopesp);

/* A ticket for one request to a path. */
int rlx_ticket_create(struct rlx_store *store, const char *user_id, const char *ticket_sha256,
                      const char *path, int64_t expires_ms);
/* Takes it, whatever the result: RLX_EAUTH when there is none, it has expired or is for another path. */
int rlx_ticket_use(struct rlx_store *store, const char *ticket_sha256, const char *path,
                   int64_t now_ms, char user_id[37]);

/* An invitation to sign up; email (may be NULL) binds it to an address, created_by may be NULL. */
int rlx_invite_create(struct rlx_store *store, const char *code_sha256, const char *email,
                      const char *created_by, int64_t now_ms, int64_t expires_ms);

/* Removes what has expired: sessions, tickets, invites. */
int rlx_accounts_expire(struct rlx_store *store, int64_t now_ms);

#endif
