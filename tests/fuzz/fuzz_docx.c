/* Any bytes as a Word document. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extract/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rlx_extracted *found = NULL;
    char *why = NULL;
    TALLOC_CTX *ctx = talloc_new(NULL);
    int err = rlx_extract(&found, ctx, RLX_EXTRACT_DOCX, NULL, data, size, &why);

    if (err ? !why : !*found->text)
        abort();
    talloc_free(ctx);
    return 0;
}
