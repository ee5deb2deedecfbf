/* Conformance of text to speech against the strict fake, and its chain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

#include "audio/g711.h"
#include "base/err.h"

struct seen {
    uint8_t ulaw[16000];
    size_t length;
    char why[500];
    uint32_t first_byte_ms, took_ms;
    int err;
    bool done, cancel_in_audio, cancelled;
    struct rlx_tts_job *job;
};

static const char *const openai[] = {"--openai-base-url=http://127.0.0.1:%a",
                                     "--openai-api-key=test-key", "--no-local", NULL};
static const char *const local[] = {"--local-speech-url=http://127.0.0.1:%a", NULL};
static const char *const two[] = {"--openai-base-url=http://127.0.0.1:%a",
                                  "--openai-api-key=test-key",
                                  "--local-speech-url=http://127.0.0.1:%b", NULL};

static void on_audio(const uint8_t *ulaw, size_t length, void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done || seen->cancelled);
    assert_true(length && seen->length + length <= sizeof seen->ulaw);
    memcpy(seen->ulaw + seen->length, ulaw, length);
    seen->length += length;
    if (seen->cancel_in_audio) {
        rlx_tts_cancel(seen->job);
        seen->cancelled = true;
    }
}

static void on_done(int err, uint32_t first_byte_ms, uint32_t took_ms, const char *why, void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done || seen->cancelled);
    seen->done = true;
    seen->err = err;
    seen->first_byte_ms = first_byte_ms;
    seen->took_ms = took_ms;
    snprintf(seen->why, sizeof seen->why, "%s", why ? why : "");
    rlx_tts_cancel(seen->job); /* has no effect any more */
}

static const struct rlx_tts_handlers handlers = {on_audio, on_done};

static void start(struct bench *bench, struct seen *seen, uint32_t first_byte_ms)
{
    const struct rlx_tts_options options = {.text = "Hello.",
                                            .voice = "en_US-libritts-high",
                                            .speed = 1.1,
                                            .first_byte_ms = first_byte_ms};
    bool cancel = seen->cancel_in_audio;
    memset(seen, 0, sizeof *seen);
    seen->cancel_in_audio = cancel;
    assert_int_equal(rlx_tts_start(&seen->job, bench->providers->tts, &options, &handlers, seen),
                     0);
    assert_false(seen->done);
}

static void run(struct bench *bench, struct seen *seen, uint32_t first_byte_ms)
{
    start(bench, seen, first_byte_ms);
    bench_run(bench, &seen->done);
}

/* The fake's speech is 300 ms of a tone between two silences of 200 ms, of which 40 stay. */
static void check_speech(const struct seen *seen)
{
    long loud = 0;
    assert_int_equal(seen->err, 0);
    assert_in_range(seen->length, 8 * 360, 8 * 400);
    for (size_t i = 8 * 60; i < 8 * 320; i++)
        loud += labs(rlx_ulaw_sample(seen->ulaw[i]));
    assert_true(loud / (8 * 260) > 4000); /* a sine's mean is 0.64 of its peak of 9000 */
}

static void good(void **state)
{
    struct bench *bench = *state;
    static struct seen seen;
    static const enum fake_mode modes[] = {FAKE_GOOD, FAKE_BYTES, FAKE_WAV};
    bench_configure(bench, openai);
    for (size_t i = 0; i < 3; i++) {
        fake_set(bench->a, modes[i]);
        run(bench, &seen, 0);
        check_speech(&seen);
        assert_true(seen.first_byte_ms <= seen.took_ms);
    }
    assert_string_equal(rlx_tts_voice_key(bench->providers->tts, "nova"),
                        "openai/gpt-4o-mini-tts/nova");
    assert_ptr_equal(rlx_tts_voice_key(bench->providers->tts, "unknown"),
                     rlx_tts_voice_key(bench->providers->tts, NULL));
}

