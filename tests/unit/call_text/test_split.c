/* How a streamed text is cut into pieces: a table of whole texts, and the same text fed byte by
 * byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "call/split.h"

struct split_case {
    const char *text;
    const char *pieces; /* with " | " between */
};

#define LONG_SENTENCE                                                                              \
    "We come out to your house with a licensed plumber who looks at the pipes and the heater and " \
    "the drain, and then we write a quote that holds for thirty days, which you can take or "      \
    "leave "                                                                                       \
    "without any charge at all because looking is free for our members"

static const struct split_case cases[] = {
    {"", ""},
    {"Hello.", "Hello."},
    {"Sure. We can do that.", "Sure. | We can do that."},
    {"Yes, we are open on Saturday. Come by!", "Yes, we are open on Saturday. | Come by!"},
    {"Of course we can, and we would be glad to. Bye.",
     "Of course we can, | and we would be glad to. | Bye."},
    {"Well, I will have a look; one moment please. Thanks.",
     "Well, I will have a look; | one moment please. | Thanks."},
    {"Unfortunately, we are closed.", "Unfortunately, we are closed."},
    {"Extraordinarily complicated, sorry. No.", "Extraordinarily complicated, | sorry. | No."},
    /* Later pieces are whole sentences. */
    {"OK. First we check, then we quote, then we fix it. Good?",
     "OK. | First we check, then we quote, then we fix it. | Good?"},
    /* Never inside decimals, money, times. */
    {"OK. It is 3.5 miles away. Yes.", "OK. | It is 3.5 miles away. | Yes."},
    {"OK. It costs $45.50. Fine?", "OK. | It costs $45.50. | Fine?"},
    {"It costs $1,200.50 in all, tax included. Fine?",
     "It costs $1,200.50 in all, | tax included. | Fine?"},
    {"OK. We open at 9:30. See you.", "OK. | We open at 9:30. | See you."},
    {"OK. We open at 9 a.m. on Monday. Yes.", "OK. | We open at 9 a.m. on Monday. | Yes."},
    {"OK. We close at 5 p.m. We open again at 8 a.m. Bye.",
     "OK. | We close at 5 p.m. | We open again at 8 a.m. Bye."},
    {"OK. Ask Dr. Smith or Mrs. Jones. They know.",
     "OK. | Ask Dr. Smith or Mrs. Jones. | They know."},
    {"OK. J. R. Miller called. He left.", "OK. | J. R. Miller called. | He left."},
    {"OK. In the U.S. Navy it is so. Right?", "OK. | In the U.S. Navy it is so. | Right?"},
    {"OK. We ship to the U.S. We ship daily.", "OK. | We ship to the U.S. | We ship daily."},
    {"OK. So do I. We agree.", "OK. | So do I. | We agree."},
    {"OK. Write to info@relayx.example.com. We answer.",
     "OK. | Write to info@relayx.example.com. | We answer."},
    {"OK. See www.example.com. Bye.", "OK. | See www.example.com. | Bye."},
    {"OK. Tools, e.g. a wrench, i.e. metal. Fine.",
     "OK. | Tools, e.g. a wrench, i.e. metal. | Fine."},
    {"OK. It is No. 5 on Main St. near the park. Yes.",
     "OK. | It is No. 5 on Main St. near the park. | Yes."},
    {"OK. No. We do not.", "OK. | No. | We do not."},
    {"We met on May 5, 2024, in Portland, OR. Good.",
     "We met on May 5, 2024, | in Portland, OR. | Good."},
    {"OK. On Jan. 5 we close. Bye.", "OK. | On Jan. 5 we close. | Bye."},
    {"OK. Pipes, drains, etc. are included. Yes.",
     "OK. | Pipes, drains, etc. are included. | Yes."},
    /* Lists. */
    {"1. Drain cleaning\n2. Leak repair\n", "1. Drain cleaning | 2. Leak repair"},
    {"We offer three services:\n1. Drains.\n2. Leaks.",
     "We offer three services: | 1. Drains. | 2. Leaks."},
    {"- one thing\n- another thing", "- one thing | - another thing"},
    {"OK. This line is\nwrapped here. Yes.", "OK. | This line is\nwrapped here. | Yes."},
    /* Quotes, marks. */
    {"OK. He said \"stop.\" Then he left.", "OK. | He said \"stop.\" | Then he left."},
    {"Really?! Yes!! Good.", "Really?! | Yes!! | Good."},
    {"OK. Well... maybe we can. Yes.", "OK. | Well... maybe we can. | Yes."},
    {"OK. Let me see... We can. Yes.", "OK. | Let me see... | We can. | Yes."},
    {"We are open every day \xE2\x80\x94 even on Sunday. Yes.",
     "We are open every day \xE2\x80\x94 | even on Sunday. | Yes."},
    {"OK. From 9 - 5 we work. Yes.", "OK. | From 9 - 5 we work. | Yes."},
    {"\xE2\x80\x9CWe are open.\xE2\x80\x9D So he said.",
     "\xE2\x80\x9CWe are open.\xE2\x80\x9D | So he said."},
    {"OK. ... ! Fine.", "OK. | Fine."},
    {"No end here", "No end here"},
    {"It is $3.", "It is $3."},
    /* What is no prose. */
    {"{\"tool\": \"book\", \"x\": {\"y\": \"}\"}}", ""},
    {"{\"tool\": \"book\"} I booked it for you.", "I booked it for you."},
    {"[laughs] That is funny.", "That is funny."},
    {"[our site](https://x.example/y) has it.", "[our site](https://x.example/y) has it."},
    {"<think>We should. Say hi.</think> Hi there, friend.", "Hi there, friend."},
    {"<tool_call>{\"a\": 1}</tool_call>", ""},
    {"<b>Hello</b> to you.", "Hello</b> to you."},
    {"<3 that idea.", "<3 that idea."},
    {"```json\n{\"a\": 1}\n```\nDone with it.", "Done with it."},
    {"```never closed. Yes. No.", ""},
    {"{never closed. Yes. No.", ""},
    {"Sure. {\"tool\": \"x. Y\"} Bye.", "Sure. | Bye."},
    {"`code` is fine.", "`code` is fine."},
    {"OK. " LONG_SENTENCE ".",
     "OK. | We come out to your house with a licensed plumber who looks at the pipes and the "
     "heater and "
     "the drain, and then we write a quote that holds for thirty days, | which you can take or "
     "leave "
     "without any charge at all because looking is free for our members."},
};

