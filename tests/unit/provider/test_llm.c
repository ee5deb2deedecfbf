/* Conformance of the language model client against the strict fake, its chain, and the blocking
 * form. */
#include <errno.h>
#include <stdio.h>

#include "fake.h"

#include "base/err.h"

struct seen {
    char said[1000], why[500];
    struct rlx_llm_usage usage;
    int err;
    bool done, cancel_in_text, cancelled;
    struct rlx_llm_job *job;
};

static const char *const one[] = {"--openai-base-url=http://127.0.0.1:%a",
                                  "--openai-api-key=test-key", "--no-local", NULL};
static const char *const two[] = {"--groq-base-url=http://127.0.0.1:%a/v1",
                                  "--groq-api-key=test-key", "--local-llm-url=http://127.0.0.1:%b",
                                  NULL};

static const char messages[] = "[{\"role\":\"user\",\"content\":\"When do you open?\"}]";

static void add(struct seen *seen, const char *text)
{
    assert_false(seen->done || seen->cancelled);
    strncat(seen->said, text, sizeof seen->said - strlen(seen->said) - 1);
}

static void on_text(const char *text, void *arg)
{
    struct seen *seen = arg;
    add(seen, text);
    add(seen, "|");
    if (seen->cancel_in_text) {
        rlx_llm_cancel(seen->job);
        seen->cancelled = true;
    }
}

static void on_tool(const char *id, const char *name, const char *arguments, void *arg)
{
    add(arg, id);
    add(arg, name);
    add(arg, arguments);
    add(arg, "|");
}

static void on_done(int err, const struct rlx_llm_usage *usage, const char *why, void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done || seen->cancelled);
    seen->done = true;
    seen->err = err;
    seen->usage = *usage;
    snprintf(seen->why, sizeof seen->why, "%s", why ? why : "");
    rlx_llm_cancel(seen->job); /* has no effect any more */
}

static const struct rlx_llm_handlers handlers = {on_text, on_tool, on_done};

static struct rlx_meter *meter; /* of the test that counts */

static void start(struct bench *bench, struct seen *seen, uint32_t first_token_ms)
{
    const struct rlx_llm_options options = {.model = "llama3:8b",
                                            .messages = messages,
                                            .tools = "[]",
                                            .temperature = 0.7,
                                            .first_token_ms = first_token_ms,
                                            .meter = meter};
    bool cancel = seen->cancel_in_text;
    memset(seen, 0, sizeof *seen);
    seen->cancel_in_text = cancel;
    assert_int_equal(rlx_llm_start(&seen->job, bench->providers->llm, &options, &handlers, seen),
                     0);
    assert_false(seen->done);
}

static void run(struct bench *bench, struct seen *seen, uint32_t first_token_ms)
{
    start(bench, seen, first_token_ms);
    bench_run(bench, &seen->done);
}

static void good(void **state)
{
    struct bench *bench = *state;
    struct seen seen = {0};
    bench_configure(bench, one);
    for (int i = 0; i < 2; i++) {
        fake_set(bench->a, i ? FAKE_BYTES : FAKE_GOOD);
        run(bench, &seen, 0);
        assert_int_equal(seen.err, 0);
        assert_string_equal(seen.said, "We open |at nine.|");
        assert_int_equal(seen.usage.prompt_tokens, 21);
        assert_int_equal(seen.usage.completion_tokens, 4);
        assert_true(seen.usage.first_token_ms <= seen.usage.took_ms);
    }
    fake_set(bench->a, FAKE_TOOLS);
    run(bench, &seen, 0);
    assert_int_equal(seen.err, 0);
    assert_string_equal(seen.said, "One moment.|c1book{\"day\":1}|c2end_call{}|");
}

