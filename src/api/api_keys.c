/* API keys. */
#include "api/private.h"

int rlx_api_key_check(struct rlx_api *api, TALLOC_CTX *ctx, const char *key, char user_id[37],
                      char **scopesp)
{
    (void)api, (void)ctx, (void)key, (void)user_id, (void)scopesp;
    return RLX_EAUTH;
}
