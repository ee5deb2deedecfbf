/* The store: verbs on aggregates, SQL nowhere else. All calls block and may be made from any thread
 * (a bounded pool of connections inside); never from a gateway's loop. Every verb that takes a
 * user_id sees only that user's rows and answers RLX_ENOTFOUND for another's. Reads for the API
 * return JSON text made by the database, ready to be sent.
 *
 * All return 0, RLX_ENOTFOUND, RLX_ECONFLICT, RLX_EINVAL, RLX_ESTORE (away: try again), or -ENOMEM.
 * Text results are on ctx.
 */
#ifndef RLX_STORE_STORE_H
#define RLX_STORE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

struct rlx_store;

/* Opens by URL ("sqlite:PATH"). *whyp on ctx says what is wrong and how to mend it. */
int rlx_store_open(struct rlx_store **storep, TALLOC_CTX *ctx, const char *url, char **whyp)
    __attribute__((warn_unused_result));
/* Applies the migrations that are missing (numbered, checksummed, each in its transaction).
 * *appliedp = how many; *whyp lives on the store. */
int rlx_store_migrate(struct rlx_store *store, int *appliedp, char **whyp)
    __attribute__((warn_unused_result));
/* Opens what DATABASE_URL says (default: relayx.db in the data directory) and applies missing
 * migrations: what every role does at its start. SUPABASE_URL alone is RLX_ECONFIG with an
 * explanation. */
int rlx_store_start(struct rlx_store **storep, TALLOC_CTX *ctx, const struct rlx_config *config,
                    char **whyp) __attribute__((warn_unused_result));
/* The pool: connections that are open and in use, and threads that wait for one. */
void rlx_store_pool(struct rlx_store *store, unsigned *openp, unsigned *usedp, unsigned *waitingp);
/* A trivial query: 0 when the database answers. */
int rlx_store_ping(struct rlx_store *store);

#endif
