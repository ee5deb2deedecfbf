/* May this user place this call? The limits of the account (store/limits.h) with what the number and the carrier are (library
 * rlx_allowed). Blocking; any thread. */
#ifndef RLX_PROVIDER_ALLOWED_H
#define RLX_PROVIDER_ALLOWED_H

#include "base/config.h"
#include "store/store.h"

/* A carrier on this machine is a simulator: it takes any number. */
bool rlx_carrier_is_simulated(const struct rlx_config *config);

/* `config` is the server's, `user` the one for this user (rlx_user_config). call_id: one that is to be dialed now, NULL: a new
 * one. caller_id as asked for, "" = none. 0, RLX_ELIMIT, RLX_EFORBIDDEN with *codep and *whyp (on ctx), or the store's error. */
int rlx_call_allowed(struct rlx_store *store, TALLOC_CTX *ctx, const struct rlx_config *config,
                     const struct rlx_config *user, const char *user_id, const char *call_id,
                     const char *to, const char *caller_id, int64_t now_ms, const char **codep,
                     char **whyp);

#endif
