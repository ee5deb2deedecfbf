/* What only PostgreSQL has: addresses, refusals, a server that goes and comes back, writers side by
 * side, the seed's database. */
#include "fixture.h"

#include <pthread.h>

#include "store/db.h"
#include "store/db_postgres.h"
#include "store/live.h"

#define POSTGRES_ONLY()                                                                            \
    do {                                                                                           \
        if (!on_postgres())                                                                        \
            skip();                                                                                \
    } while (0)

static const char *value_of(const struct rlx_pg_address *address, const char *keyword)
{
    for (size_t i = 0; address->keywords[i]; i++)
        if (!strcmp(address->keywords[i], keyword))
            return address->values[i];
    return "";
}

static void addresses(void **state)
{
    static const struct {
        const char *url, *host, *dbname, *password;
        bool pooled;
    } rows[] = {
        {"postgresql://u:p@h:5432/db", "h", "db", "p", false},
        {"postgres://u:p%40s%2Fs@h/db?sslmode=require", "h", "db", "p@s/s", false},
        {"postgresql://u:p@h:6543/db", "h", "db", "p", true},
        {"postgresql://u:p@h:7000/db?pgbouncer=true", "h", "db", "p", true},
        {"postgresql://u:p@h/db?sslmode=require&pgbouncer=true&connection_limit=1", "h", "db", "p",
         true},
        {"postgresql://u:p@h/db?pgbouncer=false&pool_timeout=3", "h", "db", "p", false},
        {"postgresql://postgres.x:p@aws-0.pooler.supabase.com:5432/postgres",
         "aws-0.pooler.supabase.com", "postgres", "p", true},
    };
    TALLOC_CTX *ctx = talloc_new(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rlx_pg_address *address;
        char *why = NULL;
        if (rlx_pg_address(&address, ctx, rows[i].url, &why))
            fail_msg("%s", why);
        assert_string_equal(value_of(address, "host"), rows[i].host);
        assert_string_equal(value_of(address, "dbname"), rows[i].dbname);
        assert_string_equal(value_of(address, "password"), rows[i].password);
        assert_string_equal(value_of(address, "connect_timeout"), "3");
        assert_int_equal(address->pooled, rows[i].pooled);
        assert_null(strstr(address->shown, rows[i].password[1] ? rows[i].password : "p@"));
    }
    talloc_free(ctx);
}

static void compacted(void **state)
{
    static const char *const rows[][2] = {
        {"{\"a\" : 1, \"b\" : [1, \n 2]}", "{\"a\":1,\"b\":[1,2]}"},
        {"{\"a b\" : \"c : d, \\\" e \\\\\"}", "{\"a b\":\"c : d, \\\" e \\\\\"}"},
        {"\"\"", "\"\""},
        {" null ", "null"},
        {"\"x\\", "\"x\\"},
    };
    char to[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rlx_pg_compact(to, rows[i][0]);
        assert_string_equal(to, rows[i][1]);
    }
}

/* ---- refusals ---- */

static void refuses(struct fixture *f, const char *url, const char *expected)
{
    struct rlx_store *store = NULL;
    char *why = NULL;

    assert_int_equal(rlx_store_open(&store, f->ctx, url, &why), RLX_ESTORE);
    assert_null(strstr(why, "s%2Fw"));
    if (!strstr(why, expected))
        fail_msg("\"%s\" is not in: %s", expected, why);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    char url[192];

    POSTGRES_ONLY();
    const char *admin = getenv("RLX_TEST_POSTGRES_ADMIN"), *at = strchr(admin, '@');
    snprintf(url, sizeof url, "postgresql://relayx:wrong%s", at);
    refuses(f, url, "check the user and the password");
    snprintf(url, sizeof url, "postgresql://relayx%s", at);
    refuses(f, url, "give the password");
    snprintf(url, sizeof url, "%.*s/missing", (int)(strrchr(admin, '/') - admin), admin);
    refuses(f, url, "createdb");
    snprintf(url, sizeof url, "%s?sslmode=require", admin);
    refuses(f, url, "see sslmode");
}

/* ---- errors of queries ---- */

