/* Which providers a configuration gives, and who is asked next after failures. */
#include "../rlx_test.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "provider/chain.h"
#include "provider/wish.h"

static void clear_environment(void)
{
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        unsetenv(rlx_config_name((enum rlx_setting)i));
}

/* The chain's name under up to three flags, or the reason why there is none. */
static char *build(TALLOC_CTX *ctx, enum rlx_stage stage, const char *const flags[3])
{
    struct rlx_config *config;
    struct rlx_chain *chain;
    char *argv[4] = {0}, *why = NULL, *result;
    int argc = 0;
    while (argc < 3 && flags[argc]) {
        argv[argc] = talloc_strdup(ctx, flags[argc]);
        argc++;
    }
    assert_int_equal(rlx_config_load(&config, ctx, argc, argv, &why), 0);
    int err = rlx_chain_create(&chain, config, NULL, config, stage, &why);
    if (err) {
        assert_int_equal(err, RLX_ECONFIG);
        result = talloc_asprintf(ctx, "! %s", why);
    } else {
        result = talloc_strdup(ctx, chain->name);
        for (size_t i = 0; i < chain->count; i++)
            result = talloc_asprintf_append(result, " %s", chain->items[i].base_url);
    }
    talloc_free(config);
    return result;
}

static void configurations(void **state)
{
    static const struct {
        enum rlx_stage stage;
        const char *flags[3], *result;
    } cases[] = {
        {RLX_STAGE_STT, {0}, "local http://127.0.0.1:8003/v1"},
        {RLX_STAGE_TTS, {"--local-speech-url=http://127.0.0.1:1/"}, "local http://127.0.0.1:1/v1"},
        {RLX_STAGE_LLM, {"--llm-port=99"}, "local http://127.0.0.1:99/v1"},
        {RLX_STAGE_EMBED, {0}, "local http://127.0.0.1:8005/v1"},
        {RLX_STAGE_EMBED, {"--no-local", "--openai-api-key=k"}, ""},
        {RLX_STAGE_EMBED, {"--embed-providers=none"}, ""},
        {RLX_STAGE_EMBED,
         {"--embed-providers=openai", "--openai-api-key=k"},
         "openai https://api.openai.com/v1"},
        {RLX_STAGE_LLM,
         {"--groq-api-key=k", "--openai-api-key=k"},
         "groq,openai,local https://api.groq.com/openai/v1 https://api.openai.com/v1 "
         "http://127.0.0.1:8004/v1"},
        {RLX_STAGE_TTS,
         {"--groq-api-key=k", "--openai-api-key=k"},
         "openai,local https://api.openai.com/v1 http://127.0.0.1:8003/v1"},
        {RLX_STAGE_LLM,
         {"--openai-base-url=http://127.0.0.1:7", "--no-local"},
         "openai http://127.0.0.1:7/v1"},
        {RLX_STAGE_STT,
         {"--stt-providers=local, groq", "--groq-api-key=k"},
         "local,groq http://127.0.0.1:8003/v1 https://api.groq.com/openai/v1"},
        {RLX_STAGE_STT, {"--stt-providers=local", "--no-local"}, "local http://127.0.0.1:8003/v1"},
        {RLX_STAGE_STT, {"--stt-providers=local,local"}, "local http://127.0.0.1:8003/v1"},
        {RLX_STAGE_STT,
         {"--stt-providers=,"},
         "! STT_PROVIDERS names no provider; known are openai, groq, local"},
        {RLX_STAGE_STT,
         {"--stt-providers=opneai"},
         "! STT_PROVIDERS names \"opneai\", which is not known; known are openai, groq, local"},
        {RLX_STAGE_TTS,
         {"--tts-providers=groq", "--groq-api-key=k"},
         "! TTS_PROVIDERS names groq, which has no text-to-speech here; known are openai, local"},
        {RLX_STAGE_LLM,
         {"--llm-providers=groq"},
         "! LLM_PROVIDERS names groq, but GROQ_API_KEY is not set"},
        {RLX_STAGE_LLM,
         {"--llm-providers=openai"},
         "! LLM_PROVIDERS names openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is set"},
        {RLX_STAGE_TTS,
         {"--no-local", "--groq-api-key=k"},
         "! there is no text-to-speech provider: set OPENAI_API_KEY (or OPENAI_BASE_URL for a "
         "compatible server), "
         "or use the local models with RELAYX_LOCAL=true"},
    };
    clear_environment();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TALLOC_CTX *ctx = talloc_new(*state);
        assert_string_equal(build(ctx, cases[i].stage, cases[i].flags), cases[i].result);
        talloc_free(ctx);
    }
}

struct two {
    struct rlx_endpoint items[2];
    struct rlx_chain chain;
};