/* What was cancelled is paid for as well; its tokens are guessed. What failed is not. */
static void metered(void **state)
{
    struct bench *bench = *state;
    struct seen seen = {0};
    json_int_t in = 0, requests = 0;

    bench_configure(bench, one);
    assert_int_equal(rlx_meter_create(&meter, bench), 0);
    fake_set(bench->a, FAKE_GOOD);
    run(bench, &seen, 0);
    seen.cancel_in_text = true;
    start(bench, &seen, 0);
    bench_run(bench, &seen.cancelled);
    seen.cancel_in_text = false;
    fake_set_status(bench->a, 500);
    run(bench, &seen, 0);
    assert_true(seen.err);
    json_t *items = json_loads(rlx_meter_json(bench, meter), 0, NULL);
    assert_int_equal(json_array_size(items), 1);
    assert_int_equal(json_unpack(items, "[{s:I,s:I}]", "requests", &requests, "tokens_in", &in), 0);
    assert_int_equal(requests, 2);
    assert_int_equal(in, 21 + (json_int_t)rlx_meter_tokens(strlen(messages)));
    json_decref(items);
    talloc_free(meter);
    meter = NULL;
}

static void failures(void **state)
{
    struct bench *bench = *state;
    static const struct {
        enum fake_mode mode;
        int status, err;
        const char *why;
    } cases[] = {
        {FAKE_STATUS, 401, RLX_EPROVIDER, "HTTP 401: told to say 401"},
        {FAKE_STATUS, 404, RLX_EPROVIDER, "HTTP 404"},
        {FAKE_STATUS, 429, RLX_EPROVIDER, "HTTP 429"},
        {FAKE_STATUS, 500, RLX_EPROVIDER, "HTTP 500"},
        {FAKE_GARBAGE, 0, RLX_EEMPTY, "nothing"},
        {FAKE_EMPTY, 0, RLX_EEMPTY, "nothing"},
        {FAKE_ABORT, 0, RLX_EPROVIDER, "failed"},
        {FAKE_SLOW, 0, -ETIMEDOUT, "within 40 ms"},
        {FAKE_STALL, 0, -ETIMEDOUT,
         "within 40 ms"}, /* keep-alives and an empty delta are no token */
    };
    bench_configure(bench, one);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        fake_set(bench->a, cases[i].mode);
        if (cases[i].status)
            fake_set_status(bench->a, cases[i].status);
        run(bench, &seen, cases[i].err == -ETIMEDOUT ? 40 : 0);
        assert_int_equal(seen.err, cases[i].err);
        assert_non_null(strstr(seen.why, cases[i].why));
        assert_string_equal(seen.said, "");
        fake_free_waiting(bench->a);
    }
}

static void the_chain_goes_on_before_the_first_word(void **state)
{
    struct bench *bench = *state;
    struct seen seen = {0};
    bench_configure(bench, two);
    assert_string_equal(rlx_llm_name(bench->providers->llm), "groq,local");
    fake_set(bench->a, FAKE_ABORT);
    run(bench, &seen, 0);
    assert_int_equal(seen.err, 0);
    assert_string_equal(seen.said, "We open |at nine.|");
    assert_int_equal(fake_count(bench->a, "completions"), 1);
    assert_int_equal(fake_count(bench->b, "completions"), 1);
    fake_set(bench->b, FAKE_LATE_ABORT); /* it breaks off after words: nobody may say them again */
    run(bench, &seen, 0);
    assert_int_equal(seen.err, RLX_EPROVIDER);
    assert_string_equal(seen.said, "We open |at nine.|");
    assert_int_equal(fake_count(bench->a, "completions"), 1);
}

