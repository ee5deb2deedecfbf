/* Fuzz target: the simulator's TwiML reader. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "phone/twiml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_twiml *twiml = NULL;
    char *why = NULL;

    if (rlx_twiml_parse(&twiml, ctx, (const char *)data, size, &why) == 0) {
        for (size_t i = 0; i < twiml->count; i++) {
            const struct rlx_twiml_step *step = &twiml->steps[i];

            if (step->verb == RLX_TWIML_STREAM && !step->url)
                abort();
            for (size_t k = 0; k < step->parameter_count; k++)
                if (strlen(step->parameters[k].name) + strlen(step->parameters[k].value) >= 500)
                    abort();
        }
    } else if (!why) {
        abort();
    }
    talloc_free(ctx);
    return 0;
}
