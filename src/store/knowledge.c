/* An agent's knowledge: its entries, their chunks and vectors. */
#include "store/knowledge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/db.h"
#include "store/search_words.h"

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

static int chunks_write(struct rlx_db *db, const char *knowledge_id, char *const *chunks,
                        size_t count)
{
    int64_t total = 0;

    if (!count)
        return 0;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, json_string(chunks[i]))) {
            json_decref(array);
            return RLX_EINVAL;
        }
    char *text = rlx_json_text(NULL, array, "[]");
    json_decref(array);
    if (!text)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_KNOWLEDGE_CHUNKS_ADD, NULL, NULL, NULL, RLX_TEXT(knowledge_id),
                      RLX_TEXT(text));
    talloc_free(text);
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_CHUNKS_COUNT, rlx_row_take_int, &total, NULL,
                      RLX_TEXT(knowledge_id));
    return err ? err : total > RLX_KNOWLEDGE_CHUNKS_MAX ? RLX_ETOOBIG : 0;
}

/* A job for each revision: an entry that changes again while the job runs gets another one. */
static int embed_later(struct rlx_db *db, const char *knowledge_id)
{
    char job_id[RLX_UUID_TEXT], key[96], payload[96];
    int64_t revision = 0;

    int err = RLX_RUN(db, RLX_Q_KNOWLEDGE_REVISION, rlx_row_take_int, &revision, NULL,
                      RLX_TEXT(knowledge_id));
    if (err)
        return err;
    rlx_uuid(job_id);
    snprintf(key, sizeof key, "embed:%s:%lld", knowledge_id, (long long)revision);
    snprintf(payload, sizeof payload, "{\"knowledge_id\":\"%s\"}", knowledge_id);
    return RLX_RUN(db, RLX_Q_JOB_AGAIN, NULL, NULL, NULL, RLX_TEXT(job_id), RLX_TEXT("embed"),
                   RLX_TEXT(key), RLX_TEXT(payload), RLX_INT(rlx_wall_ms()));
}

static int parts_write(struct rlx_db *db, const char *knowledge_id,
                       const struct rlx_knowledge_parts *parts)
{
    int err = chunks_write(db, knowledge_id, parts->chunks, parts->chunk_count);

    if (!err)
        err = parts->vectors
                  ? vectors_write(db, knowledge_id, parts->vectors, parts->vector_count, parts->dim)
                  : embed_later(db, knowledge_id);
    return err;
}

int rlx_knowledge_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const json_t *fields, const struct rlx_knowledge_parts *parts,
                         char **jsonp)
{
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !parts || !jsonp)
        return -EINVAL;
    char *text = rlx_json_text(ctx, fields, "{}");
    if (!text)
        return -ENOMEM;
    rlx_uuid(id);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_CREATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(user_id),
                  RLX_TEXT(text), RLX_INT(rlx_wall_ms()));
    if (!err && !rows)
        err = RLX_ENOTFOUND; /* no such agent of this user */
    if (!err)
        err = parts_write(db, id, parts);
    struct rlx_text_out json = {.ctx = ctx};
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_GET, rlx_row_take_text, &json, NULL, RLX_TEXT(id),
                      RLX_TEXT(user_id));
    err = rlx_db_end(db, err);
    *jsonp = json.text;
out:
    talloc_free(text);
    return err;
}

int rlx_knowledge_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *knowledge_id, const json_t *fields,
                         const struct rlx_knowledge_parts *parts, char **jsonp)
{
    struct rlx_text_out json = {.ctx = ctx};
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !knowledge_id || !parts || !jsonp)
        return -EINVAL;
    char *text = rlx_json_text(ctx, fields, "{}");
    if (!text)
        return -ENOMEM;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        goto out;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_UPDATE, NULL, NULL, &rows, RLX_TEXT(knowledge_id),
                  RLX_TEXT(user_id), RLX_TEXT(text));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_CHUNKS_CLEAR, NULL, NULL, NULL, RLX_TEXT(knowledge_id));
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_VECTORS_CLEAR, NULL, NULL, NULL, RLX_TEXT(knowledge_id));
    if (!err)
        err = parts_write(db, knowledge_id, parts);
    if (!err)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_GET, rlx_row_take_text, &json, NULL,
                      RLX_TEXT(knowledge_id), RLX_TEXT(user_id));
    err = rlx_db_end(db, err);
    *jsonp = json.text;
out:
    talloc_free(text);
    return err;
}

int rlx_knowledge_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const char *knowledge_id, char **jsonp)
{
    if (!store || !knowledge_id || !jsonp)
        return -EINVAL;
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_KNOWLEDGE_GET, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(knowledge_id), RLX_TEXT(user_id));
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

/* The words of q as SQLite's full-text query; the query for PostgreSQL rewrites it. "" finds
 * nothing. */
static char *query_of(TALLOC_CTX *ctx, const char *q)
{
    char *words = q ? rlx_search_words(ctx, q, "\"", " AND ") : NULL;

    return words || !q ? words : talloc_strdup(ctx, "");
}

