/* Opening, migrating, and what goes wrong there. */
#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void urls(void **state)
{
    static const struct {
        const char *url;
        int err;
        const char *why;
    } rows[] = {
        {"postgresql://u:p@127.0.0.1:1/db", RLX_ESTORE, "is PostgreSQL running there"},
        {"postgres://127.0.0.1:1/db?connect_timeout=2", RLX_ESTORE, "127.0.0.1:1/db"},
        {"postgres:///db?host=/nowhere", RLX_ESTORE, "running on this machine"},
        {"postgres://nowhere.invalid/db", RLX_ESTORE, "is the host's name"},
        {"postgresql://u:p@ss@127.0.0.1/db?sslmod=require", RLX_ECONFIG, "%40 for an @"},
        {"postgresql:db", RLX_ECONFIG, "postgresql://USER"},
        {"https://x.supabase.co", RLX_ECONFIG, "Connection string"},
        {"mysql://h", RLX_ECONFIG, "must be sqlite:PATH"},
        {"sqlite:", RLX_ECONFIG, "must be sqlite:PATH"},
        {"sqlite:/nowhere/at/all/x.db", RLX_ESTORE, "can't be opened"},
        {"sqlite:/tmp", RLX_ESTORE, "can't be opened"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rlx_store *store = NULL;
        char *why = NULL;
        assert_int_equal(rlx_store_open(&store, f->ctx, rows[i].url, &why), rows[i].err);
        assert_null(store);
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void not_a_database(void **state)
{
    SQLITE_ONLY();
    struct fixture *f = *state;
    struct rlx_store *store = NULL;
    char path[128], url[160], *why = NULL;

    snprintf(path, sizeof path, "%s/text", f->folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 200; i++)
        fputs("this is no database at all\n", file);
    fclose(file);
    snprintf(url, sizeof url, "sqlite:%s", path);
    assert_int_equal(rlx_store_open(&store, f->ctx, url, &why), RLX_ESTORE);
    assert_non_null(strstr(why, "not a database"));
    unlink(path);
}

static void migrate_twice(void **state)
{
    struct fixture *f = *state;
    int applied = -1;
    char *why = NULL;

    assert_int_equal(rlx_store_migrate(f->store, &applied, &why), 0);
    assert_int_equal(applied, 0);
    assert_int_equal(rlx_store_ping(f->store), 0);
}

static void alter(struct fixture *f, const char *sql)
{
    char path[128];
    sqlite3 *db;

    if (on_postgres()) {
        postgres_exec(f->database, sql);
        return;
    }
    snprintf(path, sizeof path, "%s/relayx.db", f->folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void changed_migration(void **state)
{
    struct fixture *f = *state;
    char *why = NULL;

    alter(f, "UPDATE schema_migrations SET checksum = 'abc' WHERE version = 1");
    assert_int_equal(rlx_store_migrate(f->store, NULL, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "must not be changed"));
}

static void newer_database(void **state)
{
    struct fixture *f = *state;
    char *why = NULL;

    alter(f, "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'x', 'x')");
    assert_int_equal(rlx_store_migrate(f->store, NULL, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "newer release"));
}

/* ---- a migration that is killed after its n-th statement ---- */

static int statements_left;

static int die_at(unsigned type, void *ctx, void *statement, void *text)
{
    (void)type;
    (void)ctx;
    (void)statement;
    (void)text;
    if (--statements_left == 0)
        kill(getpid(), SIGKILL);
    return 0;
}

static int trace_all(sqlite3 *db, char **why, const struct sqlite3_api_routines *api)
{
    (void)why;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, die_at, NULL);
}

static void killed_child(const char *url, int n)
{
    struct rlx_store *store = NULL;

    statements_left = n;
    sqlite3_auto_extension((void (*)(void))trace_all);
    if (!rlx_store_open(&store, NULL, url, NULL) && !rlx_store_migrate(store, NULL, NULL))
        _exit(0);
    _exit(1);
}

static void migration_killed(void **state)
{
    SQLITE_ONLY();
    struct fixture *f = *state;
    char path[128], url[160], *why = NULL;
    bool whole = false;
    int kills = 0;

    snprintf(path, sizeof path, "%s/killed.db", f->folder);
    snprintf(url, sizeof url, "sqlite:%s", path);
    for (int n = 6; !whole; n += 7) {
        pid_t child = fork();
        if (!child)
            killed_child(url, n);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        kills += WIFSIGNALED(status);
        struct rlx_store *store;
        assert_int_equal(rlx_store_open(&store, f->ctx, url, &why), 0);
        assert_int_equal(rlx_store_migrate(store, NULL, &why), 0);
        char *id;
        assert_int_equal(rlx_user_create(store, f->ctx, "a@b.c", "x", NULL, &id), 0);
        talloc_free(store);
        char side[160];
        unlink(path);
        snprintf(side, sizeof side, "%s-wal", path);
        unlink(side);
        snprintf(side, sizeof side, "%s-shm", path);
        unlink(side);
    }
    assert_true(kills >= 3);
}

/* ---- a disk that takes no more ---- */

static void disk_full(void **state)
{
    SQLITE_ONLY();
    struct fixture *f = *state;
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    char *id = NULL;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int err = rlx_user_create(f->store, f->ctx, "c@example.com", "x", NULL, &id);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, RLX_ESTORE);
    assert_null(id);
    /* and it goes on when there is room again */
    assert_int_equal(rlx_user_create(f->store, f->ctx, "c@example.com", "x", NULL, &id), 0);
}

/* ---- the pool under more threads than connections ---- */

struct worker {
    struct fixture *f;
    int number, errors;
};

static void *write_many(void *arg)
{
    struct worker *worker = arg;
    TALLOC_CTX *ctx = talloc_new(NULL);
    char email[64], *id, *json;

    for (int i = 0; i < 10; i++) {
        snprintf(email, sizeof email, "u%d.%d@example.com", worker->number, i);
        worker->errors += rlx_user_create(worker->f->store, ctx, email, "x", NULL, &id) != 0;
        worker->errors += rlx_user_get(worker->f->store, ctx, worker->f->user, &json) != 0;
    }
    talloc_free(ctx);
    return NULL;
}

static void many_threads(void **state)
{
    struct worker workers[16];
    pthread_t threads[16];

    for (int i = 0; i < 16; i++) {
        workers[i] = (struct worker){*state, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &workers[i]), 0);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].errors, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(urls),           TEST(not_a_database),   TEST(migrate_twice), TEST(changed_migration),
        TEST(newer_database), TEST(migration_killed), TEST(disk_full),     TEST(many_threads),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
