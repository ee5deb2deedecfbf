#include "store/users.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"

#define ROTATE_GRACE_MS 30000

static int create(struct rlx_store *store, TALLOC_CTX *ctx, const char *email,
                  const char *password_hash, const char *name, const char *code_sha256,
                  int64_t now_ms, char **user_idp)
{
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;
    int rows = 1;

    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = rlx_db_lock(db, "first user"); /* two that come at once must not both be the first */
    if (!err && code_sha256)
        err = RLX_RUN(db, RLX_Q_INVITE_USE, NULL, NULL, &rows, RLX_TEXT(code_sha256),
                      RLX_TEXT(email), RLX_INT(now_ms));
    if (!err && !rows)
        err = RLX_EFORBIDDEN;
    if (!err)
        err = RLX_RUN(db, RLX_Q_USER_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(email),
                      RLX_TEXT(password_hash), RLX_TEXT(name));
    if (!err)
        err = RLX_RUN(db, RLX_Q_USER_ROLE_FIRST, NULL, NULL, NULL, RLX_TEXT(id));
    err = rlx_db_end(db, err);
    if (!err && user_idp && !(*user_idp = talloc_strdup(ctx, id)))
        err = -ENOMEM;
    return err;
}

int rlx_user_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *email,
                    const char *password_hash, const char *name, char **user_idp)
{
    if (!store || !email || !password_hash)
        return -EINVAL;
    return create(store, ctx, email, password_hash, name, NULL, 0, user_idp);
}

int rlx_user_create_invited(struct rlx_store *store, TALLOC_CTX *ctx, const char *email,
                            const char *password_hash, const char *name, const char *code_sha256,
                            int64_t now_ms, char **user_idp)
{
    if (!store || !email || !password_hash || !code_sha256)
        return -EINVAL;
    return create(store, ctx, email, password_hash, name, code_sha256, now_ms, user_idp);
}

int rlx_user_by_email(struct rlx_store *store, TALLOC_CTX *ctx, const char *email, json_t **userp)
{
    if (!store || !email || !userp)
        return -EINVAL;
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_USER_BY_EMAIL, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(email));
    if (!err && !out.text)
        err = RLX_ENOTFOUND;
    if (!err && !(*userp = json_loads(out.text, 0, NULL)))
        err = -ENOMEM;
    talloc_free(out.text);
    return err;
}

int rlx_user_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, char **jsonp)
{
    if (!store || !user_id || !jsonp)
        return -EINVAL;
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_USER_GET, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(user_id));
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

static const char *field_of(const json_t *fields, const char *name, int64_t *givenp)
{
    const json_t *value = json_object_get(fields, name);

    *givenp = value ? 1 : 0;
    return json_string_value(value);
}

int rlx_user_update(struct rlx_store *store, const char *user_id, const json_t *fields,
                    int64_t now_ms)
{
    char now[RLX_TIME_TEXT];
    int64_t given[3];
    int rows = 0;

    if (!store || !user_id || !fields)
        return -EINVAL;
    rlx_time_text(now, now_ms);
    const char *name = field_of(fields, "name", &given[0]);
    const char *phone = field_of(fields, "phone", &given[1]);
    const char *company = field_of(fields, "company", &given[2]);
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_USER_UPDATE, NULL, NULL, &rows, RLX_TEXT(user_id),
                       RLX_INT(given[0]), RLX_TEXT(name), RLX_INT(given[1]), RLX_TEXT(phone),
                       RLX_INT(given[2]), RLX_TEXT(company), RLX_TEXT(now));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

static int one_text(struct rlx_store *store, TALLOC_CTX *ctx, enum rlx_query query,
                    const char *parameter, char **textp)
{
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !parameter || !textp)
        return -EINVAL;
    int err =
        RLX_ONCE(store, RLX_DB_READ, query, rlx_row_take_text, &out, NULL, RLX_TEXT(parameter));
    *textp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_user_password(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, char **hashp)
{
    return one_text(store, ctx, RLX_Q_USER_PASSWORD_GET, user_id, hashp);
}

int rlx_user_password_set(struct rlx_store *store, const char *user_id, const char *password_hash,
                          const char *kept_sha256, int64_t now_ms)
{
    char now[RLX_TIME_TEXT];
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !password_hash)
        return -EINVAL;
    rlx_time_text(now, now_ms);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_USER_PASSWORD_SET, NULL, NULL, &rows, RLX_TEXT(user_id),
                  RLX_TEXT(password_hash), RLX_TEXT(now));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_SESSIONS_END, NULL, NULL, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(kept_sha256));
    return rlx_db_end(db, err);
}

int rlx_user_is_admin(struct rlx_store *store, const char *user_id, bool *adminp)
{
    char *role = NULL;

    if (!adminp)
        return -EINVAL;
    int err = one_text(store, NULL, RLX_Q_USER_ROLE, user_id, &role);
    *adminp = role && !strcmp(role, "admin");
    talloc_free(role);
    return err;
}

