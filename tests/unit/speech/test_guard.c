#include "../rlx_test.h"

#include <stdio.h>

#include "guard.h"

static void cleaned(const char *text, const char *expected)
{
    char copy[1024];

    snprintf(copy, sizeof copy, "%s", text);
    rlx_guard_clean(copy);
    assert_string_equal(copy, expected);
}

static void tags_go(void **state)
{
    (void)state;
    cleaned(" [BLANK_AUDIO]", "");
    cleaned("(blank audio)", "");
    cleaned(" (music) Hello there.", "Hello there.");
    cleaned("*coughs* Yes. [noise]", "Yes.");
    cleaned("\xe2\x99\xaa la la \xe2\x99\xaa", "la la");
    cleaned(" .", "");
    cleaned("...", "");
    cleaned("", "");
    cleaned("  two   words \n", "two words");
    cleaned("(unclosed tag", "(unclosed tag");
}

static void numbers_in_brackets_stay(void **state)
{
    (void)state;
    cleaned("Call (555) 231-8940.", "Call (555) 231-8940.");
}

static void broken_characters_go(void **state)
{
    (void)state;
    cleaned("caf\xc3\xa9", "caf\xc3\xa9");
    cleaned("broken \xc3", "broken");
    cleaned("\xe2\x82 end", "end");
    cleaned("\xff\xfe", "");
    cleaned("\xed\xa0\x80 surrogate", "surrogate");
    cleaned("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
}

static void loops_are_said_once(void **state)
{
    (void)state;
    cleaned("I would like to book. I would like to book. I would like to book.",
            "I would like to book.");
    cleaned("Hello, thank you thank you thank you thank you", "Hello, thank you");
    cleaned("go go go go go go", "go");
    cleaned("the end of it the end of it the end of it the end of", "the end of it");
    /* What people do say. */
    cleaned("No, no, no.", "No, no, no.");
    cleaned("Yes, yes, I know.", "Yes, yes, I know.");
    cleaned("Bye bye.", "Bye bye.");
}

static void loops_are_noticed(void **state)
{
    (void)state;
    /* What the decoder gave for one sentence of a fast voice. */
    assert_true(rlx_guard_loops(
        "Hi, thanks for calling, how can I help you? Hi, thanks for calling, how can I"));
    assert_true(rlx_guard_loops("well go to the end of the end of the end of the"));
    assert_false(rlx_guard_loops("Hi, thanks for calling, how can I help you?"));
    assert_false(rlx_guard_loops("No, no, no."));
    assert_false(rlx_guard_loops(""));
}

static void made_up_texts(void **state)
{
    (void)state;
    assert_true(rlx_guard_made_up("you", 100, -0.3f));
    assert_true(rlx_guard_made_up("Thank you.", 500, -1.0f));
    assert_true(rlx_guard_made_up("Bye.", 120, -0.4f));
    assert_true(rlx_guard_made_up("Beep, beep.", 1000, -0.2f));
    assert_true(rlx_guard_made_up("I'm going to go to the end of the video.", 160, -0.5f));
    assert_true(rlx_guard_made_up("Okay.", 500, -1.8f));
}

static void real_texts(void **state)
{
    (void)state;
    assert_false(rlx_guard_made_up("Thank you.", 500, -0.2f));
    assert_false(rlx_guard_made_up("Bye.", 300, -0.3f));
    assert_false(rlx_guard_made_up("Yes.", 100, -0.9f));
    assert_false(rlx_guard_made_up("No.", 140, -1.1f));
    assert_false(rlx_guard_made_up("Sure, I can help with that.", 980, -0.1f));
    assert_false(rlx_guard_made_up("You can come on Monday.", 700, -0.3f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(tags_go),
        RLX_TEST(numbers_in_brackets_stay),
        RLX_TEST(broken_characters_go),
        RLX_TEST(loops_are_said_once),
        RLX_TEST(loops_are_noticed),
        RLX_TEST(made_up_texts),
        RLX_TEST(real_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
