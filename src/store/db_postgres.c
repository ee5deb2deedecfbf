/* PostgreSQL through libpq: asynchronous inside, so that no wait is without an end.
 *
 * Without a pooler each query is prepared once a connection, reads are single statements and the
 * limits are the session's. Behind a pooler in transaction mode everything is inside of a
 * transaction, with its limits by SET LOCAL, and no statement is prepared. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/db.h"
#include "store/db_postgres.h"

#define PARAMETERS_MAX 40
#define COLUMNS_MAX 12
#define SERVER_MS RLX_DB_WAIT_MS          /* statement_timeout and lock_timeout */
#define ANSWER_MS (RLX_DB_WAIT_MS + 1000) /* until the server is taken for dead */
#define MIGRATION_MS (30 * 60 * 1000)
#define MIGRATION_LOCK 7235920491 /* pg_advisory_xact_lock: one migration at a time */

/* Types' numbers in pg_type.dat. */
enum pg_type {
    PG_ANY = 0,
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_INT8 = 20,
    PG_JSON = 114,
    PG_JSONB = 3802
};

struct prepared {
    bool done;
    uint64_t untyped; /* parameters that were null when it was prepared: their type was guessed */
};

struct pg {
    PGconn *link;
    bool pooled, writes;
    int answer_ms;
    char why[512];
    struct prepared prepared[RLX_Q_COUNT];
};

struct cursor {
    PGresult *result;
    int row;
    char *text[COLUMNS_MAX]; /* made for this row */
};

/* ---- errors ---- */

static void why_set(struct pg *db, const char *text)
{
    size_t n = strcspn(text, "\n");

    snprintf(db->why, sizeof db->why, "%.*s", (int)n, text);
}

/* Appendix A of PostgreSQL's manual has the codes. */
static int map_state(const char *state, const char *message)
{
    static const struct {
        const char *prefix;
        int err;
    } table[] = {
        {"23505", RLX_ECONFLICT}, {"23P01", RLX_ECONFLICT}, {"23503", RLX_ENOTFOUND},
        {"23", RLX_EINVAL},       {"22", RLX_EINVAL},       {"54", RLX_ETOOBIG},
        {"08", RLX_ESTORE},       {"25006", RLX_ESTORE},    {"25P03", RLX_ESTORE},
        {"26000", RLX_ESTORE},    {"28", RLX_ESTORE},       {"40", RLX_ESTORE},
        {"42P05", RLX_ESTORE},    {"0A000", RLX_ESTORE},    {"53", RLX_ESTORE},
        {"55", RLX_ESTORE},       {"57", RLX_ESTORE},       {"58", RLX_ESTORE},
    };

    if (!state)
        return RLX_ESTORE;
    if (!strcmp(state, "22P02") && strstr(message, "uuid"))
        return RLX_ENOTFOUND; /* what is no id is the id of nothing */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strncmp(state, table[i].prefix, strlen(table[i].prefix)))
            return table[i].err;
    return RLX_EINTERNAL;
}

static int result_error(struct pg *db, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!message)
        message = PQresultErrorMessage(result);
    why_set(db, message);
    return map_state(state, message);
}

/* ---- waiting ---- */

static int link_lost(struct pg *db, const char *why)
{
    why_set(db, why);
    return RLX_ESTORE;
}

/* Until something can be read, and written when there is something left to write. */
static int wait_socket(struct pg *db, int unsent, uint64_t until_ms)
{
    struct pollfd fd = {.fd = PQsocket(db->link), .events = POLLIN};
    uint64_t now_ms = rlx_now_ms();

    if (unsent)
        fd.events |= POLLOUT;
    if (fd.fd < 0)
        return link_lost(db, "the connection is closed");
    if (now_ms >= until_ms)
        return link_lost(db, "the server does not answer");
    int n = poll(&fd, 1, (int)(until_ms - now_ms));
    return n < 0 && errno != EINTR ? link_lost(db, "poll failed") : 0;
}

/* The next result of what was sent; NULL with 0 when there is no further one. */
static int next_result(struct pg *db, uint64_t until_ms, PGresult **resultp)
{
    for (;;) {
        int unsent = PQflush(db->link);
        if (unsent < 0 || (!unsent && PQstatus(db->link) == CONNECTION_BAD))
            return link_lost(db, PQerrorMessage(db->link));
        if (!unsent && !PQisBusy(db->link)) {
            *resultp = PQgetResult(db->link);
            return 0;
        }
        int err = wait_socket(db, unsent, until_ms);
        if (err)
            return err;
        if (!PQconsumeInput(db->link))
            return link_lost(db, PQerrorMessage(db->link));
    }
}

