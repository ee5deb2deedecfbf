/* Webhooks' secrets at rest. */
#include <errno.h>
#include <string.h>

#include "base/crypto.h"
#include "base/err.h"
#include "store/webhooks.h"

#define MARK "sealed:"
#define LABEL "relayx webhooks"
#define SECRET_MAX 256

/* The key that the n-th part of SECRETS_KEY makes; false when there is no n-th. */
static bool key_of(uint8_t key[RLX_SEAL_KEY], const struct rlx_config *config, size_t n)
{
    const char *p = rlx_config_get(config, RLX_CFG_SECRETS_KEY);

    while (*p) {
        size_t length = strcspn(p, ",");
        if (length && !n--) {
            rlx_hmac_sha256(key, p, length, LABEL, strlen(LABEL));
            return true;
        }
        p += length + (p[length] == ',');
    }
    return false;
}

char *rlx_webhook_seal(TALLOC_CTX *ctx, const struct rlx_config *config, const char *user_id,
                       const char *secret)
{
    uint8_t key[RLX_SEAL_KEY], sealed[RLX_SEALED_SIZE(SECRET_MAX)];
    char text[RLX_BASE64_SIZE(sizeof sealed)];
    size_t length = strlen(secret);

    if (!key_of(key, config, 0))
        return talloc_strdup(ctx, secret);
    if (length > SECRET_MAX || rlx_seal(sealed, key, user_id, secret, length))
        return NULL;
    rlx_base64_encode(text, sealed, RLX_SEALED_SIZE(length));
    return talloc_asprintf(ctx, MARK "%s", text);
}

int rlx_webhook_unseal(char **secretp, TALLOC_CTX *ctx, const struct rlx_config *config,
                       const char *user_id, const char *kept)
{
    uint8_t key[RLX_SEAL_KEY], sealed[RLX_SEALED_SIZE(SECRET_MAX)];
    char secret[SECRET_MAX + 1] = "";

    if (!secretp || !config || !user_id || !kept)
        return -EINVAL;
    if (strncmp(kept, MARK, strlen(MARK)) != 0) {
        *secretp = talloc_strdup(ctx, kept);
        return *secretp ? 0 : -ENOMEM;
    }
    const char *text = kept + strlen(MARK);
    ptrdiff_t length = rlx_base64_decode(sealed, sizeof sealed, text, strlen(text));
    if (length < (ptrdiff_t)RLX_SEALED_SIZE(0))
        return RLX_ECONFIG;
    for (size_t n = 0; key_of(key, config, n); n++) {
        if (rlx_unseal(secret, key, user_id, sealed, (size_t)length))
            continue;
        secret[(size_t)length - RLX_SEALED_SIZE(0)] = '\0';
        *secretp = talloc_strdup(ctx, secret);
        explicit_bzero(secret, sizeof secret);
        return *secretp ? 0 : -ENOMEM;
    }
    return RLX_ECONFIG;
}
