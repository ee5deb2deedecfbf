/* Calls as the API sees them. */
#include "store/calls.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/agents_db.h"
#include "store/db.h"

bool rlx_call_is_over(const char *status)
{
    static const char *const over[] = {"completed", "failed", "busy", "no-answer", "canceled"};

    for (size_t i = 0; i < sizeof over / sizeof over[0]; i++)
        if (!strcmp(status, over[i]))
            return true;
    return false;
}

/* What tells two requests with one idempotency key apart. */
static int fingerprint(char hex[RLX_SHA256_HEX], const char *agent_id, const char *phone_number,
                       const char *metadata, const char *options)
{
    char *all = talloc_asprintf(NULL, "%s\n%s\n%s\n%s", agent_id, phone_number, metadata, options);

    if (!all)
        return -ENOMEM;
    rlx_sha256_hex(hex, all, strlen(all));
    talloc_free(all);
    return 0;
}

struct seen {
    const char *fingerprint;
    char call_id[37];
};

static int take_seen(struct rlx_row *row, void *arg)
{
    struct seen *seen = arg;

    if (strcmp(rlx_row_text(row, 1), seen->fingerprint) != 0)
        return RLX_ECONFLICT;
    memccpy(seen->call_id, rlx_row_text(row, 0), 0, sizeof seen->call_id);
    return 0;
}

static int dial_job(struct rlx_db *db, const char *call_id)
{
    char job_id[RLX_UUID_TEXT], key[64], payload[80];

    rlx_uuid(job_id);
    snprintf(key, sizeof key, "dial:%s", call_id);
    snprintf(payload, sizeof payload, "{\"call_id\":\"%s\"}", call_id);
    return RLX_RUN(db, RLX_Q_JOB_ADD, NULL, NULL, NULL, RLX_TEXT(job_id), RLX_TEXT("dial"),
                   RLX_TEXT(key), RLX_TEXT(payload), RLX_INT(rlx_wall_ms()));
}

struct new_call {
    const char *user_id, *agent_id, *phone_number, *metadata, *options, *key, *fingerprint;
};

static int call_insert(struct rlx_db *db, const struct new_call *call, const char *id)
{
    int rows = 0;
    int err =
        RLX_RUN(db, RLX_Q_CALL_CREATE, NULL, NULL, &rows, RLX_TEXT(id), RLX_TEXT(call->user_id),
                RLX_TEXT(call->agent_id), RLX_TEXT(call->phone_number), RLX_TEXT(call->metadata),
                RLX_TEXT(call->options));

    if (!err && !rows)
        err = RLX_ENOTFOUND; /* no such agent of this user */
    if (!err && call->key)
        err = RLX_RUN(db, RLX_Q_IDEMPOTENCY_PUT, NULL, NULL, NULL, RLX_TEXT(call->user_id),
                      RLX_TEXT(call->key), RLX_TEXT(call->fingerprint), RLX_TEXT(id));
    if (!err)
        err = rlx_db_stats_begin(db, id);
    if (!err)
        err = dial_job(db, id);
    if (!err)
        err = rlx_db_event(db, id, "status", "{\"status\":\"initiated\"}", rlx_wall_ms());
    return err;
}

static int call_create(struct rlx_store *store, const struct new_call *call, char id[RLX_UUID_TEXT],
                       bool *createdp)
{
    struct seen seen = {.fingerprint = call->fingerprint};
    struct rlx_db *db;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);

    if (err)
        return err;
    if (call->key)
        err = rlx_db_lock(db, call->key); /* requests with one key come one after the other */
    if (!err && call->key)
        err = RLX_RUN(db, RLX_Q_IDEMPOTENCY_GET, take_seen, &seen, NULL, RLX_TEXT(call->user_id),
                      RLX_TEXT(call->key));
    *createdp = !seen.call_id[0];
    if (!err && *createdp) {
        rlx_uuid(id);
        err = call_insert(db, call, id);
    } else if (!err) {
        memcpy(id, seen.call_id, RLX_UUID_TEXT);
    }
    return rlx_db_end(db, err);
}

