#include "store/phone_numbers.h"

#include <errno.h>

#include "base/crypto.h"
#include "store/db.h"

static int read_number(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                       char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_PHONE_NUMBER_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(id),
                      RLX_TEXT(user_id));

    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

/* The agent must be the user's. */
static int check_agent(struct rlx_db *db, const char *user_id, const json_t *fields)
{
    const char *agent = json_string_value(json_object_get(fields, "agent_id"));
    int rows = 0;

    if (!agent)
        return 0;
    int err = RLX_RUN(db, RLX_Q_AGENT_GET, NULL, NULL, &rows, RLX_TEXT(agent), RLX_TEXT(user_id));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

static int write_number(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                        const json_t *fields, char **jsonp)
{
    char *text = rlx_json_text(NULL, fields, "{}");
    int rows = 0;
    int err = text ? check_agent(db, user_id, fields) : -ENOMEM;

    if (!err)
        err = RLX_RUN(db, RLX_Q_PHONE_NUMBER_UPDATE, NULL, NULL, &rows, RLX_TEXT(id),
                      RLX_TEXT(user_id), RLX_TEXT(text));
    talloc_free(text);
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    return err ? err : read_number(db, ctx, user_id, id, jsonp);
}

int rlx_phone_number_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *phone_number, const json_t *fields, char **jsonp)
{
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !phone_number || !jsonp)
        return -EINVAL;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_PHONE_NUMBER_CREATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(user_id),
                  RLX_TEXT(phone_number));
    if (!err && !rows)
        err = RLX_ECONFLICT;
    if (!err)
        err = write_number(db, ctx, user_id, id, fields, jsonp);
    return rlx_db_end(db, err);
}

int rlx_phone_number_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *id, const json_t *fields, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    return err ? err : rlx_db_end(db, write_number(db, ctx, user_id, id, fields, jsonp));
}

int rlx_phone_number_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *id, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    return err ? err : rlx_db_end(db, read_number(db, ctx, user_id, id, jsonp));
}

int rlx_phone_numbers_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                           const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp)
{
    return rlx_db_user_page(store, ctx, RLX_Q_PHONE_NUMBERS_LIST, RLX_Q_PHONE_NUMBERS_COUNT,
                            user_id, limit, cursor, jsonp, next_cursorp, totalp);
}

int rlx_phone_number_delete(struct rlx_store *store, const char *user_id, const char *id)
{
    return rlx_db_user_change(store, RLX_Q_PHONE_NUMBER_DELETE, id, user_id);
}
