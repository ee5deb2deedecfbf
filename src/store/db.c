#include "store/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"

#define LIST_MAX (32u << 20)

const char *rlx_row_text(struct rlx_row *row, int column)
{
    return row->backend->column_text(row, column);
}

int64_t rlx_row_int(struct rlx_row *row, int column)
{
    return row->backend->column_int(row, column);
}

const void *rlx_row_blob(struct rlx_row *row, int column, size_t *lengthp)
{
    return row->backend->column_blob(row, column, lengthp);
}

int rlx_row_take_text(struct rlx_row *row, void *arg)
{
    struct rlx_text_out *out = arg;
    const char *text = rlx_row_text(row, 0);

    talloc_free(out->text);
    out->text = text ? talloc_strdup(out->ctx, text) : NULL;
    return text && !out->text ? -ENOMEM : 0;
}

int rlx_row_take_int(struct rlx_row *row, void *arg)
{
    *(int64_t *)arg = rlx_row_int(row, 0);
    return 0;
}

int rlx_list_init(struct rlx_list_out *list, TALLOC_CTX *ctx, int limit)
{
    *list = (struct rlx_list_out){.ctx = ctx, .limit = limit, .capacity = 1024, .length = 1};
    list->json = talloc_size(ctx, list->capacity);
    if (!list->json)
        return -ENOMEM;
    list->json[0] = '[';
    return 0;
}

static int list_reserve(struct rlx_list_out *list, size_t more)
{
    size_t capacity = list->capacity;

    while (capacity < list->length + more)
        capacity *= 2;
    if (capacity > LIST_MAX)
        return RLX_ETOOBIG;
    if (capacity != list->capacity) {
        char *bigger = talloc_realloc_size(list->ctx, list->json, capacity);
        if (!bigger)
            return -ENOMEM;
        list->json = bigger;
        list->capacity = capacity;
    }
    return 0;
}

int rlx_row_take_item(struct rlx_row *row, void *arg)
{
    struct rlx_list_out *list = arg;
    const char *id = rlx_row_text(row, 0), *json = rlx_row_text(row, 1);

    if (list->count == list->limit) { /* the row beyond the page */
        memcpy(list->next_id, list->last_id, sizeof list->next_id);
        return 0;
    }
    size_t length = strlen(json);
    int err = list_reserve(list, length + 3);
    if (err)
        return err;
    if (list->count++)
        list->json[list->length++] = ',';
    memcpy(list->json + list->length, json, length);
    list->length += length;
    size_t id_length = strnlen(id, sizeof list->last_id - 1);
    memcpy(list->last_id, id, id_length);
    list->last_id[id_length] = '\0';
    return 0;
}

int rlx_list_finish(struct rlx_list_out *list, char **jsonp, char **next_cursorp)
{
    int err = list_reserve(list, 2);

    if (err)
        return err;
    list->json[list->length++] = ']';
    list->json[list->length] = '\0';
    if (next_cursorp) {
        *next_cursorp = list->next_id[0] ? talloc_strdup(list->ctx, list->next_id) : NULL;
        if (list->next_id[0] && !*next_cursorp)
            return -ENOMEM;
    }
    if (jsonp)
        *jsonp = list->json;
    return 0;
}

bool rlx_list_is_all(const struct rlx_list_out *list, const char *cursor, int64_t *totalp)
{
    if (cursor || list->next_id[0])
        return false;
    *totalp = list->count;
    return true;
}

int rlx_list_check(int *limitp, const char *cursor)
{
    if (*limitp < 0 || *limitp > 200)
        return RLX_EINVAL;
    if (!*limitp)
        *limitp = 200;
    return cursor && !rlx_uuid_valid(cursor) ? RLX_EINVAL : 0;
}

int rlx_db_user_page(struct rlx_store *store, TALLOC_CTX *ctx, enum rlx_query list,
                     enum rlx_query count, const char *user_id, int limit, const char *cursor,
                     char **jsonp, char **next_cursorp, int64_t *totalp)
{
    struct rlx_list_out out;
    struct rlx_db *db;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_check(&limit, cursor);
    if (!err)
        err = rlx_list_init(&out, ctx, limit);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, list, rlx_row_take_item, &out, NULL, RLX_TEXT(user_id), RLX_TEXT(cursor),
                  RLX_INT(limit + 1));
    if (!err && totalp && !rlx_list_is_all(&out, cursor, totalp))
        err = RLX_RUN(db, count, rlx_row_take_int, totalp, NULL, RLX_TEXT(user_id));
    err = rlx_db_end(db, err);
    return err ? err : rlx_list_finish(&out, jsonp, next_cursorp);
}

int rlx_db_user_change(struct rlx_store *store, enum rlx_query query, const char *id,
                       const char *user_id)
{
    int rows = 0;

    if (!store || !id || !user_id)
        return -EINVAL;
    int err =
        RLX_ONCE(store, RLX_DB_WRITE, query, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(user_id));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

char *rlx_json_text(TALLOC_CTX *ctx, const json_t *json, const char *fallback)
{
    if (!json)
        return talloc_strdup(ctx, fallback);
    char *dump = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = dump ? talloc_strdup(ctx, dump) : NULL;
    free(dump);
    return text;
}

int rlx_db_event(struct rlx_db *db, const char *call_id, const char *kind, const char *data_json,
                 int64_t at_ms)
{
    char at[RLX_TIME_TEXT];

    rlx_time_text(at, at_ms);
    int err = RLX_RUN(db, RLX_Q_EVENT_ADD, NULL, NULL, NULL, RLX_TEXT(call_id), RLX_TEXT(kind),
                      RLX_TEXT(data_json ? data_json : "{}"), RLX_TEXT(at));
    return err ? err : rlx_db_webhooks_on_event(db, call_id, kind, data_json);
}
