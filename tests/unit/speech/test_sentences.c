#include "../rlx_test.h"

#include "sentences.h"

/* The pieces of `text` are those given, up to NULL. */
static void split(void *ctx, const char *text, ...)
{
    size_t count, i = 0;
    char **pieces = rlx_sentences_split(&count, ctx, text);
    const char *expected;
    va_list args;

    assert_non_null(pieces);
    va_start(args, text);
    while ((expected = va_arg(args, const char *))) {
        assert_true(i < count);
        assert_string_equal(pieces[i++], expected);
    }
    va_end(args);
    assert_int_equal(i, count);
    assert_null(pieces[count]);
    talloc_free(pieces);
}

static void sentences(void **state)
{
    split(*state, "Hello there. How are you?", "Hello there.", "How are you?", NULL);
    split(*state, "  One!  Two?! \"Three.\" Four", "One!", "Two?!", "\"Three.\"", "Four", NULL);
    split(*state, "First line\nSecond line", "First line", "Second line", NULL);
    split(*state, "", NULL);
    split(*state, " \n ", NULL);
}

static void full_stops_that_end_nothing(void **state)
{
    split(*state, "It costs 3.50 dollars.", "It costs 3.50 dollars.", NULL);
    split(*state, "Dr. Smith is in.", "Dr. Smith is in.", NULL);
    split(*state, "Open from 9 a.m. to noon.", "Open from 9 a.m. to noon.", NULL);
    split(*state, "J. Smith called.", "J. Smith called.", NULL);
    split(*state, "Visit example.com now.", "Visit example.com now.", NULL);
    split(*state, "So did I. Then we left.", "So did I.", "Then we left.", NULL);
}

static void first_clause_comes_early(void **state)
{
    split(*state,
          "We can certainly do that for you, and the visit costs seventy nine dollars in all.",
          "We can certainly do that for you,", "and the visit costs seventy nine dollars in all.",
          NULL);
    split(*state,
          "Well, we can certainly do that for you and it costs seventy nine dollars in all.",
          "Well, we can certainly do that for you and it costs seventy nine dollars in all.", NULL);
    /* A short sentence is quick anyway. */
    split(*state, "We can do that today, or tomorrow.", "We can do that today, or tomorrow.", NULL);
}

static void long_text_is_cut(void **state)
{
    char text[1001];
    size_t count, total = 0;

    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 7 == 6 ? ' ' : 'a';
    text[sizeof text - 1] = '\0';
    char **pieces = rlx_sentences_split(&count, *state, text);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(pieces[i]) <= RLX_SENTENCE_MAX);
        total += strlen(pieces[i]) + 1;
    }
    assert_in_range(total, 995, 1001);
}

static void a_character_is_not_cut(void **state)
{
    char text[601];
    size_t count;

    for (size_t i = 0; i < 600; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[600] = '\0';
    char **pieces = rlx_sentences_split(&count, *state, text);
    assert_true(count >= 3);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(strlen(pieces[i]) % 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(sentences),
        RLX_TEST(full_stops_that_end_nothing),
        RLX_TEST(first_clause_comes_early),
        RLX_TEST(long_text_is_cut),
        RLX_TEST(a_character_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