static void take_all(struct rlx_split *split, char **joined)
{
    char *piece;
    while ((piece = rlx_split_next(split, split, false)))
        *joined = talloc_asprintf_append(*joined, "%s%s", **joined ? " | " : "", piece);
}

static char *run(TALLOC_CTX *ctx, const char *text, size_t step)
{
    struct rlx_split *split;
    char *joined = talloc_strdup(ctx, "");
    assert_int_equal(rlx_split_create(&split, ctx), 0);
    for (size_t i = 0; i < strlen(text); i += step) {
        char part[64];
        snprintf(part, sizeof(part), "%.*s", (int)step, text + i);
        rlx_split_feed(split, part);
        take_all(split, &joined);
    }
    rlx_split_end(split);
    take_all(split, &joined);
    return joined;
}

static void test_table(void **state)
{
    (void)state;
    TALLOC_CTX *ctx = talloc_new(NULL);
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (size_t step = 63; step > 0; step = step == 63 ? 7 : step == 7 ? 1 : 0) {
            char *got = run(ctx, cases[i].text, step);
            if (!strcmp(got, cases[i].pieces))
                continue;
            failed++;
            print_error("case %zu in steps of %zu\n  want %s\n  got  %s\n", i, step,
                        cases[i].pieces, got);
        }
    }
    assert_int_equal(failed, 0);
    talloc_free(ctx);
}

static void check_stalled(const char *text, const char *now, const char *stalled)
{
    struct rlx_split *split;
    assert_int_equal(rlx_split_create(&split, NULL), 0);
    rlx_split_feed(split, text);
    char *piece = rlx_split_next(split, split, false);
    assert_string_equal(piece ? piece : "", now);
    piece = rlx_split_next(split, split, true);
    if (strcmp(piece ? piece : "", stalled))
        fail_msg("stalled after \"%s\": \"%s\", not \"%s\"", text, piece ? piece : "", stalled);
    talloc_free(split);
}

static void test_stalled(void **state)
{
    (void)state;
    check_stalled("Yes, we", "", "Yes,");
    check_stalled("We can do it.", "", "We can do it.");
    check_stalled("We can do it. ", "", "We can do it.");
    check_stalled("We can do", "", "");
    check_stalled("It costs $3.", "", "");
    check_stalled("It costs 1,", "", "");
    check_stalled("Ask for Dr.", "", "");
    check_stalled("We open at 9 a.m.", "", "");
    check_stalled("We open at 9:", "", "");
    check_stalled("Is it so?", "", "Is it so?");
    check_stalled("{\"half\": 1, ", "", "");
    check_stalled("Wait for J.", "", "");
}

static void test_words_and_cap(void **state)
{
    (void)state;
    struct rlx_split *split;
    assert_int_equal(rlx_split_create(&split, NULL), 0);
    rlx_split_feed(split, "One two. Three four five. ");
    assert_int_equal(rlx_split_words(split), 0);
    talloc_free(rlx_split_next(split, split, false));
    assert_int_equal(rlx_split_words(split), 2);
    for (int i = 0; i < 1000; i++)
        rlx_split_feed(split, "This is a sentence. ");
    rlx_split_end(split);
    rlx_split_feed(split, "After the end.");
    size_t bytes = 0;
    for (char *piece; (piece = rlx_split_next(split, split, false));)
        bytes += strlen(piece) + 1;
    assert_in_range(bytes, 8000, 8192);
    talloc_free(split);
}

static void test_no_half_characters(void **state)
{
    (void)state;
    struct rlx_split *split;
    assert_int_equal(rlx_split_create(&split, NULL), 0);
    for (int i = 0; i < 400; i++)
        rlx_split_feed(split, "\xC3\xA9");
    rlx_split_end(split);
    for (char *piece; (piece = rlx_split_next(split, split, false));) {
        assert_in_range(strlen(piece), 1, 200);
        assert_int_equal(strlen(piece) % 2, 0);
    }
    talloc_free(split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_stalled),
        cmocka_unit_test(test_words_and_cap),
        cmocka_unit_test(test_no_half_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
