/* A fresh store for each test; leaks fail the test. SQLite in a directory of its own, or, when
 * RLX_TEST_POSTGRES_URL is set (tests/integration/postgres.py), a PostgreSQL database of its own.
 */
#ifndef RLX_TEST_STORE_FIXTURE_H
#define RLX_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "store/agents.h"
#include "store/calls.h"
#include "store/jobs.h"
#include "store/users.h"

struct fixture {
    TALLOC_CTX *ctx;
    struct rlx_store *store;
    char folder[64], url[192], database[48]; /* the database's name on PostgreSQL, else "" */
    char *user, *other;                      /* two users */
    char *agent;                             /* of the first */
};

static inline bool on_postgres(void)
{
    return getenv("RLX_TEST_POSTGRES_URL") != NULL;
}

/* For tests of what only SQLite has. */
#define SQLITE_ONLY()                                                                              \
    do {                                                                                           \
        if (on_postgres())                                                                         \
            skip();                                                                                \
    } while (0)

/* SQL in a PostgreSQL database of the tests' server, past the store. */
static inline void postgres_exec(const char *database, const char *sql)
{
    char *url = talloc_strdup(NULL, getenv("RLX_TEST_POSTGRES_ADMIN"));

    strrchr(url, '/')[1] = '\0';
    url = talloc_asprintf_append(url, "%s", database);
    PGconn *link = PQconnectdb(url);
    PGresult *result = PQexec(link, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(link));
    PQclear(result);
    PQfinish(link);
    talloc_free(url);
}

static inline void database_url(struct fixture *f, const char *name)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(f->url, sizeof f->url, getenv("RLX_TEST_POSTGRES_URL"), name);
#pragma GCC diagnostic pop
}

/* A program has one database, migrated once and emptied before each test. */
static inline void fixture_database(struct fixture *f)
{
    static bool made;
    struct rlx_store *store = NULL;
    char sql[128], *why = NULL;

    snprintf(f->database, sizeof f->database, "test_%d", (int)getpid());
    database_url(f, f->database);
    if (made) {
        postgres_exec(
            f->database,
            "DO $$ DECLARE t text; BEGIN SET LOCAL session_replication_role = replica; "
            "FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename <> 'saved' LOOP EXECUTE 'DELETE FROM ' || quote_ident(t); "
            "END LOOP; PERFORM setval(format('%I', sequencename), 1, false) FROM pg_sequences; "
            "INSERT INTO schema_migrations SELECT * FROM saved; END $$");
        return;
    }
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", f->database);
    postgres_exec("postgres", sql);
    if (rlx_store_open(&store, f->ctx, f->url, &why) || rlx_store_migrate(store, NULL, &why))
        fail_msg("%s", why);
    talloc_free(store);
    postgres_exec(f->database, "CREATE TABLE saved AS TABLE schema_migrations");
    made = true;
}

static inline int fixture_open(struct fixture *f)
{
    char *why = NULL;

    if (on_postgres() && !f->database[0])
        fixture_database(f);
    if (!on_postgres())
        snprintf(f->url, sizeof f->url, "sqlite:%s/relayx.db", f->folder);
    if (rlx_store_open(&f->store, f->ctx, f->url, &why))
        fail_msg("%s", why);
    return 0;
}

static inline char *fixture_id(struct fixture *f, const char *json)
{
    json_t *object = json_loads(json, 0, NULL);

    assert_non_null(object);
    char *id = talloc_strdup(f->ctx, json_string_value(json_object_get(object, "id")));
    json_decref(object);
    return id;
}

static inline char *fixture_agent(struct fixture *f, const char *user, const char *name)
{
    json_t *fields = json_pack("{s:s,s:s}", "name", name, "prompt_text", "Be kind.");
    char *json = NULL;

    assert_int_equal(rlx_agent_create(f->store, f->ctx, user, fields, &json), 0);
    json_decref(fields);
    return fixture_id(f, json);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = talloc_zero(NULL, struct fixture);

    f->ctx = talloc_new(NULL);
    snprintf(f->folder, sizeof f->folder, "/tmp/relayx-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    fixture_open(f);
    assert_int_equal(rlx_store_migrate(f->store, NULL, NULL), 0);
    assert_int_equal(rlx_user_create(f->store, f->ctx, "ann@example.com", "x", "Ann", &f->user), 0);
    assert_int_equal(rlx_user_create(f->store, f->ctx, "bob@example.com", "x", "Bob", &f->other),
                     0);
    f->agent = fixture_agent(f, f->user, "Emma");
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    static const char *const names[] = {"relayx.db", "relayx.db-wal", "relayx.db-shm"};
    struct fixture *f = *state;
    char path[128];

    talloc_free(f->ctx);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
        unlink(path);
    }
    rmdir(f->folder);
    talloc_free(f);
    return 0;
}

static inline char *fixture_call(struct fixture *f)
{
    char *id = NULL;
    bool created = false;

    assert_int_equal(rlx_call_create(f->store, f->ctx, f->user, f->agent, "+12025550123", NULL,
                                     NULL, NULL, &id, &created),
                     0);
    assert_true(created);
    return id;
}

/* The parsed JSON text; the caller drops it. */
static inline json_t *parsed(const char *json)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    return value;
}

static inline const char *field(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
