/* A stage's chain from the configuration. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/err.h"
#include "provider/openai.h"

#define CHAIN_MAX 8

struct stage {
    const char *title;
    enum rlx_setting list, local_url, local_port;
    enum rlx_setting openai_model, groq_model; /* RLX_CFG_COUNT = groq has none */
    const char *names;                         /* those that the stage can have */
    const char *local_model;
};

static const struct stage stages[] = {
    [RLX_STAGE_STT] = {"speech-to-text", RLX_CFG_STT_PROVIDERS, RLX_CFG_LOCAL_SPEECH_URL,
                       RLX_CFG_SPEECH_PORT, RLX_CFG_OPENAI_STT_MODEL, RLX_CFG_GROQ_STT_MODEL,
                       "openai, groq, local", "whisper"},
    [RLX_STAGE_LLM] = {"language model", RLX_CFG_LLM_PROVIDERS, RLX_CFG_LOCAL_LLM_URL,
                       RLX_CFG_LLM_PORT, RLX_CFG_OPENAI_LLM_MODEL, RLX_CFG_GROQ_LLM_MODEL,
                       "openai, groq, local", "local"},
    [RLX_STAGE_TTS] = {"text-to-speech", RLX_CFG_TTS_PROVIDERS, RLX_CFG_LOCAL_SPEECH_URL,
                       RLX_CFG_SPEECH_PORT, RLX_CFG_OPENAI_TTS_MODEL, RLX_CFG_COUNT,
                       "openai, local", "piper"},
    [RLX_STAGE_EMBED] = {"embedding", RLX_CFG_EMBED_PROVIDERS, RLX_CFG_LOCAL_EMBED_URL,
                         RLX_CFG_EMBED_PORT, RLX_CFG_OPENAI_EMBED_MODEL, RLX_CFG_COUNT,
                         "local, openai, none", "local"},
};

struct build {
    struct rlx_chain *chain;
    const struct rlx_config *config;
    const struct stage *stage;
    TALLOC_CTX *ctx;
    char **whyp;
};

static int fail(struct build *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct build *b, const char *format, ...)
{
    if (b->whyp) {
        va_list args;
        va_start(args, format);
        *b->whyp = talloc_vasprintf(b->ctx, format, args);
        va_end(args);
    }
    return RLX_ECONFIG;
}

/* Secrets and names live as long as the configuration, which outlives the providers; they are
 * copied all the same, so that a chain never dangles. */
static const char *copy(struct build *b, enum rlx_setting setting)
{
    const char *value = rlx_config_get(b->config, setting);
    return *value ? talloc_strdup(b->chain, value) : NULL;
}

static struct rlx_endpoint *add(struct build *b, const char *name, const char *url)
{
    struct rlx_endpoint *e = &b->chain->items[b->chain->count++];
    e->name = name;
    e->base_url = rlx_openai_base(b->chain, url);
    e->voice = "";
    return e;
}

static bool has_cloud(const struct rlx_config *config, enum rlx_setting key, enum rlx_setting url)
{
    return *rlx_config_get(config, key) || rlx_config_is_set(config, url);
}

static int add_openai(struct build *b)
{
    if (!has_cloud(b->config, RLX_CFG_OPENAI_API_KEY, RLX_CFG_OPENAI_BASE_URL))
        return fail(b, "%s names openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is set",
                    rlx_config_name(b->stage->list));
    struct rlx_endpoint *e = add(b, "openai", rlx_config_get(b->config, RLX_CFG_OPENAI_BASE_URL));
    e->key = copy(b, RLX_CFG_OPENAI_API_KEY);
    e->model = copy(b, b->stage->openai_model);
    if (b->stage->list == RLX_CFG_TTS_PROVIDERS)
        e->voice = copy(b, RLX_CFG_OPENAI_TTS_VOICE);
    e->official = e->base_url && rlx_openai_host_is(e->base_url, "api.openai.com");
    return 0;
}

static int add_groq(struct build *b)
{
    if (b->stage->groq_model == RLX_CFG_COUNT)
        return fail(b, "%s names groq, which has no %s here; known are %s",
                    rlx_config_name(b->stage->list), b->stage->title, b->stage->names);
    if (!has_cloud(b->config, RLX_CFG_GROQ_API_KEY, RLX_CFG_GROQ_BASE_URL))
        return fail(b, "%s names groq, but GROQ_API_KEY is not set",
                    rlx_config_name(b->stage->list));
    struct rlx_endpoint *e = add(b, "groq", rlx_config_get(b->config, RLX_CFG_GROQ_BASE_URL));
    e->key = copy(b, RLX_CFG_GROQ_API_KEY);
    e->model = copy(b, b->stage->groq_model);
    e->official = e->base_url && rlx_openai_host_is(e->base_url, "api.groq.com");
    return 0;
}

