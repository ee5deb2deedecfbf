/* Every named query is understood by the database over the migrated schema. Lists all that are not.
 */
#include "fixture.h"

#include <sqlite3.h>

#include "store_queries.h"

static void complain(int *badp, enum rlx_query query, const char *why)
{
    print_error("%s: %s\n", rlx_query_names[query], why);
    ++*badp;
}

static void prepare_sqlite(struct fixture *f, int *badp)
{
    sqlite3 *db;
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_open(f->url + strlen("sqlite:"), &db), SQLITE_OK);
    for (int q = 0; q < RLX_Q_COUNT; q++) {
        if (sqlite3_prepare_v2(db, rlx_queries_sqlite[q], -1, &statement, NULL) != SQLITE_OK)
            complain(badp, q, sqlite3_errmsg(db));
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
}

static void prepare_postgres(struct fixture *f, int *badp)
{
    char *url = talloc_strdup(f->ctx, getenv("RLX_TEST_POSTGRES_ADMIN"));

    strrchr(url, '/')[1] = '\0';
    url = talloc_asprintf_append(url, "%s", f->database);
    PGconn *link = PQconnectdb(url);
    for (int q = 0; q < RLX_Q_COUNT; q++) {
        PGresult *result = PQprepare(link, rlx_query_names[q], rlx_queries_postgres[q], 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            complain(badp, q, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
        PQclear(result);
    }
    PQfinish(link);
}

static void all_prepared(void **state)
{
    int bad = 0;

    if (on_postgres())
        prepare_postgres(*state, &bad);
    else
        prepare_sqlite(*state, &bad);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(all_prepared)};

    return cmocka_run_group_tests_name("dialects", tests, NULL, NULL);
}
