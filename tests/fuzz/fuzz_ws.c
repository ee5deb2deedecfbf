/* Fuzz target: WebSocket frames. The first byte chooses the role and the size of the pieces that
 * are fed. */
#include <stdlib.h>

#include "base/err.h"
#include "base/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_MESSAGE 4096

static void message(bool text, const void *data, size_t length, void *arg)
{
    volatile uint8_t sum = 0;

    (void)text, (void)arg;
    if (length > MAX_MESSAGE)
        abort();
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
}

static void output(const void *data, size_t length, void *arg)
{
    (void)data;
    *(size_t *)arg += length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_ws *ws;
    size_t out = 0;

    if (size && !rlx_ws_create(&ws, ctx, data[0] & 1, MAX_MESSAGE, message, output, &out)) {
        size_t step = 1 + (data[0] >> 1);
        int err = 0;
        for (size_t at = 1; at < size && !err; at += step)
            err = rlx_ws_feed(ws, data + at, size - at < step ? size - at : step);
        if (err && !rlx_ws_closed(ws))
            abort();
    }
    talloc_free(ctx);
    return 0;
}
