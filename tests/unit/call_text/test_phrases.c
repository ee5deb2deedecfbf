/* What phrases mean: every line of tests/fixtures/phrases/phrases.tsv, and the plain forms of a
 * text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "call/phrases.h"

static const struct {
    const char *name;
    bool (*is)(const char *text);
} kinds[] = {
    {"backchannel", rlx_is_backchannel},     {"answer", rlx_is_short_answer},
    {"question", rlx_is_question},           {"asking", rlx_is_asking},
    {"farewell", rlx_is_farewell},           {"opt_out", rlx_is_opt_out},
    {"hold", rlx_is_hold_request},           {"greeting", rlx_is_greeting},
    {"hallucination", rlx_is_hallucination}, {"detail", rlx_asks_for_detail},
    {"hum", rlx_is_hum},                     {"urgent", rlx_is_urgent},
};

static const char *verdict(const char *kind, const char *text)
{
    static const char *const names[] = {"complete", "neutral", "unfinished"};
    if (!strcmp(kind, "complete"))
        return names[rlx_text_completeness(text)];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (!strcmp(kind, kinds[i].name))
            return kinds[i].is(text) ? "yes" : "no";
    }
    return "an unknown kind";
}

static void test_fixture(void **state)
{
    (void)state;
    FILE *file = fopen(RLX_SOURCE_DIR "/tests/fixtures/phrases/phrases.tsv", "r");
    assert_non_null(file);
    char line[512];
    unsigned rows = 0, failed = 0;
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line;
        char *kind = strsep(&rest, "\t"), *want = strsep(&rest, "\t");
        if (*kind == '#' || !rest)
            continue;
        rows++;
        const char *got = verdict(kind, rest);
        if (strcmp(got, want)) {
            failed++;
            print_error("%s \"%s\": want %s, got %s\n", kind, rest, want, got);
        }
    }
    fclose(file);
    assert_in_range(rows, 200, 5000);
    assert_int_equal(failed, 0);
}

static void check(char *got, const char *want)
{
    assert_non_null(got);
    assert_string_equal(got, want);
    talloc_free(got);
}

static void test_plain(void **state)
{
    (void)state;
    check(rlx_text_plain(NULL, ""), "");
    check(rlx_text_plain(NULL, NULL), "");
    check(rlx_text_plain(NULL, "  Hello,   World!! "), "hello world");
    check(rlx_text_plain(NULL, "I don\xE2\x80\x99t know."), "i don't know");
    check(rlx_text_plain(NULL, "Mm-hm, it's $1,200.50 at 10:30 a.m."),
          "mm hm it's 1200.50 at 10:30 am");
    check(rlx_text_plain(NULL, "'quoted' and trailing'"), "quoted and trailing");
    check(rlx_text_plain(NULL, "The U.S.A. and Dr. No"), "the usa and dr no");
    check(rlx_text_plain(NULL, "Caf\xC3\x89 \xF0\x9F\x98\x80 \xE2\x80\x94 ok"), "caf\xC3\xA9 ok");
    check(rlx_text_plain(NULL, "um, Yes"), "um yes");
    check(rlx_text_plain(NULL, "bad \xFF\xC3"), "bad");
}

static void test_bare(void **state)
{
    (void)state;
    check(rlx_text_bare(NULL, "Um, so, can you tell me what you charge, please?"),
          "what you charge");
    check(rlx_text_bare(NULL, "Hi there, I was wondering if you open on Sundays. Thanks!"),
          "you open on sundays");
    check(rlx_text_bare(NULL, "What uh time do you open?"), "what time do you open");
    check(rlx_text_bare(NULL, "Um."), "um");
    check(rlx_text_bare(NULL, "okay thanks"), "thanks");
    check(rlx_text_bare(NULL, ""), "");
    check(rlx_text_bare(NULL, "do you do drains"), "do you do drains");
}

static void test_words_and_echo(void **state)
{
    (void)state;
    assert_int_equal(rlx_text_words(""), 0);
    assert_int_equal(rlx_text_words(" one, two  three. "), 3);
    assert_float_equal(rlx_echo_share("we are open", "Yes, we are open from nine."), 1.0, 1e-6);
    assert_float_equal(rlx_echo_share("we were open", "Yes, we are open from nine."), 2.0 / 3,
                       1e-6);
    assert_float_equal(rlx_echo_share("open are we", "Yes, we are open from nine."), 1.0 / 3, 1e-6);
    assert_float_equal(rlx_echo_share("", "anything"), 0.0, 1e-6);
    assert_float_equal(rlx_echo_share("anything", ""), 0.0, 1e-6);
    char *said = talloc_strdup(NULL, "");
    for (int i = 0; i < 100; i++)
        said = talloc_asprintf_append(said, "word%d ", i);
    assert_float_equal(rlx_echo_share("word98 word99", said), 1.0, 1e-6);
    talloc_free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixture),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_words_and_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
