/* Any page: no crash, and what comes out is tidy text. */
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

    if (!rlx_extract(&found, ctx, RLX_EXTRACT_HTML, NULL, data, size, &why)) {
        if (!*found->text || strlen(found->text) > RLX_EXTRACT_TEXT_MAX ||
            strstr(found->text, "\n\n\n") || strchr(found->text, '\r'))
            abort();
        if (found->title &&
            (strlen(found->title) > RLX_EXTRACT_TITLE_MAX || strchr(found->title, '\n')))
            abort();
    }
    talloc_free(ctx);
    return 0;
}
