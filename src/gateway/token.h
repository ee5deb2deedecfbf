/* Signed one-use stream tokens: "call_id.mac", mac = HMAC-SHA256 over call id and the carrier's call sid, with a key derived from
 * the carrier's auth token (which every gateway has). The same call and sid give the same token, so that a retried webhook gets
 * the same TwiML; expiry and single use are kept in the store. Any thread. */
#ifndef RLX_GATEWAY_TOKEN_H
#define RLX_GATEWAY_TOKEN_H

#include <stdbool.h>
#include <talloc.h>

#include "base/config.h"

char *rlx_stream_token(TALLOC_CTX *ctx, const struct rlx_config *config, const char *call_id,
                       const char *call_sid);
/* True when the token is the one for this sid; call_id gets its call. */
bool rlx_stream_token_check(const struct rlx_config *config, const char *token,
                            const char *call_sid, char call_id[37]);

#endif
