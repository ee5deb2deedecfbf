/* Live events: one reader of the database a process, which hands what it reads to all event streams.
 *
 * Events are kept in a ring; a stream that is older than the ring, or has just begun, reads what it lacks from the database. Any
 * thread. */
#ifndef RLX_API_HUB_H
#define RLX_API_HUB_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "store/store.h"

struct rlx_hub;

/* A talloc child of ctx. Its thread sleeps while nobody listens. The store must outlive it. */
int rlx_hub_create(struct rlx_hub **hubp, TALLOC_CTX *ctx, struct rlx_store *store)
    __attribute__((warn_unused_result));

struct rlx_hub_reader {
    struct rlx_hub *hub;
    char user_id[37];
    char call_id[37]; /* "" = all calls of the user */
    char kinds[128];  /* ",status,analysis," = these alone; "" = all */
    int64_t last_id;  /* events behind this one are given */
    bool analysed;    /* an event "analysis" was given: set by the hub, cleared by the reader */
};
/* Begins to listen: behind last_id when it is not negative, else from now on. RLX_ESTORE. Then rlx_hub_leave. */
int rlx_hub_join(struct rlx_hub *hub, struct rlx_hub_reader *reader)
    __attribute__((warn_unused_result));
void rlx_hub_leave(struct rlx_hub_reader *reader);
/* The next events as text of an event stream, on ctx; NULL when none came within wait_ms. */
char *rlx_hub_next(struct rlx_hub_reader *reader, TALLOC_CTX *ctx, unsigned wait_ms);

#endif
