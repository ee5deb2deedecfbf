#include "store/db_postgres.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static bool is_foreign(const char *parameter, size_t length)
{
    static const char *const names[] = {"pgbouncer", "connection_limit", "pool_timeout"};
    size_t n = strcspn(parameter, "=");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (n < length && strlen(names[i]) == n && !memcmp(parameter, names[i], n))
            return true;
    return false;
}

/* The URL without foreign parameters; *pooledp when pgbouncer=true was among them. */
static char *without_foreign(TALLOC_CTX *ctx, const char *url, bool *pooledp)
{
    const char *query = strchr(url, '?');
    char *clean = query ? talloc_strndup(ctx, url, (size_t)(query - url)) : talloc_strdup(ctx, url);
    char joint = '?';

    while (clean && query && *query) {
        const char *parameter = query + 1;
        size_t length = strcspn(parameter, "&");
        query = parameter + length;
        if (length == 14 && !strncmp(parameter, "pgbouncer=true", length))
            *pooledp = true;
        if (!length || is_foreign(parameter, length))
            continue;
        clean = talloc_asprintf_append(clean, "%c%.*s", joint, (int)length, parameter);
        joint = '&';
    }
    return clean;
}

static const char *get(const struct rlx_pg_address *address, const char *keyword)
{
    for (size_t i = 0; address->keywords[i]; i++)
        if (!strcmp(address->keywords[i], keyword))
            return address->values[i];
    return NULL;
}

static int add(struct rlx_pg_address *address, const char *keyword, const char *value)
{
    size_t i = 0;

    while (address->keywords[i])
        i++;
    if (i + 1 >= RLX_PG_KEYWORDS)
        return RLX_ECONFIG;
    address->keywords[i] = talloc_strdup(address, keyword);
    address->values[i] = talloc_strdup(address, value);
    return address->keywords[i] && address->values[i] ? 0 : -ENOMEM;
}

static int add_defaults(struct rlx_pg_address *address)
{
    /* connect_timeout and the keep-alives are seconds, tcp_user_timeout milliseconds. */
    static const char *const pairs[][2] = {
        {"connect_timeout", "3"},      {"fallback_application_name", "relayx"},
        {"client_encoding", "UTF8"},   {"keepalives_idle", "10"},
        {"keepalives_interval", "5"},  {"keepalives_count", "3"},
        {"tcp_user_timeout", "10000"},
    };
    int err = 0;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && !err; i++)
        if (!get(address, pairs[i][0]))
            err = add(address, pairs[i][0], pairs[i][1]);
    return err;
}

static int take_options(struct rlx_pg_address *address, const PQconninfoOption *options)
{
    int err = 0;

    for (const PQconninfoOption *o = options; o->keyword && !err; o++)
        if (o->val && *o->val)
            err = add(address, o->keyword, o->val);
    const char *host = get(address, "host"), *port = get(address, "port"),
               *name = get(address, "dbname");
    if (port && strstr(port, "6543"))
        address->pooled = true;
    if (host && strstr(host, ".pooler.supabase.com"))
        address->pooled = true;
    address->shown = talloc_asprintf(address, "%s:%s/%s", host ? host : "(local socket)",
                                     port ? port : "5432", name ? name : "");
    if (!err && !address->shown)
        err = -ENOMEM;
    return err ? err : add_defaults(address);
}

int rlx_pg_address(struct rlx_pg_address **addressp, TALLOC_CTX *ctx, const char *url, char **whyp)
{
    struct rlx_pg_address *address = talloc_zero(ctx, struct rlx_pg_address);
    char *message = NULL;

    if (!address)
        return -ENOMEM;
    char *clean = without_foreign(address, url, &address->pooled);
    PQconninfoOption *options = clean ? PQconninfoParse(clean, &message) : NULL;
    int err = options ? take_options(address, options) : RLX_ECONFIG;
    if (!options && whyp) {
        if (message)
            message[strcspn(message, "\n")] = '\0';
        *whyp = talloc_asprintf(ctx,
                                "DATABASE_URL is no address of PostgreSQL that can be read (%s): "
                                "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %%40 "
                                "for an @ and %%2F for a / in the password",
                                message ? message : "out of memory");
    }
    PQconninfoFree(options);
    PQfreemem(message);
    if (err)
        talloc_free(address);
    else
        *addressp = address;
    return err;
}

int rlx_pg_address_limits(struct rlx_pg_address *address, int timeout_ms)
{
    const char *own = get(address, "options");
    char *options = talloc_asprintf(address,
                                    "%s%s-c statement_timeout=%d -c lock_timeout=%d "
                                    "-c idle_in_transaction_session_timeout=60000",
                                    own ? own : "", own ? " " : "", timeout_ms, timeout_ms);

    if (!options)
        return -ENOMEM;
    for (size_t i = 0; address->keywords[i]; i++) {
        if (!strcmp(address->keywords[i], "options")) {
            address->values[i] = options;
            return 0;
        }
    }
    return add(address, "options", options);
}

char *rlx_pg_explain(TALLOC_CTX *ctx, const struct rlx_pg_address *address, const char *message)
{
    /* In order: the first that fits. The server's texts are English unless its lc_messages says
     * otherwise; then the message stands alone. */
    static const char *const hints[][2] = {
        {"password authentication failed", "check the user and the password in DATABASE_URL (an @ "
                                           "in it is written %40, a / %2F)"},
        {"no password supplied", "give the password in DATABASE_URL: postgresql://USER:PASSWORD@…"},
        {"no pg_hba.conf entry", "the server's pg_hba.conf does not let this user in from here"},
        {"SSL", "see sslmode in DATABASE_URL (?sslmode=require, disable, verify-full)"},
        {"could not translate host name", "is the host's name in DATABASE_URL right?"},
        {"Connection refused", "is PostgreSQL running there, and is the port right?"},
        {"timeout expired", "the host does not answer: is it the right one, and does a firewall "
                            "stand between? (Supabase's direct address is IPv6 only: without IPv6 "
                            "take its pooler's)"},
        {"Network is unreachable", "(Supabase's direct address is IPv6 only: without IPv6 take its "
                                   "pooler's)"},
        {"No such file or directory", "is PostgreSQL running on this machine?"},
        {"too many", "the server has no connection left: raise max_connections, or use a pooler"},
        {"Tenant or user not found", "Supabase's pooler wants the user as postgres.PROJECT"},
        {"does not exist", "make it: createdb NAME, or correct DATABASE_URL"},
    };
    const char *hint = NULL;
    size_t length = strcspn(message, "\n");

    for (size_t i = 0; i < sizeof hints / sizeof hints[0] && !hint; i++)
        if (strstr(message, hints[i][0]))
            hint = hints[i][1];
    return talloc_asprintf(ctx, "PostgreSQL at %s can't be used: %.*s%s%s", address->shown,
                           (int)length, message, hint ? "; " : "", hint ? hint : "");
}

void rlx_pg_compact(char *to, const char *json)
{
    bool quoted = false;

    for (; *json; json++) {
        if (quoted && *json == '\\' && json[1]) {
            *to++ = *json++;
        } else if (*json == '"') {
            quoted = !quoted;
        } else if (!quoted && (*json == ' ' || *json == '\n' || *json == '\t' || *json == '\r')) {
            continue;
        }
        *to++ = *json;
    }
    *to = '\0';
}