static void good_local(void **state)
{
    struct bench *bench = *state;
    static struct seen seen;
    static const enum fake_mode modes[] = {FAKE_GOOD, FAKE_BYTES, FAKE_WAV};
    bench_configure(bench, local);
    for (size_t i = 0; i < 3; i++) {
        fake_set(bench->a, modes[i]);
        run(bench, &seen, 0);
        check_speech(&seen);
    }
    fake_set(bench->a, FAKE_EMPTY); /* nothing to say is no failure */
    run(bench, &seen, 0);
    assert_int_equal(seen.err, 0);
    assert_int_equal(seen.length, 0);
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
        {FAKE_GARBAGE, 0, RLX_EPROTO, "as JSON although raw samples were asked"},
        {FAKE_ABORT, 0, RLX_EPROVIDER, "failed"},
        {FAKE_SLOW, 0, -ETIMEDOUT, "no answer within 40 ms"},
        {FAKE_STALL, 0, -ETIMEDOUT, "stalled in mid-answer for 40 ms"},
    };
    bench_configure(bench, openai);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct seen seen;
        fake_set(bench->a, cases[i].mode);
        if (cases[i].status)
            fake_set_status(bench->a, cases[i].status);
        run(bench, &seen, cases[i].err == -ETIMEDOUT ? 40 : 0);
        assert_int_equal(seen.err, cases[i].err);
        assert_non_null(strstr(seen.why, cases[i].why));
        fake_free_waiting(bench->a);
    }
}

static void the_chain_goes_on_before_the_first_sound(void **state)
{
    struct bench *bench = *state;
    static struct seen seen;
    bench_configure(bench, two);
    fake_set(bench->a, FAKE_GARBAGE);
    run(bench, &seen, 0);
    check_speech(&seen);
    assert_int_equal(fake_count(bench->b, "speech"), 1);
    /* while the first one is ill, the key is the stand-in's */
    assert_string_equal(rlx_tts_voice_key(bench->providers->tts, NULL), "local/piper/default");
    fake_set(bench->b,
             FAKE_ABORT); /* it breaks off after sound: there is no going on with another voice */
    run(bench, &seen, 0);
    assert_int_equal(seen.err, RLX_EPROVIDER);
    assert_true(seen.length > 0);
    assert_int_equal(fake_count(bench->a, "speech"), 1);
}

static void cancelled(void **state)
{
    struct bench *bench = *state;
    bench_configure(bench, two);
    rlx_tts_cancel(NULL);
    for (int turns = 0; turns < 30; turns++) {
        static struct seen seen;
        fake_set(bench->a, turns % 3 == 0   ? FAKE_BYTES
                           : turns % 3 == 1 ? FAKE_GARBAGE
                                            : FAKE_STALL);
        seen.cancel_in_audio = false;
        start(bench, &seen, 0);
        for (int i = 0; i < turns * 2 && !seen.done; i++)
            uv_run(&bench->loop, UV_RUN_NOWAIT);
        if (!seen.done) {
            rlx_tts_cancel(seen.job);
            seen.cancelled = true;
        }
        bench_idle(bench, 1);
        fake_free_waiting(bench->a);
    }
    static struct seen seen = {.cancel_in_audio = true};
    fake_set(bench->a, FAKE_GOOD);
    start(bench, &seen, 0);
    bench_run(bench, &seen.cancelled);
    bench_idle(bench, 5);
}

static void wrong_options(void **state)
{
    struct bench *bench = *state;
    struct rlx_tts_job *job;
    char text[5000];
    memset(text, 'a', sizeof text);
    text[4999] = '\0';
    struct rlx_tts_options options = {.text = text};
    bench_configure(bench, two);
    assert_int_equal(rlx_tts_start(&job, bench->providers->tts, &options, &handlers, NULL),
                     RLX_ETOOBIG);
    options.text = "\xff\xfe";
    assert_int_equal(rlx_tts_start(&job, bench->providers->tts, &options, &handlers, NULL),
                     RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(good),      BENCH_TEST(good_local),
        BENCH_TEST(failures),  BENCH_TEST(the_chain_goes_on_before_the_first_sound),
        BENCH_TEST(cancelled), BENCH_TEST(wrong_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
