/* The key that signs tokens and control requests. */
#ifndef RLX_STORE_KEYS_H
#define RLX_STORE_KEYS_H

#include <talloc.h>

#include "base/config.h"

/* Makes sure that JWT_SECRET_KEY is set in the configuration: as given (at least 32 bytes), else
 * read from jwt.key in the data directory, which is made once, readable by its owner alone. Several
 * processes may do it at the same time. Call it before threads start. RLX_ECONFIG with *whyp on
 * ctx. */
int rlx_keys_load(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
    __attribute__((warn_unused_result));

#endif
