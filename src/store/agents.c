#include "store/agents.h"

#include <errno.h>

#include "base/crypto.h"
#include "store/agents_db.h"
#include "store/db.h"

static int agent_read(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const char *agent_id,
                      char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_AGENT_GET, rlx_row_take_text, &out, NULL, RLX_TEXT(agent_id),
                      RLX_TEXT(user_id));

    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

static int agent_write(struct rlx_db *db, const char *user_id, const char *agent_id,
                       const json_t *fields)
{
    int rows = 0;
    char *text = rlx_json_text(NULL, fields, "{}");

    if (!text)
        return -ENOMEM;
    int err = RLX_RUN(db, RLX_Q_AGENT_UPDATE, NULL, NULL, &rows, RLX_TEXT(agent_id),
                      RLX_TEXT(user_id), RLX_TEXT(text));
    talloc_free(text);
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

/* A new agent with its statistics and its first version. */
static int agent_make(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id, const json_t *fields,
                      char id[RLX_UUID_TEXT], char **jsonp)
{
    const char *name = json_string_value(json_object_get(fields, "name"));
    const char *prompt = json_string_value(json_object_get(fields, "prompt_text"));

    if (!name || !prompt)
        return RLX_EINVAL;
    rlx_uuid(id);
    int err = RLX_RUN(db, RLX_Q_AGENT_CREATE, NULL, NULL, NULL, RLX_TEXT(id), RLX_TEXT(user_id),
                      RLX_TEXT(name), RLX_TEXT(prompt));
    if (!err)
        err = RLX_RUN(db, RLX_Q_AGENT_STATS_CREATE, NULL, NULL, NULL, RLX_TEXT(id));
    if (!err)
        err = agent_write(db, user_id, id, fields);
    if (!err)
        err = agent_read(db, ctx, user_id, id, jsonp);
    return err ? err : rlx_db_agent_version(db, NULL, *jsonp);
}

int rlx_agent_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const json_t *fields, char **jsonp)
{
    char id[RLX_UUID_TEXT];
    struct rlx_db *db;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, agent_make(db, ctx, user_id, fields, id, jsonp));
}

/* The agent's settings under another name; a new reference, NULL when out of memory. */
static json_t *copied(const char *agent_json, const char *name)
{
    json_t *agent = json_loads(agent_json, 0, NULL);
    json_t *fields = agent ? rlx_agent_settings(agent) : NULL;

    json_object_set(fields, "warnings", json_object_get(agent, "warnings"));
    json_object_set_new(
        fields, "name",
        name ? json_string(name)
             : json_sprintf("%s (copy)", json_string_value(json_object_get(agent, "name"))));
    json_decref(agent);
    return fields;
}

int rlx_agent_copy(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                   const char *agent_id, const char *name, bool knowledge, char **jsonp)
{
    char id[RLX_UUID_TEXT], *old = NULL;
    json_t *fields = NULL;
    struct rlx_db *db;

    if (!store || !user_id || !agent_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = agent_read(db, ctx, user_id, agent_id, &old);
    if (!err && !(fields = copied(old, name)))
        err = -ENOMEM;
    if (!err)
        err = agent_make(db, ctx, user_id, fields, id, jsonp);
    if (!err && knowledge)
        err = rlx_db_knowledge_copy(db, user_id, agent_id, id);
    json_decref(fields);
    talloc_free(old);
    return rlx_db_end(db, err);
}

/* The version grows only when a setting has changed; the agent is read once more then. */
static int agent_change(struct rlx_db *db, TALLOC_CTX *ctx, const char *user_id,
                        const char *agent_id, const json_t *fields, char **jsonp)
{
    struct rlx_text_out before = {.ctx = ctx};
    int err = RLX_RUN(db, RLX_Q_AGENT_LOCK, rlx_row_take_text, &before, NULL, RLX_TEXT(agent_id),
                      RLX_TEXT(user_id));

    if (!err && !before.text)
        err = RLX_ENOTFOUND;
    if (!err)
        err = agent_write(db, user_id, agent_id, fields);
    if (!err)
        err = agent_read(db, ctx, user_id, agent_id, jsonp);
    if (!err && rlx_agent_differs(before.text, *jsonp)) {
        err = RLX_RUN(db, RLX_Q_AGENT_VERSION_BUMP, NULL, NULL, NULL, RLX_TEXT(agent_id));
        if (!err)
            err = agent_read(db, ctx, user_id, agent_id, jsonp);
        if (!err)
            err = rlx_db_agent_version(db, before.text, *jsonp);
    }
    talloc_free(before.text);
    return err;
}

int rlx_agent_update(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *agent_id, const json_t *fields, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !agent_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, agent_change(db, ctx, user_id, agent_id, fields, jsonp));
}

int rlx_agent_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                  const char *agent_id, char **jsonp)
{
    struct rlx_db *db;

    if (!store || !user_id || !agent_id || !jsonp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    return rlx_db_end(db, agent_read(db, ctx, user_id, agent_id, jsonp));
}

int rlx_agents_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, int limit,
                    const char *cursor, char **jsonp, char **next_cursorp, int64_t *totalp)
{
    return rlx_db_user_page(store, ctx, RLX_Q_AGENTS_LIST, RLX_Q_AGENTS_COUNT, user_id, limit,
                            cursor, jsonp, next_cursorp, totalp);
}

int rlx_agent_delete(struct rlx_store *store, const char *user_id, const char *agent_id)
{
    return rlx_db_user_change(store, RLX_Q_AGENT_DELETE, agent_id, user_id);
}
