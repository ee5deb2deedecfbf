/* Chat completions by POST chat/completions, streamed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "provider/llm_stream.h"
#include "provider/meter.h"
#include "provider/openai.h"

struct rlx_llm {
    struct rlx_chain *chain;
};

struct rlx_llm_job {
    struct rlx_llm *llm;
    struct rlx_walk walk;
    struct rlx_net_request *request;
    struct rlx_llm_stream *stream;
    struct rlx_llm_handlers handlers;
    void *arg;
    char *model, *messages, *tools;
    double temperature;
    struct rlx_meter *meter;
    size_t given; /* bytes of text that came */
    uint32_t max_tokens, first_token_limit_ms, total_limit_ms;
    uint64_t start_ms;
    uint32_t first_token_ms;
    bool begun, ended;
};

static int attempt(struct rlx_llm_job *job);

static int destroy_job(struct rlx_llm_job *job)
{
    rlx_net_cancel(job->request);
    rlx_walk_dropped(&job->walk);
    return 0;
}

static uint32_t since_start(const struct rlx_llm_job *job)
{
    return (uint32_t)(rlx_now_ms() - job->start_ms);
}

/* What a provider took is paid for, also when nobody waits for its answer any more. Where it told no tokens (it does so at the end
 * only) they are guessed. */
static void count_request(const struct rlx_llm_job *job)
{
    const struct rlx_endpoint *e = job->walk.current;
    uint32_t in = 0, out = 0;
    if (!e || !job->meter)
        return;
    if (job->stream)
        rlx_llm_stream_usage(job->stream, &in, &out);
    rlx_meter_add(job->meter,
                  &(struct rlx_metered){
                      .stage = RLX_STAGE_LLM,
                      .provider = e->name,
                      .model = rlx_models_resolve(job->llm->chain->models, "llm", e->name,
                                                  job->model, e->model),
                      .tokens_in = in ? in : rlx_meter_tokens(strlen(job->messages)),
                      .tokens_out = out ? out : rlx_meter_tokens(job->given),
                  });
}

static void end(struct rlx_llm_job *job, int err, const char *why)
{
    struct rlx_llm_usage usage = {.first_token_ms = job->first_token_ms,
                                  .took_ms = since_start(job)};
    if (job->stream)
        rlx_llm_stream_usage(job->stream, &usage.prompt_tokens, &usage.completion_tokens);
    job->ended = true;
    job->handlers.done(err, &usage, why, job->arg);
    talloc_free(job);
}

static void failed(struct rlx_llm_job *job, int err, long status, const char *why)
{
    bool gave = job->stream && rlx_llm_stream_gave(job->stream);
    rlx_net_cancel(job->request);
    job->request = NULL;
    if (gave)
        count_request(job);
    rlx_walk_failed(&job->walk, job, err, status, why, rlx_now_ms());
    if (gave || attempt(job))
        end(job, err, job->walk.why ? job->walk.why : rlx_err_text(err));
}

static void succeeded(struct rlx_llm_job *job)
{
    rlx_net_release(job->request); /* what follows [DONE] must not hold up the turn */
    job->request = NULL;
    count_request(job);
    rlx_walk_succeeded(&job->walk);
    end(job, 0, NULL);
}

static void note_begin(struct rlx_llm_job *job)
{
    if (job->begun)
        return;
    job->begun = true;
    job->first_token_ms = since_start(job);
    rlx_net_expect(job->request, 0);
}

static void on_text(const char *text, void *arg)
{
    struct rlx_llm_job *job = arg;
    note_begin(job);
    job->given += strlen(text);
    job->handlers.text(text, job->arg);
}

static void on_tool(const char *id, const char *name, const char *arguments, void *arg)
{
    struct rlx_llm_job *job = arg;
    note_begin(job);
    if (job->handlers.tool)
        job->handlers.tool(id, name, arguments, job->arg);
}

static void judge(struct rlx_llm_job *job, int result)
{
    if (result == RLX_LLM_FREED)
        return;
    if (result == RLX_LLM_OVER)
        succeeded(job);
    else if (result)
        failed(job, result, 0, rlx_llm_stream_why(job->stream));
    else if (rlx_llm_stream_begun(job->stream))
        note_begin(job);
}

static void on_data(const void *data, size_t length, void *arg)
{
    struct rlx_llm_job *job = arg;
    judge(job, rlx_llm_stream_feed(job->stream, data, length));
}

static void on_done(int err, long status, const char *why, void *arg)
{
    struct rlx_llm_job *job = arg;
    if (err)
        failed(job, err, status, why);
    else
        judge(job, rlx_llm_stream_end(job->stream));
}

