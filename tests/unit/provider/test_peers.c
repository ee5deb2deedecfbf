/* The same clients against real local servers, where the environment names them (RLX_PEER_SPEECH,
 * RLX_PEER_LLM, RLX_PEER_EMBED: base URLs); without them there is nothing to do. */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"

#include "base/err.h"

#define SENTENCE "Your appointment is on Tuesday at nine."

static const char *peer(const char *name)
{
    const char *url = getenv(name);
    return url && *url ? url : NULL;
}

static void configure(struct bench *bench)
{
    static const char *const names[][2] = {{"RLX_PEER_SPEECH", "--local-speech-url"},
                                           {"RLX_PEER_LLM", "--local-llm-url"},
                                           {"RLX_PEER_EMBED", "--local-embed-url"}};
    const char *flags[4] = {0};
    int count = 0;
    for (size_t i = 0; i < 3; i++) {
        if (peer(names[i][0]))
            flags[count++] = talloc_asprintf(bench, "%s=%s", names[i][1], peer(names[i][0]));
    }
    bench_configure(bench, flags);
}

struct spoken {
    uint8_t ulaw[80000];
    size_t length, pieces;
    int err;
    uint32_t first_byte_ms, took_ms;
    bool done;
};

static void on_audio(const uint8_t *ulaw, size_t length, void *arg)
{
    struct spoken *spoken = arg;
    assert_true(spoken->length + length <= sizeof spoken->ulaw);
    memcpy(spoken->ulaw + spoken->length, ulaw, length);
    spoken->length += length;
    spoken->pieces++;
}

static void on_spoken(int err, uint32_t first_byte_ms, uint32_t took_ms, const char *why, void *arg)
{
    struct spoken *spoken = arg;
    spoken->err = err;
    spoken->first_byte_ms = first_byte_ms;
    spoken->took_ms = took_ms;
    spoken->done = true;
    if (err)
        print_error("speech: %s\n", why);
}

static const struct rlx_tts_handlers speak = {on_audio, on_spoken};

struct heard {
    char text[300];
    uint32_t voiced_ms, took_ms;
    int err;
    bool done;
};

static void on_heard(int err, const struct rlx_stt_result *result, const char *why, void *arg)
{
    struct heard *heard = arg;
    heard->err = err;
    if (!err) {
        snprintf(heard->text, sizeof heard->text, "%s", result->text);
        heard->voiced_ms = result->voiced_ms;
        heard->took_ms = result->took_ms;
    } else {
        print_error("transcript: %s\n", why);
    }
    heard->done = true;
}

static void what_is_said_is_heard(void **state)
{
    static struct spoken spoken;
    struct bench *bench = *state;
    struct rlx_tts_job *saying;
    struct rlx_stt_job *hearing;
    struct heard heard = {0}, nothing = {0};
    if (!peer("RLX_PEER_SPEECH"))
        skip();
    configure(bench);
    const struct rlx_tts_options say = {
        .text = SENTENCE, .voice = "en_US-libritts-high", .speed = 0, .first_byte_ms = 9000};
    const struct rlx_stt_options hear = {.language = "en", .timeout_ms = 9000};
    assert_int_equal(rlx_tts_start(&saying, bench->providers->tts, &say, &speak, &spoken), 0);
    bench_run(bench, &spoken.done);
    assert_int_equal(spoken.err, 0);
    assert_in_range(spoken.length, 8 * 1500, 8 * 4000);
    assert_int_equal(rlx_stt_start(&hearing, bench->providers->stt, spoken.ulaw, spoken.length,
                                   &hear, on_heard, &heard),
                     0);
    bench_run(bench, &heard.done);
    assert_int_equal(heard.err, 0);
    print_message(
        "speech: %zu ms in %zu pieces, first byte %u ms, all %u ms; heard in %u ms, voiced "
        "%u ms: %s\n",
        spoken.length / 8, spoken.pieces, spoken.first_byte_ms, spoken.took_ms, heard.took_ms,
        heard.voiced_ms, heard.text);
    assert_non_null(strstr(heard.text, "Tuesday"));
    memset(spoken.ulaw, 0xff, 8000);
    assert_int_equal(rlx_stt_start(&hearing, bench->providers->stt, spoken.ulaw, 8000, &hear,
                                   on_heard, &nothing),
                     0);
    bench_run(bench, &nothing.done);
    assert_int_equal(nothing.err, 0);
    assert_string_equal(nothing.text, "");
}