int rlx_user_id(struct rlx_store *store, TALLOC_CTX *ctx, const char *email, char **user_idp)
{
    return one_text(store, ctx, RLX_Q_USER_ID_BY_EMAIL, email, user_idp);
}

/* ---- sessions ---- */

static int session_insert(struct rlx_db *db, const char *user_id, const char *token_sha256,
                          int64_t expires_ms, const char *family)
{
    char id[RLX_UUID_TEXT], expires[RLX_TIME_TEXT];

    rlx_uuid(id);
    rlx_time_text(expires, expires_ms);
    return RLX_RUN(db, RLX_Q_SESSION_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(user_id),
                   RLX_TEXT(token_sha256), RLX_TEXT(expires), RLX_INT(expires_ms),
                   RLX_TEXT(family));
}

int rlx_session_create(struct rlx_store *store, const char *user_id, const char *token_sha256,
                       int64_t expires_ms)
{
    struct rlx_db *db;

    if (!store || !user_id || !token_sha256)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, session_insert(db, user_id, token_sha256, expires_ms, NULL));
}

struct session {
    char user_id[37], family[37];
    int64_t replaced_ms;
    bool found;
};

static int take_session(struct rlx_row *row, void *arg)
{
    struct session *session = arg;

    memccpy(session->user_id, rlx_row_text(row, 0), 0, sizeof session->user_id);
    memccpy(session->family, rlx_row_text(row, 1), 0, sizeof session->family);
    session->replaced_ms = rlx_row_int(row, 2);
    session->found = true;
    return 0;
}

/* Finds a token that still counts. One that was replaced longer than the grace ago is stolen or
 * replayed: its whole family is revoked, and *revokedp says that the transaction must be kept
 * although the result is RLX_EAUTH. */
static int session_check(struct rlx_db *db, const char *token_sha256, int64_t now_ms,
                         struct session *session, bool *revokedp)
{
    int err = RLX_RUN(db, RLX_Q_SESSION_GET, take_session, session, NULL, RLX_TEXT(token_sha256),
                      RLX_INT(now_ms));

    if (err)
        return err;
    if (!session->found)
        return RLX_EAUTH;
    if (session->replaced_ms && now_ms > session->replaced_ms + ROTATE_GRACE_MS) {
        *revokedp = true;
        return RLX_RUN(db, RLX_Q_SESSION_REVOKE_FAMILY, NULL, NULL, NULL,
                       RLX_TEXT(session->family));
    }
    return 0;
}

static int session_step(struct rlx_store *store, TALLOC_CTX *ctx, const char *token_sha256,
                        const char *successor_sha256, int64_t now_ms, int64_t expires_ms,
                        char **user_idp)
{
    struct session session = {0};
    struct rlx_db *db;
    bool revoked = false;
    int there = 0;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);

    if (err)
        return err;
    err = session_check(db, token_sha256, now_ms, &session, &revoked);
    if (!err && !revoked && successor_sha256) {
        err = RLX_RUN(db, RLX_Q_SESSION_EXISTS, NULL, NULL, &there, RLX_TEXT(successor_sha256));
        if (!err && !session.replaced_ms)
            err = RLX_RUN(db, RLX_Q_SESSION_REPLACE, NULL, NULL, NULL, RLX_TEXT(token_sha256),
                          RLX_INT(now_ms));
        if (!err && !there)
            err = session_insert(db, session.user_id, successor_sha256, expires_ms, session.family);
    }
    err = rlx_db_end(db, err);
    if (!err && revoked)
        err = RLX_EAUTH;
    if (!err && !(*user_idp = talloc_strdup(ctx, session.user_id)))
        err = -ENOMEM;
    return err;
}

int rlx_session_user(struct rlx_store *store, TALLOC_CTX *ctx, const char *token_sha256,
                     int64_t now_ms, char **user_idp)
{
    if (!store || !token_sha256 || !user_idp)
        return -EINVAL;
    return session_step(store, ctx, token_sha256, NULL, now_ms, 0, user_idp);
}

int rlx_session_rotate(struct rlx_store *store, TALLOC_CTX *ctx, const char *token_sha256,
                       const char *successor_sha256, int64_t now_ms, int64_t expires_ms,
                       char **user_idp)
{
    if (!store || !token_sha256 || !successor_sha256 || !user_idp)
        return -EINVAL;
    return session_step(store, ctx, token_sha256, successor_sha256, now_ms, expires_ms, user_idp);
}

int rlx_session_delete(struct rlx_store *store, const char *token_sha256)
{
    if (!store || !token_sha256)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_SESSION_DELETE, NULL, NULL, NULL,
                    RLX_TEXT(token_sha256));
}

int rlx_sessions_expire(struct rlx_store *store, int64_t now_ms)
{
    if (!store)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_SESSIONS_EXPIRE, NULL, NULL, NULL, RLX_INT(now_ms));
}
