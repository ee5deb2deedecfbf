/* URLs, error words, request bodies, vectors, model names. */
#include "../rlx_test.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "provider/openai.h"

static void base_urls(void **state)
{
    static const char *const cases[][2] = {
        {"https://api.openai.com/v1", "https://api.openai.com/v1"},
        {"https://api.openai.com/v1/", "https://api.openai.com/v1"},
        {"http://127.0.0.1:9000", "http://127.0.0.1:9000/v1"},
        {"http://127.0.0.1:9000//", "http://127.0.0.1:9000/v1"},
        {"http://h/openai/v1///", "http://h/openai/v1"},
        {"http://h/x", "http://h/x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *base = rlx_openai_base(*state, cases[i][0]);
        assert_string_equal(base, cases[i][1]);
        talloc_free(base);
    }
    assert_true(rlx_openai_host_is("https://api.openai.com/v1", "api.openai.com"));
    assert_false(rlx_openai_host_is("https://api.openai.com.evil.test/v1", "api.openai.com"));
    assert_false(rlx_openai_host_is("http://127.0.0.1:1/v1", "api.openai.com"));
}

static void error_words(void **state)
{
    static const char *const cases[][2] = {
        {"{\"error\":{\"message\":\"Invalid API Key\",\"type\":\"x\"}}", "Invalid API Key"},
        {"{\"error\":\"model not found\"}", "model not found"},
        {"{\"code\":21211,\"message\":\"Invalid 'To'\"}", "Invalid 'To'"},
        {"{\"detail\":\"no\"}", "no"},
        {"upstream\tdown\r\n", "upstream down"},
        {"<html>502</html>", NULL},
        {"{\"x\":1}", NULL},
        {"", NULL},
        {" \n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *message = rlx_provider_message(*state, cases[i][0], strlen(cases[i][0]));
        if (cases[i][1])
            assert_string_equal(message, cases[i][1]);
        else
            assert_null(message);
        talloc_free(message);
    }
    char long_text[1000];
    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text + 299, "\xc3\xa9", 2); /* is not cut in half */
    char *message = rlx_provider_message(*state, long_text, sizeof long_text);
    assert_int_equal(strlen(message), 299);
    talloc_free(message);
}

static json_t *chat(TALLOC_CTX *ctx, const struct rlx_endpoint *e, const struct rlx_chat *options)
{
    struct rlx_chain chain = {0};
    char *text;
    assert_int_equal(rlx_models_create(&chain.models, ctx), 0);
    assert_int_equal(rlx_chat_body(&text, ctx, &chain, e, options), 0);
    json_t *body = json_loads(text, 0, NULL);
    assert_non_null(body);
    talloc_free(text);
    talloc_free(chain.models);
    return body;
}

static void chat_bodies(void **state)
{
    struct rlx_endpoint e = {.name = "openai"};
    struct rlx_chat options = {
        .model = "m", .messages = "[]", .tools = "[]", .max_tokens = 7, .stream = true};
    json_t *body = chat(*state, &e, &options);
    assert_int_equal(json_integer_value(json_object_get(body, "max_tokens")), 7);
    assert_true(json_is_true(json_object_get(body, "stream")));
    assert_true(
        json_is_true(json_object_get(json_object_get(body, "stream_options"), "include_usage")));
    assert_null(json_object_get(body, "tools"));
    assert_null(json_object_get(body, "cache_prompt"));
    assert_null(json_object_get(body, "reasoning_effort"));
    json_decref(body);

    e.official = true;
    e.local = true;
    options = (struct rlx_chat){.model = "openai/gpt-oss-20b",
                                .messages = "[]",
                                .tools = "[{}]",
                                .max_tokens = 7,
                                .schema = "{\"type\":\"object\"}"};
    body = chat(*state, &e, &options);
    assert_int_equal(json_integer_value(json_object_get(body, "max_completion_tokens")), 7);
    assert_null(json_object_get(body, "max_tokens"));
    assert_null(json_object_get(body, "stream"));
    assert_int_equal(json_array_size(json_object_get(body, "tools")), 1);
    assert_true(json_is_true(json_object_get(body, "cache_prompt")));
    assert_string_equal(json_string_value(json_object_get(body, "reasoning_effort")), "low");
    const json_t *format = json_object_get(body, "response_format");
    assert_string_equal(json_string_value(json_object_get(format, "type")), "json_schema");
    assert_true(json_is_object(json_object_get(json_object_get(format, "json_schema"), "schema")));
    json_decref(body);

    options = (struct rlx_chat){
        .model = "gpt-5-mini", .messages = "[]", .max_tokens = 7, .temperature = 0.5};
    body = chat(*state, &e, &options);
    assert_null(json_object_get(body, "temperature"));
    json_decref(body);

    struct rlx_chain chain = {0};
    char *text;
    assert_int_equal(rlx_models_create(&chain.models, *state), 0);
    static const struct rlx_chat wrong[] = {
        {.model = "m", .messages = "{}"},
        {.model = "m", .messages = "[", .max_tokens = 1},
        {.model = "m", .messages = "[]", .tools = "{}"},
        {.model = "m", .messages = "[]", .schema = "[]"},
        {.model = "\xff", .messages = "[]"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(rlx_chat_body(&text, *state, &chain, &e, &wrong[i]), RLX_EINVAL);
    talloc_free(chain.models);
}

static int vectors(TALLOC_CTX *ctx, const char *text, size_t count, float **vectorsp, size_t *dimp)
{
    json_t *json = json_loads(text, 0, NULL);
    int err = rlx_embed_parse(vectorsp, dimp, ctx, json, count);
    json_decref(json);
    return err;
}

static void embeddings(void **state)
{
    float *v;
    size_t dim;
    assert_int_equal(
        vectors(*state,
                "{\"data\":[{\"index\":1,\"embedding\":[0,2]},{\"index\":0,\"embedding\":[3,4]}]}",
                2, &v, &dim),
        0);
    assert_int_equal(dim, 2);
    assert_true(fabsf(v[0] - 0.6f) < 1e-6f && fabsf(v[1] - 0.8f) < 1e-6f && v[2] == 0 && v[3] == 1);
    talloc_free(v);
    static const char *const wrong[] = {
        "{}",
        "[]",
        "{\"data\":[]}",
        "{\"data\":[{\"embedding\":[1]}]}",
        "{\"data\":[{\"embedding\":[1]},{\"embedding\":[1,2]}]}",
        "{\"data\":[{\"embedding\":[1]},{\"embedding\":[\"x\"]}]}",
        "{\"data\":[{\"embedding\":[1]},{\"embedding\":[0]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[1]}]}",
        "{\"data\":[{\"index\":9,\"embedding\":[1]},{\"index\":-1,\"embedding\":[1]}]}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(vectors(*state, wrong[i], 2, &v, &dim), RLX_EPROTO);
}

static void names(void **state)
{
    static const char *const cases[][5] = {
        /* stage, provider, wish, fallback, result */
        {"llm", "groq", "llama-3.1-8b-instant", "openai/gpt-oss-20b", "openai/gpt-oss-20b"},
        {"llm", "groq", "llama-3.3-70b-versatile", "d", "openai/gpt-oss-120b"},
        {"llm", "groq", "qwen/qwen3-32b", "d", "qwen/qwen3-32b"},
        {"llm", "openai", "llama3:8b", "gpt-4o-mini", "gpt-4o-mini"},
        {"llm", "openai", "gpt-4.1", "d", "gpt-4.1"},
        {"llm", "local", "gpt-4.1", "d", "d"},
        {"llm", "openai", "", "d", "d"},
        {"tts", "openai", "en_US-libritts-high", "alloy", "alloy"},
        {"tts", "openai", "nova", "alloy", "nova"},
        {"tts", "openai", "my-own-voice", "my-own-voice", "my-own-voice"},
        {"tts", "local", "nova", "default", "default"},
        {"tts", "elsewhere", "nova", "d", "d"},
    };
    struct rlx_models *models;
    assert_int_equal(rlx_models_create(&models, *state), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(
            rlx_models_resolve(models, cases[i][0], cases[i][1], cases[i][2], cases[i][3]),
            cases[i][4]);
    assert_string_equal(rlx_models_resolve(models, "llm", "groq", NULL, "d"), "d");
    assert_true(rlx_models_known(models, "llm", "llama3:8b"));
    assert_true(rlx_models_known(models, "tts", "shimmer"));
    assert_false(rlx_models_known(models, "tts", "nobody"));
    talloc_free(models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(base_urls),  RLX_TEST(error_words), RLX_TEST(chat_bodies),
        RLX_TEST(embeddings), RLX_TEST(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
