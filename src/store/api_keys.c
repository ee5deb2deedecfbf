#include "store/api_keys.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"
#include "store/db_json.h"

#define USED_EVERY_MS 60000

json_t *rlx_json_time(int64_t wall_ms)
{
    char text[RLX_TIME_TEXT];

    if (!wall_ms)
        return json_null();
    rlx_time_text(text, wall_ms);
    return json_string(text);
}

static json_t *words(const char *text)
{
    json_t *array = json_array();

    for (const char *p = text; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        json_array_append_new(array, json_stringn(p, n));
        p += n;
    }
    return array;
}

static json_t *key_json(const char *id, const char *name, const char *prefix, const char *scopes,
                        const int64_t times_ms[4])
{
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o}", "id", id, "name", name, "prefix", prefix,
                     "scopes", words(scopes), "created_at", rlx_json_time(times_ms[0]),
                     "last_used_at", rlx_json_time(times_ms[1]), "expires_at",
                     rlx_json_time(times_ms[2]), "revoked_at", rlx_json_time(times_ms[3]));
}

int rlx_api_key_create(struct rlx_store *store, const char *user_id, const char *name,
                       const char *prefix, const char *key_sha256, const char *scopes,
                       int64_t now_ms, int64_t expires_ms, json_t **jsonp)
{
    char id[RLX_UUID_TEXT];
    int64_t count = 0;
    struct rlx_db *db;

    if (!store || !user_id || !name || !prefix || !key_sha256 || !scopes || !jsonp)
        return -EINVAL;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_API_KEYS_COUNT, rlx_row_take_int, &count, NULL, RLX_TEXT(user_id));
    if (!err && count >= RLX_API_KEYS_MAX)
        err = RLX_ELIMIT;
    if (!err)
        err = RLX_RUN(db, RLX_Q_API_KEY_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(user_id),
                      RLX_TEXT(name), RLX_TEXT(prefix), RLX_TEXT(key_sha256), RLX_TEXT(scopes),
                      RLX_INT(now_ms), expires_ms ? RLX_INT(expires_ms) : RLX_NULL);
    err = rlx_db_end(db, err);
    const int64_t times_ms[4] = {now_ms, 0, expires_ms, 0};
    if (!err && !(*jsonp = key_json(id, name, prefix, scopes, times_ms)))
        err = -ENOMEM;
    return err;
}

static int take_key(struct rlx_row *row, void *arg)
{
    const int64_t times_ms[4] = {rlx_row_int(row, 4), rlx_row_int(row, 5), rlx_row_int(row, 6),
                                 rlx_row_int(row, 7)};
    json_t *json = key_json(rlx_row_text(row, 0), rlx_row_text(row, 1), rlx_row_text(row, 2),
                            rlx_row_text(row, 3), times_ms);

    return json_array_append_new(arg, json) ? -ENOMEM : 0;
}

int rlx_api_keys_list(struct rlx_store *store, const char *user_id, json_t **jsonp)
{
    if (!store || !user_id || !jsonp)
        return -EINVAL;
    json_t *array = json_array();
    int err =
        RLX_ONCE(store, RLX_DB_READ, RLX_Q_API_KEYS_LIST, take_key, array, NULL, RLX_TEXT(user_id));
    if (err)
        json_decref(array);
    else
        *jsonp = array;
    return err;
}

