/* The database below the store's verbs: named queries with parameters, rows, transactions, on a
 * bounded pool of connections. Private to src/store. A back end is one table of functions
 * (rlx_db_backend): db_sqlite.c, db_postgres.c.
 *
 *     struct rlx_db *db;
 *     int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
 *     if (!err)
 *         err = rlx_db_end(db, RLX_RUN(db, RLX_Q_JOB_DONE, NULL, NULL, NULL, RLX_TEXT(job_id)));
 */
#ifndef RLX_STORE_DB_H
#define RLX_STORE_DB_H

#include "base/err.h"
#include "store/store.h"
#include "store_queries.h"

#define RLX_POOL_SIZE 8
#define RLX_DB_WAIT_MS 5000 /* for a connection, for the write lock, and the busy time-out */

enum rlx_value_kind {
    RLX_VALUE_NULL,
    RLX_VALUE_TEXT,
    RLX_VALUE_INT,
    RLX_VALUE_BOOL,
    RLX_VALUE_BLOB
};
struct rlx_value {
    enum rlx_value_kind kind;
    const void *data; /* borrowed until the query has run; a NULL text is a null */
    size_t length;
    int64_t number;
};
#define RLX_NULL ((struct rlx_value){.kind = RLX_VALUE_NULL})
#define RLX_TEXT(text) ((struct rlx_value){.kind = RLX_VALUE_TEXT, .data = (text)})
#define RLX_INT(n) ((struct rlx_value){.kind = RLX_VALUE_INT, .number = (n)})
#define RLX_BOOL(b) ((struct rlx_value){.kind = RLX_VALUE_BOOL, .number = (b) ? 1 : 0})
#define RLX_BLOB(bytes, size)                                                                      \
    ((struct rlx_value){.kind = RLX_VALUE_BLOB, .data = (bytes), .length = (size)})

struct rlx_db;  /* a connection in use by one thread, inside a transaction */
struct rlx_row; /* the current row; valid inside the row handler */

/* Called for each row. Anything but 0 ends the query and becomes its result. */
typedef int rlx_row_h(struct rlx_row *row, void *arg);

const char *rlx_row_text(struct rlx_row *row, int column); /* NULL for null */
int64_t rlx_row_int(struct rlx_row *row, int column);      /* 0 for null; a boolean is 0 or 1 */
const void *rlx_row_blob(struct rlx_row *row, int column, size_t *lengthp);

struct rlx_db_backend {
    const char *const *queries;                 /* the named queries in its dialect */
    const struct rlx_migration *migrations;     /* ends with version 0 */
    const char *applied_table, *applied_insert; /* the migrations' own table */
    bool one_writer; /* the store lets one writer of this process in at a time */
    /* Opens one connection at `where` (SQLite: the URL without its scheme). */
    int (*open)(void **connectionp, TALLOC_CTX *ctx, const char *where, char **whyp);
    void (*close)(void *connection);
    bool (*alive)(void *connection); /* can it be used for a transaction? NULL: always */
    int (*begin)(void *connection, bool write);
    int (*commit)(void *connection);
    void (*rollback)(void *connection);
    int (*run)(void *connection, enum rlx_query query, const struct rlx_value *values, size_t count,
               rlx_row_h *each, void *arg, int *rowsp);
    /* Several statements without parameters (migrations). */
    int (*script)(void *connection, const char *sql);
    /* One statement given as text (the migrations' own table). */
    int (*text)(void *connection, const char *sql, const struct rlx_value *values, size_t count,
                rlx_row_h *each, void *arg);
    int (*lock)(void *connection, const char *name); /* NULL: writers are alone */
    /* One program migrates at a time, however long it takes. NULL: writers are alone. */
    int (*migrate_lock)(void *connection);
    const char *(*why)(void *connection);
    const char *(*column_text)(struct rlx_row *row, int column);
    int64_t (*column_int)(struct rlx_row *row, int column);
    const void *(*column_blob)(struct rlx_row *row, int column, size_t *lengthp);
};
extern const struct rlx_db_backend rlx_db_sqlite, rlx_db_postgres;

struct rlx_row {
    const struct rlx_db_backend *backend;
    void *statement;
};

enum rlx_db_mode { RLX_DB_READ, RLX_DB_WRITE };

/* Takes a connection and begins a transaction. RLX_ESTORE when none comes free, or the database
 * stays locked, for 5 s; at once while the database is known to be away. A read sees each of its
 * queries' own state on PostgreSQL, one state for all of them on SQLite. */
int rlx_db_begin(struct rlx_store *store, enum rlx_db_mode mode, struct rlx_db **dbp)
    __attribute__((warn_unused_result));
/* Commits when err is 0, else rolls back; gives the connection back. Returns err, or what the
 * commit gave. */
int rlx_db_end(struct rlx_db *db, int err);

