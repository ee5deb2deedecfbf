/* What providers did on behalf of one call (or another occasion), to be priced: a sum for each stage, provider and model. One
 * thread. */
#ifndef RLX_PROVIDER_METER_H
#define RLX_PROVIDER_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "provider/chain.h"

struct rlx_meter;

struct rlx_metered {
    enum rlx_stage stage;
    const char *provider, *model;
    uint64_t audio_ms, characters, tokens_in, tokens_out;
};

int rlx_meter_create(struct rlx_meter **meterp, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));
/* Requests to this provider ("groq") are made with the user's own key: said before the first is added. */
void rlx_meter_own(struct rlx_meter *meter, const char *provider);
/* The same for every provider whose key in `user` (rlx_user_config) is not the server's. False when there is none. Without a meter it
 * only tells. */
bool rlx_meter_own_keys(struct rlx_meter *meter, const struct rlx_config *server,
                        const struct rlx_config *user);
/* Adds one request. A meter that is NULL counts nothing. */
void rlx_meter_add(struct rlx_meter *meter, const struct rlx_metered *what);
/* The sums as rlx_usage_put_json (store/usage.h) takes them, on ctx; NULL when there are none. */
char *rlx_meter_json(TALLOC_CTX *ctx, const struct rlx_meter *meter);

/* Characters of a UTF-8 text, which text to speech is billed by. */
uint64_t rlx_meter_characters(const char *text);
/* Tokens of a text of so many bytes, where the provider told none: four bytes each. */
uint64_t rlx_meter_tokens(size_t bytes);

#endif