int rlx_api_key_revoke(struct rlx_store *store, const char *user_id, const char *key_id,
                       int64_t now_ms)
{
    int rows = 0;

    if (!store || !user_id || !key_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_API_KEY_REVOKE, NULL, NULL, &rows,
                       RLX_TEXT(user_id), RLX_TEXT(key_id), RLX_INT(now_ms));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

struct key {
    TALLOC_CTX *ctx;
    char id[37], user_id[37], *scopes;
    int64_t last_used_ms;
};

static void copy_id(char to[37], const char *from)
{
    size_t length = strnlen(from, 36);

    memcpy(to, from, length);
    to[length] = '\0';
}

static int take_found(struct rlx_row *row, void *arg)
{
    struct key *key = arg;

    copy_id(key->id, rlx_row_text(row, 0));
    copy_id(key->user_id, rlx_row_text(row, 1));
    key->scopes = talloc_strdup(key->ctx, rlx_row_text(row, 2));
    key->last_used_ms = rlx_row_int(row, 3);
    return key->scopes ? 0 : -ENOMEM;
}

int rlx_api_key_use(struct rlx_store *store, TALLOC_CTX *ctx, const char *key_sha256,
                    int64_t now_ms, char user_id[37], char **scopesp)
{
    struct key key = {.ctx = ctx};

    if (!store || !key_sha256 || !user_id || !scopesp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_API_KEY_FIND, take_found, &key, NULL,
                       RLX_TEXT(key_sha256), RLX_INT(now_ms));
    if (!err && !key.id[0])
        err = RLX_EAUTH;
    if (err)
        return err;
    /* When that can't be written the key counts all the same. */
    if (now_ms - key.last_used_ms >= USED_EVERY_MS &&
        RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_API_KEY_USED, NULL, NULL, NULL, RLX_TEXT(key.id),
                 RLX_INT(now_ms)))
        key.last_used_ms = 0;
    copy_id(user_id, key.user_id);
    *scopesp = key.scopes;
    return 0;
}

/* ---- tickets ---- */

int rlx_ticket_create(struct rlx_store *store, const char *user_id, const char *ticket_sha256,
                      const char *path, int64_t expires_ms)
{
    if (!store || !user_id || !ticket_sha256 || !path)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_TICKET_CREATE, NULL, NULL, NULL,
                    RLX_TEXT(ticket_sha256), RLX_TEXT(user_id), RLX_TEXT(path),
                    RLX_INT(expires_ms));
}

struct ticket {
    const char *path;
    int64_t now_ms;
    char user_id[37];
};

static int take_ticket(struct rlx_row *row, void *arg)
{
    struct ticket *ticket = arg;

    if (!strcmp(rlx_row_text(row, 1), ticket->path) && rlx_row_int(row, 2) > ticket->now_ms)
        copy_id(ticket->user_id, rlx_row_text(row, 0));
    return 0;
}

int rlx_ticket_use(struct rlx_store *store, const char *ticket_sha256, const char *path,
                   int64_t now_ms, char user_id[37])
{
    struct ticket ticket = {.path = path, .now_ms = now_ms};

    if (!store || !ticket_sha256 || !path || !user_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_TICKET_TAKE, take_ticket, &ticket, NULL,
                       RLX_TEXT(ticket_sha256));
    if (!err && !ticket.user_id[0])
        err = RLX_EAUTH;
    if (!err)
        copy_id(user_id, ticket.user_id);
    return err;
}

/* ---- invites ---- */

int rlx_invite_create(struct rlx_store *store, const char *code_sha256, const char *email,
                      const char *created_by, int64_t now_ms, int64_t expires_ms)
{
    char id[RLX_UUID_TEXT];

    if (!store || !code_sha256)
        return -EINVAL;
    rlx_uuid(id);
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_INVITE_CREATE, NULL, NULL, NULL, RLX_TEXT(id),
                    RLX_TEXT(code_sha256), RLX_TEXT(email), RLX_TEXT(created_by), RLX_INT(now_ms),
                    RLX_INT(expires_ms));
}

int rlx_accounts_expire(struct rlx_store *store, int64_t now_ms)
{
    static const enum rlx_query queries[] = {RLX_Q_SESSIONS_EXPIRE, RLX_Q_TICKETS_EXPIRE,
                                             RLX_Q_INVITES_EXPIRE};
    int err = store ? 0 : -EINVAL;

    for (size_t i = 0; !err && i < sizeof queries / sizeof queries[0]; i++)
        err = RLX_ONCE(store, RLX_DB_WRITE, queries[i], NULL, NULL, NULL, RLX_INT(now_ms));
    return err;
}
