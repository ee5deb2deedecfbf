/* All that an agent knows, for a live call. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"
#include "store/knowledge.h"

struct load_out {
    TALLOC_CTX *ctx;
    struct rlx_knowledge_row *rows;
    size_t count, capacity;
    size_t at; /* the row that chunks go to */
    size_t chunk_capacity;
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

static int take_entry(struct rlx_row *row, void *arg)
{
    struct load_out *out = arg;

    if (out->count == out->capacity) {
        out->capacity = out->capacity ? out->capacity * 2 : 16;
        struct rlx_knowledge_row *grown =
            talloc_realloc_size(out->ctx, out->rows, out->capacity * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        out->rows = grown;
    }
    struct rlx_knowledge_row *k = &out->rows[out->count];
    memset(k, 0, sizeof *k);
    k->id = talloc_strdup(out->rows, rlx_row_text(row, 0));
    k->title = talloc_strdup(out->rows, rlx_row_text(row, 1));
    k->content = talloc_strdup(out->rows, rlx_row_text(row, 2));
    k->source_type = talloc_strdup(out->rows, rlx_row_text(row, 3));
    int err = k->id && k->title && k->content && k->source_type ? 0 : -ENOMEM;
    if (!err)
        err = take_questions(k, out->rows, rlx_row_text(row, 4));
    if (!err)
        err = take_vectors(k, out->rows, row);
    if (!err)
        out->count++;
    return err;
}

/* Both lists are in the order of ids: one walk joins them. */
static int take_chunk(struct rlx_row *row, void *arg)
{
    struct load_out *out = arg;
    const char *id = rlx_row_text(row, 0);

    while (out->at < out->count && strcmp(out->rows[out->at].id, id) < 0) {
        out->at++;
        out->chunk_capacity = 0;
    }
    if (out->at == out->count || strcmp(out->rows[out->at].id, id) != 0)
        return 0;
    struct rlx_knowledge_row *k = &out->rows[out->at];
    if (k->chunk_count == out->chunk_capacity) {
        out->chunk_capacity = out->chunk_capacity ? out->chunk_capacity * 2 : 4;
        char **grown =
            talloc_realloc_size(out->rows, k->chunks, out->chunk_capacity * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        k->chunks = grown;
    }
    k->chunks[k->chunk_count] = talloc_strdup(k->chunks, rlx_row_text(row, 2));
    return k->chunks[k->chunk_count++] ? 0 : -ENOMEM;
}

int rlx_knowledge_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *agent_id,
                       struct rlx_knowledge_row **rowsp, size_t *countp)
{
    struct load_out out = {.ctx = ctx};
    struct rlx_db *db;

    if (!store || !agent_id || !rowsp || !countp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_KNOWLEDGE_LOAD, take_entry, &out, NULL, RLX_TEXT(agent_id));
    if (!err && out.count)
        err = RLX_RUN(db, RLX_Q_KNOWLEDGE_LOAD_CHUNKS, take_chunk, &out, NULL, RLX_TEXT(agent_id));
    err = rlx_db_end(db, err);
    if (err) {
        talloc_free(out.rows);
        return err;
    }
    *rowsp = out.rows;
    *countp = out.count;
    return 0;
}

int rlx_knowledge_stamp(struct rlx_store *store, TALLOC_CTX *ctx, const char *agent_id,
                        char **stampp)
{
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !agent_id || !stampp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_KNOWLEDGE_STAMP, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(agent_id));
    *stampp = out.text;
    return err ? err : out.text ? 0 : -ENOMEM;
}