static void cancelled(void **state)
{
    struct bench *bench = *state;
    bench_configure(bench, two);
    rlx_llm_cancel(NULL);
    for (int turns = 0; turns < 30; turns++) {
        struct seen seen = {0};
        fake_set(bench->a, turns % 3 == 0 ? FAKE_BYTES : turns % 3 == 1 ? FAKE_ABORT : FAKE_STALL);
        start(bench, &seen, 0);
        for (int i = 0; i < turns * 2 && !seen.done; i++)
            uv_run(&bench->loop, UV_RUN_NOWAIT);
        if (!seen.done) {
            rlx_llm_cancel(seen.job);
            seen.cancelled = true;
        }
        bench_idle(bench, 1);
        fake_free_waiting(bench->a);
    }
    struct seen seen = {.cancel_in_text = true};
    fake_set(bench->a, FAKE_GOOD);
    start(bench, &seen, 0);
    bench_run(bench, &seen.cancelled);
    bench_idle(bench, 5);
    assert_string_equal(seen.said, "We open |");
}

static void many_at_once(void **state)
{
    struct bench *bench = *state;
    enum { MANY = 40 };
    struct seen *all = talloc_zero_array(bench, struct seen, MANY);
    bench_configure(bench, one);
    for (int i = 0; i < MANY; i++)
        start(bench, &all[i], 0);
    for (int i = 0; i < MANY; i++) {
        bench_run(bench, &all[i].done);
        assert_string_equal(all[i].said, "We open |at nine.|");
    }
}

static void warming(void **state)
{
    static const char *const local[] = {"--local-llm-url=http://127.0.0.1:%a", NULL};
    struct bench *bench = *state;
    bench_configure(bench, local);
    rlx_llm_warm(bench->providers->llm, NULL, messages);
    for (int i = 0; i < 1000 && !fake_count(bench->a, "completions"); i++)
        bench_idle(bench, 2);
    assert_int_equal(fake_count(bench->a, "completions"), 1);
    rlx_llm_warm(bench->providers->llm, NULL, NULL);
    for (int i = 0; i < 1000 && !fake_count(bench->a, "models"); i++)
        bench_idle(bench, 2);
    assert_int_equal(fake_count(bench->a, "models"), 1);
    rlx_llm_warm(bench->providers->llm, NULL, "no JSON");
    bench_idle(bench, 5);
    assert_int_equal(fake_count(bench->a, "completions"), 1);
}

static void wrong_options(void **state)
{
    struct bench *bench = *state;
    struct rlx_llm_job *job;
    struct rlx_llm_options options = {.messages = "{}"};
    bench_configure(bench, two);
    assert_int_equal(rlx_llm_start(&job, bench->providers->llm, &options, &handlers, NULL),
                     RLX_EINVAL);
    options.messages = NULL;
    assert_int_equal(rlx_llm_start(&job, bench->providers->llm, &options, &handlers, NULL),
                     -EINVAL);
}

static void blocking(void **state)
{
    struct bench *bench = *state;
    char *text = NULL, *why = NULL;
    bench_configure(bench, two);
    assert_int_equal(rlx_llm_blocking(&text, bench, bench->config, NULL, messages,
                                      "{\"type\":\"object\"}", 0, 0, &why),
                     0);
    assert_string_equal(text, "{\"a\":1}");
    fake_set_status(bench->a, 500);
    assert_int_equal(
        rlx_llm_blocking(&text, bench, bench->config, NULL, messages, NULL, 0, 0, &why), 0);
    assert_string_equal(text, "plain");
    fake_set(bench->b, FAKE_GARBAGE);
    assert_int_equal(
        rlx_llm_blocking(&text, bench, bench->config, NULL, messages, NULL, 0, 0, &why),
        RLX_EPROTO);
    assert_string_equal(why, "groq: HTTP 500: told to say 500; local: the answer is no JSON");
    assert_int_equal(rlx_llm_blocking(&text, bench, bench->config, NULL, "{", NULL, 0, 0, &why),
                     RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(good), BENCH_TEST(metered),         BENCH_TEST(failures),
        BENCH_TEST(cancelled),    BENCH_TEST(the_chain_goes_on_before_the_first_word),
        BENCH_TEST(many_at_once), BENCH_TEST(warming),
        BENCH_TEST(blocking),     BENCH_TEST(wrong_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
