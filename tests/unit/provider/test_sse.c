/* The reader of server-sent events: every kind of line end, every cut of the bytes. */
#include "../rlx_test.h"

#include "base/err.h"
#include "provider/sse.h"

struct seen {
    char text[1024];
    size_t count, stop_after;
    struct rlx_sse *free_me;
};

static bool on_event(const char *data, size_t length, void *arg)
{
    struct seen *seen = arg;
    assert_int_equal(strlen(data), length);
    strncat(seen->text, "[", sizeof seen->text - strlen(seen->text) - 1);
    strncat(seen->text, data, sizeof seen->text - strlen(seen->text) - 1);
    strncat(seen->text, "]", sizeof seen->text - strlen(seen->text) - 1);
    seen->count++;
    if (seen->count != seen->stop_after)
        return true;
    talloc_free(seen->free_me);
    return false;
}

static const struct {
    const char *name, *bytes, *events;
} cases[] = {
    {"plain", "data: a\n\ndata: b\n\n", "[a][b]"},
    {"crlf", "data: a\r\n\r\ndata: b\r\n\r\n", "[a][b]"},
    {"cr", "data: a\r\rdata: b\r\r", "[a][b]"},
    {"no space", "data:a\n\n", "[a]"},
    {"only one space goes", "data:  a\n\n", "[ a]"},
    {"several lines", "data: a\ndata: b\ndata\n\n", "[a\nb\n]"},
    {"comments and other fields", ": ping\nevent: x\nid: 1\nretry: 5\ndata: a\n\n: pong\n\n",
     "[a]"},
    {"no empty event", "event: x\n\n\n\n", ""},
    {"an event without its empty line", "data: a\n\ndata: b", "[a][b]"},
    {"byte order mark",
     "\xef\xbb\xbf"
     "data: a\n\n",
     "[a]"},
    {"longer field name", "database: a\n\ndatum: b\n\n", ""},
    {"empty data", "data:\n\n", "[]"},
};

static void cases_whole(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct rlx_sse *sse;
        assert_int_equal(rlx_sse_create(&sse, *state, 100, on_event, &seen), 0);
        assert_int_equal(rlx_sse_feed(sse, cases[i].bytes, strlen(cases[i].bytes)), 0);
        assert_int_equal(rlx_sse_end(sse), 0);
        assert_string_equal(seen.text, cases[i].events);
        talloc_free(sse);
    }
}

static void cases_cut_anywhere(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = strlen(cases[i].bytes);
        for (size_t cut = 0; cut <= length + 1; cut++) {
            struct seen seen = {0};
            struct rlx_sse *sse;
            assert_int_equal(rlx_sse_create(&sse, *state, 100, on_event, &seen), 0);
            for (size_t at = 0; at < length; at++) { /* cut > length: every byte by itself */
                if (cut <= length && at == 0) {
                    assert_int_equal(rlx_sse_feed(sse, cases[i].bytes, cut), 0);
                    assert_int_equal(rlx_sse_feed(sse, cases[i].bytes + cut, length - cut), 0);
                    break;
                }
                assert_int_equal(rlx_sse_feed(sse, cases[i].bytes + at, 1), 0);
            }
            assert_int_equal(rlx_sse_end(sse), 0);
            assert_string_equal(seen.text, cases[i].events);
            talloc_free(sse);
        }
    }
}

static void too_long(void **state)
{
    struct seen seen = {0};
    struct rlx_sse *sse;
    char line[64];
    memset(line, 'x', sizeof line);
    assert_int_equal(rlx_sse_create(&sse, *state, 100, on_event, &seen), 0);
    assert_int_equal(rlx_sse_feed(sse, line, 64), 0);
    assert_int_equal(rlx_sse_feed(sse, line, 64), RLX_ETOOBIG);
    assert_int_equal(rlx_sse_feed(sse, "\n\ndata: a\n\n", 11), RLX_ETOOBIG);
    talloc_free(sse);
    /* many short lines of one event count together */
    assert_int_equal(rlx_sse_create(&sse, *state, 20, on_event, &seen), 0);
    assert_int_equal(rlx_sse_feed(sse, "data: 12345678\n", 15), 0);
    assert_int_equal(rlx_sse_feed(sse, "data: 12345678\n", 15), 0);
    assert_int_equal(rlx_sse_feed(sse, "data: 12345678\n", 15), RLX_ETOOBIG);
    assert_int_equal(seen.count, 0);
    talloc_free(sse);
}

static void freed_by_its_handler(void **state)
{
    struct seen seen = {.stop_after = 2};
    assert_int_equal(rlx_sse_create(&seen.free_me, *state, 100, on_event, &seen), 0);
    const char *bytes = "data: a\n\ndata: b\n\ndata: c\n\n";
    assert_int_equal(rlx_sse_feed(seen.free_me, bytes, strlen(bytes)), RLX_SSE_STOPPED);
    assert_string_equal(seen.text, "[a][b]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(cases_whole),
        RLX_TEST(cases_cut_anywhere),
        RLX_TEST(too_long),
        RLX_TEST(freed_by_its_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