static int ask(struct rlx_llm_job *job, const struct rlx_endpoint *e)
{
    static const struct rlx_llm_stream_handlers handlers = {on_text, on_tool};
    const struct rlx_chain *chain = job->llm->chain;
    char url[1024], *body = NULL;
    const struct rlx_chat chat = {
        .model = rlx_models_resolve(chain->models, "llm", e->name, job->model, e->model),
        .messages = job->messages,
        .tools = job->tools,
        .temperature = job->temperature,
        .max_tokens = job->max_tokens,
        .stream = true,
    };
    talloc_free(job->stream);
    job->stream = NULL;
    job->begun = false;
    job->given = 0;
    int err = rlx_llm_stream_create(&job->stream, job, &handlers, job);
    if (!err)
        err = rlx_chat_body(&body, job, chain, e, &chat);
    if (err)
        return err;
    snprintf(url, sizeof url, "%s/chat/completions", e->base_url);
    const struct rlx_net_options options = {
        .url = url,
        .bearer = e->key,
        .json = body,
        .first_byte_ms = job->first_token_limit_ms,
        .total_ms = job->total_limit_ms,
        .hints = &job->walk.current->hints,
        .warm_url = e->warm_url,
    };
    err = rlx_net_start(&job->request, chain->net, &options, on_data, on_done, job);
    talloc_free(body);
    if (!err)
        rlx_net_expect(job->request, job->first_token_limit_ms);
    return err;
}

/* A request of ours that is wrong is wrong for every provider. */
static int attempt(struct rlx_llm_job *job)
{
    struct rlx_endpoint *e;
    int err = RLX_EPROVIDER;
    while ((e = rlx_walk_next(&job->walk, job->llm->chain, rlx_now_ms()))) {
        err = ask(job, e);
        if (!err)
            return 0;
        if (err == RLX_EINVAL || err == -ENOMEM) {
            rlx_walk_dropped(&job->walk);
            return err;
        }
        rlx_walk_failed(&job->walk, job, err, 0, rlx_err_text(err), rlx_now_ms());
    }
    return err;
}

int rlx_llm_start(struct rlx_llm_job **jobp, struct rlx_llm *llm,
                  const struct rlx_llm_options *options, const struct rlx_llm_handlers *handlers,
                  void *arg)
{
    if (!jobp || !llm || !options || !options->messages || !handlers || !handlers->text ||
        !handlers->done)
        return -EINVAL;
    struct rlx_llm_job *job = talloc_zero(llm, struct rlx_llm_job);
    if (!job)
        return -ENOMEM;
    job->llm = llm;
    job->handlers = *handlers;
    job->arg = arg;
    job->temperature = options->temperature;
    job->meter = options->meter;
    job->max_tokens = options->max_tokens ? options->max_tokens : 150;
    job->first_token_limit_ms = options->first_token_ms ? options->first_token_ms : 6000;
    job->total_limit_ms = options->total_ms ? options->total_ms : 20000;
    job->start_ms = rlx_now_ms();
    talloc_set_destructor(job, destroy_job);
    job->messages = talloc_strdup(job, options->messages);
    job->model = options->model ? talloc_strdup(job, options->model) : NULL;
    job->tools = options->tools ? talloc_strdup(job, options->tools) : NULL;
    int err = -ENOMEM;
    if (job->messages && (!options->model || job->model) && (!options->tools || job->tools))
        err = attempt(job);
    if (err) {
        talloc_free(job);
        return err;
    }
    *jobp = job;
    return 0;
}

void rlx_llm_cancel(struct rlx_llm_job *job)
{
    if (!job || job->ended)
        return;
    if (job->request)
        count_request(job);
    talloc_free(job);
}

/* ---- warming ---- */

static void ignore_data(const void *data, size_t length, void *arg)
{
    (void)data;
    (void)length;
    (void)arg;
}

static void ignore_done(int err, long status, const char *why, void *arg)
{
    (void)err;
    (void)status;
    (void)why;
    (void)arg;
}

/* Only our own server is made to read the prompt: elsewhere it costs money and nothing is known of
 * a cache. */
static void warm_prompt(struct rlx_llm *llm, const struct rlx_endpoint *e, const char *model,
                        const char *messages)
{
    struct rlx_net_request *request;
    char url[1024], *body;
    const struct rlx_chat chat = {
        .model = rlx_models_resolve(llm->chain->models, "llm", e->name, model, e->model),
        .messages = messages,
        .max_tokens = 1,
    };
    if (rlx_chat_body(&body, llm, llm->chain, e, &chat))
        return;
    snprintf(url, sizeof url, "%s/chat/completions", e->base_url);
    const struct rlx_net_options options = {
        .url = url, .bearer = e->key, .json = body, .first_byte_ms = 20000, .total_ms = 20000};
    if (rlx_net_start(&request, llm->chain->net, &options, ignore_data, ignore_done, NULL))
        rlx_net_warm(llm->chain->net, e->warm_url, e->key);
    talloc_free(body);
}

void rlx_llm_warm(struct rlx_llm *llm, const char *model, const char *messages)
{
    for (size_t i = 0; i < llm->chain->count; i++) {
        const struct rlx_endpoint *e = &llm->chain->items[i];
        if (e->local && messages && i == 0)
            warm_prompt(llm, e, model, messages);
        else
            rlx_net_warm(llm->chain->net, e->warm_url, e->key);
    }
}

bool rlx_llm_is_low(const struct rlx_llm *llm)
{
    return rlx_chain_is_low(llm->chain, rlx_now_ms());
}

const char *rlx_llm_name(const struct rlx_llm *llm)
{
    return llm->chain->name;
}

int rlx_llm_create(struct rlx_llm **llmp, TALLOC_CTX *ctx, struct rlx_chain *chain)
{
    struct rlx_llm *llm = talloc_zero(ctx, struct rlx_llm);
    if (!llm)
        return -ENOMEM;
    llm->chain = talloc_steal(llm, chain);
    *llmp = llm;
    return 0;
}
