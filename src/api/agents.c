/* Agents. */
#include "store/agents.h"

#include <string.h>

#include "api/private.h"
#include "call/settings.h"

static const char *turn_settings(const json_t *value, TALLOC_CTX *ctx)
{
    struct rlx_turn_settings settings;
    char *why = NULL;

    rlx_turn_settings_default(&settings);
    if (!rlx_turn_settings_parse(&settings, value, ctx, &why))
        return NULL;
    return why ? why : "holds a setting that is not known or out of bounds";
}

/* What the description can't say. */
static bool fields_are_good(struct rlx_request *req, const json_t *fields)
{
    const json_t *turns = json_object_get(fields, "turn_settings");
    const char *why = turns ? turn_settings(turns, req) : NULL;

    if (why)
        rlx_api_invalid(req, "turn_settings", why);
    return !why;
}

void rlx_api_agents_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor, *user = rlx_api_user(req);
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_agents_list(api->store, req, user, limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_agent_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req);
    char *json = NULL;

    json_t *fields = rlx_api_body(req);
    if (!fields_are_good(req, fields)) {
        json_decref(fields);
        return;
    }
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
    const char *id = rlx_api_id(req, "agent_id"), *user = rlx_api_user(req);
    char *json = NULL;

    int err = rlx_agent_get(api->store, req, user, id, &json);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_agent_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "agent_id"), *user = rlx_api_user(req);
    char *json = NULL;

    json_t *fields = rlx_api_body(req);
    if (!fields_are_good(req, fields)) {
        json_decref(fields);
        return;
    }
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
    const char *id = rlx_api_id(req, "agent_id"), *user = rlx_api_user(req);

    int err = rlx_agent_delete(api->store, user, id);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_message(req, "Agent deleted");
}