/* Runs a named query. `each` may be NULL. *rowsp (optional): rows read, or changed by a statement
 * that returns none. */
int rlx_db_run(struct rlx_db *db, enum rlx_query query, const struct rlx_value *values,
               size_t count, rlx_row_h *each, void *arg, int *rowsp)
    __attribute__((warn_unused_result));
#define RLX_RUN(db, query, each, arg, rowsp, ...)                                                  \
    rlx_db_run((db), (query), (const struct rlx_value[]){__VA_ARGS__},                             \
               sizeof((const struct rlx_value[]){__VA_ARGS__}) / sizeof(struct rlx_value), (each), \
               (arg), (rowsp))
/* Locks a name until the transaction ends, for verbs that look and then write what may not be there
 * yet ("idempotency:KEY"). Nothing on SQLite, where the writer is alone. */
int rlx_db_lock(struct rlx_db *db, const char *name) __attribute__((warn_unused_result));
/* rlx_db_run in a transaction of its own. */
int rlx_db_once(struct rlx_store *store, enum rlx_db_mode mode, enum rlx_query query,
                const struct rlx_value *values, size_t count, rlx_row_h *each, void *arg,
                int *rowsp) __attribute__((warn_unused_result));
#define RLX_ONCE(store, mode, query, each, arg, rowsp, ...)                                        \
    rlx_db_once((store), (mode), (query), (const struct rlx_value[]){__VA_ARGS__},                 \
                sizeof((const struct rlx_value[]){__VA_ARGS__}) / sizeof(struct rlx_value),        \
                (each), (arg), (rowsp))

/* ---- what most verbs do with rows ---- */

/* Copies column 0 as text; arg is a struct rlx_text_out. A null leaves NULL. */
struct rlx_text_out {
    TALLOC_CTX *ctx;
    char *text;
};
rlx_row_h rlx_row_take_text;
/* Column 0 into an int64_t. */
rlx_row_h rlx_row_take_int;

/* Joins rows (id, json) to a JSON array of at most `limit` and notes the id that the next page
 * starts after. */
struct rlx_list_out {
    TALLOC_CTX *ctx;
    int limit; /* the query asks for one more */
    int count;
    char *json;
    size_t length, capacity;
    char last_id[37], next_id[37]; /* next_id "" = no further page */
};
int rlx_list_init(struct rlx_list_out *list, TALLOC_CTX *ctx, int limit)
    __attribute__((warn_unused_result));
rlx_row_h rlx_row_take_item;
/* Ends the array; results may be NULL when not wanted. */
int rlx_list_finish(struct rlx_list_out *list, char **jsonp, char **next_cursorp);

/* The first page holds all there is: *totalp is known without counting. */
bool rlx_list_is_all(const struct rlx_list_out *list, const char *cursor, int64_t *totalp);

/* A page's limit in 1…200 (0 = 200). RLX_EINVAL for a limit below 0 or a cursor that is no id. */
int rlx_list_check(int *limitp, const char *cursor);

/* A page of a user's rows: `list` takes (user, cursor, limit + 1) and gives (id, json), `count` takes
 * (user) and runs only when the page doesn't hold all. next_cursorp and totalp may be NULL. */
int rlx_db_user_page(struct rlx_store *store, TALLOC_CTX *ctx, enum rlx_query list,
                     enum rlx_query count, const char *user_id, int limit, const char *cursor,
                     char **jsonp, char **next_cursorp, int64_t *totalp)
    __attribute__((warn_unused_result));
/* Changes or deletes one row of a user: `query` takes (id, user). RLX_ENOTFOUND when it has none. */
int rlx_db_user_change(struct rlx_store *store, enum rlx_query query, const char *id,
                       const char *user_id) __attribute__((warn_unused_result));

/* json as compact text on ctx; NULL json gives `fallback`. NULL when out of memory. */
char *rlx_json_text(TALLOC_CTX *ctx, const json_t *json, const char *fallback);

/* Adds an event to the call's list inside the caller's transaction. */
int rlx_db_event(struct rlx_db *db, const char *call_id, const char *kind, const char *data_json,
                 int64_t at_ms) __attribute__((warn_unused_result));
/* What rlx_db_event calls: deliveries of webhooks that wait for this (webhooks.h), with the jobs
 * that send them. */
int rlx_db_webhooks_on_event(struct rlx_db *db, const char *call_id, const char *kind,
                             const char *data_json) __attribute__((warn_unused_result));

struct rlx_call_end;
/* rlx_call_end inside the caller's transaction. */
int rlx_db_call_end(struct rlx_db *db, const char *call_id, const struct rlx_call_end *end)
    __attribute__((warn_unused_result));

/* When the store could be reached without a break, for judging leases (calls_watch.c). */
struct rlx_reach {
    int64_t since_ms, last_ms;
};
struct rlx_reach *rlx_store_reach(struct rlx_store *store);

#endif