static void errors(void **state)
{
    struct fixture *f = *state;
    char *json = NULL, *id = NULL;

    POSTGRES_ONLY();
    assert_int_equal(rlx_user_create(f->store, f->ctx, "ANN@example.com", "x", NULL, &id),
                     RLX_ECONFLICT);
    assert_int_equal(rlx_agent_get(f->store, f->ctx, f->user, "no-uuid", &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_event(f->store, f->agent, "status", "{}", 1), RLX_ENOTFOUND);
    assert_int_equal(rlx_user_create(f->store, f->ctx, "bad\xff@example.com", "x", NULL, &id),
                     RLX_EINVAL);
    char *call = fixture_call(f);
    assert_int_equal(rlx_call_event(f->store, call, "status", "{no json", 1), RLX_EINVAL);
    assert_int_equal(rlx_store_ping(f->store), 0);
}

/* A statement that fails and is passed over must not be committed as if nothing were. */
static void unheeded(void **state)
{
    struct fixture *f = *state;
    struct rlx_db *db;

    POSTGRES_ONLY();
    assert_int_equal(rlx_db_begin(f->store, RLX_DB_WRITE, &db), 0);
    assert_int_equal(RLX_RUN(db, RLX_Q_EVENT_ADD, NULL, NULL, NULL, RLX_TEXT(f->agent),
                             RLX_TEXT("x"), RLX_TEXT("{}"), RLX_TEXT("2026-01-01T00:00:00Z")),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_db_end(db, 0), RLX_EINTERNAL);
    assert_int_equal(rlx_store_ping(f->store), 0);
}

/* The server ends every connection: the next request has a new one and does not notice. */
static void connections_ended(void **state)
{
    struct fixture *f = *state;
    char *json = NULL;

    POSTGRES_ONLY();
    for (int i = 0; i < 3; i++) {
        postgres_exec("postgres", "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                                  "WHERE pid <> pg_backend_pid() AND datname LIKE 'test\\_%'");
        assert_int_equal(rlx_user_get(f->store, f->ctx, f->user, &json), 0);
    }
}

static void ended_inside(void **state)
{
    struct fixture *f = *state;
    struct rlx_db *db;

    POSTGRES_ONLY();
    assert_int_equal(rlx_db_begin(f->store, RLX_DB_WRITE, &db), 0);
    postgres_exec("postgres", "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                              "WHERE pid <> pg_backend_pid() AND datname LIKE 'test\\_%'");
    int err = RLX_RUN(db, RLX_Q_SESSIONS_EXPIRE, NULL, NULL, NULL, RLX_INT(1));
    assert_int_equal(err, RLX_ESTORE);
    assert_int_equal(rlx_db_end(db, err), RLX_ESTORE);
    assert_int_equal(rlx_store_ping(f->store), 0);
}

/* ---- writers side by side ---- */

struct racer {
    struct fixture *f;
    TALLOC_CTX *ctx;
    char *id;
    int err, jobs;
    bool created;
};

static void race(struct fixture *f, struct racer racers[8], void *(*run)(void *))
{
    pthread_t threads[8];

    for (int i = 0; i < 8; i++) {
        racers[i] = (struct racer){.f = f, .ctx = talloc_new(NULL)};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &racers[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

static void *create_call(void *arg)
{
    struct racer *r = arg;

    r->err = rlx_call_create(r->f->store, r->ctx, r->f->user, r->f->agent, "+12025550123", NULL,
                             NULL, "one key", &r->id, &r->created);
    return NULL;
}

static void one_key(void **state)
{
    struct racer racers[8];
    int created = 0;

    race(*state, racers, create_call);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(racers[i].err, 0);
        assert_string_equal(racers[i].id, racers[0].id);
        created += racers[i].created;
    }
    for (int i = 0; i < 8; i++)
        talloc_free(racers[i].ctx);
    assert_int_equal(created, 1);
}

static void *claim_jobs(void *arg)
{
    struct racer *r = arg;
    struct rlx_job *job;

    while (!(r->err = rlx_job_claim(r->f->store, r->ctx, "work", "w", 1000, 5000, &job))) {
        r->jobs++;
        if ((r->err = rlx_job_done(r->f->store, job->id)))
            break;
    }
    return NULL;
}

static void each_job_once(void **state)
{
    struct fixture *f = *state;
    struct racer racers[8];
    int jobs = 0;

    for (int i = 0; i < 40; i++)
        assert_int_equal(rlx_job_add(f->store, "work", NULL, NULL, 1), 0);
    race(f, racers, claim_jobs);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(racers[i].err, RLX_ENOTFOUND);
        jobs += racers[i].jobs;
        talloc_free(racers[i].ctx);
    }
    assert_int_equal(jobs, 40);
}

static void *rotate_session(void *arg)
{
    struct racer *r = arg;

    r->err = rlx_session_rotate(r->f->store, r->ctx, "token", "next", 1000, 100000, &r->id);
    return NULL;
}

/* A browser's tabs refresh at once: all get the one successor. */
static void one_successor(void **state)
{
    struct fixture *f = *state;
    struct racer racers[8];

    assert_int_equal(rlx_session_create(f->store, f->user, "token", 100000), 0);
    race(f, racers, rotate_session);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(racers[i].err, 0);
        assert_string_equal(racers[i].id, f->user);
        talloc_free(racers[i].ctx);
    }
}

static void *begin_dial(void *arg)
{
    struct racer *r = arg;
    struct rlx_dial_state dial;

    r->err = rlx_dial_begin(r->f->store, r->f->url, "+12025550123", "+12025550100", 1000, &dial);
    r->created = !r->err && dial.may_dial;
    return NULL;
}

static void one_dial(void **state)
{
    struct fixture *f = *state;
    struct racer racers[8];
    int dials = 0;
    char *call = fixture_call(f);
    char url[sizeof f->url];

    memcpy(url, f->url, sizeof url);
    snprintf(f->url, sizeof f->url, "%s", call);
    race(f, racers, begin_dial);
    memcpy(f->url, url, sizeof url);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(racers[i].err, 0);
        dials += racers[i].created;
        talloc_free(racers[i].ctx);
    }
    assert_int_equal(dials, 1);
}

static void *migrate(void *arg)
{
    struct racer *r = arg;
    struct rlx_store *store = NULL;

    r->err = rlx_store_open(&store, r->ctx, r->f->url, NULL);
    if (!r->err)
        r->err = rlx_store_migrate(store, &r->jobs, NULL);
    return NULL;
}

static void fresh_database(struct fixture *f, const char *name, const char *sql)
{
    char text[96];

    snprintf(text, sizeof text, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
    postgres_exec("postgres", text);
    snprintf(text, sizeof text, "CREATE DATABASE %s", name);
    postgres_exec("postgres", text);
    if (sql)
        postgres_exec(name, sql);
    database_url(f, name);
}

/* All roles start at once. */
static void migrated_by_many(void **state)
{
    struct fixture *f = *state;
    struct racer racers[8];
    int applied = 0;

    POSTGRES_ONLY();
    fresh_database(f, "test_many", NULL);
    race(f, racers, migrate);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(racers[i].err, 0);
        applied += racers[i].jobs;
        talloc_free(racers[i].ctx);
    }
    int count = 0;
    while (rlx_migrations_postgres[count].version)
        count++;
    assert_int_equal(applied, count);
}

/* ---- live events ---- */

static int count_event(const struct rlx_live_event *event, void *arg)
{
    int64_t *seen = arg;

    assert_true(event->id > seen[1]);
    seen[0]++;
    seen[1] = event->id;
    return 0;
}

static int live_events(struct fixture *f, int64_t after)
{
    int64_t seen[2] = {0, after};

    assert_int_equal(rlx_live_read(f->store, after, 100, count_event, seen), 0);
    return (int)seen[0];
}

static int add_event(struct rlx_db *db, const char *call)
{
    return rlx_db_event(db, call, "note", "{}", 1);
}

/* An event that is committed late is not passed over by the one reader of all events. */
static void late_event(void **state)
{
    struct fixture *f = *state;
    struct rlx_db *late;
    int64_t last = 0;

    POSTGRES_ONLY();
    char *one = fixture_call(f), *two = fixture_call(f);
    assert_int_equal(rlx_live_last(f->store, &last), 0);
    assert_int_equal(rlx_db_begin(f->store, RLX_DB_WRITE, &late), 0);
    assert_int_equal(add_event(late, one), 0);
    assert_int_equal(rlx_call_event(f->store, two, "note", "{}", 1), 0);
    assert_int_equal(live_events(f, last), 0);
    assert_int_equal(rlx_db_end(late, 0), 0);
    assert_int_equal(live_events(f, last), 2);
    /* One that never comes holds the others up for some seconds only. */
    assert_int_equal(rlx_live_last(f->store, &last), 0);
    assert_int_equal(rlx_db_begin(f->store, RLX_DB_WRITE, &late), 0);
    assert_int_equal(add_event(late, one), 0);
    assert_int_equal(rlx_db_end(late, -ECANCELED), -ECANCELED);
    assert_int_equal(rlx_call_event(f->store, two, "note", "{}", 1), 0);
    assert_int_equal(live_events(f, last), 0);
    postgres_exec(f->database, "UPDATE call_events SET made_at = made_at - interval '10 seconds'");
    assert_int_equal(live_events(f, last), 1);
}

/* ---- the seed's database ---- */

static const char seed[] =
    "CREATE TABLE users (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), email TEXT UNIQUE NOT NULL,"
    " password_hash TEXT NOT NULL, name TEXT, phone TEXT, company TEXT,"
    " created_at TIMESTAMPTZ DEFAULT NOW(), updated_at TIMESTAMPTZ DEFAULT NOW());"
    "CREATE TABLE auth_tokens (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),"
    " user_id UUID REFERENCES users(id) ON DELETE CASCADE, refresh_token TEXT UNIQUE NOT NULL,"
    " expires_at TIMESTAMPTZ NOT NULL, created_at TIMESTAMPTZ DEFAULT NOW());"
    "CREATE TABLE agents (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),"
    " user_id UUID REFERENCES users(id) ON DELETE CASCADE NOT NULL, name TEXT NOT NULL,"
    " prompt_text TEXT NOT NULL, template_source TEXT, voice_settings JSONB DEFAULT '{}',"
    " llm_model TEXT DEFAULT 'llama3:8b', temperature FLOAT DEFAULT 0.7, max_tokens INTEGER "
    "DEFAULT 150,"
    " is_active BOOLEAN DEFAULT true, created_at TIMESTAMPTZ DEFAULT NOW(), updated_at TIMESTAMPTZ "
    "DEFAULT NOW());"
    "CREATE TABLE calls (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),"
    " user_id UUID REFERENCES users(id) ON DELETE CASCADE NOT NULL,"
    " agent_id UUID REFERENCES agents(id) ON DELETE SET NULL, phone_number TEXT NOT NULL,"
    " status TEXT DEFAULT 'initiated', twilio_sid TEXT, duration INTEGER, outcome TEXT, sentiment "
    "TEXT,"
    " metadata JSONB DEFAULT '{}', created_at TIMESTAMPTZ DEFAULT NOW(), ended_at TIMESTAMPTZ);"
    "CREATE TABLE transcripts (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),"
    " call_id UUID REFERENCES calls(id) ON DELETE CASCADE, speaker TEXT NOT NULL, text TEXT NOT "
    "NULL,"
    " timestamp TIMESTAMPTZ DEFAULT NOW(), metadata JSONB DEFAULT '{}');"
    "CREATE TABLE knowledge_base (id UUID PRIMARY KEY DEFAULT gen_random_uuid(),"
    " user_id UUID REFERENCES users(id) ON DELETE CASCADE NOT NULL,"
    " agent_id UUID REFERENCES agents(id) ON DELETE CASCADE, title TEXT NOT NULL, content TEXT NOT "
    "NULL,"
    " source_type TEXT DEFAULT 'manual', source_url TEXT, created_at TIMESTAMPTZ DEFAULT NOW());"
    "INSERT INTO users (id, email, password_hash, name, created_at) VALUES"
    " ('11111111-1111-4111-8111-111111111111', 'Old@example.com', '$2b$12$x', 'Old', '2025-01-02 "
    "03:04:05.678+01');"
    "INSERT INTO auth_tokens (user_id, refresh_token, expires_at) VALUES"
    " ('11111111-1111-4111-8111-111111111111', 'clear token', now() + interval '1 day'),"
    " ('11111111-1111-4111-8111-111111111111', 'expired', now() - interval '1 day');"
    "INSERT INTO agents (id, user_id, name, prompt_text, voice_settings, temperature, max_tokens, "
    "is_active, updated_at)"
    " VALUES ('22222222-2222-4222-8222-222222222222', '11111111-1111-4111-8111-111111111111', 'Old "
    "agent', 'Hi.',"
    " '{\"voice_speed\": 1.0}', NULL, NULL, NULL, NULL);"
    "INSERT INTO calls (id, user_id, agent_id, phone_number, status, duration, metadata, "
    "created_at) VALUES"
    " ('33333333-3333-4333-8333-333333333333', '11111111-1111-4111-8111-111111111111',"
    " '22222222-2222-4222-8222-222222222222', '+12025550123', 'completed', 42, '{\"a\": [1, 2]}', "
    "'2025-02-03 04:05:06+00'),"
    " ('33333333-3333-4333-8333-333333333334', '11111111-1111-4111-8111-111111111111', NULL, "
    "'+12025550124',"
    " 'in-progress', NULL, NULL, '2025-02-03 04:05:07+00');"
    "INSERT INTO transcripts (call_id, speaker, text, timestamp) VALUES"
    " ('33333333-3333-4333-8333-333333333333', 'user', 'second', '2025-02-03 04:05:09+00'),"
    " ('33333333-3333-4333-8333-333333333333', 'ai', 'first', '2025-02-03 04:05:08+00');";

#define OLD_USER "11111111-1111-4111-8111-111111111111"
#define OLD_AGENT "22222222-2222-4222-8222-222222222222"
#define OLD_CALL "33333333-3333-4333-8333-333333333333"

static void seed_adopted(void **state)
{
    struct fixture *f = *state;
    struct rlx_store *store = NULL;
    char hex[RLX_SHA256_HEX], *why = NULL, *json = NULL, *user = NULL;

    POSTGRES_ONLY();
    fresh_database(f, "test_seed", seed);
    if (rlx_store_open(&store, f->ctx, f->url, &why) || rlx_store_migrate(store, NULL, &why))
        fail_msg("%s", why);
    assert_int_equal(rlx_user_get(store, f->ctx, OLD_USER, &json), 0);
    assert_non_null(strstr(json, "\"created_at\":\"2025-01-02T02:04:05.678Z\""));
    assert_int_equal(rlx_agent_get(store, f->ctx, OLD_USER, OLD_AGENT, &json), 0);
    json_t *agent = parsed(json);
    assert_string_equal(field(agent, "language"), "en");
    assert_true(json_is_true(json_object_get(agent, "is_active")));
    assert_int_equal(json_integer_value(json_object_get(agent, "max_tokens")), 150);
    assert_non_null(strstr(json, "\"voice_settings\":{\"voice_speed\":1.0}"));
    json_decref(agent);
    assert_int_equal(rlx_call_get(store, f->ctx, OLD_USER, OLD_CALL, &json), 0);
    assert_non_null(strstr(json, "\"metadata\":{\"a\":[1,2]}"));
    assert_true(strstr(json, "first") < strstr(json, "second"));
    assert_int_equal(
        rlx_call_get(store, f->ctx, OLD_USER, "33333333-3333-4333-8333-333333333334", &json), 0);
    assert_non_null(strstr(json, "\"status\":\"failed\""));
    rlx_sha256_hex(hex, "clear token", strlen("clear token"));
    assert_int_equal(rlx_session_user(store, f->ctx, hex, rlx_wall_ms(), &user), 0);
    assert_string_equal(user, OLD_USER);
    talloc_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(compacted),
        TEST(refusals),
        TEST(errors),
        TEST(unheeded),
        TEST(connections_ended),
        TEST(ended_inside),
        TEST(one_key),
        TEST(each_job_once),
        TEST(one_successor),
        TEST(one_dial),
        TEST(late_event),
        TEST(migrated_by_many),
        TEST(seed_adopted),
    };

    return cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
}