static void open_two(struct two *two)
{
    *two = (struct two){.items = {{.name = "a"}, {.name = "b"}}};
    two->chain.items = two->items;
    two->chain.count = 2;
}

static const char *next(struct two *two, struct rlx_walk *walk, uint64_t now_ms)
{
    struct rlx_endpoint *e = rlx_walk_next(walk, &two->chain, now_ms);
    return e ? e->name : "-";
}

static void order_and_words(void **state)
{
    struct two two;
    struct rlx_walk walk = {0};
    open_two(&two);
    assert_string_equal(next(&two, &walk, 0), "a");
    rlx_walk_failed(&walk, *state, RLX_EPROVIDER, 0, "refused", 0);
    assert_string_equal(next(&two, &walk, 0), "b");
    rlx_walk_failed(&walk, *state, -ETIMEDOUT, 0, "late", 0);
    assert_string_equal(next(&two, &walk, 0), "-");
    assert_string_equal(walk.why, "a: refused; b: late");
    talloc_free(walk.why);
    /* both are ill: still, an attempt is made on each */
    struct rlx_walk again = {0};
    assert_string_equal(next(&two, &again, 1), "a");
    rlx_walk_dropped(&again);
}

static void rest_and_probe(void **state)
{
    struct two two;
    struct rlx_walk first = {0}, second = {0}, probe = {0}, beside = {0}, after = {0};
    open_two(&two);
    assert_string_equal(next(&two, &first, 1000), "a");
    rlx_walk_failed(&first, *state, RLX_EPROVIDER, 503, "down", 1000);
    talloc_free(first.why);
    assert_string_equal(next(&two, &second, 10999), "b"); /* rests for ten seconds */
    rlx_walk_succeeded(&second);
    assert_string_equal(next(&two, &probe, 11000), "a");  /* one probes */
    assert_string_equal(next(&two, &beside, 11000), "b"); /* the others pass it by */
    rlx_walk_dropped(&probe);
    memset(&probe, 0, sizeof probe);
    assert_string_equal(next(&two, &probe, 11001), "a"); /* a cancelled probe tells nothing */
    rlx_walk_succeeded(&probe);
    assert_string_equal(next(&two, &after, 11002), "a");
    rlx_walk_dropped(&after);
    rlx_walk_dropped(&beside);
}

static void wrong_requests_are_not_its_fault(void **state)
{
    struct two two;
    static const struct {
        int err;
        long status;
    } cases[] = {{RLX_EPROVIDER, 400}, {RLX_EPROVIDER, 422}, {RLX_EEMPTY, 200}};
    open_two(&two);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rlx_walk walk = {0};
        assert_string_equal(next(&two, &walk, i), "a");
        rlx_walk_failed(&walk, *state, cases[i].err, cases[i].status, "x", i);
        talloc_free(walk.why);
    }
}

/* The list of a stage after a wish; "same" when the configuration stayed as it was. */
static void check_wish(const char *wish_json, const char *want)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    char *argv[] = {talloc_strdup(ctx, "--groq-api-key=k"), talloc_strdup(ctx, "--llm-providers=groq,local")}, *why = NULL;
    const struct rlx_config *wished = NULL;
    struct rlx_config *config;
    json_t *wish = json_loads(wish_json, JSON_DECODE_ANY, NULL);

    assert_int_equal(rlx_config_load(&config, ctx, 2, argv, &why), 0);
    assert_int_equal(rlx_config_wish(&wished, ctx, config, wish), 0);
    assert_string_equal(wished == config ? "same" : rlx_config_get(wished, RLX_CFG_LLM_PROVIDERS), want);
    assert_string_equal(rlx_config_get(config, RLX_CFG_LLM_PROVIDERS), "groq,local");
    json_decref(wish);
    talloc_free(ctx);
}

static void wishes(void **state)
{
    (void)state;
    clear_environment();
    check_wish("null", "same");
    check_wish("{}", "same");
    check_wish("{\"llm\":[]}", "same");
    check_wish("{\"llm\":[\"local\"]}", "local");
    check_wish("{\"llm\":[\"local\",\"groq\"]}", "local,groq");
    check_wish("{\"llm\":[\"groq\",\"local\"]}", "same");
    check_wish("{\"llm\":[\"openai\",\"local\"]}", "local"); /* no key of OpenAI here */
    check_wish("{\"llm\":[\"openai\",\"nobody\"]}", "same");
}

int main(void)
{
    rlx_log_setup(RLX_ERROR, false);
    const struct CMUnitTest tests[] = {
        RLX_TEST(configurations),
        RLX_TEST(order_and_words),
        RLX_TEST(rest_and_probe),
        RLX_TEST(wrong_requests_are_not_its_fault),
        RLX_TEST(wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