int rlx_call_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *agent_id, const char *phone_number, const json_t *metadata,
                    const json_t *options, const char *idempotency_key, char **call_idp,
                    bool *createdp)
{
    char id[RLX_UUID_TEXT], hex[RLX_SHA256_HEX];
    bool created = false;

    if (!store || !user_id || !agent_id || !phone_number || !call_idp)
        return -EINVAL;
    TALLOC_CTX *tmp = talloc_new(ctx);
    struct new_call call = {
        .user_id = user_id,
        .agent_id = agent_id,
        .phone_number = phone_number,
        .metadata = rlx_json_text(tmp, metadata, "{}"),
        .options = rlx_json_text(tmp, options, "{}"),
        .key = idempotency_key,
        .fingerprint = hex,
    };
    int err = call.metadata && call.options ? 0 : -ENOMEM;
    if (!err)
        err = fingerprint(hex, agent_id, phone_number, call.metadata, call.options);
    if (!err)
        err = call_create(store, &call, id, &created);
    talloc_free(tmp);
    if (!err && !(*call_idp = talloc_strdup(ctx, id)))
        err = -ENOMEM;
    if (!err && createdp)
        *createdp = created;
    return err;
}

/* One JSON text of one of the user's calls. */
static int call_json(struct rlx_store *store, TALLOC_CTX *ctx, enum rlx_query query,
                     const char *user_id, const char *call_id, char **jsonp)
{
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !user_id || !call_id || !jsonp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, query, rlx_row_take_text, &out, NULL, RLX_TEXT(call_id),
                       RLX_TEXT(user_id));
    *jsonp = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_call_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, const char *call_id,
                 char **jsonp)
{
    return call_json(store, ctx, RLX_Q_CALL_GET, user_id, call_id, jsonp);
}

int rlx_call_analysis(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const char *call_id, char **jsonp)
{
    return call_json(store, ctx, RLX_Q_CALL_ANALYSIS, user_id, call_id, jsonp);
}

int rlx_call_recording(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *call_id, char **pathp)
{
    return call_json(store, ctx, RLX_Q_CALL_RECORDING, user_id, call_id, pathp);
}

/* The words as a pattern of LIKE, with "!" before its special characters; NULL for NULL. */
static char *pattern_of(TALLOC_CTX *ctx, const char *words)
{
    char *pattern = words ? talloc_size(ctx, 2 * strlen(words) + 3) : NULL, *out = pattern;

    if (!pattern)
        return NULL;
    *out++ = '%';
    for (const char *p = words; *p; p++) {
        if (strchr("%_!", *p))
            *out++ = '!';
        *out++ = *p;
    }
    *out++ = '%';
    *out = '\0';
    return pattern;
}

static bool is_all(const struct rlx_calls_filter *w)
{
    return !w->agent_id && !w->status && !w->outcome && !w->sentiment && !w->direction &&
           !w->phone_number && !w->from && !w->to && !w->words;
}

