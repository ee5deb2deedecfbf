/* The routes over a real socket: shapes, statuses, isolation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "client.h"
#include "store/calls.h"
#include "store/jobs.h"

static char *make_agent(struct client *c)
{
    struct answer made =
        ask(c, "POST", "/agents", "{\"name\":\"Emma\",\"prompt_text\":\"Be kind.\"}");

    assert_int_equal(made.status, 201);
    return talloc_strdup(c->ctx, text(made.json, "id"));
}

/* A call whose dial has succeeded, as the worker leaves it. */
static char *make_call(struct client *c, const char *agent)
{
    static int number;
    char *id = NULL, *sid = talloc_asprintf(c->ctx, "CA%d", ++number);

    assert_int_equal(rlx_call_create(c->store, c->ctx, c->user, agent, "+12025550123", NULL, NULL,
                                     NULL, &id, NULL),
                     0);
    assert_int_equal(rlx_call_set_sid(c->store, id, sid), 0);
    return id;
}

static void accounts(void **state)
{
    struct client *c = *state;
    struct answer a = ask(c, "GET", "/auth/me", NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(text(a.json, "email"), "ann@example.com");
    a = ask_as(c, NULL, "POST", "/auth/signup",
               "{\"email\":\"Ann@Example.com\",\"password\":\"123456\"}", NULL);
    assert_int_equal(a.status, 409);
    a = ask_as(c, NULL, "POST", "/auth/signup", "{\"email\":\"x\",\"password\":\"1\"}", NULL);
    assert_int_equal(a.status, 422);
    assert_string_equal(text(a.json, "code"), "validation_error");
    assert_int_equal(json_array_size(json_object_get(a.json, "fields")), 2);
    char body[160];
    snprintf(body, sizeof body, "{\"email\":\"l@e.co\",\"password\":\"%.73s\"}",
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_int_equal(ask_as(c, NULL, "POST", "/auth/signup", body, NULL).status, 422);
    struct answer unknown = ask_as(c, NULL, "POST", "/auth/login",
                                   "{\"email\":\"no@e.co\",\"password\":\"test123\"}", NULL);
    struct answer wrong = ask_as(c, NULL, "POST", "/auth/login",
                                 "{\"email\":\"bob@example.com\",\"password\":\"wrong\"}", NULL);
    assert_int_equal(unknown.status, 401);
    assert_int_equal(wrong.status, 401);
    assert_string_equal(unknown.body, wrong.body);
}

static void sessions(void **state)
{
    struct client *c = *state;
    struct answer in = ask_as(c, NULL, "POST", "/auth/login",
                              "{\"email\":\"ann@example.com\",\"password\":\"test123\"}", NULL);

    assert_string_equal(text(in.json, "token_type"), "bearer");
    assert_string_equal(text(json_object_get(in.json, "user"), "name"), "N");
    char *plain =
        talloc_asprintf(c->ctx, "{\"refresh_token\":\"%s\"}", text(in.json, "refresh_token"));
    char *rotate = talloc_asprintf(c->ctx, "{\"refresh_token\":\"%s\",\"rotate\":true}",
                                   text(in.json, "refresh_token"));
    struct answer a = ask_as(c, NULL, "POST", "/auth/refresh", plain, NULL);
    assert_int_equal(a.status, 200);
    assert_int_equal(json_integer_value(json_object_get(a.json, "expires_in")), 3600);
    assert_null(json_object_get(a.json, "refresh_token"));
    assert_int_equal(ask_as(c, text(a.json, "access_token"), "GET", "/auth/me", NULL, NULL).status,
                     200);
    struct answer r1 = ask_as(c, NULL, "POST", "/auth/refresh", rotate, NULL);
    struct answer r2 = ask_as(c, NULL, "POST", "/auth/refresh", rotate, NULL);
    assert_int_equal(r1.status, 200);
    assert_string_equal(text(r1.json, "refresh_token"), text(r2.json, "refresh_token"));
    assert_int_equal(ask_as(c, NULL, "POST", "/auth/logout", plain, NULL).status, 200);
    assert_int_equal(ask_as(c, NULL, "POST", "/auth/refresh", plain, NULL).status, 401);
}

static void throttled(void **state)
{
    struct client *c = *state;
    struct answer a = {0};

    for (int i = 0; i < 6; i++)
        a = ask_as(c, NULL, "POST", "/auth/login", "{\"email\":\"t@e.co\",\"password\":\"wrong1\"}",
                   NULL);
    assert_int_equal(a.status, 429);
    assert_non_null(strstr(a.head, "\nretry-after: "));
}

static void no_token(void **state)
{
    static const char *const paths[] = {"/agents", "/calls", "/auth/me"};
    struct client *c = *state;

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask_as(c, NULL, "GET", paths[i], NULL, NULL).status, 401);
        assert_int_equal(ask_as(c, "x.y.z", "GET", paths[i], NULL, NULL).status, 401);
    }
}

