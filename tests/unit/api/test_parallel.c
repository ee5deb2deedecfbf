/* Requests of every kind at once, on the server in this process: run under ThreadSanitizer, and for
 * what each sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/http.h"
#include "client.h"

#define THREADS 8
#define ROUNDS 12

struct worker {
    struct client *c;
    int number;
    atomic_int *problems;
};

static long ask_json(json_t **answerp, const char *base, const char *method, const char *path,
                     const char *token, const json_t *body)
{
    char url[256];
    long status = 0;

    snprintf(url, sizeof url, "%s%s", base, path);
    return rlx_http_json(&status, answerp, method, url, token, body, 20000) ? -1 : status;
}

static void expect(struct worker *w, long status, long wanted, const char *what)
{
    if (status == wanted)
        return;
    atomic_fetch_add(w->problems, 1);
    fprintf(stderr, "worker %d: %s gave %ld, not %ld\n", w->number, what, status, wanted);
}

/* One agent's life, and requests that are refused. */
static void round_of(struct worker *w, const char *base)
{
    const char *token = w->number % 2 ? w->c->token : w->c->other_token;
    json_t *made = NULL, *ignored = NULL;
    json_t *body = json_pack("{s:s,s:s}", "name", "Emma", "prompt_text", "Be kind.");
    json_t *bad = json_pack("{s:i}", "name", 7);
    char path[80];

    expect(w, ask_json(&made, base, "POST", "/agents", token, body), 201, "create");
    const char *id = json_string_value(json_object_get(made, "id"));
    snprintf(path, sizeof path, "/agents/%s", id ? id : "");
    static const struct {
        const char *method, *path;
        long status;
    } rows[] = {{"GET", NULL, 200},        {"GET", "/agents", 200},   {"GET", "/auth/me", 200},
                {"GET", "/agents/x", 404}, {"PATCH", "/agents", 405}, {"GET", "/nothing", 404},
                {"GET", "/metrics", 200},  {"GET", "/health", 200},   {"DELETE", NULL, 200}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = rows[i].path ? rows[i].path : path;
        expect(w, ask_json(&ignored, base, rows[i].method, at, token, NULL), rows[i].status, at);
        json_decref(ignored);
        ignored = NULL;
    }
    expect(w, ask_json(&ignored, base, "POST", "/agents", token, bad), 422, "a bad body");
    json_decref(ignored);
    ignored = NULL;
    expect(w, ask_json(&ignored, base, "GET", "/agents", "a.b.c", NULL), 401, "a bad token");
    json_decref(ignored);
    json_decref(made);
    json_decref(body);
    json_decref(bad);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    char base[64];

    snprintf(base, sizeof base, "http://127.0.0.1:%u", rlx_api_port(w->c->api));
    for (int i = 0; i < ROUNDS; i++)
        round_of(w, base);
    return NULL;
}

static void at_once(void **state)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    atomic_int problems = 0;

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.c = *state, .number = i, .problems = &problems};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_once, client_setup, client_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
