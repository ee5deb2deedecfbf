/* The telephone carrier's REST API (Twilio, a compatible one, or the simulator by URL). Blocking; not on the loop. */
#ifndef RLX_PROVIDER_CARRIER_H
#define RLX_PROVIDER_CARRIER_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

struct rlx_dial {
    const char *to, *from; /* E.164 */
    const char *answer_url;  /* the gateway's voice webhook */
    const char *status_url;  /* called for initiated, ringing, answered, completed */
    const char *amd_url;     /* NULL = no answering machine detection; else asynchronous */
    bool amd_message_end;    /* wait for the end of a machine's greeting */
    uint32_t ring_s;         /* 0 = 30 */
    uint32_t max_duration_s; /* 0 = none */
};

/* Places the call; *sidp on ctx. RLX_EPROVIDER: refused, with the carrier's own words in *whyp (on ctx) and *codep its
 * error number (0 = none). -ETIMEDOUT or another errno: its fate is unknown: look it up before any retry. */
int rlx_carrier_dial(char **sidp, TALLOC_CTX *ctx, const struct rlx_config *config,
                     const struct rlx_dial *dial, int *codep, char **whyp)
    __attribute__((warn_unused_result));
/* Ends a live or ringing call; one that is over already is success. */
int rlx_carrier_hangup(const struct rlx_config *config, const char *sid)
    __attribute__((warn_unused_result));
/* A call's status as the carrier tells it; *statusp on ctx, RLX_ENOTFOUND when unknown there. */
int rlx_carrier_status(char **statusp, TALLOC_CTX *ctx, const struct rlx_config *config,
                       const char *sid) __attribute__((warn_unused_result));
/* Looks for an attempt whose answer was lost: the newest call to/from these numbers made at or after since_ms (wall clock);
 * *sidp on ctx, RLX_ENOTFOUND when there is none. */
int rlx_carrier_find(char **sidp, TALLOC_CTX *ctx, const struct rlx_config *config, const char *to,
                     const char *from, int64_t since_ms) __attribute__((warn_unused_result));

/* X-Twilio-Signature: base64(HMAC-SHA1(token, url + each name and value, sorted by name)). Any thread. */
struct rlx_param {
    const char *name, *value;
};
char *rlx_twilio_signature(TALLOC_CTX *ctx, const char *token, const char *url,
                           struct rlx_param *params, size_t count);

#endif
