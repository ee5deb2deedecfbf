#include "base/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define VALID_S 30

static char *signed_at(TALLOC_CTX *ctx, const char *secret, const char *method, const char *path,
                       int64_t seconds)
{
    uint8_t key[RLX_SHA256_BYTES], mac[RLX_SHA256_BYTES];
    char hex[2 * RLX_SHA256_BYTES + 1];
    char *text = talloc_asprintf(NULL, "%s\n%s\n%lld", method, path, (long long)seconds);

    if (!text)
        return NULL;
    rlx_hmac_sha256(key, secret, strlen(secret), "relayx control", 14);
    rlx_hmac_sha256(mac, key, sizeof key, text, strlen(text));
    talloc_free(text);
    for (size_t i = 0; i < sizeof mac; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    return talloc_asprintf(ctx, "%lld.%s", (long long)seconds, hex);
}

char *rlx_control_sign(TALLOC_CTX *ctx, const char *jwt_secret, const char *method,
                       const char *path, int64_t now_ms)
{
    return signed_at(ctx, jwt_secret, method, path, now_ms / 1000);
}

bool rlx_control_check(const char *value, const char *jwt_secret, const char *method,
                       const char *path, int64_t now_ms)
{
    char *end = NULL;
    int64_t seconds = value ? strtoll(value, &end, 10) : 0;

    if (!value || end == value || *end != '.' || llabs(now_ms / 1000 - seconds) > VALID_S)
        return false;
    char *right = signed_at(NULL, jwt_secret, method, path, seconds);
    bool same = right && rlx_equal(right, value);
    talloc_free(right);
    return same;
}
