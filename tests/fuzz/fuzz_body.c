/* Fuzz target: a JSON body, held against the schema of every operation that takes one. */
#include <stdlib.h>

#include "api/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *body = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);

    for (size_t i = 0; body && i < rlx_api_route_count; i++) {
        if (!rlx_api_operations[i].body)
            continue;
        json_t *errors = json_array();
        json_t *clean = rlx_validate(rlx_api_operations[i].body, body, "", errors);
        if (!clean != (json_array_size(errors) > 0))
            abort();
        /* What is clean stays so. */
        json_t *again = clean ? rlx_validate(rlx_api_operations[i].body, clean, "", errors) : NULL;
        if (clean && (!again || !json_equal(clean, again)))
            abort();
        json_decref(again);
        json_decref(clean);
        json_decref(errors);
    }
    json_decref(body);
    return 0;
}
