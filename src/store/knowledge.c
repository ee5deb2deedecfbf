/* An agent's knowledge and its vectors. */
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "store/agents.h"
#include "store/db.h"

#define VECTOR_BYTES_MAX (64u << 20)

static int vectors_write(struct rlx_db *db, const char *knowledge_id, const float *vectors,
                         size_t count, size_t dim)
{
    if (!vectors || !count || !dim)
        return 0;
    if (count > VECTOR_BYTES_MAX / sizeof(float) / dim)
        return RLX_ETOOBIG;
    return RLX_RUN(db, RLX_Q_KNOWLEDGE_VECTORS_SET, NULL, NULL, NULL, RLX_TEXT(knowledge_id),
                   RLX_INT((int64_t)count), RLX_INT((int64_t)dim),
                   RLX_BLOB(vectors, count * dim * sizeof(float)));
}

int rlx_knowledge_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const json_t *fields, const float *vectors, size_t count, size_t dim,
                         char **jsonp)
{
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    char *text = rlx_json_text(ctx, fields, "{}");
    if (!text)
        return -ENOMEM;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_CREATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(user_id),
                  RLX_TEXT(text));
    if (!err && !rows)
        err = RLX_ENOTFOUND; /* no such agent of this user */
    if (!err)
        err = vectors_write(db, id, vectors, count, dim);
    struct rlx_text_out json = {.ctx = ctx};
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_GET, rlx_row_take_text, &json, NULL, RLX_TEXT(id));
    err = rlx_db_end(db, err);
    *jsonp = json.text;
out:
    talloc_free(text);
    return err;
}

int rlx_knowledge_set_vectors(struct rlx_store *store, const char *knowledge_id,
                              const float *vectors, size_t count, size_t dim)
{
    struct rlx_db *db;

    if (!store || !knowledge_id || !vectors)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, vectors_write(db, knowledge_id, vectors, count, dim));
}

int rlx_knowledge_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *knowledge_id,
                      char **jsonp)
{
    if (!store || !knowledge_id || !jsonp)
        return -EINVAL;
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_KNOWLEDGE_GET, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(knowledge_id));
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_knowledge_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *agent_id, int limit, const char *cursor, char **jsonp,
                       char **next_cursorp, int64_t *totalp)
{
    struct rlx_text_out agent = {.ctx = ctx};
    struct rlx_list_out list;
    struct rlx_db *db;

    if (!store || !user_id || !agent_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_check(&limit, cursor);
    if (!err)
        err = rlx_list_init(&list, ctx, limit);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_AGENT_GET, rlx_row_take_text, &agent, NULL, RLX_TEXT(agent_id),
                  RLX_TEXT(user_id));
    if (!err && !agent.text)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_LIST, rlx_row_take_item, &list, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(agent_id), RLX_TEXT(cursor), RLX_INT(limit + 1));
    if (!err && totalp)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_COUNT, rlx_row_take_int, totalp, NULL, RLX_TEXT(user_id),
                      RLX_TEXT(agent_id));
    err = rlx_db_end(db, err);
    talloc_free(agent.text);
    return err ? err : rlx_list_finish(&list, jsonp, next_cursorp);
}

int rlx_knowledge_delete(struct rlx_store *store, const char *user_id, const char *knowledge_id)
{
    int rows = 0;

    if (!store || !user_id || !knowledge_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_KNOWLEDGE_DELETE, NULL, NULL, &rows,
                       RLX_TEXT(knowledge_id), RLX_TEXT(user_id));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

/* ---- for a live call ---- */

struct load_out {
    TALLOC_CTX *ctx;
    struct rlx_knowledge_row *rows;
    size_t count;
};

static int take_questions(struct rlx_knowledge_row *row, TALLOC_CTX *ctx, const char *text)
{
    json_t *array = text ? json_loads(text, 0, NULL) : NULL;
    size_t count = json_array_size(array);

    row->questions = talloc_zero_size(ctx, (count + 1) * sizeof(char *));
    for (size_t i = 0, n = 0; row->questions && i < count; i++) {
        const char *question = json_string_value(json_array_get(array, i));
        if (question)
            row->questions[n++] = talloc_strdup(row->questions, question);
    }
    json_decref(array);
    return row->questions ? 0 : -ENOMEM;
}

static int take_vectors(struct rlx_knowledge_row *out, TALLOC_CTX *ctx, struct rlx_row *row)
{
    size_t length = 0;
    size_t count = (size_t)rlx_row_int(row, 5), dim = (size_t)rlx_row_int(row, 6);
    const void *bytes = rlx_row_blob(row, 7, &length);

    if (!bytes || !count || !dim || length != count * dim * sizeof(float))
        return 0;
    out->vectors = talloc_size(ctx, length);
    if (!out->vectors)
        return -ENOMEM;
    memcpy(out->vectors, bytes, length);
    out->vector_count = count;
    out->dim = dim;
    return 0;
}

static int take_knowledge(struct rlx_row *row, void *arg)
{
    struct load_out *out = arg;
    struct rlx_knowledge_row *rows =
        talloc_realloc_size(out->ctx, out->rows, (out->count + 1) * sizeof *rows);

    if (!rows)
        return -ENOMEM;
    out->rows = rows;
    struct rlx_knowledge_row *k = &rows[out->count];
    memset(k, 0, sizeof *k);
    k->id = talloc_strdup(rows, rlx_row_text(row, 0));
    k->title = talloc_strdup(rows, rlx_row_text(row, 1));
    k->content = talloc_strdup(rows, rlx_row_text(row, 2));
    k->source_type = talloc_strdup(rows, rlx_row_text(row, 3));
    int err = k->id && k->title && k->content && k->source_type ? 0 : -ENOMEM;
    if (!err)
        err = take_questions(k, rows, rlx_row_text(row, 4));
    if (!err)
        err = take_vectors(k, rows, row);
    if (!err)
        out->count++;
    return err;
}

int rlx_knowledge_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *agent_id,
                       struct rlx_knowledge_row **rowsp, size_t *countp)
{
    struct load_out out = {.ctx = ctx};

    if (!store || !agent_id || !rowsp || !countp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_KNOWLEDGE_LOAD, take_knowledge, &out, NULL,
                       RLX_TEXT(agent_id));
    if (err) {
        talloc_free(out.rows);
        return err;
    }
    *rowsp = out.rows;
    *countp = out.count;
    return 0;
}
