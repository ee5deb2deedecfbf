/* The embedding job: vectors of a knowledge entry that could not be made when it was written. */
#include <string.h>

#include "base/err.h"
#include "call/phrases.h"
#include "provider/embed.h"
#include "store/agents.h"
#include "worker/evidence.h"
#include "worker/tasks.h"

#define TEXTS_MAX 50
#define TIMEOUT_MS 30000
#define TRIES 20

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* As the API does it: the ways to ask of an answer, bare, as the matcher compares them; else title
 * and beginning. */
static size_t texts_of(const char **texts, TALLOC_CTX *ctx, const json_t *row)
{
    const json_t *asked = json_object_get(row, "questions"), *question;
    size_t i, count = 0;

    json_array_foreach (asked, i, question)
        if (count < TEXTS_MAX && json_is_string(question))
            texts[count++] = rlx_text_bare(ctx, json_string_value(question));
    if (!count)
        texts[count++] =
            talloc_asprintf(ctx, "%s. %.*s", text_of(row, "title"),
                            rlx_clip(text_of(row, "content"), 2000), text_of(row, "content"));
    for (i = 0; i < count; i++)
        if (!texts[i])
            return 0;
    return count;
}

static int embed(const struct rlx_task *task, TALLOC_CTX *ctx, const char *id)
{
    const char *texts[TEXTS_MAX];
    char *json = NULL;
    float *vectors = NULL;
    size_t dim = 0;
    int err = rlx_knowledge_get(task->store, ctx, id, &json);

    if (err)
        return err;
    json_t *row = json_loads(json, 0, NULL);
    size_t count = texts_of(texts, ctx, row);
    err = count ? rlx_embed_blocking(&vectors, &dim, ctx, task->config, texts, count, TIMEOUT_MS)
                : RLX_EINTERNAL;
    if (!err)
        err = rlx_knowledge_set_vectors(task->store, id, vectors, count, dim);
    json_decref(row);
    return err;
}

void rlx_task_embed(const struct rlx_task *task)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    int err = embed(task, ctx, text_of(task->job->payload, "knowledge_id"));

    if (!err || err == RLX_ENOTFOUND) /* the entry was deleted, or embeddings were switched off */
        rlx_task_done(task);
    else if (task->job->attempts >= TRIES)
        rlx_task_dead(task, rlx_err_text(err));
    else
        rlx_task_again(task, rlx_err_text(err), 2000LL * task->job->attempts);
    talloc_free(ctx);
}
