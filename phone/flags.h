/* The phone's own command-line flags. Private to phone/. */
#ifndef RLX_PHONE_FLAGS_H
#define RLX_PHONE_FLAGS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

struct rlx_phone_flags {
    bool load;
    /* both */
    bool kind, insecure;
    uint64_t seed;
    uint32_t ring_ms, calls_per_second;
    uint16_t port; /* 0 = the setting's */
    /* serve */
    char **callees; /* files */
    unsigned callee_count;
    /* load */
    const char *webhook, *api, *agent, *token, *script;
    uint32_t calls, concurrent, limit_s;
};

/* Reads them from rlx_config_rest. RLX_ECONFIG with a sentence in *whyp (on ctx). */
int rlx_phone_flags_read(struct rlx_phone_flags *flags, TALLOC_CTX *ctx,
                         const struct rlx_config *config, char **whyp)
    __attribute__((warn_unused_result));

#endif
