/* How every role opens the store. */
#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "store/store.h"

int rlx_store_start(struct rlx_store **storep, TALLOC_CTX *ctx, const struct rlx_config *config,
                    char **whyp)
{
    const char *url = rlx_config_get(config, RLX_CFG_DATABASE_URL);
    char *own = NULL;
    int applied = 0;

    if (!*url && *rlx_config_get(config, RLX_CFG_SUPABASE_URL)) {
        *whyp = talloc_strdup(
            ctx, "SUPABASE_URL alone is not enough: RelayX speaks to the database itself. Set "
                 "DATABASE_URL to the connection string that Supabase shows under Connect "
                 "(postgresql://..., direct or through its pooler), or unset SUPABASE_URL to use a "
                 "file");
        return RLX_ECONFIG;
    }
    if (!*url) {
        int err = rlx_config_make_dirs(config, ctx, whyp);
        if (err)
            return err;
        char *path = rlx_config_path(config, ctx, "relayx.db");
        own = path ? talloc_asprintf(ctx, "sqlite:%s", path) : NULL;
        talloc_free(path);
        if (!own)
            return -ENOMEM;
        url = own;
    }
    int err = rlx_store_open(storep, ctx, url, whyp);
    talloc_free(own);
    if (!err)
        err = rlx_store_migrate(*storep, &applied, whyp);
    if (err)
        return err;
    if (applied)
        rlx_log(RLX_INFO, "store.migrated", "applied=%d", applied);
    return 0;
}
