#include "provider/models.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "provider/models_data.h"

struct rlx_models {
    json_t *table;
};

static int destroy(struct rlx_models *models)
{
    json_decref(models->table);
    return 0;
}

int rlx_models_create(struct rlx_models **modelsp, TALLOC_CTX *ctx)
{
    json_error_t why;
    struct rlx_models *models = talloc_zero(ctx, struct rlx_models);
    if (!models)
        return -ENOMEM;
    talloc_set_destructor(models, destroy);
    models->table = json_loadb((const char *)rlx_models_data, rlx_models_data_length, 0, &why);
    if (!models->table) {
        rlx_log(RLX_ERROR, "models.invalid", "line=%d why=%s", why.line, why.text);
        talloc_free(models);
        return RLX_EINTERNAL;
    }
    *modelsp = models;
    return 0;
}

static bool matches_any(const json_t *patterns, const char *name)
{
    size_t i;
    const json_t *pattern;
    json_array_foreach(patterns, i, pattern)
    {
        if (!fnmatch(json_string_value(pattern), name, 0))
            return true;
    }
    return false;
}

const char *rlx_models_resolve(const struct rlx_models *models, const char *stage,
                               const char *provider, const char *wish, const char *fallback)
{
    if (!wish || !*wish || !strcmp(wish, fallback))
        return fallback;
    const json_t *entry = json_object_get(json_object_get(models->table, stage), provider);
    const char *alias = json_string_value(json_object_get(json_object_get(entry, "alias"), wish));
    if (alias)
        return *alias ? alias : fallback;
    return matches_any(json_object_get(entry, "known"), wish) ? wish : fallback;
}

bool rlx_models_known(const struct rlx_models *models, const char *stage, const char *wish)
{
    const char *provider;
    json_t *entry;
    json_object_foreach(json_object_get(models->table, stage), provider, entry)
    {
        if (json_object_get(json_object_get(entry, "alias"), wish) ||
            matches_any(json_object_get(entry, "known"), wish))
            return true;
    }
    return false;
}

int rlx_models_extend(const struct rlx_models *models, const char *model, json_t *body)
{
    size_t i;
    json_t *rule, *value;
    const char *key;
    json_array_foreach(json_object_get(models->table, "extra"), i, rule)
    {
        if (fnmatch(json_string_value(json_object_get(rule, "model")), model, 0))
            continue;
        json_object_foreach(json_object_get(rule, "body"), key, value)
        {
            if (json_is_null(value))
                json_object_del(body, key);
            else if (json_object_set(body, key, value))
                return -ENOMEM;
        }
    }
    return 0;
}
