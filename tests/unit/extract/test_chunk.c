/* Texts in chunks. */
#include "../rlx_test.h"

#include <stdio.h>

#include "extract/chunk.h"

static char **chunks_of(void **state, const char *text, size_t *countp)
{
    char **chunks = NULL;

    assert_int_equal(rlx_chunks_make(&chunks, countp, *state, text), 0);
    return chunks;
}

static void sentences(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {{"One. Two.", 5},
                {"Dr. Miller is in. Yes.", 18},
                {"It costs 4.50 each. Ok", 20},
                {"Really?! Yes.", 9},
                {"e.g. this one. More", 15},
                {"A line\nanother", 7},
                {"No end", 6},
                {"", 0},
                {"He said \"go.\" Then", 14},
                {"www.example.com is ours. B", 25}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rlx_sentence_length(rows[i].text), rows[i].length);
}

static void small(void **state)
{
    size_t count;
    char **chunks = chunks_of(state, "  We open at nine. We close at five.\n", &count);

    assert_int_equal(count, 1);
    assert_string_equal(chunks[0], "We open at nine. We close at five.");
    chunks_of(state, " \n ", &count);
    assert_int_equal(count, 0);
}

/* Every sentence stands whole in a chunk, neighbours share some, none is too long. */
static void long_text(void **state)
{
    char *text = talloc_strdup(*state, ""), wanted[64];
    size_t count;

    for (int i = 0; i < 300; i++)
        text =
            talloc_asprintf_append_buffer(text, "Sentence %d speaks of a thing that has a price.%s",
                                          i, i % 10 == 9 ? "\n\n" : " ");
    char **chunks = chunks_of(state, text, &count);
    assert_in_range(count, 18, 36);
    size_t at = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(wanted, sizeof wanted, "Sentence %d speaks of a thing that has a price.", i);
        while (at < count && !strstr(chunks[at], wanted))
            at++;
        assert_in_range(at, 0, count - 1);
    }
    for (size_t i = 0; i < count; i++) {
        size_t words = rlx_chunk_words(chunks[i], strlen(chunks[i]));
        assert_in_range(words, 1, RLX_CHUNK_WORDS_MAX);
        if (i + 1 < count) {
            assert_in_range(words, 100, RLX_CHUNK_WORDS_MAX);
            assert_non_null(strstr(chunks[i], talloc_strndup(*state, chunks[i + 1], 14)));
        }
    }
}

static void endless(void **state)
{
    size_t count, total = 0;
    char *text = talloc_size(*state, 50001);

    memset(text, 'x', 50000);
    text[50000] = '\0';
    char **chunks = chunks_of(state, text, &count);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(strlen(chunks[i]), 1, RLX_CHUNK_BYTES_MAX);
        total += strlen(chunks[i]);
    }
    assert_true(total >= 50000);
    /* A script without blanks is cut between characters. */
    for (size_t i = 0; i < 49998; i += 3)
        memcpy(text + i, "\xE6\xBC\xA2", 3);
    text[49998] = '\0';
    chunks = chunks_of(state, text, &count);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(strlen(chunks[i]) % 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(sentences), RLX_TEST(small), RLX_TEST(long_text),
                                       RLX_TEST(endless)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
