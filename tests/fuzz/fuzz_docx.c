/* Any bytes as a Word document, and, when they do not look like an archive, as the XML in one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extract/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rlx_extracted *found = NULL;
    char *why = NULL;
    TALLOC_CTX *ctx = talloc_new(NULL);
    int err;

    if (size > 1 && data[0] == 'P') {
        err = rlx_extract(&found, ctx, RLX_EXTRACT_DOCX, NULL, data, size, &why);
        if (err ? !why : !*found->text)
            abort();
    } else if (size) {
        found = talloc_zero(ctx, struct rlx_extracted);
        err = rlx_extract_docx_xml(found, (const char *)data, size, &why);
        if (err && !why)
            abort();
    }
    talloc_free(ctx);
    return 0;
}
