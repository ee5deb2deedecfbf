/* An agent's versions, and the statistics of its calls. */
#include <errno.h>
#include <string.h>

#include "store/agents.h"
#include "store/agents_db.h"

/* What is no setting: an agent's identity, and what follows from the rest. */
static bool is_setting(const char *name)
{
    static const char *const others[] = {"id",         "user_id",      "warnings",
                                         "version",    "created_at",   "updated_at",
                                         "call_count", "avg_duration", "last_used"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!strcmp(name, others[i]))
            return false;
    return true;
}

json_t *rlx_agent_settings(const json_t *agent)
{
    json_t *settings = json_object(), *value;
    const char *name;

    json_object_foreach ((json_t *)(uintptr_t)agent, name, value)
        if (is_setting(name))
            json_object_set(settings, name, value);
    return settings;
}

/* The names of the settings that differ. */
static json_t *changes(const json_t *before, const json_t *after)
{
    json_t *names = json_array(), *value;
    const char *name;

    json_object_foreach ((json_t *)(uintptr_t)after, name, value)
        if (is_setting(name) && !json_equal(value, json_object_get(before, name)))
            json_array_append_new(names, json_string(name));
    return names;
}

bool rlx_agent_differs(const char *before, const char *after)
{
    json_t *a = json_loads(before, 0, NULL), *b = json_loads(after, 0, NULL);
    json_t *names = changes(a, b);
    bool differs = json_array_size(names) > 0;

    json_decref(names);
    json_decref(a);
    json_decref(b);
    return differs;
}

static int put(struct rlx_db *db, const json_t *agent, const json_t *changed)
{
    json_t *settings = rlx_agent_settings(agent);
    char *data = rlx_json_text(NULL, settings, "{}"), *names = rlx_json_text(NULL, changed, "[]");
    int err = -ENOMEM;

    if (data && names)
        err = RLX_RUN(db, RLX_Q_AGENT_VERSION_PUT, NULL, NULL, NULL,
                      RLX_TEXT(json_string_value(json_object_get(agent, "id"))),
                      RLX_INT(json_integer_value(json_object_get(agent, "version"))),
                      RLX_TEXT(data), RLX_TEXT(names));
    json_decref(settings);
    talloc_free(data);
    talloc_free(names);
    return err;
}

int rlx_db_agent_version(struct rlx_db *db, const char *before, const char *after)
{
    json_t *old = before ? json_loads(before, 0, NULL) : NULL, *now = json_loads(after, 0, NULL);
    json_t *names = old ? changes(old, now) : NULL;
    int err = now ? 0 : RLX_EINTERNAL;

    if (!err && old)
        err = put(db, old, NULL);
    if (!err)
        err = put(db, now, names);
    json_decref(names);
    json_decref(old);
    json_decref(now);
    return err;
}

/* ---- reading ---- */

struct page {
    json_t *items;
    int limit;
    int64_t last, next;
};

static int take_version(struct rlx_row *row, void *arg)
{
    struct page *page = arg;

    if ((int)json_array_size(page->items) == page->limit) { /* the row beyond the page */
        page->next = page->last;
        return 0;
    }
    page->last = rlx_row_int(row, 0);
    return json_array_append_new(page->items, json_loads(rlx_row_text(row, 1), 0, NULL)) ? -ENOMEM
                                                                                         : 0;
}

int rlx_agent_versions(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *agent_id, int limit, int64_t before, char **jsonp,
                       int64_t *nextp, int64_t *totalp)
{
    struct page page = {.limit = limit ? limit : 200};
    struct rlx_text_out agent = {0};
    struct rlx_db *db;

    if (!store || !user_id || !agent_id || !jsonp || limit < 0 || limit > 200)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    page.items = json_array();
    err = RLX_RUN(db, RLX_Q_AGENT_GET, rlx_row_take_text, &agent, NULL, RLX_TEXT(agent_id),
                  RLX_TEXT(user_id));
    if (!err && !agent.text)
        err = RLX_ENOTFOUND;
    if (!err)
        err = RLX_RUN(db, RLX_Q_AGENT_VERSIONS_LIST, take_version, &page, NULL, RLX_TEXT(agent_id),
                      RLX_TEXT(user_id), RLX_INT(before > 0 ? before : INT32_MAX),
                      RLX_INT(page.limit + 1));
    if (!err && totalp)
        err = RLX_RUN(db, RLX_Q_AGENT_VERSIONS_COUNT, rlx_row_take_int, totalp, NULL,
                      RLX_TEXT(agent_id));
    err = rlx_db_end(db, err);
    if (!err && !(*jsonp = rlx_json_text(ctx, page.items, "[]")))
        err = -ENOMEM;
    if (!err && nextp)
        *nextp = page.next;
    talloc_free(agent.text);
    json_decref(page.items);
    return err;
}

int rlx_agent_version(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const char *agent_id, int64_t version, char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !user_id || !agent_id || !jsonp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_AGENT_VERSION_GET, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(agent_id), RLX_TEXT(user_id), RLX_INT(version));
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

/* ---- statistics ---- */

int rlx_db_stats_begin(struct rlx_db *db, const char *call_id)
{
    return RLX_RUN(db, RLX_Q_AGENT_STATS_BEGIN, NULL, NULL, NULL, RLX_TEXT(call_id));
}

int rlx_db_stats_end(struct rlx_db *db, const char *call_id)
{
    int err = RLX_RUN(db, RLX_Q_AGENT_STATS_END, NULL, NULL, NULL, RLX_TEXT(call_id));

    return err ? err : RLX_RUN(db, RLX_Q_AGENT_STATS_COUNTED, NULL, NULL, NULL, RLX_TEXT(call_id));
}

int rlx_db_stats_remove(struct rlx_db *db, const char *call_id)
{
    return RLX_RUN(db, RLX_Q_AGENT_STATS_REMOVE, NULL, NULL, NULL, RLX_TEXT(call_id));
}

static int take_wrong(struct rlx_row *row, void *arg)
{
    return json_array_append_new(arg, json_loads(rlx_row_text(row, 0), 0, NULL)) ? -ENOMEM : 0;
}

int rlx_agent_stats_check(struct rlx_store *store, json_t **wrongp)
{
    if (!store || !wrongp)
        return -EINVAL;
    json_t *wrong = json_array();
    if (!wrong)
        return -ENOMEM;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_AGENT_STATS_WRONG, take_wrong, wrong, NULL);
    if (err)
        json_decref(wrong);
    else
        *wrongp = wrong;
    return err;
}
