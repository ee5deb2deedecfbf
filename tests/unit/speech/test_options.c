#include "../rlx_test.h"

#include <stdlib.h>

#include "options.h"

static enum rlx_options_outcome options_read(struct rlx_speech_options *o, void *ctx,
                                             const char *flag, const char *value)
{
    char *argv[] = {"relayx-speech",
                    "--stt-model",
                    "a.bin",
                    "--voice",
                    "b.onnx",
                    "--voice-tokens",
                    "c.txt",
                    (char *)(uintptr_t)flag,
                    (char *)(uintptr_t)value,
                    NULL};

    return rlx_options_read(o, ctx, flag ? value ? 9 : 8 : 7, argv);
}

static void defaults_and_flags(void **state)
{
    struct rlx_speech_options o;

    assert_int_equal(options_read(&o, *state, NULL, NULL), RLX_OPTIONS_RUN);
    assert_int_equal(o.port, 8003);
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(o.stt_workers, 1);
    assert_int_equal(options_read(&o, *state, "--port", "0"), RLX_OPTIONS_RUN);
    assert_int_equal(o.port, 0);
    assert_int_equal(options_read(&o, *state, "--stt-workers", "2"), RLX_OPTIONS_RUN);
    assert_int_equal(o.stt_workers, 2);
}

static void bad_values_are_refused(void **state)
{
    struct rlx_speech_options o;

    assert_int_equal(options_read(&o, *state, "--port", "65536"), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "--port", "x"), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "--tts-workers", "0"), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "--queue", "-1"), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "--log-level", "loud"), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "--nonsense", NULL), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "word", NULL), RLX_OPTIONS_BAD);
    assert_int_equal(options_read(&o, *state, "--models", "/nowhere"), RLX_OPTIONS_BAD);
}

static void flags_win_over_the_environment(void **state)
{
    struct rlx_speech_options o;

    setenv("RELAYX_SPEECH_PORT", "9000", 1);
    assert_int_equal(options_read(&o, *state, NULL, NULL), RLX_OPTIONS_RUN);
    assert_int_equal(o.port, 9000);
    assert_int_equal(options_read(&o, *state, "--port", "9001"), RLX_OPTIONS_RUN);
    assert_int_equal(o.port, 9001);
    unsetenv("RELAYX_SPEECH_PORT");
}

static void lines_of_models_env(void **state)
{
    const char *text = "# comment\nRLX_A=/one path\nRLX_AB=two\nRLX_B=";

    assert_string_equal(rlx_options_lookup(*state, text, "RLX_A"), "/one path");
    assert_string_equal(rlx_options_lookup(*state, text, "RLX_AB"), "two");
    assert_string_equal(rlx_options_lookup(*state, text, "RLX_B"), "");
    assert_null(rlx_options_lookup(*state, text, "RLX_C"));
    assert_null(rlx_options_lookup(*state, NULL, "RLX_C"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(defaults_and_flags),
        RLX_TEST(bad_values_are_refused),
        RLX_TEST(flags_win_over_the_environment),
        RLX_TEST(lines_of_models_env),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