static int list_rows(struct rlx_db *db, struct rlx_list_out *list, const char *user_id,
                     const char *agent_id, const char *words, int limit, const char *cursor,
                     int64_t *totalp)
{
    enum rlx_query rows = words ? RLX_Q_KNOWLEDGE_LIST_OF : RLX_Q_KNOWLEDGE_LIST;
    enum rlx_query count = words ? RLX_Q_KNOWLEDGE_COUNT_OF : RLX_Q_KNOWLEDGE_COUNT;
    const struct rlx_value all[] = {RLX_TEXT(user_id), RLX_TEXT(agent_id), RLX_TEXT(cursor),
                                    RLX_INT(limit + 1)};
    const struct rlx_value of[] = {RLX_TEXT(user_id), RLX_TEXT(agent_id), RLX_TEXT(words),
                                   RLX_TEXT(cursor), RLX_INT(limit + 1)};

    if (words && !*words) {
        if (totalp)
            *totalp = 0;
        return 0;
    }
    int err = rlx_db_run(db, rows, words ? of : all, words ? 5 : 4, rlx_row_take_item, list, NULL);
    if (!err && totalp)
        err = rlx_db_run(db, count, of, words ? 3 : 2, rlx_row_take_int, totalp, NULL);
    return err;
}

int rlx_knowledge_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *agent_id, const char *q, int limit, const char *cursor,
                       char **jsonp, char **next_cursorp, int64_t *totalp)
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
        err = list_rows(db, &list, user_id, agent_id, query_of(ctx, q), limit, cursor, totalp);
    err = rlx_db_end(db, err);
    talloc_free(agent.text);
    return err ? err : rlx_list_finish(&list, jsonp, next_cursorp);
}

int rlx_knowledge_delete(struct rlx_store *store, const char *user_id, const char *knowledge_id)
{
    return rlx_db_user_change(store, RLX_Q_KNOWLEDGE_DELETE, knowledge_id, user_id);
}

/* ---- for the embedding job ---- */

struct chunks_out {
    TALLOC_CTX *ctx;
    char **chunks;
    size_t count;
};

static int take_chunk(struct rlx_row *row, void *arg)
{
    struct chunks_out *out = arg;
    char **grown =
        talloc_realloc_size(out->ctx, out->chunks, (out->count + 1) * sizeof *out->chunks);

    if (!grown)
        return -ENOMEM;
    out->chunks = grown;
    out->chunks[out->count] = talloc_strdup(grown, rlx_row_text(row, 0));
    return out->chunks[out->count++] ? 0 : -ENOMEM;
}

int rlx_knowledge_chunks(struct rlx_store *store, TALLOC_CTX *ctx, const char *knowledge_id,
                         char ***chunksp, size_t *countp, int64_t *revisionp)
{
    struct chunks_out out = {.ctx = ctx};
    struct rlx_db *db;

    if (!store || !knowledge_id || !chunksp || !countp || !revisionp)
        return -EINVAL;
    *revisionp = -1;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_REVISION, rlx_row_take_int, revisionp, NULL,
                  RLX_TEXT(knowledge_id));
    if (!err && *revisionp < 0)
        err = RLX_ENOTFOUND;
    if (!err)
        err =
            RLX_RUN(db, RLX_Q_KNOWLEDGE_CHUNKS_OF, take_chunk, &out, NULL, RLX_TEXT(knowledge_id));
    err = rlx_db_end(db, err);
    *chunksp = out.chunks;
    *countp = out.count;
    return err;
}

int rlx_knowledge_set_chunks(struct rlx_store *store, const char *knowledge_id, char *const *chunks,
                             size_t count)
{
    struct rlx_db *db;

    if (!store || !knowledge_id || (count && !chunks))
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_CHUNKS_CLEAR, NULL, NULL, NULL, RLX_TEXT(knowledge_id));
    if (!err)
        err = chunks_write(db, knowledge_id, chunks, count);
    if (!err)
        err =
            RLX_RUN(db, RLX_Q_KNOWLEDGE_TOUCH, NULL, NULL, NULL, RLX_TEXT(knowledge_id), RLX_NULL);
    return rlx_db_end(db, err);
}

int rlx_knowledge_set_vectors(struct rlx_store *store, const char *knowledge_id, int64_t revision,
                              const float *vectors, size_t count, size_t dim)
{
    struct rlx_db *db;
    int rows = 0;

    if (!store || !knowledge_id || !vectors)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_TOUCH, NULL, NULL, &rows, RLX_TEXT(knowledge_id),
                  RLX_INT(revision));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err = vectors_write(db, knowledge_id, vectors, count, dim);
    return rlx_db_end(db, err);
}

struct id_list {
    char ids[200][37];
    int count;
};

static int take_id(struct rlx_row *row, void *arg)
{
    struct id_list *list = arg;

    if (list->count < 200)
        snprintf(list->ids[list->count++], 37, "%s", rlx_row_text(row, 0));
    return 0;
}

int rlx_knowledge_embed_missing(struct rlx_store *store, int *countp)
{
    struct id_list *list = talloc_zero(NULL, struct id_list);
    char last[37] = "";
    int total = 0, err = list ? 0 : -ENOMEM;

    while (!err) {
        struct rlx_db *db;
        list->count = 0;
        err = rlx_db_begin(store, RLX_DB_WRITE, &db);
        if (err)
            break;
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_UNEMBEDDED, take_id, list, NULL,
                      RLX_TEXT(*last ? last : NULL));
        for (int i = 0; !err && i < list->count; i++)
            err = embed_later(db, list->ids[i]);
        err = rlx_db_end(db, err);
        if (err || !list->count)
            break;
        total += list->count;
        snprintf(last, sizeof last, "%s", list->ids[list->count - 1]);
    }
    talloc_free(list);
    if (countp)
        *countp = total;
    return err;
}
