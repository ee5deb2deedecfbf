/* Whatever a model streams: pieces stay within their length, and feeding it in two parts gives the
 * same pieces as whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "call/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *pieces(TALLOC_CTX *ctx, const char *text, size_t first)
{
    struct rlx_split *split;
    char *joined = talloc_strdup(ctx, "");
    char *head = talloc_strndup(ctx, text, first);
    if (rlx_split_create(&split, ctx))
        abort();
    for (int part = 0; part < 3; part++) {
        if (part < 2)
            rlx_split_feed(split, part ? text + strlen(head) : head);
        else
            rlx_split_end(split);
        for (char *piece; (piece = rlx_split_next(split, split, false));) {
            if (strlen(piece) > 200 || !*piece)
                abort();
            joined = talloc_asprintf_append_buffer(joined, "%s|", piece);
        }
    }
    return joined;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 3000)
        return 0;
    TALLOC_CTX *ctx = talloc_new(NULL);
    char *text = talloc_strndup(ctx, (const char *)data + 1, size - 1);
    if (strcmp(pieces(ctx, text, strlen(text)), pieces(ctx, text, strlen(text) * data[0] / 256)))
        abort();
    talloc_free(ctx);
    return 0;
}