static void general(void **state)
{
    struct client *c = *state;
    struct answer a = ask(c, "GET", "/health", NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(text(a.json, "status"), "degraded"); /* no gateway here */
    assert_string_equal(
        text(json_object_get(json_object_get(a.json, "checks"), "database"), "status"), "ok");
    assert_non_null(strstr(a.head, "x-content-type-options: nosniff"));
    a = ask_as(c, NULL, "GET", "/ready", NULL, "X-Request-Id: abc-1");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "x-request-id: abc-1"));
    assert_null(strstr(a.head, "access-control-allow-origin"));
    assert_int_equal(ask(c, "GET", "/nothing", NULL).status, 404);
    a = ask(c, "PATCH", "/agents", NULL);
    assert_int_equal(a.status, 405);
    assert_non_null(strstr(a.head, "allow: "));
    a = ask(c, "GET", "/openapi.json", NULL);
    assert_string_equal(text(a.json, "openapi"), "3.1.0");
    a = ask(c, "GET", "/app/calls/1", NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "script-src 'sha256-"));
    assert_int_equal(ask(c, "POST", "/agents", "{\"name\":").status, 400);
    assert_int_equal(
        ask(c, "POST", "/agents", "{\"name\":\"a\\u0000b\",\"prompt_text\":\"p\"}").status, 422);
    assert_int_equal(
        ask_as(c, c->token, "POST", "/agents", "{}", "Content-Type: text/plain").status, 415);
}

static void agents(void **state)
{
    struct client *c = *state;
    struct answer a =
        ask(c, "POST", "/agents",
            "{\"name\":\"Sales\",\"prompt_text\":\"You sell.\",\"voice_settings\":"
            "{\"voice_id\":\"en_US-libritts-high\",\"speed\":1.0},\"llm_model\":\"llama3:8b\","
            "\"temperature\":0.7,\"max_tokens\":150,\"turn_settings\":{\"speculation\":false}}");

    assert_int_equal(a.status, 201);
    assert_true(json_is_true(json_object_get(a.json, "is_active")));
    char *path = talloc_asprintf(c->ctx, "/agents/%s", text(a.json, "id"));
    a = ask(c, "PUT", path, "{\"temperature\":0.1,\"ignored\":1}");
    assert_int_equal(a.status, 200);
    assert_string_equal(text(a.json, "name"), "Sales");
    assert_int_equal(ask(c, "PUT", path, "{\"temperature\":3}").status, 422);
    assert_int_equal(ask(c, "PUT", path, "{\"turn_settings\":{\"no_such\":1}}").status, 422);
    assert_int_equal(ask(c, "PUT", path, "{\"name\":null}").status, 422);
    assert_int_equal(ask(c, "PUT", path, "{\"extraction\":[{\"name\":\"a b\"}]}").status, 422);
    a = ask(c, "GET", "/agents", NULL);
    assert_int_equal(json_array_size(a.json), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(a.json, 0), "call_count")),
                     0);
    assert_non_null(strstr(a.head, "x-total-count: 1"));
    make_agent(c);
    a = ask(c, "GET", "/agents?limit=1", NULL);
    assert_non_null(strstr(a.head, "link: </agents?cursor="));
    assert_non_null(strstr(a.head, "&limit=1>; rel=\"next\""));
    assert_int_equal(ask(c, "GET", "/agents?limit=0", NULL).status, 422);
    assert_int_equal(ask(c, "GET", "/agents?limit=201", NULL).status, 422);
    assert_int_equal(ask(c, "GET", "/agents?cursor=x", NULL).status, 422);
    a = ask(c, "DELETE", path, NULL);
    assert_int_equal(a.status, 200);
    assert_true(*text(a.json, "message"));
    assert_int_equal(ask(c, "GET", path, NULL).status, 404);
}

