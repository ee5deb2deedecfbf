/* Live events: one reader of the database for all streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/hub.h"
#include "base/clock.h"
#include "store/agents.h"
#include "store/calls.h"
#include "store/users.h"

struct world {
    TALLOC_CTX *ctx;
    struct rlx_store *store;
    struct rlx_hub *hub;
    char folder[64];
    char *user, *other, *call;
};

static char *make_call(struct world *w)
{
    json_t *fields = json_pack("{s:s,s:s}", "name", "Emma", "prompt_text", "Be kind.");
    char *json = NULL, *id = NULL;

    assert_int_equal(rlx_agent_create(w->store, w->ctx, w->user, fields, &json), 0);
    json_decref(fields);
    json_t *agent = json_loads(json, 0, NULL);
    assert_int_equal(rlx_call_create(w->store, w->ctx, w->user,
                                     json_string_value(json_object_get(agent, "id")),
                                     "+12025550123", NULL, NULL, NULL, &id, NULL),
                     0);
    json_decref(agent);
    return id;
}

static int setup(void **state)
{
    struct world *w = talloc_zero(NULL, struct world);
    char *why = NULL;

    w->ctx = talloc_new(NULL);
    snprintf(w->folder, sizeof w->folder, "/tmp/relayx-hub-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    char *url = talloc_asprintf(w->ctx, "sqlite:%s/relayx.db", w->folder);
    assert_int_equal(rlx_store_open(&w->store, w->ctx, url, &why), 0);
    assert_int_equal(rlx_store_migrate(w->store, NULL, NULL), 0);
    assert_int_equal(rlx_user_create(w->store, w->ctx, "ann@example.com", "x", "Ann", &w->user), 0);
    assert_int_equal(rlx_user_create(w->store, w->ctx, "bob@example.com", "x", "Bob", &w->other),
                     0);
    assert_int_equal(rlx_hub_create(&w->hub, w->ctx, w->store), 0);
    w->call = make_call(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"relayx.db", "relayx.db-wal", "relayx.db-shm"};
    struct world *w = *state;
    char path[128];

    talloc_free(w->hub);
    talloc_free(w->ctx);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", w->folder, names[i]);
        unlink(path);
    }
    rmdir(w->folder);
    talloc_free(w);
    return 0;
}

static struct rlx_hub_reader join(struct world *w, const char *user, const char *call,
                                  int64_t after)
{
    struct rlx_hub_reader reader = {.last_id = after};

    snprintf(reader.user_id, sizeof reader.user_id, "%s", user);
    snprintf(reader.call_id, sizeof reader.call_id, "%s", call);
    assert_int_equal(rlx_hub_join(w->hub, &reader), 0);
    return reader;
}

/* All text until `words` stand in it, at most 5 s. */
static char *until(struct world *w, struct rlx_hub_reader *reader, const char *words)
{
    uint64_t end_ms = rlx_now_ms() + 5000;
    char *all = talloc_strdup(w->ctx, "");

    while (rlx_now_ms() < end_ms) {
        char *text = rlx_hub_next(reader, w->ctx, 200);
        if (text)
            all = talloc_strdup_append(all, text);
        if (strstr(all, words))
            return all;
    }
    fail_msg("\"%s\" did not come; there was: %s", words, all);
    return all;
}

static void events_come_once_and_in_order(void **state)
{
    struct world *w = *state;
    struct rlx_hub_reader call = join(w, w->user, w->call, 0), user = join(w, w->user, "", -1),
                          stranger = join(w, w->other, "", -1);

    for (int i = 0; i < 3; i++) {
        char data[32];
        snprintf(data, sizeof data, "{\"n\":%d}", i);
        assert_int_equal(rlx_call_event(w->store, w->call, "note", data, rlx_wall_ms()), 0);
    }
    char *text = until(w, &call, "\"n\":2");
    assert_non_null(strstr(
        text, "event: status\ndata: {\"status\":\"initiated\",\"at\":")); /* from the beginning */
    char *a = strstr(text, "\"n\":0"), *b = strstr(text, "\"n\":1");
    assert_true(a && b && a < b);
    assert_null(strstr(b + 1, "\"n\":1"));
    text = until(w, &user, "\"n\":2");
    assert_null(strstr(text, "initiated")); /* from now on */
    assert_non_null(strstr(text, w->call));
    assert_null(rlx_hub_next(&stranger, w->ctx, 10));
    rlx_hub_leave(&call);
    rlx_hub_leave(&user);
    rlx_hub_leave(&stranger);
}

