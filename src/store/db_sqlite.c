/* SQLite: WAL, synchronous=FULL, foreign keys on, one connection per thread at a time. */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/log.h"
#include "store/db.h"

struct sqlite {
    sqlite3 *handle;
    sqlite3_stmt *statements[RLX_Q_COUNT];
};

static int map_error(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
            return RLX_ENOTFOUND;
        if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
            return RLX_ECONFLICT;
        return RLX_EINVAL;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_TOOBIG:
        return RLX_ETOOBIG;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return RLX_EINTERNAL;
    default: /* BUSY, LOCKED, IOERR, FULL, READONLY, CANTOPEN, CORRUPT, NOTADB, … */
        return RLX_ESTORE;
    }
}

static void db_close(void *connection)
{
    struct sqlite *db = connection;

    for (size_t i = 0; i < RLX_Q_COUNT; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->handle);
    sqlite3_free(db);
}

/* WAL needs shared memory and working locks: not there on network file systems (numbers: man 2
 * statfs). */
static bool on_network(const char *path)
{
    struct statfs fs;
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";

    if (slash && slash != path && (size_t)(slash - path) < sizeof folder) {
        memcpy(folder, path, (size_t)(slash - path));
        folder[slash - path] = '\0';
    }
    if (statfs(folder, &fs))
        return false;
    unsigned long type = (unsigned long)fs.f_type & 0xffffffffUL;
    return type == 0x6969 || type == 0x517b || type == 0xff534d42UL || type == 0xfe534d42UL;
}

static int sqlite_setup(sqlite3 *handle)
{
    sqlite3_busy_timeout(handle, RLX_DB_WAIT_MS);
    sqlite3_extended_result_codes(handle, 1);
    return sqlite3_exec(handle,
                        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                        "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000;",
                        NULL, NULL, NULL);
}

static int db_open(void **connectionp, TALLOC_CTX *ctx, const char *where, char **whyp)
{
    struct sqlite *db = sqlite3_malloc(sizeof *db);

    if (!db)
        return -ENOMEM;
    memset(db, 0, sizeof *db);
    if (on_network(where)) {
        if (whyp)
            *whyp = talloc_asprintf(ctx,
                                    "%s is on a network file system, where SQLite can't work "
                                    "safely: choose a local disk (--data DIR or "
                                    "DATABASE_URL=sqlite:PATH)",
                                    where);
        db_close(db);
        return RLX_ECONFIG;
    }
    int rc = sqlite3_open_v2(
        where, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite_setup(db->handle);
    if (rc != SQLITE_OK) {
        if (whyp)
            *whyp = talloc_asprintf(ctx,
                                    "the database %s can't be opened: %s; is its directory "
                                    "there and writable, and is it a database of RelayX?",
                                    where,
                                    db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc));
        db_close(db);
        return rc == SQLITE_NOMEM ? -ENOMEM : RLX_ESTORE;
    }
    *connectionp = db;
    return 0;
}

static int bind_values(sqlite3_stmt *statement, const struct rlx_value *values, size_t count)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        const struct rlx_value *value = &values[i];
        int at = (int)i + 1;
        if (value->kind == RLX_VALUE_INT || value->kind == RLX_VALUE_BOOL)
            rc = sqlite3_bind_int64(statement, at, value->number);
        else if (value->kind == RLX_VALUE_TEXT && value->data)
            rc = sqlite3_bind_text(statement, at, value->data, -1, SQLITE_STATIC);
        else if (value->kind == RLX_VALUE_BLOB && value->data)
            rc = sqlite3_bind_blob64(statement, at, value->data, value->length, SQLITE_STATIC);
    }
    return rc;
}

static int step_all(struct sqlite *db, sqlite3_stmt *statement, const struct rlx_value *values,
                    size_t count, rlx_row_h *each, void *arg, int *rowsp)
{
    struct rlx_row row = {&rlx_db_sqlite, statement};
    int rows = 0, err = 0;
    int rc = bind_values(statement, values, count);

    if (rc == SQLITE_OK)
        rc = SQLITE_ROW;
    while (!err && rc == SQLITE_ROW && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        rows++;
        if (each)
            err = each(&row, arg);
    }
    if (!err)
        err = map_error(rc);
    if (!err && rowsp)
        *rowsp = sqlite3_column_count(statement) ? rows : sqlite3_changes(db->handle);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return err;
}

static int db_run(void *connection, enum rlx_query query, const struct rlx_value *values,
                  size_t count, rlx_row_h *each, void *arg, int *rowsp)
{
    struct sqlite *db = connection;
    sqlite3_stmt **statementp = &db->statements[query];

    if (!*statementp) {
        int rc = sqlite3_prepare_v3(db->handle, rlx_queries_sqlite[query], -1,
                                    SQLITE_PREPARE_PERSISTENT, statementp, NULL);
        if (rc != SQLITE_OK)
            return map_error(rc);
    }
    return step_all(db, *statementp, values, count, each, arg, rowsp);
}

static int db_text(void *connection, const char *sql, const struct rlx_value *values, size_t count,
                   rlx_row_h *each, void *arg)
{
    struct sqlite *db = connection;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);

    if (rc != SQLITE_OK)
        return map_error(rc);
    int err = step_all(db, statement, values, count, each, arg, NULL);
    sqlite3_finalize(statement);
    return err;
}

static int db_script(void *connection, const char *sql)
{
    struct sqlite *db = connection;

    return map_error(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static int db_begin(void *connection, bool write)
{
    return db_text(connection, write ? "BEGIN IMMEDIATE" : "BEGIN", NULL, 0, NULL, NULL);
}

static int db_commit(void *connection)
{
    return db_text(connection, "COMMIT", NULL, 0, NULL, NULL);
}

static void db_rollback(void *connection)
{
    struct sqlite *db = connection;

    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static const char *db_why(void *connection)
{
    return sqlite3_errmsg(((struct sqlite *)connection)->handle);
}

static const char *column_text(struct rlx_row *row, int column)
{
    return (const char *)sqlite3_column_text(row->statement, column);
}

static int64_t column_int(struct rlx_row *row, int column)
{
    return sqlite3_column_int64(row->statement, column);
}

static const void *column_blob(struct rlx_row *row, int column, size_t *lengthp)
{
    const void *bytes = sqlite3_column_blob(row->statement, column);

    *lengthp = (size_t)sqlite3_column_bytes(row->statement, column);
    return bytes;
}

const struct rlx_db_backend rlx_db_sqlite = {
    .queries = rlx_queries_sqlite,
    .migrations = rlx_migrations_sqlite,
    .applied_table = "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, "
                     "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL "
                     "DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))",
    .applied_insert = "INSERT INTO schema_migrations (version, name, checksum) VALUES (?1, ?2, ?3)",
    .one_writer = true,
    .open = db_open,
    .close = db_close,
    .begin = db_begin,
    .commit = db_commit,
    .rollback = db_rollback,
    .run = db_run,
    .script = db_script,
    .text = db_text,
    .why = db_why,
    .column_text = column_text,
    .column_int = column_int,
    .column_blob = column_blob,
};