static void knowledge(void **state)
{
    struct client *c = *state;
    char *agent = make_agent(c);
    char *list = talloc_asprintf(c->ctx, "/api/agents/%s/knowledge", agent);
    char *body =
        talloc_asprintf(c->ctx, "{\"agent_id\":\"%s\",\"title\":\"T\",\"content\":\"C\"}", agent);
    char *answer = talloc_asprintf(c->ctx,
                                   "{\"agent_id\":\"%s\",\"title\":\"T\",\"content\":\"C\","
                                   "\"source_type\":\"answer\",\"questions\":[\"how much\"]}",
                                   agent);
    char *empty = talloc_asprintf(c->ctx,
                                  "{\"agent_id\":\"%s\",\"title\":\"T\",\"content\":\"C\","
                                  "\"source_type\":\"answer\"}",
                                  agent);
    char *implied = talloc_asprintf(c->ctx,
                                    "{\"agent_id\":\"%s\",\"title\":\"T\",\"content\":\"C\","
                                    "\"questions\":[\"how much\"]}",
                                    agent);
    struct answer a = ask(c, "POST", "/api/knowledge", implied);

    assert_int_equal(a.status, 201);
    assert_string_equal(text(a.json, "source_type"), "answer");
    a = ask(c, "DELETE", talloc_asprintf(c->ctx, "/api/knowledge/%s", text(a.json, "id")), NULL);
    assert_int_equal(a.status, 200);
    a = ask(c, "POST", "/api/knowledge", body);
    assert_int_equal(a.status, 201);
    assert_string_equal(text(a.json, "source_type"), "manual");
    char *path = talloc_asprintf(c->ctx, "/api/knowledge/%s", text(a.json, "id"));
    assert_int_equal(ask(c, "POST", "/api/knowledge", answer).status, 201);
    assert_int_equal(ask(c, "POST", "/api/knowledge", empty).status, 422);
    assert_int_equal(ask_as(c, c->other_token, "POST", "/api/knowledge", body, NULL).status, 404);
    a = ask(c, "GET", list, NULL);
    assert_int_equal(json_array_size(a.json), 2);
    assert_int_equal(ask_as(c, c->other_token, "GET", list, NULL, NULL).status, 404);
    assert_int_equal(ask_as(c, c->other_token, "DELETE", path, NULL, NULL).status, 404);
    assert_int_equal(ask(c, "DELETE", path, NULL).status, 200);
    assert_int_equal(ask(c, "DELETE", path, NULL).status, 404);
}

/* Plays the worker: gives the next dial job a sid, or the carrier's refusal. */
struct dialer {
    struct client *c;
    const char *refusal;
};

static void *dial_one(void *arg)
{
    struct dialer *dialer = arg;
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_job *job = NULL;
    const struct rlx_call_end end = {.status = "failed", .reason = dialer->refusal, .ended_ms = 1};

    while (rlx_job_claim(dialer->c->store, ctx, "dial", "w", rlx_wall_ms(), 60000, &job))
        sched_yield();
    const char *id = text(job->payload, "call_id");
    if (dialer->refusal)
        rlx_call_end(dialer->c->store, id, &end);
    else
        rlx_call_set_sid(dialer->c->store, id, "CA0123");
    rlx_job_done(dialer->c->store, job->id);
    talloc_free(ctx);
    return NULL;
}

static struct answer outbound(struct client *c, const char *body, const char *headers,
                              const char *refusal)
{
    struct dialer dialer = {c, refusal};
    pthread_t thread;

    pthread_create(&thread, NULL, dial_one, &dialer);
    struct answer a = ask_as(c, c->token, "POST", "/calls/outbound", body, headers);
    pthread_join(thread, NULL);
    return a;
}

