/* A streamed chat answer: order, tool calls in pieces, ends of every kind, each byte by itself. */
#include "../rlx_test.h"

#include <stdio.h>

#include "base/err.h"
#include "provider/llm_stream.h"

struct seen {
    char text[2048];
    struct rlx_llm_stream *free_me; /* freed by the first handler */
};

static void add(struct seen *seen, const char *a, const char *b, const char *c)
{
    size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof seen->text - length, "%s%s%s|", a, b, c);
    talloc_free(seen->free_me);
    seen->free_me = NULL;
}

static void on_text(const char *text, void *arg)
{
    add(arg, text, "", "");
}

static void on_tool(const char *id, const char *name, const char *arguments, void *arg)
{
    char head[128];
    snprintf(head, sizeof head, "<%s %s ", id, name);
    add(arg, head, arguments, ">");
}

static const struct rlx_llm_stream_handlers handlers = {on_text, on_tool};

#define E(json) "data: " json "\n\n"
#define DELTA(delta) E("{\"choices\":[{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}]}")
#define CONTENT(text) DELTA("{\"content\":\"" text "\"}")
#define FINISH(reason)                                                                             \
    E("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]}")
#define DONE "data: [DONE]\n\n"

static const struct {
    const char *name, *bytes, *seen;
    int end;
} cases[] = {
    {"text",
     DELTA("{\"role\":\"assistant\",\"content\":\"\"}") CONTENT("Hel") CONTENT("lo") FINISH("stop")
         DONE,
     "Hel|lo|", RLX_LLM_OVER},
    {"null content and reasoning",
     DELTA("{\"content\":null,\"reasoning\":\"hm\",\"reasoning_content\":\"hm\"}") CONTENT("A")
         DONE,
     "A|", RLX_LLM_OVER},
    {"no [DONE]", CONTENT("A") FINISH("stop"), "A|", RLX_LLM_OVER},
    {"no end at all", CONTENT("A"), "A|", RLX_LLM_OVER},
    {"a tool call in pieces",
     CONTENT("One moment.")
         DELTA("{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{"
               "\"name\":\"book\",\"arguments\":\"\"}}]}")
             DELTA("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}}]}")
                 DELTA("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]}")
                     FINISH("tool_calls") DONE,
     "One moment.|<c1 book {\"a\":1}>|", RLX_LLM_OVER},
    {"two calls interleaved, text in and after them comes behind",
     DELTA("{\"content\":\"x\",\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":"
           "\"f\",\"arguments\":\"{\"}}]}")
         DELTA("{\"tool_calls\":[{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"g\"}}]}")
             DELTA("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}}]}")
                 CONTENT("y") DONE,
     "<c1 f {}>|<c2 g {}>|xy|", RLX_LLM_OVER},
    {"calls without an index, and one index for two ids",
     DELTA(
         "{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"k\":2}}}]}")
         DELTA("{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\","
               "\"arguments\":\"{}\"}}]}")
             DELTA("{\"tool_calls\":[{\"index\":1,\"id\":\"c\",\"function\":{\"name\":\"h\","
                   "\"arguments\":\"{}\"}}]}") DONE,
     "<a f {\"k\":2}>|<b g {}>|<c h {}>|", RLX_LLM_OVER},
    {"nothing", DELTA("{\"role\":\"assistant\"}") FINISH("stop") DONE, "", RLX_EEMPTY},
    {"no bytes", "", "", RLX_EEMPTY},
    {"an error inside", CONTENT("A") E("{\"error\":{\"message\":\"overloaded\",\"code\":503}}"),
     "A|", RLX_EPROVIDER},
    {"no JSON", CONTENT("A") E("{\"choices\":["), "A|", RLX_EPROTO},
    {"JSON of another kind", E("[1]"), "", RLX_EPROTO},
    {"odd shapes",
     E("{\"choices\":[]}") E("{\"choices\":7}") E("{\"choices\":[null]}") E("{}")
         DELTA("{\"tool_calls\":[7,{\"function\":1}],\"content\":[1]}") CONTENT("z") DONE,
     "z|", RLX_LLM_OVER},
    {"what is no event stream", "<html>\n<body>no</body>\n", "", RLX_EEMPTY},
};

