#include "provider/wish.h"

#include <errno.h>
#include <string.h>

#include "provider/chain.h"

static const struct {
    const char *name;
    enum rlx_setting list;
    enum rlx_stage stage;
} STAGES[] = {
    {"stt", RLX_CFG_STT_PROVIDERS, RLX_STAGE_STT},
    {"llm", RLX_CFG_LLM_PROVIDERS, RLX_STAGE_LLM},
    {"tts", RLX_CFG_TTS_PROVIDERS, RLX_STAGE_TTS},
};

/* Whether the provider alone makes a chain; `scratch` is a copy to try it in. */
static bool is_there(struct rlx_config *scratch, size_t stage, const char *name)
{
    struct rlx_chain *chain = NULL;
    char *why = NULL;
    TALLOC_CTX *tmp = talloc_new(NULL);
    int err = rlx_config_override(scratch, STAGES[stage].list, name);

    if (!err)
        err = rlx_chain_create(&chain, tmp, NULL, scratch, STAGES[stage].stage, &why);
    talloc_free(tmp);
    return !err;
}

/* The list's usable names, "groq,local", on ctx; "" = none. */
static char *usable(TALLOC_CTX *ctx, struct rlx_config *scratch, size_t stage, const json_t *names)
{
    char *list = talloc_strdup(ctx, "");
    const json_t *item;
    size_t i;

    json_array_foreach ((json_t *)(uintptr_t)names, i, item) {
        const char *name = json_string_value(item);
        if (list && name && is_there(scratch, stage, name))
            list = talloc_asprintf_append(list, "%s%s", *list ? "," : "", name);
    }
    return list;
}

int rlx_config_wish(const struct rlx_config **configp, TALLOC_CTX *ctx,
                    const struct rlx_config *config, const json_t *wish)
{
    struct rlx_config *scratch = NULL, *copy = NULL;
    int err = 0;

    if (!configp || !config)
        return -EINVAL;
    *configp = config;
    for (size_t i = 0; i < sizeof STAGES / sizeof STAGES[0] && !err; i++) {
        const json_t *names = json_object_get(wish, STAGES[i].name);
        if (!json_array_size(names))
            continue;
        if (!scratch)
            err = rlx_config_copy(&scratch, ctx, config);
        char *list = err ? NULL : usable(scratch, scratch, i, names);
        if (!list || !*list || !strcmp(list, rlx_config_get(config, STAGES[i].list)))
            continue;
        if (!copy)
            err = rlx_config_copy(&copy, ctx, config);
        if (!err)
            err = rlx_config_override(copy, STAGES[i].list, list);
    }
    talloc_free(scratch);
    if (err)
        talloc_free(copy);
    else if (copy)
        *configp = copy;
    return err;
}
