/* Chat and embeddings for threads that may block. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/http.h"
#include "provider/meter.h"
#include "provider/openai.h"
#include "provider/providers.h"

#define REPLY_MAX (16u << 20)

/* One POST; *answerp is the parsed 2xx body, else *whyp a sentence on ctx. */
static int post(json_t **answerp, TALLOC_CTX *ctx, const struct rlx_endpoint *e, const char *path,
                const char *body, long timeout_ms, long *statusp, char **whyp)
{
    struct rlx_http_reply *reply = NULL;
    char *url = talloc_asprintf(ctx, "%s/%s", e->base_url, path);
    char *auth = e->key ? talloc_asprintf(ctx, "Authorization: Bearer %s", e->key) : NULL;
    if (!url || (e->key && !auth))
        return -ENOMEM;
    const char *const headers[] = {"Content-Type: application/json", auth, NULL};
    const struct rlx_http_request request = {.url = url,
                                             .headers = headers,
                                             .body = body,
                                             .timeout_ms = timeout_ms,
                                             .max_reply = REPLY_MAX};
    *answerp = NULL;
    *statusp = 0;
    int err = rlx_http(&reply, ctx, &request, whyp);
    if (err)
        return err == -ENOMEM || err == -ETIMEDOUT ? err : RLX_EPROVIDER;
    *statusp = reply->status;
    if (reply->status < 200 || reply->status >= 300) {
        char *message = rlx_provider_message(ctx, reply->body, reply->length);
        *whyp = talloc_asprintf(ctx, "HTTP %ld%s%s", reply->status, message ? ": " : "",
                                message ? message : "");
        return RLX_EPROVIDER;
    }
    *answerp = json_loadb(reply->body, reply->length, 0, NULL);
    if (*answerp)
        return 0;
    *whyp = talloc_strdup(ctx, "the answer is no JSON");
    return RLX_EPROTO;
}

static int take_text(char **textp, TALLOC_CTX *ctx, const json_t *answer)
{
    const json_t *choice = json_array_get(json_object_get(answer, "choices"), 0);
    const char *text =
        json_string_value(json_object_get(json_object_get(choice, "message"), "content"));
    if (!choice)
        return RLX_EPROTO;
    if (!text || !text[strspn(text, " \t\r\n")])
        return RLX_EEMPTY;
    *textp = talloc_strdup(ctx, text);
    return *textp ? 0 : -ENOMEM;
}

static void count_chat(struct rlx_meter *meter, const struct rlx_endpoint *e,
                       const struct rlx_chat *chat, const json_t *answer, const char *text)
{
    const json_t *usage = json_object_get(answer, "usage");
    json_int_t in = json_integer_value(json_object_get(usage, "prompt_tokens"));
    json_int_t out = json_integer_value(json_object_get(usage, "completion_tokens"));

    rlx_meter_add(meter,
                  &(struct rlx_metered){
                      .stage = RLX_STAGE_LLM,
                      .provider = e->name,
                      .model = chat->model,
                      .tokens_in = in > 0 ? (uint64_t)in : rlx_meter_tokens(strlen(chat->messages)),
                      .tokens_out = out > 0 ? (uint64_t)out
                                            : rlx_meter_tokens(text ? strlen(text) : 0),
                  });
}

static int chat_once(struct rlx_meter *meter, char **textp, TALLOC_CTX *ctx, const struct rlx_chain *chain,
                     const struct rlx_endpoint *e, struct rlx_chat *chat, const char *model,
                     long timeout_ms, long *statusp, char **whyp)
{
    char *body;
    json_t *answer = NULL;
    chat->model = rlx_models_resolve(chain->models, "llm", e->name, model, e->model);
    int err = rlx_chat_body(&body, ctx, chain, e, chat);
    if (err)
        return err;
    err = post(&answer, ctx, e, "chat/completions", body, timeout_ms, statusp, whyp);
    if (!err) {
        err = take_text(textp, ctx, answer);
        count_chat(meter, e, chat, answer, err ? NULL : *textp);
    }
    json_decref(answer);
    return err;
}

int rlx_llm_blocking(char **textp, TALLOC_CTX *ctx, const struct rlx_config *config,
                     const char *model, const char *messages, const char *schema,
                     uint32_t max_tokens, long timeout_ms, char **whyp)
{
    return rlx_llm_blocking_metered(NULL, textp, ctx, config, model, messages, schema, max_tokens,
                                    timeout_ms, whyp);
}

int rlx_llm_blocking_metered(struct rlx_meter *meter, char **textp, TALLOC_CTX *ctx,
                             const struct rlx_config *config, const char *model,
                             const char *messages, const char *schema, uint32_t max_tokens,
                             long timeout_ms, char **whyp)
{
    struct rlx_walk walk = {0};
    struct rlx_endpoint *e;
    struct rlx_chain *chain;
    char *text = NULL, *why = NULL;

    if (!textp || !config || !messages)
        return -EINVAL;
    TALLOC_CTX *tmp = talloc_new(ctx);
    if (!tmp)
        return -ENOMEM;
    int err = rlx_chain_create(&chain, tmp, NULL, config, RLX_STAGE_LLM, &why);
    struct rlx_chat chat = {
        .messages = messages, .schema = schema, .max_tokens = max_tokens ? max_tokens : 800};
    if (err)
        goto out;
    err = RLX_EPROVIDER;
    while (err && err != -ENOMEM && err != RLX_EINVAL &&
           (e = rlx_walk_next(&walk, chain, rlx_now_ms()))) {
        long status = 0;
        char *once = NULL;
        err = chat_once(meter, &text, tmp, chain, e, &chat, model, timeout_ms ? timeout_ms : 30000,
                        &status, &once);
        if (err)
            rlx_walk_failed(&walk, tmp, err, status, once ? once : rlx_err_text(err), rlx_now_ms());
    }
    why = walk.why;
out:
    if (!err)
        *textp = talloc_steal(ctx, text);
    else if (whyp)
        *whyp = talloc_strdup(ctx, why ? why : rlx_err_text(err));
    talloc_free(tmp);
    return err;
}

int rlx_embed_blocking(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx,
                       const struct rlx_config *config, const char *const *texts, size_t count,
                       long timeout_ms)
{
    struct rlx_chain *chain;
    char *why = NULL;
    json_t *answer = NULL;
    long status;

    if (!vectorsp || !dimp || !config || !texts || !count)
        return -EINVAL;
    TALLOC_CTX *tmp = talloc_new(ctx);
    if (!tmp)
        return -ENOMEM;
    int err = rlx_chain_create(&chain, tmp, NULL, config, RLX_STAGE_EMBED, &why);
    if (!err && !chain->count)
        err = RLX_ENOTFOUND;
    if (err)
        goto out;
    char *body = rlx_embed_body(tmp, chain->items[0].model, texts, count);
    err = body ? post(&answer, tmp, &chain->items[0], "embeddings", body,
                      timeout_ms ? timeout_ms : 10000, &status, &why)
               : RLX_EINVAL;
    if (!err)
        err = rlx_embed_parse(vectorsp, dimp, ctx, answer, count);
out:
    json_decref(answer);
    talloc_free(tmp);
    return err;
}
