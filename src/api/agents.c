/* Agents. */
#include "store/agents.h"

#include <string.h>

#include "api/private.h"
#include "call/settings.h"

#define COUNT(rules) (sizeof(rules) / sizeof(rules)[0])

static const char *turn_settings(const json_t *value, TALLOC_CTX *ctx)
{
    struct rlx_turn_settings settings;
    char *why = NULL;

    rlx_turn_settings_default(&settings);
    if (!rlx_turn_settings_parse(&settings, value, ctx, &why))
        return NULL;
    return why ? why : "holds a setting that is not known or out of bounds";
}

static const char *voice_settings(const json_t *value, TALLOC_CTX *ctx)
{
    const json_t *speed = json_object_get(value, "speed");
    const json_t *voice = json_object_get(value, "voice_id");

    (void)ctx;
    if (speed && (!json_is_number(speed) ||
                  !(json_number_value(speed) >= 0.25 && json_number_value(speed) <= 4.0)))
        return "speed must be a number between 0.25 and 4";
    if (voice && !json_is_null(voice) && !json_is_string(voice))
        return "voice_id must be a string";
    return NULL;
}

/* [{name, type?: string|number|boolean, description?}] */
static const char *extraction(const json_t *value, TALLOC_CTX *ctx)
{
    size_t i;
    const json_t *item;

    (void)ctx;
    json_array_foreach (value, i, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        const json_t *type = json_object_get(item, "type");
        const char *kind = type ? json_string_value(type) : "string";
        if (!name || !*name || strlen(name) > 64)
            return "each item needs a name of at most 64 characters";
        if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
            strlen(name))
            return "names may hold letters, digits and underscores";
        if (!kind || (strcmp(kind, "string") != 0 && strcmp(kind, "number") != 0 &&
                      strcmp(kind, "boolean") != 0))
            return "the type of an item must be string, number or boolean";
    }
    return NULL;
}

static const char *objects(const json_t *value, TALLOC_CTX *ctx)
{
    size_t i;
    const json_t *item;

    (void)ctx;
    json_array_foreach (value, i, item)
        if (!json_is_object(item))
            return "each item must be an object";
    return NULL;
}

static const struct rlx_field_rule rules[] = {
    {.name = "name", .type = RLX_FIELD_STRING, .required = true, .min = 1, .max = 200},
    {.name = "prompt_text", .type = RLX_FIELD_STRING, .required = true, .min = 1, .max = 50000},
    {.name = "template_source", .type = RLX_FIELD_STRING, .nullable = true, .max = 200},
    {.name = "voice_settings", .type = RLX_FIELD_OBJECT, .max = 4096, .check = voice_settings},
    {.name = "llm_model", .type = RLX_FIELD_STRING, .min = 1, .max = 100},
    {.name = "temperature", .type = RLX_FIELD_NUMBER, .min = 0, .max = 2},
    {.name = "max_tokens", .type = RLX_FIELD_INT, .min = 1, .max = 4096},
    {.name = "is_active", .type = RLX_FIELD_BOOL},
    {.name = "greeting", .type = RLX_FIELD_STRING, .nullable = true, .max = 2000},
    {.name = "goodbye", .type = RLX_FIELD_STRING, .nullable = true, .max = 2000},
    {.name = "language", .type = RLX_FIELD_STRING, .min = 2, .max = 35},
    {.name = "first_speaker", .type = RLX_FIELD_STRING, .one_of = "callee|agent"},
    {.name = "turn_settings", .type = RLX_FIELD_OBJECT, .max = 4096, .check = turn_settings},
    {.name = "knowledge_mode", .type = RLX_FIELD_STRING, .one_of = "auto|answers|passages|off"},
    {.name = "max_duration_s", .type = RLX_FIELD_INT, .min = 10, .max = 7200},
    {.name = "extraction", .type = RLX_FIELD_ARRAY, .max = 30, .check = extraction},
    {.name = "voicemail_message", .type = RLX_FIELD_STRING, .nullable = true, .max = 2000},
    {.name = "tools", .type = RLX_FIELD_ARRAY, .max = 30, .check = objects},
};

void rlx_api_agents_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor, *user = rlx_api_user(req, api);
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    if (!user || !rlx_api_page_of(req, &limit, &cursor))
        return;
    int err = rlx_agents_list(api->store, req, user, limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_agent_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req, api);
    char *json = NULL;

    if (!user)
        return;
    json_t *fields = rlx_api_body(req, rules, COUNT(rules), false);
    if (!fields)
        return;
    int err = rlx_agent_create(api->store, req, user, fields, &json);
    json_decref(fields);
    if (err == RLX_ENOTFOUND) /* the user of the token was removed */
        rlx_reply_error(req, RLX_EAUTH, "the account does not exist any more");
    else if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 201, json);
}

void rlx_api_agent_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id, *user = rlx_api_user(req, api);
    char *json = NULL;

    if (!user || !(id = rlx_api_id(req, "agent_id")))
        return;
    int err = rlx_agent_get(api->store, req, user, id, &json);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_agent_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id, *user = rlx_api_user(req, api);
    char *json = NULL;

    if (!user || !(id = rlx_api_id(req, "agent_id")))
        return;
    json_t *fields = rlx_api_body(req, rules, COUNT(rules), true);
    if (!fields)
        return;
    int err = rlx_agent_update(api->store, req, user, id, fields, &json);
    json_decref(fields);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_agent_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id, *user = rlx_api_user(req, api);

    if (!user || !(id = rlx_api_id(req, "agent_id")))
        return;
    int err = rlx_agent_delete(api->store, user, id);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_message(req, "Agent deleted");
}
