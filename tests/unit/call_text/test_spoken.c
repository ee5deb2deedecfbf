/* Written to spoken text: the golden cases, and what holds for every input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "call/spoken.h"

#define GOLDEN RLX_SOURCE_DIR "/tests/fixtures/spoken/golden.tsv"

/* "\n" in the fixture stands for a newline. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (at[0] == '\\' && at[1] == 'n') {
            *to++ = '\n';
            at++;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

/* What holds for every result: nothing but letters, apostrophes, blanks and marks; words inside the
 * text; spans in order. */
static void check_sound(const struct rlx_spoken *s, const char *original)
{
    size_t length = strlen(s->text), covered = 0;
    for (const unsigned char *at = (const unsigned char *)s->text; *at; at++) {
        if (!isalpha(*at) && *at < 0x80 && !strchr("' ,.?!", *at))
            fail_msg("'%c' in \"%s\" from \"%s\"", *at, s->text, original);
    }
    for (size_t i = 0; i < s->word_count; i++) {
        const struct rlx_spoken_word *w = &s->words[i];
        assert_true(w->text_length > 0);
        assert_true((size_t)w->text_at + w->text_length <= length);
        assert_true(w->original_length > 0);
        assert_true((size_t)w->original_at + w->original_length <= strlen(original));
        assert_true(w->text_at >= covered);
        covered = (size_t)w->text_at + w->text_length;
        if (i > 0) {
            const struct rlx_spoken_word *before = w - 1;
            assert_true(w->original_at >= before->original_at);
            assert_true(w->original_at + w->original_length >=
                        before->original_at + before->original_length);
        }
    }
    assert_true(length == 0 || s->word_count > 0);
    assert_null(strstr(s->text, "  "));
    assert_null(strstr(s->text, " ,"));
}

static void test_golden(void **state)
{
    (void)state;
    FILE *file = fopen(GOLDEN, "r");
    assert_non_null(file);
    char line[1024];
    unsigned rows = 0, failed = 0;
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        char *want = line, *input = strsep(&want, "\t");
        if (!want || !strncmp(line, "#!", 2))
            continue;
        unescape(input);
        struct rlx_spoken *s;
        assert_int_equal(rlx_spoken_make(&s, NULL, input), 0);
        check_sound(s, input);
        rows++;
        if (strcmp(s->text, want)) {
            failed++;
            print_error("\"%s\"\n  want %s\n  got  %s\n", input, want, s->text);
        }
        talloc_free(s);
    }
    fclose(file);
    assert_in_range(rows, 300, 100000);
    assert_int_equal(failed, 0);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void test_random_mixtures(void **state)
{
    (void)state;
    static const char *const parts[] = {"$",
                                        "5",
                                        "45.50",
                                        "1,200",
                                        "-",
                                        " ",
                                        " ",
                                        ".",
                                        ",",
                                        "/",
                                        ":",
                                        "30",
                                        "am",
                                        "p.m.",
                                        "May",
                                        "Dr.",
                                        "St.",
                                        "@",
                                        "example.com",
                                        "https://",
                                        "www.",
                                        "(",
                                        ")",
                                        "555",
                                        "123-4567",
                                        "%",
                                        "\"",
                                        "'",
                                        "x",
                                        "#",
                                        "**",
                                        "`",
                                        "```",
                                        "\n",
                                        "- ",
                                        "1. ",
                                        "[",
                                        "](",
                                        "<b>",
                                        "&amp;",
                                        "½",
                                        "\xE2\x80\x93",
                                        "\xE2\x80\x99",
                                        "\xF0\x9F\x98\x80",
                                        "\xFF",
                                        "\xC3",
                                        "\xE2\x82\xAC",
                                        "hello",
                                        "Mon",
                                        "Room",
                                        "lbs",
                                        "ft",
                                        "2024",
                                        "1/2",
                                        "0",
                                        "007",
                                        "+1",
                                        "...",
                                        "?",
                                        "!",
                                        "U.S.",
                                        "4B",
                                        "\xC3\xA9",
                                        "&",
                                        "~",
                                        "_",
                                        "|",
                                        "9999999999999999999999",
                                        "K",
                                        "°F",
                                        "\t"};
    uint64_t seed = 88172645463325252ULL;
    for (int round = 0; round < 4000; round++) {
        char text[512] = "";
        for (uint64_t n = next_random(&seed) % 14 + 1; n > 0; n--)
            strncat(text, parts[next_random(&seed) % (sizeof(parts) / sizeof(*parts))],
                    sizeof(text) - strlen(text) - 1);
        struct rlx_spoken *s;
        assert_int_equal(rlx_spoken_make(&s, NULL, text), 0);
        check_sound(s, text);
        talloc_free(s);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct rlx_spoken *s;
    char *text = talloc_array(NULL, char, 9001);
    memset(text, '7', 9000);
    text[9000] = '\0';
    assert_int_equal(rlx_spoken_make(&s, NULL, text), 0);
    check_sound(s, text);
    talloc_free(s);
    for (int i = 0; i < 9000; i += 2)
        memcpy(text + i, "a ", 2);
    assert_int_equal(rlx_spoken_make(&s, NULL, text), 0);
    assert_int_equal(s->word_count, 2000);
    talloc_free(s);
    talloc_free(text);
    assert_int_equal(rlx_spoken_make(&s, NULL, NULL), 0);
    assert_string_equal(s->text, "");
    assert_int_equal(s->word_count, 0);
    talloc_free(s);
}

static void check_heard(const char *original, uint32_t heard, uint32_t total, const char *want,
                        unsigned words)
{
    struct rlx_spoken *s;
    unsigned got_words = 99;
    assert_int_equal(rlx_spoken_make(&s, NULL, original), 0);
    char *got = rlx_spoken_heard(s, s, original, heard, total, &got_words);
    assert_string_equal(got, want);
    assert_int_equal(got_words, words);
    talloc_free(s);
}

static void test_heard(void **state)
{
    (void)state;
    check_heard("One two three four.", 0, 1000, "", 0);
    check_heard("One two three four.", 1000, 1000, "One two three four.", 4);
    check_heard("One two three four.", 2000, 1000, "One two three four.", 4);
    /* 19 characters: "two" is at 4–7, its middle at 5.5 of 19. */
    check_heard("One two three four.", 280, 1000, "One", 1);
    check_heard("One two three four.", 300, 1000, "One two", 2);
    check_heard("  **One** two.", 500, 1000, "**One", 1);
    check_heard("One two.", 5, 0, "", 0);
    check_heard("...", 5, 10, "", 0);
    check_heard("", 5, 10, "", 0);
    /* "It costs forty five dollars and fifty cents." A token of many words counts when half of them
     * were heard. */
    check_heard("It costs $45.50.", 300, 1000, "It costs", 3);
    check_heard("It costs $45.50.", 600, 1000, "It costs $45.50", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_random_mixtures),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