static void outbound_calls(void **state)
{
    struct client *c = *state;
    char *agent = make_agent(c);
    char *body = talloc_asprintf(c->ctx,
                                 "{\"agent_id\":\"%s\",\"phone_number\":\"+12345678901\","
                                 "\"metadata\":{\"campaign\":\"Q4\"},\"max_duration_s\":60}",
                                 agent);
    struct answer a = outbound(c, body, "Idempotency-Key: k1", NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(text(a.json, "status"), "initiated");
    assert_string_equal(text(a.json, "twilio_sid"), "CA0123");
    assert_string_equal(text(a.json, "message"), "Call initiated successfully");
    struct answer again =
        ask_as(c, c->token, "POST", "/calls/outbound", body, "Idempotency-Key: k1");
    assert_int_equal(again.status, 200);
    assert_string_equal(text(again.json, "call_id"), text(a.json, "call_id"));
    char *other =
        talloc_asprintf(c->ctx, "{\"agent_id\":\"%s\",\"phone_number\":\"+12345678902\"}", agent);
    assert_int_equal(
        ask_as(c, c->token, "POST", "/calls/outbound", other, "Idempotency-Key: k1").status, 409);
    a = outbound(c, other, NULL, "the number to call is not valid");
    assert_int_equal(a.status, 502);
    assert_string_equal(text(a.json, "detail"), "the number to call is not valid");
    assert_int_equal(ask_as(c, c->other_token, "POST", "/calls/outbound", other, NULL).status, 404);
    char *bad = talloc_asprintf(c->ctx, "{\"agent_id\":\"%s\",\"phone_number\":\"555\"}", agent);
    assert_int_equal(ask(c, "POST", "/calls/outbound", bad).status, 422);
    assert_int_equal(rlx_dnc_add(c->store, c->user, "+12345678902", "test", NULL), 0);
    a = ask(c, "POST", "/calls/outbound", other);
    assert_int_equal(a.status, 403);
    assert_string_equal(text(a.json, "code"), "dnc");
    char *path = talloc_asprintf(c->ctx, "/agents/%s", agent);
    assert_int_equal(ask(c, "PUT", path, "{\"is_active\":false}").status, 200);
    assert_int_equal(ask(c, "POST", "/calls/outbound", body).status, 409);
}

static void say(struct client *c, const char *call, uint32_t seq, bool agent, const char *words)
{
    struct rlx_turn_row row = {.seq = seq, .agent = agent, .text = words, .at_ms = rlx_wall_ms()};

    rlx_uuid(row.id);
    memcpy(row.call_id, call, 37);
    assert_int_equal(rlx_call_append_turn(c->store, &row), 0);
}

static void read_calls(void **state)
{
    struct client *c = *state;
    char *call = make_call(c, make_agent(c));
    char *path = talloc_asprintf(c->ctx, "/calls/%s", call);
    char *transcripts = talloc_asprintf(c->ctx, "/calls/%s/transcripts", call);
    char *analysis = talloc_asprintf(c->ctx, "/calls/%s/analysis", call);

    say(c, call, 1, true, "Hello!");
    say(c, call, 2, false, "Hi, who's calling?");
    struct answer a = ask(c, "GET", path, NULL);
    assert_int_equal(a.status, 200);
    json_t *first = json_array_get(json_object_get(a.json, "transcripts"), 0);
    assert_string_equal(text(first, "speaker"), "ai");
    a = ask(c, "GET", transcripts, NULL);
    assert_int_equal(json_array_size(a.json), 2);
    a = ask(c, "GET", analysis, NULL);
    assert_int_equal(a.status, 202);
    assert_string_equal(text(a.json, "status"), "pending");
    json_t *made = json_pack("{s:s,s:s,s:s,s:s}", "outcome", "interested", "sentiment", "positive",
                             "summary", "S", "method", "rules");
    assert_int_equal(rlx_analysis_save(c->store, call, made), 0);
    json_decref(made);
    a = ask(c, "GET", analysis, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(text(a.json, "outcome"), "interested");
    a = ask(c, "GET", "/calls?status=initiated", NULL);
    assert_int_equal(json_array_size(a.json), 1);
    assert_int_equal(ask(c, "GET", "/calls?status=initiate", NULL).status, 422);
    assert_int_equal(ask(c, "GET", "/calls?agent_id=x", NULL).status, 422);
    for (int i = 0; i < 3; i++) {
        const char *const paths[] = {path, transcripts, analysis};
        assert_int_equal(ask_as(c, c->other_token, "GET", paths[i], NULL, NULL).status, 404);
    }
    assert_int_equal(ask(c, "GET", "/calls/none", NULL).status, 404);
    assert_int_equal(ask(c, "GET", "/calls/0190a0b0-0000-7000-8000-000000000001", NULL).status,
                     404);
}

static void recording(void **state)
{
    struct client *c = *state;
    char *call = make_call(c, make_agent(c));
    char *path = talloc_asprintf(c->ctx, "/calls/%s/recording", call);
    char *file = talloc_asprintf(c->ctx, "%s/x.wav", c->folder);
    const struct rlx_call_end end = {
        .status = "completed", .ended_ms = rlx_wall_ms(), .recording = file, .owner = true};

    assert_int_equal(ask(c, "GET", path, NULL).status, 404);
    assert_int_equal(rlx_call_end(c->store, call, &end), 0);
    assert_int_equal(ask(c, "GET", path, NULL).status, 404); /* the file is missing */
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    struct answer a = ask(c, "GET", path, NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "0123456789");
    assert_non_null(strstr(a.head, "content-type: audio/wav"));
    a = ask_as(c, c->token, "GET", path, NULL, "Range: bytes=2-4");
    assert_int_equal(a.status, 206);
    assert_string_equal(a.body, "234");
    assert_non_null(strstr(a.head, "content-range: bytes 2-4/10"));
    assert_int_equal(ask_as(c, c->token, "GET", path, NULL, "Range: bytes=10-").status, 416);
    assert_int_equal(ask_as(c, c->other_token, "GET", path, NULL, NULL).status, 404);
}

static void events(void **state)
{
    struct client *c = *state;
    char *call = make_call(c, make_agent(c));
    char *path = talloc_asprintf(c->ctx, "/calls/%s/events", call);
    const struct rlx_call_end end = {
        .status = "completed", .ended_ms = rlx_wall_ms(), .owner = true};
    json_t *made = json_pack("{s:s}", "outcome", "other");

    assert_int_equal(ask_as(c, c->other_token, "GET", path, NULL, NULL).status, 404);
    say(c, call, 1, true, "Hello!");
    assert_int_equal(rlx_call_end(c->store, call, &end), 0);
    assert_int_equal(rlx_analysis_save(c->store, call, made), 0);
    json_decref(made);
    struct answer a = ask(c, "GET", path, NULL); /* ends by itself: the call is over and analysed */
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "content-type: text/event-stream"));
    assert_non_null(strstr(a.body, "event: status\ndata: {\"status\":\"initiated\""));
    assert_non_null(strstr(a.body, "event: transcript\n"));
    assert_non_null(strstr(a.body, "event: analysis\n"));
    assert_non_null(strstr(a.body, "event: end\n"));
    a = ask_as(c, c->token, "GET", path, NULL, "Last-Event-ID: 999999");
    assert_null(strstr(a.body, "event: transcript\n"));
    assert_non_null(strstr(a.body, "event: end\n"));
}

