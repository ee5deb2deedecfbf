/* Repeatable randomness for the simulated line (splitmix64, public domain). One thread per state.
 */
#ifndef RLX_PHONE_RNG_H
#define RLX_PHONE_RNG_H

#include <stdint.h>

struct rlx_rng {
    uint64_t state;
};

static inline uint64_t rlx_rng_next(struct rlx_rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number from `least` to `most`, both included. */
static inline uint32_t rlx_rng_range(struct rlx_rng *rng, uint32_t least, uint32_t most)
{
    return least + (uint32_t)(rlx_rng_next(rng) % ((uint64_t)most - least + 1));
}

/* True with the given probability in percent (may have decimals). */
static inline int rlx_rng_chance(struct rlx_rng *rng, double percent)
{
    return (double)(rlx_rng_next(rng) >> 11) / 9007199254740992.0 * 100.0 < percent;
}

#endif
