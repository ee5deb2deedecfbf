/* The embedding job: vectors of a knowledge entry, which are kept; and its chunks, if it is older
 * than these. */
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "extract/chunk.h"
#include "knowledge/embed.h"
#include "worker/tasks.h"

#define TIMEOUT_MS 30000 /* of a batch */
#define TRIES 20

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Cuts the entry when it has never been cut, and reads its chunks again. */
static int chunks_of(const struct rlx_task *task, TALLOC_CTX *ctx, const char *id,
                     const json_t *row, char ***chunksp, size_t *countp, int64_t *revisionp)
{
    int err = rlx_knowledge_chunks(task->store, ctx, id, chunksp, countp, revisionp);

    if (err || *countp)
        return err;
    err = rlx_chunks_make(chunksp, countp, ctx, text_of(row, "content"));
    if (!err && *countp)
        err = rlx_knowledge_set_chunks(task->store, id, *chunksp, *countp);
    return err ? err : rlx_knowledge_chunks(task->store, ctx, id, chunksp, countp, revisionp);
}

static int embed(const struct rlx_task *task, TALLOC_CTX *ctx, const char *id)
{
    char *json = NULL, **chunks = NULL;
    const char **texts = NULL;
    float *vectors = NULL;
    size_t dim = 0, chunk_count = 0, count = 0;
    int64_t revision = 0;
    int err = rlx_knowledge_get(task->store, ctx, NULL, id, &json);

    if (err)
        return err;
    json_t *row = json_loads(json, 0, NULL);
    err = chunks_of(task, ctx, id, row, &chunks, &chunk_count, &revision);
    if (!err)
        err = rlx_knowledge_texts(&texts, &count, ctx, text_of(row, "title"),
                                  json_object_get(row, "questions"), chunks, chunk_count);
    if (!err && count)
        err = rlx_knowledge_vectors(&vectors, &dim, ctx, task->config, texts, count, TIMEOUT_MS);
    if (!err && count)
        err = rlx_knowledge_set_vectors(task->store, id, revision, vectors, count, dim);
    json_decref(row);
    return err;
}

void rlx_task_embed(const struct rlx_task *task)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    int err = embed(task, ctx, text_of(task->job->payload, "knowledge_id"));

    /* RLX_ENOTFOUND: the entry was deleted or has changed (which has a job of its own), or there is
     * no embedding server. */
    if (!err || err == RLX_ENOTFOUND)
        rlx_task_done(task);
    else if (err == RLX_ETOOBIG || task->job->attempts >= TRIES)
        rlx_task_dead(task, rlx_err_text(err));
    else
        rlx_task_again(task, rlx_err_text(err), 2000LL * task->job->attempts);
    talloc_free(ctx);
}
