/* The jobs against a carrier and a model of our own: exactly one dial, whatever gets lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"
#include "store/agents.h"
#include "store/calls.h"
#include "store/users.h"
#include "worker/tasks.h"

#define TO "+12025550123"

struct world {
    TALLOC_CTX *ctx;
    struct rlx_config *config;
    struct rlx_store *store;
    struct rlx_httpd *httpd;
    char folder[64];
    char *user, *agent;
    /* the carrier's behaviour */
    enum {
        ACCEPT,
        REFUSE,
        LOSE,
        BROKEN
    } mode; /* LOSE: places the call and answers 500; BROKEN: only answers 500 */
    atomic_int dials, hangups, placed;
    char form[2048];  /* of the last dial */
    const char *fate; /* of every call */
    const char *llm;  /* what the model answers; NULL = 500 */
    atomic_int asked;
};

static void keep_field(const char *name, const char *value, size_t length, void *arg)
{
    struct world *w = arg;
    size_t used = strlen(w->form);

    (void)length;
    snprintf(w->form + used, sizeof w->form - used, "%s=%s\n", name, value);
}

static void dial(struct rlx_request *req, void *arg)
{
    struct world *w = arg;

    atomic_fetch_add(&w->dials, 1);
    w->form[0] = '\0';
    rlx_request_each_field(req, keep_field, w);
    if (w->mode == ACCEPT || w->mode == LOSE)
        atomic_fetch_add(&w->placed, 1);
    if (w->mode == ACCEPT)
        rlx_reply_json(req, 201, json_pack("{s:s,s:s}", "sid", "CA1", "status", "queued"));
    else if (w->mode == REFUSE)
        rlx_reply_json(req, 400, json_pack("{s:i,s:s}", "code", 21211, "message", "Invalid 'To'"));
    else
        rlx_reply_json(req, 500, json_pack("{s:s}", "message", "oops"));
}

static void list(struct rlx_request *req, void *arg)
{
    struct world *w = arg;
    char at[RLX_TIME_TEXT];
    json_t *calls = json_array();

    rlx_time_text(at, rlx_wall_ms());
    if (atomic_load(&w->placed))
        json_array_append_new(calls, json_pack("{s:s,s:s,s:s}", "sid", "CA1", "status", "queued",
                                               "date_created", at));
    rlx_reply_json(req, 200, json_pack("{s:o}", "calls", calls));
}

static void one(struct rlx_request *req, void *arg)
{
    struct world *w = arg;

    if (!strcmp(rlx_request_method(req), "POST"))
        atomic_fetch_add(&w->hangups, 1);
    if (!w->fate)
        rlx_reply_json(req, 404, json_pack("{s:i}", "code", 20404));
    else
        rlx_reply_json(req, 200, json_pack("{s:s,s:s}", "sid", "CA1", "status", w->fate));
}

static void chat(struct rlx_request *req, void *arg)
{
    struct world *w = arg;

    atomic_fetch_add(&w->asked, 1);
    if (!w->llm)
        rlx_reply_json(req, 500, json_pack("{s:s}", "error", "no"));
    else
        rlx_reply_json(req, 200,
                       json_pack("{s:[{s:{s:s}}]}", "choices", "message", "content", w->llm));
}

static const struct rlx_route routes[] = {
    {"POST", "/2010-04-01/Accounts/AC1/Calls.json", dial, 0},
    {"GET", "/2010-04-01/Accounts/AC1/Calls.json", list, 0},
    {"*", "/2010-04-01/Accounts/AC1/Calls/{sid}", one, 0},
    {"POST", "/v1/chat/completions", chat, 1 << 20},
};

