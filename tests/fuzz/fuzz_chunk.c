/* Any text as CSV, Markdown and in chunks: no crash, and no chunk is longer than it may be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extract/chunk.h"
#include "extract/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum rlx_extract_kind kinds[] = {RLX_EXTRACT_TEXT, RLX_EXTRACT_MARKDOWN,
                                                  RLX_EXTRACT_CSV};

    if (!size || size > 20000)
        return 0;
    for (size_t k = 0; k < 3; k++) {
        TALLOC_CTX *ctx = talloc_new(NULL);
        struct rlx_extracted *found = NULL;
        char **chunks = NULL, *why = NULL;
        size_t count = 0;
        if (!rlx_extract(&found, ctx, kinds[k], NULL, data, size, &why)) {
            if (rlx_chunks_make(&chunks, &count, ctx, found->text) || !count)
                abort();
            for (size_t i = 0; i < count; i++)
                if (!*chunks[i] || strlen(chunks[i]) > RLX_CHUNK_BYTES_MAX)
                    abort();
        }
        talloc_free(ctx);
    }
    return 0;
}
