#include "gateway/token.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"

char *rlx_stream_token(TALLOC_CTX *ctx, const struct rlx_config *config, const char *call_id,
                       const char *call_sid)
{
    const char *secret = rlx_config_get(config, RLX_CFG_TWILIO_AUTH_TOKEN);
    uint8_t key[RLX_SHA256_BYTES], mac[RLX_SHA256_BYTES];
    char hex[2 * RLX_SHA256_BYTES + 1];
    char *signed_text = talloc_asprintf(NULL, "%s\n%s", call_id, call_sid);

    if (!signed_text)
        return NULL;
    rlx_hmac_sha256(key, secret, strlen(secret), "relayx stream token", 19);
    rlx_hmac_sha256(mac, key, sizeof key, signed_text, strlen(signed_text));
    talloc_free(signed_text);
    for (size_t i = 0; i < sizeof mac; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    return talloc_asprintf(ctx, "%s.%s", call_id, hex);
}

bool rlx_stream_token_check(const struct rlx_config *config, const char *token,
                            const char *call_sid, char call_id[37])
{
    if (strlen(token) < 38 || token[36] != '.')
        return false;
    snprintf(call_id, 37, "%.36s", token);
    if (!rlx_uuid_valid(call_id))
        return false;
    char *right = rlx_stream_token(NULL, config, call_id, call_sid);
    bool same = right && rlx_equal(right, token);
    talloc_free(right);
    return same;
}
