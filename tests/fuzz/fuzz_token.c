/* Fuzz target: the stream token that comes back in `start`. The first line is the call's sid, the
 * rest the token: only the token that the gateway itself makes of its call and this sid may pass.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rlx_config *config_once(void)
{
    static struct rlx_config *config;
    char *why = NULL;

    if (!config && (rlx_config_load(&config, NULL, 0, NULL, &why) ||
                    rlx_config_set(config, RLX_CFG_TWILIO_AUTH_TOKEN, "secret")))
        abort();
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const char *text = (const char *)data;
    const char *eol = size ? memchr(text, '\n', size) : NULL;
    size_t head = eol ? (size_t)(eol - text) : size;
    char *sid = talloc_strndup(ctx, text, head);
    char *token = talloc_strndup(ctx, eol ? eol + 1 : "", eol ? size - head - 1 : 0);
    char call_id[37] = "";
    bool good = rlx_stream_token_check(config_once(), token, sid, call_id);
    char *right = *call_id ? rlx_stream_token(ctx, config_once(), call_id, sid) : NULL;

    if (good && (!right || strcmp(right, token)))
        abort();
    talloc_free(ctx);
    return 0;
}