int rlx_calls_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                   const struct rlx_calls_filter *filter, int limit, const char *cursor,
                   char **jsonp, char **next_cursorp, int64_t *totalp)
{
    static const struct rlx_calls_filter all;
    const struct rlx_calls_filter *w = filter ? filter : &all;
    struct rlx_list_out list;
    struct rlx_db *db;

    if (!store || !user_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_check(&limit, cursor);
    if (!err)
        err = rlx_list_init(&list, ctx, limit);
    char *words = err ? NULL : pattern_of(ctx, w->words);
    if (!err && w->words && !words)
        err = -ENOMEM;
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    const struct rlx_value values[] = {
        RLX_TEXT(user_id),         RLX_TEXT(w->agent_id),  RLX_TEXT(w->status),
        RLX_TEXT(w->outcome),      RLX_TEXT(w->sentiment), RLX_TEXT(w->direction),
        RLX_TEXT(w->phone_number), RLX_TEXT(w->from),      RLX_TEXT(w->to),
        RLX_TEXT(words),           RLX_TEXT(cursor),       RLX_INT(limit + 1),
    };
    err = rlx_db_run(db, RLX_Q_CALLS_LIST, values, 12, rlx_row_take_item, &list, NULL);
    if (!err && totalp) /* without a filter the index alone is read */
        err = is_all(w)
                  ? rlx_db_run(db, RLX_Q_CALLS_COUNT_ALL, values, 1, rlx_row_take_int, totalp, NULL)
                  : rlx_db_run(db, RLX_Q_CALLS_COUNT, values, 10, rlx_row_take_int, totalp, NULL);
    err = rlx_db_end(db, err);
    talloc_free(words);
    return err ? err : rlx_list_finish(&list, jsonp, next_cursorp);
}

int rlx_call_owned(struct rlx_store *store, const char *user_id, const char *call_id)
{
    int rows = 0;

    if (!store || !user_id || !call_id)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_CALL_OWNED, NULL, NULL, &rows, RLX_TEXT(call_id),
                       RLX_TEXT(user_id));
    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

int rlx_call_transcripts(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *call_id, char **jsonp)
{
    struct rlx_list_out list;
    struct rlx_db *db;
    int rows = 0;

    if (!store || !user_id || !call_id || !jsonp)
        return -EINVAL;
    int err = rlx_list_init(&list, ctx, INT32_MAX);
    if (!err)
        err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_CALL_OWNED, NULL, NULL, &rows, RLX_TEXT(call_id), RLX_TEXT(user_id));
    if (!err && !rows)
        err = RLX_ENOTFOUND;
    if (!err)
        err =
            RLX_RUN(db, RLX_Q_CALL_TRANSCRIPTS, rlx_row_take_item, &list, NULL, RLX_TEXT(call_id));
    err = rlx_db_end(db, err);
    return err ? err : rlx_list_finish(&list, jsonp, NULL);
}

struct control_out {
    TALLOC_CTX *ctx;
    char *status, *sid, *url;
};

static int take_control(struct rlx_row *row, void *arg)
{
    struct control_out *out = arg;
    const char *sid = rlx_row_text(row, 1), *url = rlx_row_text(row, 2);

    out->status = talloc_strdup(out->ctx, rlx_row_text(row, 0));
    out->sid = talloc_strdup(out->ctx, sid ? sid : "");
    out->url = talloc_strdup(out->ctx, url ? url : "");
    return out->status && out->sid && out->url ? 0 : -ENOMEM;
}

int rlx_call_control(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *call_id, char **statusp, char **sidp, char **control_urlp)
{
    struct control_out out = {.ctx = ctx};

    if (!store || !user_id || !call_id || !statusp || !sidp || !control_urlp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_CALL_CONTROL, take_control, &out, NULL,
                       RLX_TEXT(call_id), RLX_TEXT(user_id));
    *statusp = out.status;
    *sidp = out.sid;
    *control_urlp = out.url;
    return err ? err : out.status ? 0 : RLX_ENOTFOUND;
}

static int take_event(struct rlx_row *row, void *arg)
{
    json_t *event = json_loads(rlx_row_text(row, 0), 0, NULL);

    return json_array_append_new(arg, event) ? -ENOMEM : 0;
}

int rlx_call_events(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, int64_t after,
                    int limit, json_t **eventsp)
{
    (void)ctx;
    if (!store || !call_id || !eventsp || limit < 1)
        return -EINVAL;
    json_t *array = json_array();
    if (!array)
        return -ENOMEM;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_EVENTS_LIST, take_event, array, NULL,
                       RLX_TEXT(call_id), RLX_INT(after), RLX_INT(limit));
    if (err)
        json_decref(array);
    else
        *eventsp = array;
    return err;
}