static void hangup(void **state)
{
    struct client *c = *state;
    char *agent = make_agent(c), *call = NULL;

    assert_int_equal(rlx_call_create(c->store, c->ctx, c->user, agent, "+12025550123", NULL, NULL,
                                     NULL, &call, NULL),
                     0);
    char *path = talloc_asprintf(c->ctx, "/calls/%s/hangup", call);
    assert_int_equal(ask_as(c, c->other_token, "POST", path, "", NULL).status, 404);
    struct answer a = ask(c, "POST", path, "");
    assert_int_equal(a.status, 200);
    a = ask(c, "GET", talloc_asprintf(c->ctx, "/calls/%s", call), NULL);
    assert_string_equal(text(a.json, "status"), "canceled");
    a = ask(c, "POST", path, "");
    assert_string_equal(text(a.json, "message"), "The call is over already");
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accounts),  TEST(sessions),  TEST(no_token),       TEST(general),
        TEST(agents),    TEST(knowledge), TEST(outbound_calls), TEST(events),
        TEST(recording), TEST(hangup),    TEST(throttled),
    };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test_setup_teardown(read_calls, client_setup, client_teardown),
    };
    int failed = cmocka_run_group_tests_name("api_routes", tests, client_setup, client_teardown);
    return failed + cmocka_run_group_tests_name("api_read_calls", alone, NULL, NULL);
}
