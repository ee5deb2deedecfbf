/* Fuzz target: access tokens. Nothing that is not signed with the key may pass. */
#include <stdlib.h>
#include <string.h>

#include "api/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[] = "a key that no fuzzer's input is signed with";
    char user[37] = "";
    char *token = malloc(size + 1);

    memcpy(token, data, size);
    token[size] = '\0';
    if (!rlx_access_check(key, token, 1000, user) || user[0])
        abort();
    free(token);
    return 0;
}
