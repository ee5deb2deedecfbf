/* What usage costs: a table of prices (share/prices.json, built in; RELAYX_PRICES names another). Any thread once made. */
#ifndef RLX_API_PRICES_H
#define RLX_API_PRICES_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

struct rlx_prices;

/* `path` "" = the built-in table. RLX_ECONFIG with *whyp on ctx when the file can't be read or is no table. */
int rlx_prices_create(struct rlx_prices **pricesp, TALLOC_CTX *ctx, const char *path, char **whyp)
    __attribute__((warn_unused_result));

/* Sums of usage (store/usage.h) from a day on: {providers: {name: {requests, stt_seconds, llm_tokens_in, llm_tokens_out,
 * tts_characters, embed_tokens, carrier_minutes, cost, limit?, remaining?}}, total_cost}; units that are 0 are left out. What a
 * user's own key paid for costs nothing here. `limits`: with the monthly limits of the table. */
json_t *rlx_prices_report(const struct rlx_prices *prices, const json_t *sums, const char *from_day,
                          bool limits);
const char *rlx_prices_currency(const struct rlx_prices *prices);

#endif