static void kinds_are_chosen_and_an_analysis_is_noted(void **state)
{
    struct world *w = *state;
    struct rlx_hub_reader reader = join(w, w->user, w->call, 0);

    snprintf(reader.kinds, sizeof reader.kinds, ",note,");
    assert_int_equal(rlx_call_event(w->store, w->call, "noted", "{}", rlx_wall_ms()), 0);
    assert_int_equal(rlx_call_event(w->store, w->call, "analysis", "{}", rlx_wall_ms()), 0);
    assert_int_equal(rlx_call_event(w->store, w->call, "note", "{}", rlx_wall_ms()), 0);
    char *text = until(w, &reader, "event: note\ndata: {\"at\":");
    assert_null(strstr(text, "status"));
    assert_null(strstr(text, "noted"));
    assert_true(reader.analysed);
    rlx_hub_leave(&reader);
}

/* A stream of before the ring, and one that was away while nobody listened, read what they lack
 * from the database. */
static void older_readers_catch_up(void **state)
{
    struct world *w = *state;
    struct rlx_hub_reader first = join(w, w->user, "", -1);
    int64_t seen = first.last_id;

    rlx_hub_leave(&first);
    for (int i = 0; i < 230; i++)
        assert_int_equal(rlx_call_event(w->store, w->call, "note", i == 229 ? "{\"last\":1}" : "{}",
                                        rlx_wall_ms()),
                         0);
    struct rlx_hub_reader again = join(w, w->user, "", seen);
    char *text = until(w, &again, "\"last\":1");
    int count = 0;
    for (char *p = text; (p = strstr(p, "event: note")); p++)
        count++;
    assert_int_equal(count, 230);
    rlx_hub_leave(&again);
}

static void run_sql(struct world *w, const char *sql)
{
    char path[128];
    sqlite3 *link;

    snprintf(path, sizeof path, "%s/relayx.db", w->folder);
    assert_int_equal(sqlite3_open(path, &link), SQLITE_OK);
    sqlite3_busy_timeout(link, 5000);
    assert_int_equal(sqlite3_exec(link, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(link);
}

/* PostgreSQL gives ids before it commits: one that comes late is not overtaken, one that never
 * comes is passed by. */
static void a_gap_is_waited_for(void **state)
{
    struct world *w = *state;
    struct rlx_hub_reader reader = join(w, w->user, "", -1);
    long long next = (long long)reader.last_id + 1;
    char *late = talloc_asprintf(
        w->ctx,
        "INSERT INTO call_events (id, call_id, kind, data, at) VALUES (%lld, '%s', 'note', "
        "'{\"late\":1}', '2026-01-01T00:00:00.000Z')",
        next, w->call);
    char *early = talloc_asprintf(
        w->ctx,
        "INSERT INTO call_events (id, call_id, kind, data, at) VALUES (%lld, '%s', 'note', "
        "'{\"early\":1}', '2026-01-01T00:00:00.000Z')",
        next + 1, w->call);

    run_sql(w, early);
    assert_null(rlx_hub_next(&reader, w->ctx, 300));
    run_sql(w, late);
    char *text = until(w, &reader, "early");
    assert_true(strstr(text, "late") < strstr(text, "early"));
    char *lost = talloc_asprintf(
        w->ctx,
        "INSERT INTO call_events (id, call_id, kind, data, at) VALUES (%lld, '%s', 'note', "
        "'{\"behind\":1}', '2026-01-01T00:00:00.000Z')",
        next + 5, w->call);
    run_sql(w, lost);
    until(w, &reader, "behind");
    rlx_hub_leave(&reader);
}

static void *listen_a_while(void *arg)
{
    struct world *w = arg;

    for (int i = 0; i < 20; i++) {
        TALLOC_CTX *tmp = talloc_new(NULL);
        struct rlx_hub_reader reader = join(w, w->user, "", i % 2 ? 0 : -1);
        for (int n = 0; n < 5; n++)
            rlx_hub_next(&reader, tmp, 1);
        rlx_hub_leave(&reader);
        talloc_free(tmp);
    }
    return NULL;
}

static void many_come_and_go(void **state)
{
    struct world *w = *state;
    pthread_t threads[8];

    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, listen_a_while, w), 0);
    for (int i = 0; i < 40; i++)
        assert_int_equal(rlx_call_event(w->store, w->call, "note", "{}", rlx_wall_ms()), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_come_once_and_in_order),
        TEST(kinds_are_chosen_and_an_analysis_is_noted),
        TEST(older_readers_catch_up),
        TEST(a_gap_is_waited_for),
        TEST(many_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
