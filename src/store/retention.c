#include "store/retention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/agents_db.h"
#include "store/calls.h"
#include "store/db.h"

#define DAY_MS 86400000LL
#define BATCH 100

/* The file or object is removed by a job: it is gone for sure, also when this process is killed
 * now. */
static int erase_job(struct rlx_db *db, const char *path)
{
    char job_id[RLX_UUID_TEXT];
    json_t *payload = json_pack("{s:s}", "path", path);
    char *text = payload ? rlx_json_text(NULL, payload, "{}") : NULL;
    char *key = talloc_asprintf(NULL, "erase:%s", path);
    int err = -ENOMEM;

    rlx_uuid(job_id);
    if (text && key)
        err = RLX_RUN(db, RLX_Q_JOB_AGAIN, NULL, NULL, NULL, RLX_TEXT(job_id),
                      RLX_TEXT(strncmp(path, "s3://", 5) ? "erase" : "remove"), RLX_TEXT(key),
                      RLX_TEXT(text), RLX_INT(rlx_wall_ms()));
    json_decref(payload);
    talloc_free(text);
    talloc_free(key);
    return err;
}

/* ---- one call ---- */

struct removal {
    TALLOC_CTX *ctx;
    char *path;
    bool found, open;
};

static int take_removal(struct rlx_row *row, void *arg)
{
    struct removal *removal = arg;
    const char *path = rlx_row_text(row, 0);

    removal->found = true;
    removal->open = rlx_row_int(row, 1) != 0;
    removal->path = path ? talloc_strdup(removal->ctx, path) : NULL;
    return path && !removal->path ? -ENOMEM : 0;
}

static int remove_call(struct rlx_db *db, const char *user_id, const char *call_id,
                       struct removal *removal)
{
    int err = RLX_RUN(db, RLX_Q_CALL_FOR_REMOVAL, take_removal, removal, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(user_id));

    if (!err && !removal->found)
        err = RLX_ENOTFOUND;
    if (!err && removal->open)
        err = RLX_ECONFLICT;
    if (!err)
        err = rlx_db_stats_remove(db, call_id);
    if (!err && removal->path)
        err = erase_job(db, removal->path);
    return err ? err : RLX_RUN(db, RLX_Q_CALL_REMOVE, NULL, NULL, NULL, RLX_TEXT(call_id));
}

int rlx_call_delete(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *call_id, char **pathp)
{
    struct removal removal = {.ctx = ctx};
    struct rlx_db *db;

    if (!store || !user_id || !call_id || !pathp)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = rlx_db_end(db, remove_call(db, user_id, call_id, &removal));
    *pathp = removal.path;
    return err;
}

/* ---- what is too old ---- */

struct user {
    char id[37];
    int64_t recording_days, transcript_days;
};
struct users {
    TALLOC_CTX *ctx;
    struct user *items;
    size_t count;
};

static int take_user(struct rlx_row *row, void *arg)
{
    struct users *users = arg;
    struct user *items =
        talloc_realloc(users->ctx, users->items, struct user, (unsigned)users->count + 1);

    if (!items)
        return -ENOMEM;
    users->items = items;
    struct user *user = &items[users->count++];
    memset(user, 0, sizeof *user);
    memccpy(user->id, rlx_row_text(row, 0), 0, sizeof user->id - 1);
    user->recording_days = rlx_row_int(row, 1);
    user->transcript_days = rlx_row_int(row, 2);
    return 0;
}

struct recordings {
    TALLOC_CTX *ctx;
    char *id[BATCH], *path[BATCH];
    int count;
};

static int take_recording(struct rlx_row *row, void *arg)
{
    struct recordings *found = arg;

    if (found->count == BATCH)
        return 0;
    found->id[found->count] = talloc_strdup(found->ctx, rlx_row_text(row, 0));
    found->path[found->count] = talloc_strdup(found->ctx, rlx_row_text(row, 1));
    return found->id[found->count] && found->path[found->count++] ? 0 : -ENOMEM;
}

static int forget_recordings(struct rlx_db *db, const struct user *user, int64_t now_ms,
                             int *countp)
{
    struct recordings found = {.ctx = talloc_new(NULL)};
    char before[RLX_TIME_TEXT];

    rlx_time_text(before, now_ms - user->recording_days * DAY_MS);
    int err = RLX_RUN(db, RLX_Q_RETENTION_RECORDINGS, take_recording, &found, NULL,
                      RLX_TEXT(user->id), RLX_TEXT(before));
    for (int i = 0; i < found.count && !err; i++) {
        int rows = 0;
        err = RLX_RUN(db, RLX_Q_RECORDING_FORGET, NULL, NULL, &rows, RLX_TEXT(found.id[i]),
                      RLX_TEXT(found.path[i]));
        if (!err && rows)
            err = erase_job(db, found.path[i]);
        *countp += rows;
    }
    talloc_free(found.ctx);
    return err;
}

static int forget_transcripts(struct rlx_db *db, const struct user *user, int64_t now_ms,
                              int *countp)
{
    static const enum rlx_query queries[] = {RLX_Q_RETENTION_TRANSCRIPTS, RLX_Q_RETENTION_ANALYSES,
                                             RLX_Q_RETENTION_EVENTS};
    char before[RLX_TIME_TEXT];
    int err = 0;

    rlx_time_text(before, now_ms - user->transcript_days * DAY_MS);
    for (size_t i = 0; i < 3 && !err; i++) {
        int rows = 0;
        err = RLX_RUN(db, queries[i], NULL, NULL, &rows, RLX_TEXT(user->id), RLX_TEXT(before));
        *countp += i ? 0 : rows;
    }
    return err;
}

int rlx_retention_run(struct rlx_store *store, int64_t now_ms, struct rlx_retention *donep)
{
    struct users users = {.ctx = talloc_new(NULL)};

    if (!store || !donep) {
        talloc_free(users.ctx);
        return -EINVAL;
    }
    *donep = (struct rlx_retention){0};
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_RETENTION_USERS, take_user, &users, NULL);
    for (size_t i = 0; i < users.count && !err; i++) {
        const struct user *user = &users.items[i];
        struct rlx_db *db;
        err = rlx_db_begin(store, RLX_DB_WRITE, &db);
        if (err)
            break;
        if (user->recording_days > 0)
            err = forget_recordings(db, user, now_ms, &donep->recordings);
        if (!err && user->transcript_days > 0)
            err = forget_transcripts(db, user, now_ms, &donep->transcripts);
        err = rlx_db_end(db, err);
    }
    talloc_free(users.ctx);
    return err;
}

/* ---- where a recording is ---- */

int rlx_recording_where(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id,
                        char **wherep)
{
    struct rlx_text_out out = {.ctx = ctx};

    if (!store || !call_id || !wherep)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_RECORDING_WHERE, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(call_id));
    *wherep = out.text;
    return err ? err : out.text ? 0 : RLX_ENOTFOUND;
}

int rlx_recording_moved(struct rlx_store *store, const char *call_id, const char *from,
                        const char *to)
{
    int rows = 0;

    if (!store || !call_id || !from || !to)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_RECORDING_MOVED, NULL, NULL, &rows,
                       RLX_TEXT(call_id), RLX_TEXT(from), RLX_TEXT(to));
    return err ? err : rows ? 0 : RLX_ECONFLICT;
}
