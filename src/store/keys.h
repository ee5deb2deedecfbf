/* The key that signs tokens and control requests, and the one that encrypts what users store. */
#ifndef RLX_STORE_KEYS_H
#define RLX_STORE_KEYS_H

#include <talloc.h>

#include "base/config.h"

/* Makes sure that JWT_SECRET_KEY and SECRETS_KEY are set in the configuration: as given (at least 32 bytes), else read from
 * jwt.key and secrets.key in the data directory, which are made once, readable by their owner alone. Several processes may do it
 * at the same time. With PostgreSQL nothing is made: JWT_SECRET_KEY must be given, and without SECRETS_KEY no secret can be
 * stored. Call it before threads start. RLX_ECONFIG with *whyp on ctx. */
int rlx_keys_load(struct rlx_config *config, TALLOC_CTX *ctx, char **whyp)
    __attribute__((warn_unused_result));

#endif
