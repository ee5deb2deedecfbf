/* Counts failed logins per account and address: after a few, further ones wait. In memory, bounded,
 * per process. Any thread. */
#ifndef RLX_API_THROTTLE_H
#define RLX_API_THROTTLE_H

#include <netinet/in.h>
#include <stdint.h>
#include <talloc.h>

/* Failures allowed within the window, per account and address, and per address or account alone. */
#define RLX_THROTTLE_ACCOUNT 5
#define RLX_THROTTLE_ADDRESS 50
#define RLX_THROTTLE_ANYWHERE 100 /* of an account, from all addresses together */
#define RLX_THROTTLE_WINDOW_MS 900000ULL /* 15 minutes */

struct rlx_throttle;

/* An IPv6 address stands for its /64: whoever has one address there has them all. `text` holds the result then; any
 * other text comes back as it is. */
const char *rlx_network_of(char text[INET6_ADDRSTRLEN], const char *address);

int rlx_throttle_create(struct rlx_throttle **throttlep, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));
/* Seconds to wait before a login may be tried, 0 = now. */
unsigned rlx_throttle_wait_s(struct rlx_throttle *throttle, const char *account,
                             const char *address, uint64_t now_ms);
void rlx_throttle_failed(struct rlx_throttle *throttle, const char *account, const char *address,
                         uint64_t now_ms);
/* Both in one step, so that attempts at the same moment can't all slip through: counts an attempt as failed unless it must wait
 * (the result, in seconds). Then exactly one of: nothing (it has failed), rlx_throttle_passed, rlx_throttle_undo. */
unsigned rlx_throttle_try_s(struct rlx_throttle *throttle, const char *account, const char *address,
                            uint64_t now_ms);
/* The attempt was neither: the database was away. */
void rlx_throttle_undo(struct rlx_throttle *throttle, const char *account, const char *address);
/* A good login forgets the account's failures from this address. */
void rlx_throttle_passed(struct rlx_throttle *throttle, const char *account, const char *address);

#endif
