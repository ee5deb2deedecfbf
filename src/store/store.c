#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/db.h"

#define AWAY_MS 500
#define ATTEMPT_MS 4000 /* longer than an attempt to connect takes */

struct rlx_db {
    struct rlx_store *store;
    void *connection; /* NULL = not open yet */
    unsigned int generation; /* of the store's when it was opened */
    bool in_use, write, broken;
};

/* A thread that waits for a connection, in turn; on its stack. */
struct waiter {
    sem_t given;
    _Atomic(struct rlx_db *) db; /* what the giver did to the connection is seen with it */
    struct waiter *next;
};

struct rlx_store {
    const struct rlx_db_backend *backend;
    char *where;
    pthread_mutex_t lock; /* of the pool */
    struct waiter *waiting;
    pthread_mutex_t write_lock; /* writers of this process queue here, in turn, not in the
                                   database's busy loop */
    struct rlx_db pool[RLX_POOL_SIZE];
    /* Connections of an older generation are not trusted: one of their kind was found dead. */
    atomic_uint generation;
    /* While the database is away one attempt is made every AWAY_MS, all else fails at once. */
    bool away;
    uint64_t try_at_ms;
    struct rlx_reach reach;
};

struct rlx_reach *rlx_store_reach(struct rlx_store *store)
{
    return &store->reach;
}

static int store_destructor(struct rlx_store *store)
{
    for (size_t i = 0; i < RLX_POOL_SIZE; i++)
        if (store->pool[i].connection)
            store->backend->close(store->pool[i].connection);
    pthread_mutex_destroy(&store->write_lock);
    pthread_mutex_destroy(&store->lock);
    return 0;
}

static int url_parse(const struct rlx_db_backend **backendp, const char **wherep, TALLOC_CTX *ctx,
                     const char *url, char **whyp)
{
    const char *why = NULL;

    if (!strncmp(url, "sqlite:", 7) && url[7]) {
        *backendp = &rlx_db_sqlite;
        *wherep = url + 7;
        if (!strncmp(*wherep, "//", 2) && (*wherep)[2] == '/')
            *wherep += 2; /* sqlite:///absolute/path */
        return 0;
    }
    if (!strncmp(url, "postgresql://", 13) || !strncmp(url, "postgres://", 11)) {
        *backendp = &rlx_db_postgres;
        *wherep = url;
        return 0;
    }
    if (!strncmp(url, "https:", 6) || !strncmp(url, "http:", 5))
        why = "DATABASE_URL is a database's connection string, not a web address. For Supabase it "
              "stands under Connect > Connection string (postgresql://...), and SUPABASE_URL is "
              "not needed";
    if (whyp)
        *whyp = why ? talloc_strdup(ctx, why)
                    : talloc_asprintf(ctx,
                                      "DATABASE_URL must be sqlite:PATH or "
                                      "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, not "
                                      "\"%.*s\"",
                                      (int)strcspn(url, ":@/?"), url);
    return RLX_ECONFIG;
}

int rlx_store_open(struct rlx_store **storep, TALLOC_CTX *ctx, const char *url, char **whyp)
{
    const struct rlx_db_backend *backend;
    const char *where;
    int err;

    if (!storep || !url)
        return -EINVAL;
    err = url_parse(&backend, &where, ctx, url, whyp);
    if (err)
        return err;
    struct rlx_store *store = talloc_zero(ctx, struct rlx_store);
    if (!store)
        return -ENOMEM;
    store->backend = backend;
    store->where = talloc_strdup(store, where);
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->write_lock, NULL);
    for (size_t i = 0; i < RLX_POOL_SIZE; i++)
        store->pool[i].store = store;
    talloc_set_destructor(store, store_destructor);
    if (!store->where)
        err = -ENOMEM;
    else
        err = store->backend->open(&store->pool[0].connection, ctx, store->where, whyp);
    if (err) {
        talloc_free(store);
        return err;
    }
    *storep = store;
    return 0;
}

/* ---- the pool ---- */

static struct timespec deadline(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_sec += RLX_DB_WAIT_MS / 1000;
    return t;
}