/* Reads all results; keeps the last good one in *resultp (optional), or the first error. */
static int finish(struct pg *db, int sent, PGresult **resultp)
{
    uint64_t until_ms = rlx_now_ms() + (uint64_t)db->answer_ms;
    PGresult *result, *kept = NULL;
    int err = 0;

    if (!sent)
        return link_lost(db, PQerrorMessage(db->link));
    for (;;) {
        int lost = next_result(db, until_ms, &result);
        if (lost) {
            err = lost;
            break;
        }
        if (!result)
            break;
        if (!err)
            err = result_error(db, result);
        PQclear(kept);
        kept = result;
    }
    if (err || !resultp) {
        PQclear(kept);
        kept = NULL;
    }
    if (resultp)
        *resultp = kept;
    return err;
}

static int command(struct pg *db, const char *sql)
{
    return finish(db, PQsendQuery(db->link, sql), NULL);
}

/* ---- connections ---- */

static void db_close(void *connection)
{
    struct pg *db = connection;

    PQfinish(db->link);
    free(db);
}

static void no_notices(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static int link_open(struct pg *db, TALLOC_CTX *ctx, const struct rlx_pg_address *address,
                     char **whyp)
{
    db->link = PQconnectdbParams(address->keywords, address->values, 0);
    if (!db->link)
        return -ENOMEM;
    if (PQstatus(db->link) != CONNECTION_OK) {
        if (whyp)
            *whyp = rlx_pg_explain(ctx, address, PQerrorMessage(db->link));
        return RLX_ESTORE;
    }
    if (PQserverVersion(db->link) < 140000) {
        if (whyp)
            *whyp = talloc_asprintf(ctx, "PostgreSQL at %s is version %d: 14 or newer is needed",
                                    address->shown, PQserverVersion(db->link) / 10000);
        return RLX_ECONFIG;
    }
    PQsetNoticeReceiver(db->link, no_notices, NULL);
    return PQsetnonblocking(db->link, 1) ? RLX_ESTORE : 0;
}

/* Opens with the session's limits, unless a pooler stands between: PgBouncer refuses options. */
static int open_limited(struct pg *db, TALLOC_CTX *ctx, const char *where, char **whyp)
{
    struct rlx_pg_address *plain = NULL, *limited = NULL;
    int err = rlx_pg_address(&plain, ctx, where, whyp);

    if (err)
        return err;
    db->pooled = plain->pooled;
    if (!db->pooled) {
        err = rlx_pg_address(&limited, ctx, where, whyp);
        if (!err)
            err = rlx_pg_address_limits(limited, SERVER_MS);
        if (!err)
            err = link_open(db, ctx, limited, whyp);
        if (!err || !db->link || !strstr(PQerrorMessage(db->link), "unsupported startup parameter"))
            return err;
        db->pooled = true;
        PQfinish(db->link);
    }
    return link_open(db, ctx, plain, whyp);
}

static int db_open(void **connectionp, TALLOC_CTX *ctx, const char *where, char **whyp)
{
    struct pg *db = calloc(1, sizeof *db);
    TALLOC_CTX *tmp = talloc_new(ctx);

    if (!db || !tmp) {
        free(db);
        return -ENOMEM;
    }
    db->answer_ms = ANSWER_MS;
    char *why = NULL;
    int err = open_limited(db, tmp, where, &why);
    if (err && whyp)
        *whyp = talloc_steal(ctx, why);
    if (err)
        db_close(db);
    else
        *connectionp = db;
    talloc_free(tmp);
    return err;
}

/* What comes while nobody has asked is the server's farewell (or a notice that its configuration
 * was read again: then the connection is made anew for nothing). */
static bool db_alive(void *connection)
{
    struct pg *db = connection;
    struct pollfd fd = {.fd = PQsocket(db->link), .events = POLLIN};

    if (PQstatus(db->link) != CONNECTION_OK || fd.fd < 0 ||
        PQtransactionStatus(db->link) != PQTRANS_IDLE)
        return false;
    return poll(&fd, 1, 0) == 0;
}

/* ---- transactions ---- */

static int db_begin(void *connection, bool write)
{
    struct pg *db = connection;
    char sql[160];

    db->answer_ms = ANSWER_MS;
    if (!db->pooled)
        return write ? command(db, "BEGIN") : 0;
    snprintf(sql, sizeof sql,
             "BEGIN%s; SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d",
             write ? "" : " READ ONLY", SERVER_MS, SERVER_MS);
    return command(db, sql);
}

static int db_commit(void *connection)
{
    struct pg *db = connection;
    PGTransactionStatusType status = PQtransactionStatus(db->link);

    if (status == PQTRANS_IDLE)
        return 0;
    if (status == PQTRANS_INERROR) { /* COMMIT would roll back and say nothing */
        why_set(db, "a statement failed and its error was not heeded");
        return RLX_EINTERNAL;
    }
    return command(db, "COMMIT");
}

static void db_rollback(void *connection)
{
    struct pg *db = connection;
    PGTransactionStatusType status = PQtransactionStatus(db->link);
    char why[sizeof db->why];

    if (status != PQTRANS_INTRANS && status != PQTRANS_INERROR)
        return;
    memcpy(why, db->why, sizeof why);
    command(db, "ROLLBACK");
    memcpy(db->why, why, sizeof why);
}

static int db_script(void *connection, const char *sql)
{
    return command(connection, sql);
}

static int db_migrate_lock(void *connection)
{
    struct pg *db = connection;
    char sql[200];

    db->answer_ms = MIGRATION_MS;
    snprintf(sql, sizeof sql,
             "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; "
             "SET LOCAL idle_in_transaction_session_timeout = 0; "
             "SELECT pg_advisory_xact_lock(%lld)",
             (long long)MIGRATION_LOCK);
    return command(db, sql);
}

/* ---- queries ---- */

struct parameters {
    Oid types[PARAMETERS_MAX];
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    char numbers[PARAMETERS_MAX][24];
    uint64_t untyped;
    int count;
};

static void bind_one(struct parameters *p, int i, const struct rlx_value *value)
{
    p->types[i] = PG_ANY;
    p->values[i] = NULL;
    p->formats[i] = 0;
    switch (value->kind) {
    case RLX_VALUE_NULL:
        p->untyped |= 1ULL << i;
        break;
    case RLX_VALUE_TEXT:
        p->values[i] = value->data;
        break;
    case RLX_VALUE_INT:
        p->types[i] = PG_INT8;
        snprintf(p->numbers[i], sizeof p->numbers[i], "%lld", (long long)value->number);
        p->values[i] = p->numbers[i];
        break;
    case RLX_VALUE_BOOL:
        p->types[i] = PG_BOOL;
        p->values[i] = value->number ? "t" : "f";
        break;
    case RLX_VALUE_BLOB:
        p->types[i] = PG_BYTEA;
        p->values[i] = value->data;
        p->lengths[i] = (int)value->length;
        p->formats[i] = 1;
        break;
    }
}

static int bind_values(struct parameters *p, const struct rlx_value *values, size_t count)
{
    if (count > PARAMETERS_MAX)
        return RLX_EINTERNAL;
    p->count = (int)count;
    p->untyped = 0;
    for (int i = 0; i < p->count; i++) {
        if (values[i].kind == RLX_VALUE_BLOB && values[i].length > INT32_MAX)
            return RLX_ETOOBIG;
        bind_one(p, i, &values[i]);
    }
    return 0;
}

static bool typed(const struct parameters *p, uint64_t guessed)
{
    for (int i = 0; i < p->count; i++)
        if ((guessed >> i & 1) && p->types[i] != PG_ANY)
            return true;
    return false;
}

/* Prepares the query, or finds that it must run without: behind a pooler, or when a parameter whose
 * type was guessed from a null has one now. */
static int prepare(struct pg *db, enum rlx_query query, const struct parameters *p, bool *preparedp)
{
    struct prepared *statement = &db->prepared[query];
    char name[16];

    *preparedp = !db->pooled && !(statement->done && typed(p, statement->untyped));
    if (!*preparedp || statement->done)
        return 0;
    snprintf(name, sizeof name, "q%d", (int)query);
    int err = finish(
        db, PQsendPrepare(db->link, name, rlx_queries_postgres[query], p->count, p->types), NULL);
    if (err)
        return err;
    statement->done = true;
    statement->untyped = p->untyped;
    return 0;
}

static void cursor_forget(struct cursor *cursor)
{
    for (int i = 0; i < COLUMNS_MAX; i++) {
        free(cursor->text[i]);
        cursor->text[i] = NULL;
    }
}

static int take_rows(PGresult *result, rlx_row_h *each, void *arg, int *rowsp)
{
    struct cursor cursor = {.result = result};
    struct rlx_row row = {&rlx_db_postgres, &cursor};
    int count = PQntuples(result), err = 0;

    for (cursor.row = 0; each && cursor.row < count && !err; cursor.row++) {
        err = each(&row, arg);
        cursor_forget(&cursor);
    }
    if (!err && rowsp)
        *rowsp = PQnfields(result) ? count : (int)strtol(PQcmdTuples(result), NULL, 10);
    return err;
}

static int db_run(void *connection, enum rlx_query query, const struct rlx_value *values,
                  size_t count, rlx_row_h *each, void *arg, int *rowsp)
{
    struct pg *db = connection;
    struct parameters p;
    PGresult *result = NULL;
    bool prepared;
    char name[16];
    int sent;
    int err = bind_values(&p, values, count);

    if (!err)
        err = prepare(db, query, &p, &prepared);
    if (err)
        return err;
    if (prepared) {
        snprintf(name, sizeof name, "q%d", (int)query);
        sent = PQsendQueryPrepared(db->link, name, p.count, p.values, p.lengths, p.formats, 0);
    } else {
        sent = PQsendQueryParams(db->link, rlx_queries_postgres[query], p.count, p.types, p.values,
                                 p.lengths, p.formats, 0);
    }
    err = finish(db, sent, &result);
    if (!err && result)
        err = take_rows(result, each, arg, rowsp);
    PQclear(result);
    return err;
}

static int db_text(void *connection, const char *sql, const struct rlx_value *values, size_t count,
                   rlx_row_h *each, void *arg)
{
    struct pg *db = connection;
    struct parameters p;
    PGresult *result = NULL;
    int err = bind_values(&p, values, count);

    if (err)
        return err;
    err = finish(
        db, PQsendQueryParams(db->link, sql, p.count, p.types, p.values, p.lengths, p.formats, 0),
        &result);
    if (!err && result)
        err = take_rows(result, each, arg, NULL);
    PQclear(result);
    return err;
}

static int db_lock(void *connection, const char *name)
{
    return db_text(connection, "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))",
                   (const struct rlx_value[]){RLX_TEXT(name)}, 1, NULL, NULL);
}

static const char *db_why(void *connection)
{
    return ((struct pg *)connection)->why;
}

/* ---- columns ---- */

static const char *column_text(struct rlx_row *row, int column)
{
    struct cursor *cursor = row->statement;

    if (PQgetisnull(cursor->result, cursor->row, column))
        return NULL;
    const char *text = PQgetvalue(cursor->result, cursor->row, column);
    Oid type = PQftype(cursor->result, column);
    if (type == PG_BOOL)
        return *text == 't' ? "1" : "0";
    if ((type != PG_JSON && type != PG_JSONB) || column >= COLUMNS_MAX)
        return text;
    if (!cursor->text[column]) {
        size_t size = (size_t)PQgetlength(cursor->result, cursor->row, column) + 1;
        cursor->text[column] = malloc(size);
        if (!cursor->text[column])
            return text; /* still JSON, only wider */
        rlx_pg_compact(cursor->text[column], text);
    }
    return cursor->text[column];
}

static int64_t column_int(struct rlx_row *row, int column)
{
    const char *text = column_text(row, column);

    return text ? strtoll(text, NULL, 10) : 0;
}

/* bytea comes as \x and hexadecimal digits. */
static const void *column_blob(struct rlx_row *row, int column, size_t *lengthp)
{
    struct cursor *cursor = row->statement;

    *lengthp = 0;
    if (PQgetisnull(cursor->result, cursor->row, column) || column >= COLUMNS_MAX)
        return NULL;
    unsigned char *bytes = PQunescapeBytea(
        (const unsigned char *)PQgetvalue(cursor->result, cursor->row, column), lengthp);
    free(cursor->text[column]);
    cursor->text[column] = (char *)bytes; /* PQfreemem is free */
    return bytes;
}

const struct rlx_db_backend rlx_db_postgres = {
    .queries = rlx_queries_postgres,
    .migrations = rlx_migrations_postgres,
    .applied_table = "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, "
                     "name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL "
                     "DEFAULT now())",
    .applied_insert = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
    .open = db_open,
    .close = db_close,
    .alive = db_alive,
    .begin = db_begin,
    .commit = db_commit,
    .rollback = db_rollback,
    .run = db_run,
    .script = db_script,
    .text = db_text,
    .lock = db_lock,
    .migrate_lock = db_migrate_lock,
    .why = db_why,
    .column_text = column_text,
    .column_int = column_int,
    .column_blob = column_blob,
};