static int add_local(struct build *b)
{
    const char *url = rlx_config_get(b->config, b->stage->local_url);
    char *own = NULL;
    if (!*url) {
        own = talloc_asprintf(b->chain, "http://127.0.0.1:%ld",
                              rlx_config_int(b->config, b->stage->local_port));
        if (!own)
            return -ENOMEM;
        url = own;
    }
    struct rlx_endpoint *e = add(b, "local", url);
    talloc_free(own);
    e->model = b->stage->local_model;
    e->voice = "default";
    e->local = true;
    return 0;
}

static int add_named(struct build *b, const char *name)
{
    for (size_t i = 0; i < b->chain->count; i++) {
        if (!strcmp(b->chain->items[i].name, name))
            return 0;
    }
    if (!strcmp(name, "openai"))
        return add_openai(b);
    if (!strcmp(name, "groq"))
        return add_groq(b);
    if (!strcmp(name, "local"))
        return add_local(b);
    return fail(b, "%s names \"%s\", which is not known; known are %s",
                rlx_config_name(b->stage->list), name, b->stage->names);
}

static int add_listed(struct build *b, const char *list)
{
    static const char between[] = ", \t";
    int err = 0;
    while (!err && *(list += strspn(list, between))) {
        size_t length = strcspn(list, between);
        char *name = talloc_strndup(b->chain, list, length);
        if (!name)
            return -ENOMEM;
        list += length;
        bool none = !strcmp(name, "none") && b->stage->list == RLX_CFG_EMBED_PROVIDERS;
        err = none ? 0 : add_named(b, name);
        talloc_free(name);
    }
    return err;
}

static bool has_local(const struct build *b)
{
    return rlx_config_bool(b->config, RLX_CFG_LOCAL) ||
           *rlx_config_get(b->config, b->stage->local_url);
}

/* What the keys allow. Embeddings of different models can't be compared, so only the local one is
 * taken unasked. */
static int add_default(struct build *b)
{
    int err = 0;
    bool embeds = b->stage->list == RLX_CFG_EMBED_PROVIDERS;
    if (!embeds && b->stage->groq_model != RLX_CFG_COUNT &&
        has_cloud(b->config, RLX_CFG_GROQ_API_KEY, RLX_CFG_GROQ_BASE_URL))
        err = add_groq(b);
    if (!err && !embeds && has_cloud(b->config, RLX_CFG_OPENAI_API_KEY, RLX_CFG_OPENAI_BASE_URL))
        err = add_openai(b);
    if (!err && has_local(b))
        err = add_local(b);
    if (!err && !b->chain->count && !embeds)
        err =
            fail(b,
                 "there is no %s provider: set OPENAI_API_KEY (or OPENAI_BASE_URL for a compatible "
                 "server)%s, or use the local models with RELAYX_LOCAL=true",
                 b->stage->title, b->stage->groq_model != RLX_CFG_COUNT ? " or GROQ_API_KEY" : "");
    return err;
}

static int complete(struct rlx_chain *chain)
{
    chain->name = talloc_strdup(chain, "");
    for (size_t i = 0; i < chain->count; i++) {
        struct rlx_endpoint *e = &chain->items[i];
        if (!e->base_url || !e->model || !e->voice)
            return -ENOMEM;
        e->warm_url = talloc_asprintf(chain, "%s/models", e->base_url);
        chain->name = talloc_asprintf_append(chain->name, "%s%s", i ? "," : "", e->name);
        if (!e->warm_url || !chain->name)
            return -ENOMEM;
    }
    return 0;
}

int rlx_chain_create(struct rlx_chain **chainp, TALLOC_CTX *ctx, struct rlx_net *net,
                     const struct rlx_config *config, enum rlx_stage stage, char **whyp)
{
    struct rlx_chain *chain = talloc_zero(ctx, struct rlx_chain);
    if (!chain)
        return -ENOMEM;
    struct build b = {
        .chain = chain, .config = config, .stage = &stages[stage], .ctx = ctx, .whyp = whyp};
    const char *list = rlx_config_get(config, b.stage->list);

    chain->net = net;
    chain->items = talloc_zero_array(chain, struct rlx_endpoint, CHAIN_MAX);
    int err = chain->items ? rlx_models_create(&chain->models, chain) : -ENOMEM;
    if (!err)
        err = *list ? add_listed(&b, list) : add_default(&b);
    if (!err && !chain->count && stage != RLX_STAGE_EMBED)
        err = fail(&b, "%s names no provider; known are %s", rlx_config_name(b.stage->list),
                   b.stage->names);
    if (!err)
        err = complete(chain);
    if (err) {
        talloc_free(chain);
        return err;
    }
    *chainp = chain;
    return 0;
}