static struct rlx_db *pool_free_one(struct rlx_store *store)
{
    struct rlx_db *found = NULL;

    for (size_t i = 0; i < RLX_POOL_SIZE; i++) {
        struct rlx_db *db = &store->pool[i];
        if (!db->in_use && (db->connection || !found))
            found = db;
        if (found && found->connection)
            break;
    }
    return found;
}

/* Waits in turn until a connection is handed over; NULL when the time is up. With the lock held; it is released. */
static struct rlx_db *pool_wait(struct rlx_store *store)
{
    struct timespec until = deadline(CLOCK_MONOTONIC);
    struct waiter self = {.db = NULL}, **at = &store->waiting;

    sem_init(&self.given, 0, 0);
    while (*at)
        at = &(*at)->next;
    *at = &self;
    pthread_mutex_unlock(&store->lock);
    int err;
    while ((err = sem_clockwait(&self.given, CLOCK_MONOTONIC, &until)) && errno == EINTR)
        ;
    if (err) {
        pthread_mutex_lock(&store->lock);
        for (at = &store->waiting; *at && *at != &self;)
            at = &(*at)->next;
        bool queued = *at;
        if (queued)
            *at = self.next;
        pthread_mutex_unlock(&store->lock);
        while (!queued && sem_wait(&self.given)) /* it was given just now: the post is still to come */
            ;
    }
    sem_destroy(&self.given);
    return self.db;
}

static int pool_take(struct rlx_store *store, struct rlx_db **dbp)
{
    pthread_mutex_lock(&store->lock);
    struct rlx_db *db = pool_free_one(store);
    if (db) {
        db->in_use = true;
        pthread_mutex_unlock(&store->lock);
    } else if (!(db = pool_wait(store))) {
        return RLX_ESTORE;
    }
    *dbp = db;
    return 0;
}

static void connection_close(struct rlx_db *db)
{
    if (db->connection)
        db->store->backend->close(db->connection);
    db->connection = NULL;
}

static void pool_give(struct rlx_db *db)
{
    struct rlx_store *store = db->store;

    if (db->broken)
        connection_close(db);
    db->broken = false;
    /* Handed to the one that waits longest, and woken without the lock: nobody can push in, nobody wakes for nothing. */
    pthread_mutex_lock(&store->lock);
    struct waiter *next = store->waiting;
    if (next) {
        store->waiting = next->next;
        next->db = db;
    } else {
        db->in_use = false;
    }
    pthread_mutex_unlock(&store->lock);
    if (next)
        sem_post(&next->given);
}

void rlx_store_pool(struct rlx_store *store, unsigned *openp, unsigned *usedp, unsigned *waitingp)
{
    unsigned used = 0, opened = 0, waiting = 0;

    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < RLX_POOL_SIZE; i++) {
        used += store->pool[i].in_use;
        /* The connection of one that is in use is its user's to look at. */
        opened += store->pool[i].in_use || store->pool[i].connection;
    }
    for (const struct waiter *one = store->waiting; one; one = one->next)
        waiting++;
    pthread_mutex_unlock(&store->lock);
    *openp = opened;
    *usedp = used;
    *waitingp = waiting;
}

/* May this thread try to connect? One at a time while the database is away. */
static bool may_try(struct rlx_store *store)
{
    uint64_t now_ms = rlx_now_ms();

    pthread_mutex_lock(&store->lock);
    bool may = !store->away || now_ms >= store->try_at_ms;
    if (may)
        store->try_at_ms = now_ms + ATTEMPT_MS;
    pthread_mutex_unlock(&store->lock);
    return may;
}

static void tried(struct rlx_db *db, int err, const char *why)
{
    struct rlx_store *store = db->store;

    pthread_mutex_lock(&store->lock);
    bool was = store->away;
    store->away = err != 0;
    store->try_at_ms = rlx_now_ms() + AWAY_MS;
    db->generation = store->generation;
    pthread_mutex_unlock(&store->lock);
    if (err && !was)
        rlx_log(RLX_ERROR, "store.away", "why=%s", why ? why : rlx_err_text(err));
    else if (!err && was)
        rlx_log(RLX_INFO, "store.back", "after=outage");
}

