/* Lists of contacts, and numbers that must not be called. */
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "store/contacts.h"
#include "store/db.h"

static int read_list(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                     char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_CONTACT_LIST_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(id),
                      RLX_TEXT(user_id));

    if (!err && !out.text)
        err = RLX_ENOTFOUND;
    *jsonp = out.text;
    return err;
}

int rlx_contact_list_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const json_t *fields, char **jsonp)
{
    const char *name = json_string_value(json_object_get(fields, "name"));
    const char *description = json_string_value(json_object_get(fields, "description"));
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    if (!name)
        return RLX_EINVAL;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_CONTACT_LIST_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(user_id),
                  RLX_TEXT(name), RLX_TEXT(description));
    if (!err)
        err = read_list(db, ctx, user_id, id, jsonp);
    return rlx_db_end(db, err);
}

int rlx_contact_list_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *list_id, const json_t *fields, char **jsonp)
{
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !list_id || !jsonp)
        return -EINVAL;
    char *text = rlx_json_text(NULL, fields, "{}");
    int err = text ? rlx_db_begin(store, RLX_DB_WRITE, &db) : -ENOMEM;
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_CONTACT_LIST_UPDATE, NULL, NULL, &rows, RLX_TEXT(list_id),
                  RLX_TEXT(user_id), RLX_TEXT(text));
    if (!err)
        err = rows ? read_list(db, ctx, user_id, list_id, jsonp) : RLX_ENOTFOUND;
    err = rlx_db_end(db, err);
out:
    talloc_free(text);
    return err;
}

int rlx_contact_list_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *list_id, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !list_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    return rlx_db_end(db, read_list(db, ctx, user_id, list_id, jsonp));
}

int rlx_contact_list_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                          const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp)
{
    return rlx_db_user_page(store, ctx, RLX_Q_CONTACT_LIST_LIST, RLX_Q_CONTACT_LIST_COUNT, user_id,
                            limit, cursor, jsonp, next_cursorp, totalp);
}

int rlx_contact_list_delete(struct rlx_store *store, const char *user_id, const char *list_id)
{
    return rlx_db_user_change(store, RLX_Q_CONTACT_LIST_DELETE, list_id, user_id);
}

static int change(struct rlx_db *db, const char *user_id, const char *list_id, const json_t *ids,
                  bool add)
{
    char *text = rlx_json_text(NULL, ids, "[]");

    if (!text)
        return -ENOMEM;
    int err = add ? RLX_RUN(db, RLX_Q_CONTACT_LIST_ADD, NULL, NULL, NULL, RLX_TEXT(list_id),
                            RLX_TEXT(user_id), RLX_TEXT(text))
                  : RLX_RUN(db, RLX_Q_CONTACT_LIST_REMOVE, NULL, NULL, NULL, RLX_TEXT(list_id),
                            RLX_TEXT(text));
    talloc_free(text);
    return err;
}

int rlx_contact_list_change(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                            const char *list_id, const json_t *add, const json_t *remove,
                            char **jsonp)
{
    char *before = NULL;
    struct rlx_db *db;

    if (!store || !user_id || !list_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = read_list(db, ctx, user_id, list_id, &before); /* is it the user's? */
    talloc_free(before);
    if (!err && remove)
        err = change(db, user_id, list_id, remove, false);
    if (!err && add)
        err = change(db, user_id, list_id, add, true);
    if (!err)
        err = read_list(db, ctx, user_id, list_id, jsonp);
    return rlx_db_end(db, err);
}

/* ---- do not call ---- */

int rlx_dnc_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                 const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp)
{
    struct rlx_list_out list;
    struct rlx_db *db;
    char after[24];

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    snprintf(after, sizeof after, "+%s", cursor ? cursor : "");
    int err = rlx_list_check(&limit, NULL);
    if (!err)
        err = rlx_list_init(&list, ctx, limit);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_DNC_LIST, rlx_row_take_item, &list, NULL, RLX_TEXT(user_id),
                  RLX_TEXT(after), RLX_INT(limit + 1));
    if (!err && totalp)
        err = RLX_RUN(db, RLX_Q_DNC_COUNT, rlx_row_take_int, totalp, NULL, RLX_TEXT(user_id));
    err = rlx_db_end(db, err);
    return err ? err : rlx_list_finish(&list, jsonp, next_cursorp);
}

int rlx_dnc_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                const char *phone_number, char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !user_id || !phone_number || !jsonp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_DNC_GET, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(user_id), RLX_TEXT(phone_number));
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_dnc_add_many(struct rlx_store *store, const char *user_id, const json_t *numbers,
                     const char *source, int64_t *addedp)
{
    int rows = 0;

    if (!store || !user_id || !json_is_array(numbers) || !source)
        return -EINVAL;
    char *text = rlx_json_text(NULL, numbers, "[]");
    if (!text)
        return -ENOMEM;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_DNC_ADD_MANY, NULL, NULL, &rows,
                       RLX_TEXT(user_id), RLX_TEXT(text), RLX_TEXT(source));
    talloc_free(text);
    if (!err && addedp)
        *addedp = rows;
    return err;
}

int rlx_dnc_delete(struct rlx_store *store, const char *user_id, const char *phone_number)
{
    int rows = 0;

    if (!store || !user_id || !phone_number)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_DNC_DELETE, NULL, NULL, &rows, RLX_TEXT(user_id),
                       RLX_TEXT(phone_number));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}
