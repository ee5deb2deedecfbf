/* PostgreSQL's address: what DATABASE_URL says, made ready for libpq. Private to src/store. */
#ifndef RLX_STORE_DB_POSTGRES_H
#define RLX_STORE_DB_POSTGRES_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <talloc.h>

#define RLX_PG_KEYWORDS 64

struct rlx_pg_address {
    const char *keywords[RLX_PG_KEYWORDS], *values[RLX_PG_KEYWORDS]; /* end with NULL */
    char *shown; /* host, port and database, without the password */
    /* A pooler in transaction mode stands between (port 6543, pgbouncer=true, Supabase's pooler):
     * nothing may be kept in the session, no prepared statements, no start-up options. */
    bool pooled;
};

/* Reads a postgresql:// or postgres:// URL. What libpq does not know and other programs write there
 * (pgbouncer, connection_limit, pool_timeout) is taken off. RLX_ECONFIG with *whyp on ctx. */
int rlx_pg_address(struct rlx_pg_address **addressp, TALLOC_CTX *ctx, const char *url, char **whyp)
    __attribute__((warn_unused_result));
/* Sets the limits that the server keeps for every session: only without a pooler. */
int rlx_pg_address_limits(struct rlx_pg_address *address, int timeout_ms)
    __attribute__((warn_unused_result));
/* Why the connection failed, and how to mend it; on ctx. `message` is libpq's. */
char *rlx_pg_explain(TALLOC_CTX *ctx, const struct rlx_pg_address *address, const char *message);

/* JSON without the white space between its parts: to[size] holds at least the text and its NUL. */
void rlx_pg_compact(char *to, const char *json);

#endif