static int connection_open(struct rlx_db *db)
{
    const struct rlx_db_backend *backend = db->store->backend;
    char *why = NULL;

    if (db->connection && backend->alive &&
        (db->generation != db->store->generation || !backend->alive(db->connection)))
        connection_close(db);
    if (db->connection)
        return 0;
    if (!may_try(db->store))
        return RLX_ESTORE;
    TALLOC_CTX *tmp = talloc_new(NULL);
    int err = backend->open(&db->connection, tmp, db->store->where, &why);
    tried(db, err, why);
    talloc_free(tmp);
    return err;
}

/* A connection that failed is closed; when it is dead, its like are not trusted any more. */
static void connection_judge(struct rlx_db *db)
{
    const struct rlx_db_backend *backend = db->store->backend;

    db->broken = !backend->alive || !backend->alive(db->connection);
    if (!db->broken || !backend->alive)
        return;
    pthread_mutex_lock(&db->store->lock);
    if (db->generation == db->store->generation)
        db->store->generation++;
    pthread_mutex_unlock(&db->store->lock);
}

static int transaction_begin(struct rlx_db *db, bool write)
{
    struct rlx_store *store = db->store;
    int err = connection_open(db);

    if (!err && write && store->backend->one_writer) {
        struct timespec until = deadline(CLOCK_REALTIME);
        if (pthread_mutex_timedlock(&store->write_lock, &until))
            return RLX_ESTORE;
        db->write = true;
    }
    if (err)
        return err;
    err = store->backend->begin(db->connection, write);
    if (err)
        connection_judge(db);
    return err;
}

int rlx_db_begin(struct rlx_store *store, enum rlx_db_mode mode, struct rlx_db **dbp)
{
    struct rlx_db *db;
    int err = pool_take(store, &db);

    if (err)
        return err;
    db->write = false;
    err = transaction_begin(db, mode == RLX_DB_WRITE);
    if (err) {
        if (db->write)
            pthread_mutex_unlock(&store->write_lock);
        pool_give(db);
        return err;
    }
    *dbp = db;
    return 0;
}

int rlx_db_end(struct rlx_db *db, int err)
{
    const struct rlx_db_backend *backend = db->store->backend;
    bool ours = err;

    if (!err)
        err = backend->commit(db->connection);
    if (err)
        backend->rollback(db->connection);
    if ((err == RLX_ESTORE || err == RLX_EINTERNAL) && !ours)
        rlx_log(RLX_ERROR, "store.commit", "why=%s", backend->why(db->connection));
    if (err == RLX_ESTORE || (err && backend->alive))
        connection_judge(db); /* a fresh connection next time */
    if (db->write)
        pthread_mutex_unlock(&db->store->write_lock);
    pool_give(db);
    return err;
}

int rlx_db_run(struct rlx_db *db, enum rlx_query query, const struct rlx_value *values,
               size_t count, rlx_row_h *each, void *arg, int *rowsp)
{
    const struct rlx_db_backend *backend = db->store->backend;
    int err = backend->run(db->connection, query, values, count, each, arg, rowsp);

    if (err == RLX_ESTORE || err == RLX_EINTERNAL)
        rlx_log(RLX_ERROR, "store.query", "query=%s why=%s", rlx_query_names[query],
                backend->why(db->connection));
    return err;
}

int rlx_db_lock(struct rlx_db *db, const char *name)
{
    const struct rlx_db_backend *backend = db->store->backend;

    return backend->lock ? backend->lock(db->connection, name) : 0;
}

int rlx_db_once(struct rlx_store *store, enum rlx_db_mode mode, enum rlx_query query,
                const struct rlx_value *values, size_t count, rlx_row_h *each, void *arg,
                int *rowsp)
{
    struct rlx_db *db;
    int err = rlx_db_begin(store, mode, &db);

    if (err)
        return err;
    return rlx_db_end(db, rlx_db_run(db, query, values, count, each, arg, rowsp));
}

