/* Counts failed logins per account and address: after a few, further ones wait. In memory, bounded,
 * per process. Any thread. */
#ifndef RLX_API_THROTTLE_H
#define RLX_API_THROTTLE_H

#include <stdint.h>
#include <talloc.h>

/* Failures allowed within the window, per account and address, and per address alone. */
#define RLX_THROTTLE_ACCOUNT 5
#define RLX_THROTTLE_ADDRESS 50
#define RLX_THROTTLE_WINDOW_MS 900000ULL /* 15 minutes */

struct rlx_throttle;

int rlx_throttle_create(struct rlx_throttle **throttlep, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));
/* Seconds to wait before a login may be tried, 0 = now. */
unsigned rlx_throttle_wait_s(struct rlx_throttle *throttle, const char *account,
                             const char *address, uint64_t now_ms);
void rlx_throttle_failed(struct rlx_throttle *throttle, const char *account, const char *address,
                         uint64_t now_ms);
/* A good login forgets the account's failures from this address. */
void rlx_throttle_passed(struct rlx_throttle *throttle, const char *account, const char *address);

#endif
