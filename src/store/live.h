/* The live events of all calls, for one reader a process that hands them on. See store.h for results and threads. */
#ifndef RLX_STORE_LIVE_H
#define RLX_STORE_LIVE_H

#include "store/store.h"

struct rlx_live_event {
    int64_t id; /* rises */
    const char *user_id, *call_id, *agent_id; /* agent_id may be NULL */
    const char *kind, *data, *at; /* data: a JSON object's text */
};
/* Called in the order of ids. Anything but 0 ends the reading and becomes its result. */
typedef int rlx_live_h(const struct rlx_live_event *event, void *arg);

/* The newest event's id, 0 = none. */
int rlx_live_last(struct rlx_store *store, int64_t *idp);
/* Events behind `after`, of everybody, `limit` at most. */
int rlx_live_read(struct rlx_store *store, int64_t after, int limit, rlx_live_h *each, void *arg);
/* Those of a user, or of a call (call_id not NULL), up to and with `until`. */
int rlx_live_read_of(struct rlx_store *store, const char *user_id, const char *call_id,
                     int64_t after, int64_t until, int limit, rlx_live_h *each, void *arg);

#endif
