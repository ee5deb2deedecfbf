/* Fuzz target: callee scripts. */
#include <stdint.h>
#include <stdlib.h>

#include "phone/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    char *text = talloc_strndup(ctx, (const char *)data, size), *why = NULL;
    struct rlx_script *script = NULL;

    if (rlx_script_parse(&script, ctx, text, &why) == 0) {
        if (script->count == 0)
            abort();
    } else if (!why) {
        abort();
    }
    talloc_free(ctx);
    return 0;
}
