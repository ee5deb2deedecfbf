/* Users and their sessions. See store.h for results and threads. */
#ifndef RLX_STORE_USERS_H
#define RLX_STORE_USERS_H

#include "store/store.h"

/* Creates a user; password_hash is a bcrypt text. RLX_ECONFLICT when the e-mail is taken (compared
 * in lower case). */
int rlx_user_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *email,
                    const char *password_hash, const char *name, char **user_idp);
/* The same by an invitation (store/api_keys.h), which is used up: RLX_EFORBIDDEN when it is none for this address, was used or has
 * expired. */
int rlx_user_create_invited(struct rlx_store *store, TALLOC_CTX *ctx, const char *email,
                            const char *password_hash, const char *name, const char *code_sha256,
                            int64_t now_ms, char **user_idp);
/* By e-mail: {id, email, name, password_hash}. */
int rlx_user_by_email(struct rlx_store *store, TALLOC_CTX *ctx, const char *email, json_t **userp);
/* {id, email, name, phone, company, created_at} */
int rlx_user_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, char **jsonp);

/* Changes what `fields` names: name, phone, company (texts or null). */
int rlx_user_update(struct rlx_store *store, const char *user_id, const json_t *fields,
                    int64_t now_ms);
/* The hash of the password, on ctx. */
int rlx_user_password(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, char **hashp);
/* A new password, and the end of all sessions but the one of kept_sha256 (may be NULL). */
int rlx_user_password_set(struct rlx_store *store, const char *user_id, const char *password_hash,
                          const char *kept_sha256, int64_t now_ms);
/* The first account of a server is its administrator. */
int rlx_user_is_admin(struct rlx_store *store, const char *user_id, bool *adminp);
int rlx_user_id(struct rlx_store *store, TALLOC_CTX *ctx, const char *email, char **user_idp);

/* Refresh tokens are stored as SHA-256. expires_ms: wall clock. */
int rlx_session_create(struct rlx_store *store, const char *user_id, const char *token_sha256,
                       int64_t expires_ms);
/* The user of a token that is not expired, else RLX_EAUTH. */
int rlx_session_user(struct rlx_store *store, TALLOC_CTX *ctx, const char *token_sha256,
                     int64_t now_ms, char **user_idp);
/* Replaces the token by its successor (made by the caller, the same for the same token) in one
 * family. For 30 s the old one still yields the same successor; a later use of it revokes the whole
 * family: RLX_EAUTH. */
int rlx_session_rotate(struct rlx_store *store, TALLOC_CTX *ctx, const char *token_sha256,
                       const char *successor_sha256, int64_t now_ms, int64_t expires_ms,
                       char **user_idp);
/* Ends the token and its whole family. */
int rlx_session_delete(struct rlx_store *store, const char *token_sha256);
int rlx_sessions_expire(struct rlx_store *store, int64_t now_ms);

#endif
