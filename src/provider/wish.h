/* An agent's own choice of providers. */
#ifndef RLX_PROVIDER_WISH_H
#define RLX_PROVIDER_WISH_H

#include <jansson.h>
#include <talloc.h>

#include "base/config.h"

/* The configuration with the lists that `wish` names in the places of the server's: {stt: [names], llm: [], tts: []}, each in the
 * order of trying. A name that is not set up here (no key, not known) is left out; where none is left, and without a list, the
 * server's stays: a wish never fails a call. *configp is `config` itself when nothing changes, else a copy on ctx. Any thread. */
int rlx_config_wish(const struct rlx_config **configp, TALLOC_CTX *ctx,
                    const struct rlx_config *config, const json_t *wish)
    __attribute__((warn_unused_result));

#endif
