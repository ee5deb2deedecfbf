/* Rate limits: each class of operations has a number of requests a minute, for each user (each address where there is
 * no user). Unused requests gather for one minute at most (a token bucket). An IPv6
 * address counts as its /64. In memory, bounded, per process. Any thread.
 *
 * RATE_LIMITS raises or lowers single numbers: "read=2400,auth=120". No limit can be switched off. */
#ifndef RLX_API_LIMITS_H
#define RLX_API_LIMITS_H

#include <stdint.h>
#include <talloc.h>

#include "api/dispatch.h"

/* Requests a minute: class, name in RATE_LIMITS, number. */
#define RLX_LIMIT_TABLE(X)                                                                         \
    X(READ, "read", 1200)                                                                          \
    X(WRITE, "write", 300)                                                                         \
    X(AUTH, "auth", 60)                                                                            \
    X(HEAVY, "heavy", 60)                                                                          \
    X(ADDRESS, "address", 6000)

struct rlx_limits;

/* RLX_ECONFIG with *whyp on ctx when the setting can't be read. */
int rlx_limits_create(struct rlx_limits **limitsp, TALLOC_CTX *ctx, const char *setting,
                      char **whyp) __attribute__((warn_unused_result));
/* Takes one request of `who`; 0 = allowed, else the seconds to wait. */
unsigned rlx_limits_take(struct rlx_limits *limits, enum rlx_rate rate, const char *who,
                         uint64_t now_ms);
/* Requests a minute of a class. */
unsigned rlx_limits_of(const struct rlx_limits *limits, enum rlx_rate rate);

#endif
