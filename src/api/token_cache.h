/* Access tokens that were found good, so that a signature is checked once and not with every request. Bounded; any thread. */
#ifndef RLX_API_TOKEN_CACHE_H
#define RLX_API_TOKEN_CACHE_H

#include <stdint.h>
#include <talloc.h>

struct rlx_token_cache;

int rlx_token_cache_create(struct rlx_token_cache **cachep, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));
/* As rlx_access_check, always with the same key; the expiry is checked every time. */
int rlx_token_cache_check(struct rlx_token_cache *cache, const char *key, const char *token,
                          int64_t now_s, char user_id[37]);

#endif
