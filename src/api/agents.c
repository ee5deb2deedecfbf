/* Agents. */
#include "store/agents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/agent_fields.h"
#include "api/private.h"

/* Checks fields and puts the warnings to them; false when the answer was given. */
static bool prepare(struct rlx_request *req, json_t *fields, const json_t *current)
{
    json_t *errors = rlx_agent_fields_check(req, fields, current);

    if (json_array_size(errors)) {
        rlx_api_invalid_all(req, errors);
        return false;
    }
    json_decref(errors);
    json_t *warnings = rlx_agent_warnings(fields, current);
    if (warnings)
        json_object_set_new(fields, "warnings", warnings);
    return true;
}

/* The agent of the path as it is; NULL when the answer was given. */
static json_t *current_agent(struct rlx_request *req, struct rlx_api *api)
{
    char *json = NULL;
    int err = rlx_agent_get(api->store, req, rlx_api_user(req), rlx_api_id(req, "agent_id"), &json);

    if (err) {
        rlx_api_reply_store(req, err, "agent");
        return NULL;
    }
    json_t *agent = json_loads(json, 0, NULL);
    if (!agent)
        rlx_reply_error(req, -ENOMEM, NULL);
    return agent;
}

static void create(struct rlx_request *req, struct rlx_api *api, json_t *fields)
{
    char *json = NULL;
    int err = rlx_agent_create(api->store, req, rlx_api_user(req), fields, &json);

    if (err == RLX_ENOTFOUND) /* the user of the token was removed */
        rlx_reply_error(req, RLX_EAUTH, "the account does not exist any more");
    else if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 201, json);
}

static void update(struct rlx_request *req, struct rlx_api *api, json_t *fields)
{
    char *json = NULL;
    int err = rlx_agent_update(api->store, req, rlx_api_user(req), rlx_api_id(req, "agent_id"),
                               fields, &json);

    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 200, json);
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
    json_t *fields = rlx_api_body(req);

    if (prepare(req, fields, NULL))
        create(req, arg, fields);
    json_decref(fields);
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
    json_t *current = current_agent(req, arg), *fields;

    if (!current)
        return;
    fields = rlx_api_body(req);
    if (prepare(req, fields, current))
        update(req, arg, fields);
    json_decref(fields);
    json_decref(current);
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

void rlx_api_agent_duplicate(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    const char *name = json_string_value(json_object_get(body, "name"));
    bool knowledge = !json_is_false(json_object_get(body, "knowledge"));
    char *json = NULL;
    int err = rlx_agent_copy(api->store, req, rlx_api_user(req), rlx_api_id(req, "agent_id"), name,
                             knowledge, &json);

    json_decref(body);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_text(req, 201, json);
}

/* ---- versions ---- */

void rlx_api_agent_versions(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *before = rlx_request_query(req, "cursor"), *none;
    char *json = NULL, next_text[24];
    int64_t next = 0, total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &none);
    int err =
        rlx_agent_versions(api->store, req, rlx_api_user(req), rlx_api_id(req, "agent_id"), limit,
                           before ? strtoll(before, NULL, 10) : 0, &json, &next, &total);
    snprintf(next_text, sizeof next_text, "%lld", (long long)next);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_list(req, json, next ? next_text : NULL, total);
}

/* The version of the path as JSON text; NULL when the answer was given. */
static char *version_of(struct rlx_request *req, struct rlx_api *api)
{
    char *json = NULL;
    int err = rlx_agent_version(api->store, req, rlx_api_user(req), rlx_api_id(req, "agent_id"),
                                strtoll(rlx_api_id(req, "version"), NULL, 10), &json);

    if (err)
        rlx_api_reply_store(req, err, "agent or version");
    return err ? NULL : json;
}

void rlx_api_agent_version(struct rlx_request *req, void *arg)
{
    char *json = version_of(req, arg);

    if (json)
        rlx_api_reply_text(req, 200, json);
}

/* The older settings become the newest version. They are checked once more: what was valid once
 * need not be so now. */
void rlx_api_agent_restore(struct rlx_request *req, void *arg)
{
    char *json = version_of(req, arg);
    json_t *version = json ? json_loads(json, 0, NULL) : NULL;
    json_t *current = version ? current_agent(req, arg) : NULL;

    if (current) {
        json_t *fields = json_object_get(version, "data");
        if (prepare(req, fields, current))
            update(req, arg, fields);
    }
    json_decref(current);
    json_decref(version);
}
