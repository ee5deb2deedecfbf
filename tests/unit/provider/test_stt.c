/* Conformance of speech to text against the strict fake, and its chain. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "fake.h"

#include "base/err.h"

struct seen {
    char text[100], why[500];
    uint32_t voiced_ms, queue_ms;
    float avg_logprob;
    int err;
    bool done;
    struct rlx_stt_job *job;
};

static const char *const one[] = {"--openai-base-url=http://127.0.0.1:%a",
                                  "--openai-api-key=test-key", "--no-local", NULL};
static const char *const two[] = {"--openai-base-url=http://127.0.0.1:%a",
                                  "--openai-api-key=test-key",
                                  "--local-speech-url=http://127.0.0.1:%b/v1", NULL};

static void on_done(int err, const struct rlx_stt_result *result, const char *why, void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    seen->done = true;
    seen->err = err;
    assert_int_equal(result == NULL, err != 0);
    if (result) {
        snprintf(seen->text, sizeof seen->text, "%s", result->text);
        seen->voiced_ms = result->voiced_ms;
        seen->avg_logprob = result->avg_logprob;
        seen->queue_ms = result->queue_ms;
    } else {
        snprintf(seen->why, sizeof seen->why, "%s", why);
    }
    rlx_stt_cancel(seen->job); /* has no effect any more */
}

static void start(struct bench *bench, struct seen *seen, uint32_t timeout_ms)
{
    uint8_t ulaw[8000];
    const struct rlx_stt_options options = {
        .language = "en", .prompt = "RelayX", .timeout_ms = timeout_ms};
    memset(ulaw, 0xff, sizeof ulaw);
    memset(seen, 0, sizeof *seen);
    assert_int_equal(rlx_stt_start(&seen->job, bench->providers->stt, ulaw, sizeof ulaw, &options,
                                   on_done, seen),
                     0);
    assert_false(seen->done);
}

static void run(struct bench *bench, struct seen *seen, uint32_t timeout_ms)
{
    start(bench, seen, timeout_ms);
    bench_run(bench, &seen->done);
}

static void good(void **state)
{
    struct bench *bench = *state;
    struct seen seen;
    bench_configure(bench, one);
    assert_string_equal(rlx_stt_name(bench->providers->stt), "openai");
    for (int i = 0; i < 2; i++) {
        fake_set(bench->a, i ? FAKE_BYTES : FAKE_GOOD);
        run(bench, &seen, 0);
        assert_int_equal(seen.err, 0);
        assert_string_equal(seen.text, "Hello there.");
        assert_int_equal(seen.voiced_ms, 640);
        assert_true(fabsf(seen.avg_logprob + 0.3f) < 1e-5f);
    }
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
        {FAKE_GARBAGE, 0, RLX_EPROTO, "no JSON object with a \"text\""},
        {FAKE_EMPTY, 0, RLX_EPROTO, "no JSON object with a \"text\""},
        {FAKE_ABORT, 0, RLX_EPROVIDER, "failed"},
        {FAKE_SLOW, 0, -ETIMEDOUT, "within 40 ms"},
        {FAKE_STALL, 0, -ETIMEDOUT, "within 40 ms"},
    };
    bench_configure(bench, one);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen;
        fake_set(bench->a, cases[i].mode);
        if (cases[i].status)
            fake_set_status(bench->a, cases[i].status);
        run(bench, &seen, cases[i].err == -ETIMEDOUT ? 40 : 0);
        assert_int_equal(seen.err, cases[i].err);
        assert_non_null(strstr(seen.why, cases[i].why));
        assert_non_null(strstr(seen.why, "openai: "));
        fake_free_waiting(bench->a);
    }
}

static void the_chain_goes_on(void **state)
{
    struct bench *bench = *state;
    struct seen seen;
    bench_configure(bench, two);
    assert_string_equal(rlx_stt_name(bench->providers->stt), "openai,local");
    fake_set_status(bench->a, 503);
    run(bench, &seen, 0);
    assert_int_equal(seen.err, 0);
    assert_string_equal(seen.text, "Hello there.");
    run(bench, &seen, 0); /* the ill one is passed by */
    assert_int_equal(seen.err, 0);
    assert_int_equal(fake_count(bench->a, "transcriptions"), 1);
    assert_int_equal(fake_count(bench->b, "transcriptions"), 2);
    fake_set(bench->b, FAKE_GARBAGE);
    run(bench, &seen, 0); /* the last hope: the ill one is asked after all */
    assert_int_equal(seen.err, RLX_EPROVIDER);
    assert_non_null(strstr(seen.why, "local: "));
    assert_non_null(strstr(seen.why, "; openai: "));
}

static void cancelled(void **state)
{
    struct bench *bench = *state;
    bench_configure(bench, two);
    rlx_stt_cancel(NULL);
    for (int turns = 0; turns < 20; turns++) {
        struct seen seen;
        fake_set_status(bench->a, 503);
        start(bench, &seen, 0);
        for (int i = 0; i < turns && !seen.done; i++)
            uv_run(&bench->loop, UV_RUN_NOWAIT);
        bool done = seen.done;
        rlx_stt_cancel(done ? NULL : seen.job);
        bench_idle(bench, 1);
        assert_int_equal(seen.done, done);
    }
}

static void bad_arguments(void **state)
{
    struct bench *bench = *state;
    struct rlx_stt_job *job;
    uint8_t *much = talloc_zero_size(bench, 8000 * 121);
    bench_configure(bench, one);
    assert_int_equal(rlx_stt_start(&job, bench->providers->stt, much, 0, NULL, on_done, NULL),
                     -EINVAL);
    assert_int_equal(
        rlx_stt_start(&job, bench->providers->stt, much, 8000 * 121, NULL, on_done, NULL),
        RLX_ETOOBIG);
    rlx_stt_warm(bench->providers->stt);
    rlx_providers_warm(bench->providers);
    bench_idle(bench, 10);
}

/* What the headers say of how busy the provider is. */
static void a_busy_provider_is_noticed(void **state)
{
    static const struct {
        const char *headers[4];
        uint32_t queue_ms;
        bool low;
    } CASES[] = {
        {{"X-Queue-Ms", "170"}, 170, false},
        {{"x-ratelimit-limit-requests", "100", "x-ratelimit-remaining-requests", "50"}, 0, false},
        {{"x-ratelimit-remaining-requests", "7"}, 0, false},
        {{"x-ratelimit-remaining-requests", "soon"}, 0, false},
        {{"X-RateLimit-Limit-Tokens", "6000", "X-RateLimit-Remaining-Tokens", "400"}, 0, true},
        {{"x-ratelimit-remaining-requests", "4"}, 0, true},
    };
    struct bench *bench = *state;
    struct seen seen;

    bench_configure(bench, one);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        fake_set_headers(bench->a, CASES[i].headers);
        run(bench, &seen, 0);
        assert_int_equal(seen.err, 0);
        assert_int_equal(seen.queue_ms, CASES[i].queue_ms);
        if (CASES[i].low || i < 4) /* once low, it is believed for ten seconds */
            assert_int_equal(rlx_stt_is_low(bench->providers->stt), CASES[i].low);
    }
    assert_false(rlx_llm_is_low(bench->providers->llm)); /* each stage for itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(a_busy_provider_is_noticed),
        BENCH_TEST(good),      BENCH_TEST(failures),      BENCH_TEST(the_chain_goes_on),
        BENCH_TEST(cancelled), BENCH_TEST(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