static int run(struct rlx_llm_stream *stream, const char *bytes, size_t step)
{
    size_t length = strlen(bytes);
    for (size_t at = 0; at < length; at += step) {
        size_t part = length - at < step ? length - at : step;
        int err = rlx_llm_stream_feed(stream, bytes + at, part);
        if (err)
            return err;
    }
    return rlx_llm_stream_end(stream);
}

static void streams_in_any_pieces(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step < 4096; step = step < 8 ? step + 1 : step * 4) {
            struct seen seen = {{0}, NULL};
            struct rlx_llm_stream *stream;
            assert_int_equal(rlx_llm_stream_create(&stream, *state, &handlers, &seen), 0);
            int end = run(stream, cases[i].bytes, step);
            if (end != cases[i].end || strcmp(seen.text, cases[i].seen))
                print_error("%s: end %d, seen %s\n", cases[i].name, end, seen.text);
            assert_int_equal(end, cases[i].end);
            assert_string_equal(seen.text, cases[i].seen);
            talloc_free(stream);
        }
    }
}

static void usage_and_error_words(void **state)
{
    struct seen seen = {{0}, NULL};
    struct rlx_llm_stream *stream;
    uint32_t prompt, completion;
    assert_int_equal(rlx_llm_stream_create(&stream, *state, &handlers, &seen), 0);
    const char *bytes =
        CONTENT("A") E("{\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3}}")
            E("{\"error\":{\"message\":\"overloaded\"}}");
    assert_int_equal(run(stream, bytes, 100000), RLX_EPROVIDER);
    rlx_llm_stream_usage(stream, &prompt, &completion);
    assert_int_equal(prompt, 12);
    assert_int_equal(completion, 3);
    assert_string_equal(rlx_llm_stream_why(stream), "overloaded");
    talloc_free(stream);
}

static void freed_in_any_handler(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {{0}, NULL};
        if (!*cases[i].seen)
            continue;
        assert_int_equal(rlx_llm_stream_create(&seen.free_me, *state, &handlers, &seen), 0);
        assert_int_equal(run(seen.free_me, cases[i].bytes, 100000), RLX_LLM_FREED);
        assert_ptr_equal(strchr(seen.text, '|') + 1, seen.text + strlen(seen.text));
    }
}

static void too_much(void **state)
{
    struct seen seen = {{0}, NULL};
    struct rlx_llm_stream *stream;
    char *piece = talloc_asprintf(
        *state,
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"%0*d\"}}]}}]}\n\n",
        40000, 0);
    assert_int_equal(rlx_llm_stream_create(&stream, *state, &handlers, &seen), 0);
    assert_int_equal(rlx_llm_stream_feed(stream, piece, strlen(piece)), 0);
    assert_true(rlx_llm_stream_begun(stream));
    assert_int_equal(rlx_llm_stream_feed(stream, piece, strlen(piece)), RLX_ETOOBIG);
    assert_false(rlx_llm_stream_gave(stream));
    talloc_free(stream);
    assert_int_equal(rlx_llm_stream_create(&stream, *state, &handlers, &seen), 0);
    for (int i = 0; i < 17; i++) {
        char call[256];
        snprintf(call, sizeof call,
                 "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":%d,\"id\":\"i%d\","
                 "\"function\":{\"name\":\"f\"}}]}}]}\n\n",
                 i, i);
        assert_int_equal(rlx_llm_stream_feed(stream, call, strlen(call)), i < 16 ? 0 : RLX_ETOOBIG);
    }
    talloc_free(stream);
    talloc_free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(streams_in_any_pieces),
        RLX_TEST(usage_and_error_words),
        RLX_TEST(freed_in_any_handler),
        RLX_TEST(too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
