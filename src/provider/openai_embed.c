/* Embeddings by POST embeddings. Vectors of different models can't be compared, so there is no
 * stand-in: the first provider of the list is the one. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "provider/openai.h"

#define ANSWER_MAX (16u << 20)

struct rlx_embed {
    struct rlx_chain *chain;
};

struct rlx_embed_job {
    struct rlx_net_request *request;
    struct rlx_bytes answer;
    size_t count;
    rlx_embed_done_h *done;
    void *arg;
    bool ended;
};

static int destroy_job(struct rlx_embed_job *job)
{
    rlx_net_cancel(job->request);
    return 0;
}

static void end(struct rlx_embed_job *job, int err, const float *vectors, size_t dim,
                const char *why)
{
    job->ended = true;
    job->done(err, vectors, err ? 0 : job->count, dim, why, job->arg);
    talloc_free(job);
}

static void on_data(const void *data, size_t length, void *arg)
{
    struct rlx_embed_job *job = arg;
    if (!rlx_bytes_add(&job->answer, job, data, length, ANSWER_MAX))
        return;
    rlx_net_cancel(job->request);
    job->request = NULL;
    end(job, RLX_EPROTO, NULL, 0, "the embeddings are too long");
}

static void on_done(int err, long status, const char *why, void *arg)
{
    struct rlx_embed_job *job = arg;
    float *vectors = NULL;
    size_t dim = 0;
    (void)status;
    job->request = NULL;
    if (!err) {
        json_t *answer = json_loadb((const char *)job->answer.data, job->answer.length, 0, NULL);
        err = rlx_embed_parse(&vectors, &dim, job, answer, job->count);
        json_decref(answer);
        why = err ? "the answer holds no embeddings" : NULL;
    }
    end(job, err, vectors, dim, why);
}

int rlx_embed_start(struct rlx_embed_job **jobp, struct rlx_embed *embed, const char *const *texts,
                    size_t count, uint32_t timeout_ms, rlx_embed_done_h *done, void *arg)
{
    if (!jobp || !embed || !texts || !count || !done)
        return -EINVAL;
    const struct rlx_endpoint *e = &embed->chain->items[0];
    struct rlx_embed_job *job = talloc_zero(embed, struct rlx_embed_job);
    if (!job)
        return -ENOMEM;
    job->count = count;
    job->done = done;
    job->arg = arg;
    talloc_set_destructor(job, destroy_job);
    char url[1024], *body = rlx_embed_body(job, e->model, texts, count);
    snprintf(url, sizeof url, "%s/embeddings", e->base_url);
    const struct rlx_net_options options = {.url = url,
                                            .bearer = e->key,
                                            .json = body,
                                            .first_byte_ms = timeout_ms,
                                            .total_ms = timeout_ms,
                                            .warm_url = e->warm_url};
    int err = body
                  ? rlx_net_start(&job->request, embed->chain->net, &options, on_data, on_done, job)
                  : RLX_EINVAL;
    if (err) {
        talloc_free(job);
        return err;
    }
    talloc_free(body);
    *jobp = job;
    return 0;
}

void rlx_embed_cancel(struct rlx_embed_job *job)
{
    if (job && !job->ended)
        talloc_free(job);
}

void rlx_embed_warm(struct rlx_embed *embed)
{
    rlx_net_warm(embed->chain->net, embed->chain->items[0].warm_url, embed->chain->items[0].key);
}

int rlx_embed_create(struct rlx_embed **embedp, TALLOC_CTX *ctx, struct rlx_chain *chain)
{
    struct rlx_embed *embed = talloc_zero(ctx, struct rlx_embed);
    if (!embed)
        return -ENOMEM;
    embed->chain = talloc_steal(embed, chain);
    *embedp = embed;
    return 0;
}
