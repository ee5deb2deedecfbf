#include "provider/allowed.h"

#include <errno.h>
#include <string.h>

#include "base/region.h"
#include "store/limits.h"

bool rlx_carrier_is_simulated(const struct rlx_config *config)
{
    const char *url = rlx_config_get(config, RLX_CFG_TWILIO_API_URL);

    return strstr(url, "//127.") || strstr(url, "//localhost") || strstr(url, "//[::1]");
}

int rlx_call_allowed(struct rlx_store *store, TALLOC_CTX *ctx, const struct rlx_config *config,
                     const struct rlx_config *user, const char *user_id, const char *call_id,
                     const char *to, const char *caller_id, int64_t now_ms, const char **codep,
                     char **whyp)
{
    char region[RLX_REGION_TEXT], home[RLX_REGION_TEXT];

    if (!store || !config || !user || !user_id || !to || !codep || !whyp)
        return -EINVAL;
    struct rlx_account_limits_ask ask = {
        .user_id = user_id,
        .call_id = call_id,
        .region = region,
        .caller_id = caller_id,
        .home = home,
        .own_caller_id = rlx_config_get(user, RLX_CFG_TWILIO_PHONE_NUMBER),
        .simulated = rlx_carrier_is_simulated(user),
        .own_carrier = strcmp(rlx_config_get(config, RLX_CFG_TWILIO_ACCOUNT_SID),
                              rlx_config_get(user, RLX_CFG_TWILIO_ACCOUNT_SID)) != 0,
        .now_ms = now_ms,
    };
    rlx_region_of(region, to, &ask.premium);
    ask.premium = ask.premium && !ask.simulated;
    rlx_region_of(home, ask.own_caller_id, NULL);
    return rlx_account_limits_check(store, ctx, &ask, codep, whyp);
}
