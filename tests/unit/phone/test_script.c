#include "../rlx_test.h"

#include "base/err.h"
#include "phone/script.h"

static struct rlx_script *parse(TALLOC_CTX *ctx, const char *text)
{
    struct rlx_script *script = NULL;
    char *why = NULL;
    int err = rlx_script_parse(&script, ctx, text, &why);

    if (err)
        print_error("%s\n", why);
    assert_int_equal(err, 0);
    return script;
}

static void refuse(TALLOC_CTX *ctx, const char *text, const char *part)
{
    struct rlx_script *script = NULL;
    char *why = NULL;

    assert_int_equal(rlx_script_parse(&script, ctx, text, &why), RLX_EINVAL);
    assert_non_null(why);
    if (!strstr(why, part))
        print_error("%s\n", why);
    assert_non_null(strstr(why, part));
}

static void a_conversation(void **state)
{
    struct rlx_script *script = parse(
        *state, "# a person\nnumber +12025550123\nnoise -50\nanswer after 400\n\n"
                "say Hello?\r\n  wait\ninterrupt after 1.2 Sorry, after what? \nmmhm after 1.0\n"
                "mmhm 2 Uh-huh\nsilence 5\npress 12#\nwav a b.wav\nbeep 440 200\nhangup");

    assert_string_equal(script->number, "+12025550123");
    assert_int_equal(script->noise_db, -50);
    assert_int_equal(script->answer, RLX_ANSWER);
    assert_int_equal(script->answer_ms, 400);
    assert_int_equal(script->count, 10);
    assert_string_equal(script->steps[0].text, "Hello?");
    assert_int_equal(script->steps[0].line, 6);
    assert_int_equal(script->steps[1].what, RLX_DO_WAIT);
    assert_int_equal(script->steps[2].after_ms, 1200);
    assert_string_equal(script->steps[2].text, "Sorry, after what?");
    assert_int_equal(script->steps[3].after_ms, 1000);
    assert_string_equal(script->steps[3].text, "Mm-hmm.");
    assert_int_equal(script->steps[4].after_ms, 2000);
    assert_string_equal(script->steps[4].text, "Uh-huh");
    assert_int_equal(script->steps[5].after_ms, 5000);
    assert_string_equal(script->steps[6].text, "12#");
    assert_string_equal(script->steps[7].text, "a b.wav");
    assert_int_equal(script->steps[8].hz, 440);
    assert_int_equal(script->steps[8].ms, 200);
    assert_int_equal(script->steps[9].what, RLX_DO_HANGUP);
    assert_false(script->machine);
}

static void settings(void **state)
{
    struct rlx_script *script = parse(
        *state, "voice nova\nquiet 700\nlimit 2.5\nkind\ngap 0\ndelay 40\nloss 1.5\nmarks 20 5\n"
                "seed 9\necho -30 200\nnoise off\nno-answer after 3000");

    assert_string_equal(script->voice, "nova");
    assert_int_equal(script->quiet_ms, 700);
    assert_int_equal(script->limit_ms, 2500);
    assert_int_equal(script->kind, 1);
    assert_int_equal(script->gap_ms, 0);
    assert_int_equal(script->delay_ms, 40);
    assert_int_equal(script->loss_tenths, 15);
    assert_int_equal(script->marks_late, 20);
    assert_int_equal(script->marks_lost, 5);
    assert_int_equal(script->seed, 9);
    assert_int_equal(script->echo_db, -30);
    assert_int_equal(script->echo_ms, 200);
    assert_int_equal(script->noise_db, RLX_SCRIPT_OFF);
    assert_int_equal(script->answer, RLX_ANSWER_NONE);
    assert_int_equal(script->answer_ms, 3000);
}

static void an_end_is_added(void **state)
{
    struct rlx_script *script = parse(*state, "");

    assert_int_equal(script->count, 1);
    assert_int_equal(script->steps[0].what, RLX_DO_END);
    assert_int_equal(script->steps[0].after_ms, 60000);
    script = parse(*state, "say hi\nend 5");
    assert_int_equal(script->count, 2);
    assert_int_equal(script->steps[1].after_ms, 5000);
    assert_null(script->number);
    script = parse(*state, "voicemail Leave a message\nbeep");
    assert_true(script->machine);
    assert_int_equal(script->steps[1].hz, 1000);
}

static void mistakes_are_named_by_line(void **state)
{
    char long_line[700] = "say ";

    refuse(*state, "say hi\nshout hello", "line 2: \"shout\"");
    refuse(*state, "say", "line 1: say needs words");
    refuse(*state, "interrupt after soon what", "line 1: the time in seconds");
    refuse(*state, "interrupt after 1", "needs words");
    refuse(*state, "press 1a", "0-9");
    refuse(*state, "wait 5", "too much");
    refuse(*state, "noise 3", "-90 to 0");
    refuse(*state, "number 12025550123", "+ and 7 to 15");
    refuse(*state, "beep 99999", "3400");
    refuse(*state, "answer after nan", "not \"nan\"");
    refuse(*state, "limit 0", "0.1");
    memset(long_line + 4, 'x', sizeof(long_line) - 5);
    refuse(*state, long_line, "500 characters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(a_conversation),
        RLX_TEST(settings),
        RLX_TEST(an_end_is_added),
        RLX_TEST(mistakes_are_named_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
