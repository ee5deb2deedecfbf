/* Fuzz target: a streamed chat answer. The first byte's low bits say how the bytes are cut, its
 * high bits after how many handler calls the stream is freed from inside a handler. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provider/llm_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct rlx_llm_stream *stream;
    unsigned calls, free_at;
};

static void count(struct seen *seen)
{
    if (!seen->stream)
        abort(); /* nothing may come after the end */
    if (++seen->calls == seen->free_at) {
        talloc_free(seen->stream);
        seen->stream = NULL;
    }
}

static void on_text(const char *text, void *arg)
{
    if (!*text)
        abort();
    count(arg);
}

static void on_tool(const char *id, const char *name, const char *arguments, void *arg)
{
    if (!*id || !*name || !*arguments)
        abort();
    count(arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rlx_llm_stream_handlers handlers = {on_text, on_tool};
    struct seen seen = {0};
    if (!size || rlx_llm_stream_create(&seen.stream, NULL, &handlers, &seen))
        return 0;
    size_t step = data[0] % 16 + 1u;
    seen.free_at = data[0] / 16u;
    int err = 0;
    for (size_t at = 1; !err && at < size; at += step)
        err = rlx_llm_stream_feed(seen.stream, data + at, size - at < step ? size - at : step);
    if (!err)
        err = rlx_llm_stream_end(seen.stream);
    if (!err || (err == RLX_LLM_FREED) != !seen.stream)
        abort();
    talloc_free(seen.stream);
    return 0;
}
