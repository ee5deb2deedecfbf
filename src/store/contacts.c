#include "store/contacts.h"

#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "store/db.h"

static int read_contact(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                        char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_CONTACT_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(id),
                      RLX_TEXT(user_id));

    if (!err && !out.text)
        err = RLX_ENOTFOUND;
    *jsonp = out.text;
    return err;
}

/* The contact's tags, or lists, become what the array says. */
static int set_tags(struct rlx_db *db, const char *id, const json_t *tags)
{
    char *text = rlx_json_text(NULL, tags, "[]");

    if (!text)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_CONTACT_TAGS_CLEAR, NULL, NULL, NULL, RLX_TEXT(id));
    if (!err)
        err = RLX_RUN(db, RLX_Q_CONTACT_TAGS_ADD, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(text));
    talloc_free(text);
    return err;
}

static int set_lists(struct rlx_db *db, const char *user_id, const char *id, const json_t *lists)
{
    char *text = rlx_json_text(NULL, lists, "[]");
    int64_t owned = 0;

    if (!text)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_CONTACT_LISTS_OWNED, rlx_row_take_int, &owned, NULL,
                      RLX_TEXT(user_id), RLX_TEXT(text));
    if (!err && (size_t)owned != json_array_size(lists))
        err = RLX_EINVAL;
    if (!err)
        err = RLX_RUN(db, RLX_Q_CONTACT_LISTS_CLEAR, NULL, NULL, NULL, RLX_TEXT(id));
    if (!err)
        err = RLX_RUN(db, RLX_Q_CONTACT_LISTS_JOIN, NULL, NULL, NULL, RLX_TEXT(id),
                      RLX_TEXT(user_id), RLX_TEXT(text));
    talloc_free(text);
    return err;
}

static int write_contact(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *id,
                         const json_t *fields, char **jsonp)
{
    const json_t *tags = json_object_get(fields, "tags");
    const json_t *lists = json_object_get(fields, "list_ids");
    char *text = rlx_json_text(NULL, fields, "{}");
    int rows = 0;

    if (!text)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_CONTACT_UPDATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(user_id),
                      RLX_TEXT(text));
    talloc_free(text);
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err && tags)
        err = set_tags(db, id, tags);
    if (!err && lists)
        err = set_lists(db, user_id, id, lists);
    return err ? err : read_contact(db, ctx, user_id, id, jsonp);
}

int rlx_contact_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const json_t *fields, char **jsonp)
{
    const char *number = json_string_value(json_object_get(fields, "phone_number"));
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    if (!number)
        return RLX_EINVAL;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_CONTACT_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(user_id),
                  RLX_TEXT(number));
    if (!err)
        err = write_contact(db, ctx, user_id, id, fields, jsonp);
    return rlx_db_end(db, err);
}

int rlx_contact_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *contact_id, const json_t *fields, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !contact_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, write_contact(db, ctx, user_id, contact_id, fields, jsonp));
}

int rlx_contact_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *contact_id, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !contact_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    return rlx_db_end(db, read_contact(db, ctx, user_id, contact_id, jsonp));
}

int rlx_contact_delete(struct rlx_store *store, const char *user_id, const char *contact_id)
{
    return rlx_db_user_change(store, RLX_Q_CONTACT_DELETE, contact_id, user_id);
}

/* The text to look for as the search column holds it: ASCII in small letters, as SQL's lower() of
 * both stores does. */
static int small_letters(char **smallp, TALLOC_CTX *ctx, const char *q)
{
    *smallp = NULL;
    if (!q || !*q)
        return 0;
    *smallp = talloc_strdup(ctx, q);
    for (char *p = *smallp; p && *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    }
    return *smallp ? 0 : -ENOMEM;
}