static void speech_is_cancelled(void **state)
{
    static struct spoken spoken[8];
    struct bench *bench = *state;
    struct rlx_tts_job *job;
    const struct rlx_tts_options say = {.text = SENTENCE " " SENTENCE, .first_byte_ms = 9000};
    if (!peer("RLX_PEER_SPEECH"))
        skip();
    configure(bench);
    memset(spoken, 0, sizeof spoken);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(rlx_tts_start(&job, bench->providers->tts, &say, &speak, &spoken[i]), 0);
        if (i == 7)
            break;
        bench_idle(bench, i * 20);
        if (!spoken[i].done)
            rlx_tts_cancel(job);
    }
    bench_run(bench, &spoken[7].done);
    assert_int_equal(spoken[7].err, 0);
    print_message("speech after seven cancelled: first byte %u ms\n", spoken[7].first_byte_ms);
}

struct said {
    char text[2000], why[300];
    struct rlx_llm_usage usage;
    int err;
    bool begun, done;
};

static void on_text(const char *text, void *arg)
{
    struct said *said = arg;
    said->begun = true;
    strncat(said->text, text, sizeof said->text - strlen(said->text) - 1);
}

static void on_said(int err, const struct rlx_llm_usage *usage, const char *why, void *arg)
{
    struct said *said = arg;
    said->err = err;
    said->usage = *usage;
    said->done = true;
    if (err)
        print_error("model: %s\n", why);
}

static const struct rlx_llm_handlers tell = {.text = on_text, .done = on_said};

static void the_model_answers(void **state)
{
    struct bench *bench = *state;
    struct rlx_llm_job *job;
    const struct rlx_llm_options ask = {
        .model = "llama3:8b",
        .messages = "[{\"role\":\"system\",\"content\":\"You answer the telephone of a dentist.\"},"
                    "{\"role\":\"user\",\"content\":\"Hello, who is this?\"}]",
        .max_tokens = 40,
        .first_token_ms = 9000};
    if (!peer("RLX_PEER_LLM"))
        skip();
    configure(bench);
    rlx_llm_warm(bench->providers->llm, NULL, ask.messages);
    for (int i = 0; i < 4; i++) {
        struct said said = {0};
        assert_int_equal(rlx_llm_start(&job, bench->providers->llm, &ask, &tell, &said), 0);
        bench_run(bench, i % 2 ? &said.begun : &said.done);
        if (i % 2) {
            rlx_llm_cancel(job);
            continue;
        }
        assert_int_equal(said.err, 0);
        assert_true(strlen(said.text) > 5);
        assert_in_range(said.usage.completion_tokens, 2, 40);
        assert_in_range(said.usage.prompt_tokens, 10, 100);
        print_message("model: first token %u ms, all %u ms, %u tokens: %s\n",
                      said.usage.first_token_ms, said.usage.took_ms, said.usage.completion_tokens,
                      said.text);
    }
    char *text = NULL, *why = NULL;
    int err = rlx_llm_blocking(
        &text, bench, bench->config, NULL, ask.messages,
        "{\"type\":\"object\",\"properties\":{\"sentiment\":{\"enum\":[\"good\",\"bad\"]}},"
        "\"required\":[\"sentiment\"],\"additionalProperties\":false}",
        60, 9000, &why);
    if (err)
        print_error("%s\n", why);
    assert_int_equal(err, 0);
    json_t *json = json_loads(text, 0, NULL);
    assert_true(json_is_string(json_object_get(json, "sentiment")));
    json_decref(json);
}

struct vectors {
    float v[3 * 2048];
    size_t dim;
    int err;
    bool done;
};

static void on_vectors(int err, const float *vectors, size_t count, size_t dim, const char *why,
                       void *arg)
{
    struct vectors *got = arg;
    got->err = err;
    got->dim = dim;
    if (err)
        print_error("embeddings: %s\n", why);
    else
        memcpy(got->v, vectors, count * dim * sizeof *vectors);
    got->done = true;
}

static float dot(const float *a, const float *b, size_t dim)
{
    float sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

static void near_is_near(void **state)
{
    static struct vectors got;
    static const char *const texts[] = {"When do you open?", "What are your opening hours?",
                                        "The dog ate my homework."};
    struct bench *bench = *state;
    struct rlx_embed_job *job;
    if (!peer("RLX_PEER_EMBED"))
        skip();
    configure(bench);
    assert_int_equal(
        rlx_embed_start(&job, bench->providers->embed, texts, 3, 9000, on_vectors, &got), 0);
    bench_run(bench, &got.done);
    assert_int_equal(got.err, 0);
    float near = dot(got.v, got.v + got.dim, got.dim),
          far = dot(got.v, got.v + 2 * got.dim, got.dim);
    print_message("embeddings: dim %zu, near %.2f, far %.2f\n", got.dim, (double)near, (double)far);
    assert_true(near > far + 0.2f);
    assert_true(dot(got.v, got.v, got.dim) > 0.999f && dot(got.v, got.v, got.dim) < 1.001f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(what_is_said_is_heard),
        BENCH_TEST(speech_is_cancelled),
        BENCH_TEST(the_model_answers),
        BENCH_TEST(near_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
