#include "provider/meter.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define OWN_MAX 8
#define ITEMS_MAX                                                                                  \
    32 /* stages, providers and models of one call; what comes beyond is not counted */

struct item {
    enum rlx_stage stage;
    char *provider, *model;
    uint64_t requests, audio_ms, characters, tokens_in, tokens_out;
};

struct rlx_meter {
    struct item items[ITEMS_MAX];
    size_t count;
    const char *own[OWN_MAX];
    size_t own_count;
};

int rlx_meter_create(struct rlx_meter **meterp, TALLOC_CTX *ctx)
{
    *meterp = talloc_zero(ctx, struct rlx_meter);
    return *meterp ? 0 : -ENOMEM;
}

void rlx_meter_own(struct rlx_meter *meter, const char *provider)
{
    char *copy = meter->own_count < OWN_MAX ? talloc_strdup(meter, provider) : NULL;

    if (copy)
        meter->own[meter->own_count++] = copy;
}

bool rlx_meter_own_keys(struct rlx_meter *meter, const struct rlx_config *server,
                        const struct rlx_config *user)
{
    static const struct {
        const char *provider;
        enum rlx_setting key;
    } keys[] = {{"openai", RLX_CFG_OPENAI_API_KEY},
                {"groq", RLX_CFG_GROQ_API_KEY},
                {"deepgram", RLX_CFG_DEEPGRAM_API_KEY},
                {"assemblyai", RLX_CFG_ASSEMBLYAI_API_KEY},
                {"fish", RLX_CFG_FISH_AUDIO_API_KEY}};

    bool any = false;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!strcmp(rlx_config_get(server, keys[i].key), rlx_config_get(user, keys[i].key)))
            continue;
        any = true;
        if (meter)
            rlx_meter_own(meter, keys[i].provider);
    }
    return any;
}

static bool is_own(const struct rlx_meter *meter, const char *provider)
{
    for (size_t i = 0; i < meter->own_count; i++)
        if (!strcmp(meter->own[i], provider))
            return true;
    return false;
}

static struct item *find(struct rlx_meter *meter, const struct rlx_metered *what, const char *model)
{
    for (size_t i = 0; i < meter->count; i++) {
        struct item *item = &meter->items[i];
        if (item->stage == what->stage && !strcmp(item->provider, what->provider) &&
            !strcmp(item->model, model))
            return item;
    }
    if (meter->count == ITEMS_MAX)
        return NULL;
    struct item *item = &meter->items[meter->count];
    item->stage = what->stage;
    item->provider = talloc_strdup(meter, what->provider);
    item->model = talloc_strdup(meter, model);
    if (!item->provider || !item->model)
        return NULL;
    meter->count++;
    return item;
}

void rlx_meter_add(struct rlx_meter *meter, const struct rlx_metered *what)
{
    struct item *item =
        meter && what->provider ? find(meter, what, what->model ? what->model : "") : NULL;

    if (!item)
        return;
    item->requests++;
    item->audio_ms += what->audio_ms;
    item->characters += what->characters;
    item->tokens_in += what->tokens_in;
    item->tokens_out += what->tokens_out;
}

char *rlx_meter_json(TALLOC_CTX *ctx, const struct rlx_meter *meter)
{
    static const char *const stages[] = {"stt", "llm", "tts", "embed"};
    json_t *array = json_array();

    for (size_t i = 0; meter && i < meter->count; i++) {
        const struct item *item = &meter->items[i];
        json_array_append_new(
            array,
            json_pack("{s:s,s:s,s:s,s:b,s:I,s:I,s:I,s:I,s:I}", "stage", stages[item->stage],
                      "provider", item->provider, "model", item->model, "own",
                      (int)is_own(meter, item->provider), "requests", (json_int_t)item->requests,
                      "audio_ms", (json_int_t)item->audio_ms, "characters",
                      (json_int_t)item->characters, "tokens_in", (json_int_t)item->tokens_in,
                      "tokens_out", (json_int_t)item->tokens_out));
    }
    char *text = json_array_size(array) ? json_dumps(array, JSON_COMPACT) : NULL;
    char *copy = text ? talloc_strdup(ctx, text) : NULL;
    free(text);
    json_decref(array);
    return copy;
}

uint64_t rlx_meter_characters(const char *text)
{
    uint64_t count = 0;

    for (; *text; text++)
        count += (*text & 0xc0) != 0x80;
    return count;
}

uint64_t rlx_meter_tokens(size_t bytes)
{
    return (bytes + 3) / 4;
}
