/* Fuzz target: .env files. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_config *config;
    char *why = NULL;

    if (rlx_config_load(&config, ctx, 0, NULL, &why) == 0) {
        char *text = talloc_strndup(ctx, (const char *)data, size);
        int err = rlx_config_parse_env(config, text, ctx, &why);
        if (err && (err != RLX_ECONFIG || !why))
            abort();
        for (int i = 0; i < RLX_CFG_COUNT; i++)
            if (!rlx_config_get(config, (enum rlx_setting)i))
                abort();
    }
    talloc_free(ctx);
    return 0;
}
