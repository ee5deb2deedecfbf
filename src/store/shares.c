#include "store/shares.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"

#define TOKEN_BYTES 32

int rlx_share_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *call_id, bool recording, int64_t expires_ms, char **tokenp,
                     char **jsonp)
{
    char id[RLX_UUID_TEXT], hex[RLX_SHA256_HEX], expires[RLX_TIME_TEXT];
    struct rlx_text_out out = {.ctx = ctx};
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !call_id || !tokenp || !jsonp)
        return -EINVAL;
    char *token = rlx_random_token(ctx, TOKEN_BYTES);
    if (!token)
        return -ENOMEM;
    rlx_uuid(id);
    rlx_sha256_hex(hex, token, strlen(token));
    rlx_time_text(expires, expires_ms);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_SHARE_CREATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(call_id),
                  RLX_TEXT(user_id), RLX_TEXT(hex), RLX_BOOL(recording), RLX_TEXT(expires));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_SHARE_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(id));
    err = rlx_db_end(db, err);
    *jsonp = out.text;
    *tokenp = token;
    return err;
}

int rlx_shares_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *call_id, int limit, const char *cursor, char **jsonp,
                    char **next_cursorp, int64_t *totalp)
{
    struct rlx_list_out list;
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !call_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_check(&limit, cursor);
    if (!err)
        err = rlx_list_init(&list, ctx, limit);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_CALL_OWNED, NULL, NULL, &rows, RLX_TEXT(call_id), RLX_TEXT(user_id));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_SHARES_LIST, rlx_row_take_item, &list, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(user_id), RLX_TEXT(cursor), RLX_INT(limit + 1));
    if (!err && totalp)
        err = RLX_RUN(db, RLX_Q_SHARES_COUNT, rlx_row_take_int, totalp, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(user_id));
    err = rlx_db_end(db, err);
    return err ? err : rlx_list_finish(&list, jsonp, next_cursorp);
}

int rlx_share_delete(struct rlx_store *store, const char *user_id, const char *call_id,
                     const char *share_id)
{
    int rows = 0;

    if (!store || !user_id || !call_id || !share_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_SHARE_DELETE, NULL, NULL, &rows,
                       RLX_TEXT(share_id), RLX_TEXT(call_id), RLX_TEXT(user_id));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

int rlx_share_open(struct rlx_store *store, TALLOC_CTX *ctx, const char *token, int64_t now_ms,
                   char **jsonp)
{
    char hex[RLX_SHA256_HEX], now[RLX_TIME_TEXT];
    struct rlx_text_out out = {.ctx = ctx};
    struct rlx_db *db;
    int rows = 0;

    if (!store || !token || !jsonp)
        return -EINVAL;
    rlx_sha256_hex(hex, token, strlen(token));
    rlx_time_text(now, now_ms);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_SHARE_VIEWED, NULL, NULL, &rows, RLX_TEXT(hex), RLX_TEXT(now));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_SHARE_OPEN, rlx_row_take_text, &out, NULL, RLX_TEXT(hex),
                      RLX_TEXT(now));
    err = rlx_db_end(db, err);
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_share_recording(struct rlx_store *store, TALLOC_CTX *ctx, const char *token, int64_t now_ms,
                        char **pathp)
{
    char hex[RLX_SHA256_HEX], now[RLX_TIME_TEXT];
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !token || !pathp)
        return -EINVAL;
    rlx_sha256_hex(hex, token, strlen(token));
    rlx_time_text(now, now_ms);
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_SHARE_RECORDING, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(hex), RLX_TEXT(now));
    *pathp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_shares_expire(struct rlx_store *store, int64_t now_ms)
{
    char now[RLX_TIME_TEXT];

    if (!store)
        return -EINVAL;
    rlx_time_text(now, now_ms);
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_SHARES_EXPIRE, NULL, NULL, NULL, RLX_TEXT(now));
}