int rlx_store_ping(struct rlx_store *store)
{
    struct rlx_db *db;
    int64_t one = 0;

    if (!store)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_READ, &db);
    if (err)
        return err;
    return rlx_db_end(
        db, store->backend->text(db->connection, "SELECT 1", NULL, 0, rlx_row_take_int, &one));
}

/* ---- migrations ---- */

struct applied {
    int version;
    const struct rlx_migration *wanted;
    TALLOC_CTX *ctx;
    char **whyp;
};

static void why_set(struct applied *state, char *why)
{
    if (state->whyp)
        *state->whyp = why;
    else
        talloc_free(why);
}

/* One row (version, name, checksum) of what the database holds, in order. */
static int applied_row(struct rlx_row *row, void *arg)
{
    struct applied *state = arg;
    const struct rlx_migration *next = &state->wanted[state->version];
    const char *name = rlx_row_text(row, 1), *checksum = rlx_row_text(row, 2);
    char hex[RLX_SHA256_HEX];

    if (!next->version) {
        why_set(state, talloc_asprintf(state->ctx,
                                       "the database was made by a newer release (migration "
                                       "%lld, %s): use that release, or restore a backup",
                                       (long long)rlx_row_int(row, 0), name));
        return RLX_ECONFIG;
    }
    rlx_sha256_hex(hex, next->sql, strlen(next->sql));
    if (rlx_row_int(row, 0) != next->version || strcmp(checksum, hex) != 0) {
        why_set(state, talloc_asprintf(state->ctx,
                                       "migration %04d_%s was applied to this database with other "
                                       "contents (%.12s..., this program has %.12s...): an applied "
                                       "migration must not be changed; use the release that made "
                                       "the database, or add a new migration",
                                       next->version, next->name, checksum, hex));
        return RLX_ECONFIG;
    }
    state->version++;
    return 0;
}

static int migrate_one(struct rlx_store *store, void *connection,
                       const struct rlx_migration *migration)
{
    char hex[RLX_SHA256_HEX];
    int err = store->backend->script(connection, migration->sql);

    rlx_sha256_hex(hex, migration->sql, strlen(migration->sql));
    if (!err)
        err = store->backend->text(connection, store->backend->applied_insert,
                                   (const struct rlx_value[]){RLX_INT(migration->version),
                                                              RLX_TEXT(migration->name),
                                                              RLX_TEXT(hex)},
                                   3, NULL, NULL);
    return err;
}

/* Applies the next missing migration in one transaction; *donep when there is none. */
static int migrate_step(struct rlx_store *store, struct applied *state, bool *donep)
{
    const struct rlx_db_backend *backend = store->backend;
    struct rlx_db *db;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);

    if (err) {
        why_set(state, talloc_strdup(state->ctx,
                                     backend->one_writer
                                         ? "the database is locked or can't be written: is its "
                                           "directory writable, and no other program holding it?"
                                         : "the database can't be reached any more"));
        return err;
    }
    state->version = 0;
    if (backend->migrate_lock)
        err = backend->migrate_lock(db->connection);
    if (!err)
        err = backend->script(db->connection, backend->applied_table);
    if (!err)
        err = backend->text(db->connection,
                            "SELECT version, name, checksum FROM schema_migrations ORDER BY 1",
                            NULL, 0, applied_row, state);
    const struct rlx_migration *next = &state->wanted[state->version];
    *donep = !err && !next->version;
    if (!err && !*donep)
        err = migrate_one(store, db->connection, next);
    if (err && err != RLX_ECONFIG)
        why_set(state, talloc_asprintf(state->ctx, "migration %04d_%s: %s", next->version,
                                       next->name ? next->name : "", backend->why(db->connection)));
    return rlx_db_end(db, err);
}

int rlx_store_migrate(struct rlx_store *store, int *appliedp, char **whyp)
{
    struct applied state = {.ctx = store, .whyp = whyp};
    bool done = false;
    int err, applied = 0;

    if (!store)
        return -EINVAL;
    state.wanted = store->backend->migrations;
    while (!(err = migrate_step(store, &state, &done)) && !done)
        applied++;
    if (appliedp)
        *appliedp = applied;
    return err;
}