int rlx_contacts_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const struct rlx_contact_filter *filter, int limit, const char *cursor,
                      char **jsonp, char **next_cursorp, int64_t *totalp)
{
    static const struct rlx_contact_filter all;
    const struct rlx_contact_filter *f = filter ? filter : &all;
    struct rlx_list_out list;
    struct rlx_db *db;
    char *q = NULL;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_check(&limit, cursor);
    if (!err)
        err = small_letters(&q, ctx, f->q);
    if (!err)
        err = rlx_list_init(&list, ctx, limit);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_CONTACTS_LIST, rlx_row_take_item, &list, NULL, RLX_TEXT(user_id),
                  RLX_TEXT(f->list_id), RLX_TEXT(f->tag), RLX_TEXT(q), RLX_TEXT(cursor),
                  RLX_INT(limit + 1));
    if (!err && totalp)
        err = RLX_RUN(db, RLX_Q_CONTACTS_COUNT, rlx_row_take_int, totalp, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(f->list_id), RLX_TEXT(f->tag), RLX_TEXT(q));
    err = rlx_db_end(db, err);
    if (!err)
        err = rlx_list_finish(&list, jsonp, next_cursorp);
out:
    talloc_free(q);
    return err;
}

static int take_name(struct rlx_row *row, void *arg)
{
    return json_array_append_new(arg, json_string(rlx_row_text(row, 0))) ? -ENOMEM : 0;
}

int rlx_contacts_custom_names(struct rlx_store *store, const char *user_id,
                              const struct rlx_contact_filter *filter, json_t **namesp)
{
    static const struct rlx_contact_filter all;
    const struct rlx_contact_filter *f = filter ? filter : &all;
    char *q = NULL;

    if (!store || !user_id || !namesp)
        return -EINVAL;
    json_t *names = json_array();
    int err = names ? small_letters(&q, NULL, f->q) : -ENOMEM;
    if (!err)
        err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_CONTACTS_CUSTOM_NAMES, take_name, names, NULL,
                       RLX_TEXT(user_id), RLX_TEXT(f->list_id), RLX_TEXT(f->tag), RLX_TEXT(q));
    talloc_free(q);
    if (err)
        json_decref(names);
    else
        *namesp = names;
    return err;
}

/* ---- many at once ---- */

/* The rows with an id each, for those that are new. */
static char *with_ids(const json_t *rows)
{
    json_t *out = json_array(), *row;
    size_t i;

    json_array_foreach ((json_t *)rows, i, row) {
        char id[RLX_UUID_TEXT];
        json_t *copy = json_copy(row);
        rlx_uuid(id);
        if (!copy || json_object_set_new(copy, "id", json_string(id)) ||
            json_array_append_new(out, copy)) {
            json_decref(out);
            return NULL;
        }
    }
    char *text = out ? rlx_json_text(NULL, out, "[]") : NULL;
    json_decref(out);
    return text;
}

int rlx_contacts_import(struct rlx_store *store, const char *user_id, const json_t *rows,
                        const char *list_id, bool dry, int64_t *knownp)
{
    struct rlx_db *db;
    int64_t known = 0;

    if (!store || !user_id || !json_is_array(rows))
        return -EINVAL;
    char *text = with_ids(rows);
    int err = text ? rlx_db_begin(store, dry ? RLX_DB_READ : RLX_DB_WRITE, &db) : -ENOMEM;
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_CONTACTS_KNOWN, rlx_row_take_int, &known, NULL, RLX_TEXT(user_id),
                  RLX_TEXT(text));
    if (!err && !dry)
        err =
            RLX_RUN(db, RLX_Q_CONTACTS_IMPORT, NULL, NULL, NULL, RLX_TEXT(user_id), RLX_TEXT(text));
    if (!err && !dry)
        err = RLX_RUN(db, RLX_Q_CONTACTS_IMPORT_TAGS, NULL, NULL, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(text));
    if (!err && !dry && list_id)
        err = RLX_RUN(db, RLX_Q_CONTACTS_IMPORT_LIST, NULL, NULL, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(text), RLX_TEXT(list_id));
    err = rlx_db_end(db, err);
    if (!err && knownp)
        *knownp = known;
out:
    talloc_free(text);
    return err;
}