static int setup(void **state)
{
    struct world *w = talloc_zero(NULL, struct world);
    char *why = NULL, *json = NULL;
    json_t *fields = json_pack("{s:s,s:s}", "name", "Emma", "prompt_text", "P");

    rlx_log_setup(RLX_ERROR + 1, false);
    w->ctx = talloc_new(w);
    snprintf(w->folder, sizeof w->folder, "/tmp/relayx-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    const struct rlx_httpd_options options = {.routes = routes, .route_count = 4, .arg = w};
    assert_int_equal(rlx_httpd_start(&w->httpd, w->ctx, &options), 0);
    char *url = talloc_asprintf(w->ctx, "http://127.0.0.1:%u", rlx_httpd_port(w->httpd));
    char *argv[] = {(char *)"--data",
                    w->folder,
                    (char *)"--no-local",
                    (char *)"--twilio-api-url",
                    url,
                    (char *)"--twilio-account-sid",
                    (char *)"AC1",
                    (char *)"--twilio-auth-token",
                    (char *)"t",
                    (char *)"--openai-base-url",
                    talloc_asprintf(w->ctx, "%s/v1", url),
                    (char *)"--openai-api-key",
                    (char *)"k",
                    (char *)"--llm-providers",
                    (char *)"openai",
                    (char *)"--voice-gateway-url",
                    (char *)"https://gw.example/",
                    NULL};
    if (rlx_config_load(&w->config, w->ctx, 17, argv, &why) ||
        rlx_store_start(&w->store, w->ctx, w->config, &why))
        fail_msg("%s", why);
    assert_int_equal(rlx_user_create(w->store, w->ctx, "a@b.co", "x", NULL, &w->user), 0);
    assert_int_equal(rlx_agent_create(w->store, w->ctx, w->user, fields, &json), 0);
    json_decref(fields);
    fields = json_loads(json, 0, NULL);
    w->agent = talloc_strdup(w->ctx, json_string_value(json_object_get(fields, "id")));
    json_decref(fields);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char *command[] = {(char *)"rm", (char *)"-rf", w->folder, NULL};

    talloc_free(w->ctx);
    pid_t child = fork();
    if (!child) {
        execvp(command[0], command);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    talloc_free(w);
    return 0;
}

static char *place(struct world *w)
{
    char *id = NULL;

    assert_int_equal(
        rlx_call_create(w->store, w->ctx, w->user, w->agent, TO, NULL, NULL, NULL, &id, NULL), 0);
    return id;
}

/* Runs the next due job of the kind as of now_ms; false when there is none. */
static bool run(struct world *w, const char *kind, int64_t now_ms)
{
    struct rlx_job *job = NULL;

    if (rlx_job_claim(w->store, w->ctx, kind, "w", now_ms, 1000, &job))
        return false;
    const struct rlx_task task = {w->config, w->store, job, now_ms};
    if (!strcmp(kind, "dial"))
        rlx_task_dial(&task);
    else
        rlx_task_analyse(&task);
    talloc_free(job);
    return true;
}

static void expect(struct world *w, const char *call, const char *sid, const char *status,
                   const char *reason)
{
    char *a, *b, *c;

    assert_int_equal(rlx_call_peek(w->store, w->ctx, call, &a, &b, &c), 0);
    assert_string_equal(a, sid);
    assert_string_equal(b, status);
    if (!strstr(c, reason))
        fail_msg("%s has no %s", c, reason);
}

static void accepted(void **state)
{
    struct world *w = *state;
    char *call = place(w), line[160];

    assert_true(run(w, "dial", rlx_wall_ms()));
    expect(w, call, "CA1", "queued", "");
    assert_non_null(strstr(w->form, "To=" TO "\n"));
    assert_non_null(strstr(w->form, "From=+15005550006\n"));
    snprintf(line, sizeof line, "Url=https://gw.example/twilio/voice/%s\n", call);
    assert_non_null(strstr(w->form, line));
    snprintf(line, sizeof line, "StatusCallback=https://gw.example/twilio/status/%s\n", call);
    assert_non_null(strstr(w->form, line));
    snprintf(line, sizeof line, "AsyncAmdStatusCallback=https://gw.example/twilio/amd/%s\n", call);
    assert_non_null(strstr(w->form, line));
    assert_false(run(w, "dial", rlx_wall_ms() + 3600000));
    assert_int_equal(w->dials, 1);
}

static void refused(void **state)
{
    struct world *w = *state;
    char *call = place(w);

    w->mode = REFUSE;
    assert_true(run(w, "dial", rlx_wall_ms()));
    expect(w, call, "", "failed", "Invalid 'To'");
    assert_false(run(w, "dial", rlx_wall_ms() + 3600000));
    assert_int_equal(w->dials, 1);
}

/* The answer got lost, the call was placed: it is found, not dialed again. */
static void lost_answer(void **state)
{
    struct world *w = *state;
    char *call = place(w);

    w->mode = LOSE;
    assert_true(run(w, "dial", rlx_wall_ms()));
    expect(w, call, "", "initiated", "");
    assert_true(run(w, "dial", rlx_wall_ms() + 5000));
    expect(w, call, "CA1", "queued", "");
    assert_int_equal(w->dials, 1);
}

/* The answer got lost and no call ever shows: given up after its time, not dialed again. */
static void never_placed(void **state)
{
    struct world *w = *state;
    char *call = place(w);
    int64_t now = rlx_wall_ms();

    w->mode = BROKEN;
    assert_true(run(w, "dial", now));
    for (int64_t t = 5000; t < 60000; t += 5000)
        assert_true(run(w, "dial", now + t));
    expect(w, call, "", "initiated", "");
    assert_true(run(w, "dial", now + 61000));
    expect(w, call, "", "failed", "not dialed again");
    assert_false(run(w, "dial", now + 3600000));
    assert_int_equal(w->dials, 1);
}

/* A worker that died between its commit and the carrier's answer. */
static void crashed(void **state)
{
    struct world *w = *state;
    char *call = place(w);
    struct rlx_job *job = NULL;
    struct rlx_dial_state dialing;
    int64_t now = rlx_wall_ms();

    assert_int_equal(rlx_job_claim(w->store, w->ctx, "dial", "dead", now, 1000, &job), 0);
    assert_int_equal(rlx_dial_begin(w->store, call, TO, "+15005550006", now, &dialing), 0);
    atomic_store(&w->placed, 1);
    assert_false(run(w, "dial", now + 1000)); /* still leased */
    assert_true(run(w, "dial", now + 1001));
    expect(w, call, "CA1", "queued", "");
    assert_int_equal(w->dials, 0);
}

static void not_allowed(void **state)
{
    struct world *w = *state;
    char *call = place(w);
    const struct rlx_call_end cancel = {
        .status = "canceled", .reason = "hangup_by_user", .ended_ms = 1};

    assert_int_equal(rlx_dnc_add(w->store, w->user, TO, "test", NULL), 0);
    assert_true(run(w, "dial", rlx_wall_ms()));
    expect(w, call, "", "failed", "dnc");
    call = place(w);
    assert_int_equal(rlx_call_end(w->store, call, &cancel), 0);
    assert_true(run(w, "dial", rlx_wall_ms()));
    expect(w, call, "", "canceled", "hangup_by_user");
    call = place(w);
    assert_int_equal(rlx_agent_delete(w->store, w->user, w->agent), 0);
    assert_true(run(w, "dial", rlx_wall_ms()));
    expect(w, call, "", "failed", "deleted");
    assert_int_equal(w->dials, 0);
}

/* Canceled while the carrier was being asked: hung up at once. */
static void canceled_meanwhile(void **state)
{
    struct world *w = *state;
    char *call = place(w);
    struct rlx_dial_state dialing;
    const struct rlx_call_end cancel = {
        .status = "canceled", .reason = "hangup_by_user", .ended_ms = 1};

    w->fate = "in-progress";
    assert_int_equal(rlx_dial_begin(w->store, call, TO, "+15005550006", rlx_wall_ms(), &dialing),
                     0);
    assert_int_equal(rlx_call_end(w->store, call, &cancel), 0);
    atomic_store(&w->placed, 1);
    assert_true(run(w, "dial", rlx_wall_ms()));
    assert_int_equal(w->hangups, 1);
    assert_int_equal(w->dials, 0);
}

static void stale(void **state)
{
    struct world *w = *state;
    char *call = place(w);
    int64_t now = rlx_wall_ms();

    assert_true(run(w, "dial", now));
    w->fate = "ringing";
    rlx_watch_stale(w->store, w->config, now + 100000);
    expect(w, call, "CA1", "queued", "");
    w->fate = "no-answer";
    rlx_watch_stale(w->store, w->config, now + 100000);
    expect(w, call, "CA1", "no-answer", "carrier");
}

static void say(struct world *w, const char *call, uint32_t seq, bool agent, const char *words)
{
    struct rlx_turn_row row = {.seq = seq, .agent = agent, .text = words, .at_ms = 1};

    rlx_uuid(row.id);
    memcpy(row.call_id, call, 37);
    assert_int_equal(rlx_call_append_turn(w->store, &row), 0);
}

static json_t *analysis_of(struct world *w, const char *call)
{
    char *json = NULL;

    assert_int_equal(rlx_call_analysis(w->store, w->ctx, w->user, call, &json), 0);
    return json_loads(json, 0, NULL);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static char *ended(struct world *w, bool spoken)
{
    const struct rlx_call_end end = {
        .status = "completed", .ended_ms = rlx_wall_ms(), .owner = true};
    char *call = place(w);

    if (spoken) {
        say(w, call, 1, true, "Hello, this is Emma.");
        say(w, call, 2, false, "How much does it cost?");
    }
    assert_int_equal(rlx_call_end(w->store, call, &end), 0);
    return call;
}

static void analysed(void **state)
{
    struct world *w = *state;
    char *call = ended(w, true);

    w->llm = "{\"sentiment\":\"positive\",\"outcome\":\"booked\",\"summary\":\"The callee asked "
             "for the cost.\","
             "\"key_points\":[],\"intents\":[\"cost\"],\"follow_up\":null,\"extracted\":{}}";
    assert_true(run(w, "analyse", rlx_wall_ms() + 1000));
    json_t *made = analysis_of(w, call);
    assert_string_equal(text_of(made, "status"), "completed");
    assert_string_equal(text_of(made, "method"), "model");
    assert_string_equal(text_of(made, "outcome"), "interested");
    assert_string_equal(text_of(made, "sentiment"), "neutral");
    assert_string_equal(text_of(made, "summary"), "The callee asked for the cost.");
    json_decref(made);
    assert_int_equal(w->asked, 1);
}

/* A model that gives no JSON is asked once more; then the rules do it. */
static void bad_model(void **state)
{
    struct world *w = *state;
    char *call = ended(w, true);

    w->llm = "I would say that it went well.";
    assert_true(run(w, "analyse", rlx_wall_ms() + 1000));
    json_t *made = analysis_of(w, call);
    assert_string_equal(text_of(made, "method"), "rules");
    assert_string_equal(text_of(made, "outcome"), "interested");
    json_decref(made);
    assert_int_equal(w->asked, 2);
    call = ended(w, true);
    w->llm = NULL;
    assert_true(run(w, "analyse", rlx_wall_ms() + 1000));
    made = analysis_of(w, call);
    assert_string_equal(text_of(made, "method"), "rules");
    json_decref(made);
}

static void nothing_said(void **state)
{
    struct world *w = *state;
    char *call = ended(w, false);

    assert_true(run(w, "analyse", rlx_wall_ms() + 1000));
    json_t *made = analysis_of(w, call);
    assert_string_equal(text_of(made, "outcome"), "no_answer");
    json_decref(made);
    assert_int_equal(w->asked, 0);
}

static void waits(void **state)
{
    (void)state;
    assert_int_equal(rlx_object_wait_ms(1), 5000);
    assert_int_equal(rlx_object_wait_ms(2), 10000);
    assert_int_equal(rlx_object_wait_ms(7), 320000);
    assert_int_equal(rlx_object_wait_ms(8), 600000);
    assert_int_equal(rlx_object_wait_ms(100000), 600000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepted), TEST(refused),     TEST(lost_answer),        TEST(never_placed),
        TEST(crashed),  TEST(not_allowed), TEST(canceled_meanwhile), TEST(stale),
        TEST(analysed), TEST(bad_model),   TEST(nothing_said),       cmocka_unit_test(waits),
    };
    return cmocka_run_group_tests_name("worker_tasks", tests, NULL, NULL);
}
