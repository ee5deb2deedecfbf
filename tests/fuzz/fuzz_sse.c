/* Fuzz target: the reader of server-sent events. The first byte says how the bytes are cut; the
 * events must not depend on it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provider/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t count, bytes;
};

static bool on_event(const char *data, size_t length, void *arg)
{
    struct seen *seen = arg;
    if (data[length])
        abort();
    seen->count++;
    seen->bytes += length;
    return seen->count < 1000;
}

static int run(struct seen *seen, const uint8_t *data, size_t size, size_t step)
{
    struct rlx_sse *sse;
    int err = rlx_sse_create(&sse, NULL, 200, on_event, seen);
    for (size_t at = 0; !err && at < size; at += step)
        err = rlx_sse_feed(sse, data + at, size - at < step ? size - at : step);
    if (!err)
        err = rlx_sse_end(sse);
    talloc_free(sse);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = {0}, cut = {0};
    if (!size)
        return 0;
    int err = run(&whole, data + 1, size - 1, size);
    if (run(&cut, data + 1, size - 1, data[0] % 16 + 1u) != err || cut.count != whole.count ||
        cut.bytes != whole.bytes)
        abort();
    return 0;
}
