/* The table of turn-taking settings. */
#include "../rlx_test.h"

#include "base/err.h"
#include "call/settings.h"

static int parse(struct rlx_turn_settings *settings, const char *json, TALLOC_CTX *ctx, char **whyp)
{
    json_t *object = json_loads(json, JSON_DECODE_ANY, NULL);
    int err = rlx_turn_settings_parse(settings, object, ctx, whyp);

    json_decref(object);
    return err;
}

static void defaults(void **state)
{
    struct rlx_turn_settings settings;

    (void)state;
    rlx_turn_settings_default(&settings);
    assert_int_equal(settings.speech_ms, 240);
    assert_int_equal(settings.silence_ms, 550);
    assert_int_equal(settings.barge_in, 1);
    assert_int_equal(settings.dtmf_interrupts, 0);
}

static void overwrites(void **state)
{
    struct rlx_turn_settings settings;
    char *why;

    rlx_turn_settings_default(&settings);
    assert_int_equal(
        parse(&settings, "{\"silence_ms\":700,\"barge_in\":false,\"speculation\":0}", *state, &why),
        0);
    assert_null(why);
    assert_int_equal(settings.silence_ms, 700);
    assert_int_equal(settings.barge_in, 0);
    assert_int_equal(settings.speculation, 0);
    assert_int_equal(settings.silence_complete_ms, 300);
    assert_int_equal(rlx_turn_settings_parse(&settings, NULL, *state, &why), 0);
}

static void refuses(void **state)
{
    static const struct {
        const char *json, *names;
    } CASES[] = {
        {"{\"silence_ms\":50,\"speech_ms\":300}",
         "silence_ms must be a whole number from 100 to 5000"},
        {"{\"silence_ms\":5001,\"speech_ms\":300}", "silence_ms"},
        {"{\"silence_ms\":\"700\",\"speech_ms\":300}", "silence_ms"},
        {"{\"silence_ms\":700.5,\"speech_ms\":300}", "silence_ms"},
        {"{\"silence_ms\":true,\"speech_ms\":300}", "silence_ms"},
        {"{\"barge_in\":2,\"speech_ms\":300}", "barge_in must be true or false"},
        {"{\"silense_ms\":700,\"speech_ms\":300}", "silense_ms is not a known setting"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct rlx_turn_settings settings;
        char *why;
        rlx_turn_settings_default(&settings);
        assert_int_equal(parse(&settings, CASES[i].json, *state, &why), RLX_EINVAL);
        assert_non_null(strstr(why, CASES[i].names));
        assert_int_equal(settings.silence_ms, 550);
        assert_int_equal(settings.speech_ms, 300); /* the good parts are kept */
    }
    struct rlx_turn_settings settings;
    rlx_turn_settings_default(&settings);
    assert_int_equal(parse(&settings, "[1]", *state, NULL), RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(defaults), RLX_TEST(overwrites), RLX_TEST(refuses)};
    return cmocka_run_group_tests_name("turn settings", tests, NULL, NULL);
}
