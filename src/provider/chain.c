#include "provider/chain.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"

#define SKIP_MS 10000u

static bool usable(const struct rlx_endpoint *e, uint64_t now_ms)
{
    return !e->failed || (now_ms >= e->retry_at_ms && !e->probing);
}

struct rlx_endpoint *rlx_walk_next(struct rlx_walk *walk, struct rlx_chain *chain, uint64_t now_ms)
{
    struct rlx_endpoint *found = NULL;
    size_t at = 0;

    for (int desperate = 0; desperate < 2 && !found; desperate++) {
        for (size_t i = 0; i < chain->count && !found; i++) {
            if (!(walk->tried & 1u << i) && (desperate || usable(&chain->items[i], now_ms))) {
                found = &chain->items[i];
                at = i;
            }
        }
    }
    walk->current = found;
    if (!found)
        return NULL;
    walk->tried |= 1u << at;
    found->probing = found->failed;
    return found;
}

static bool is_ill(int err, long status)
{
    return err != RLX_EEMPTY && status != 400 && status != 413 && status != 422;
}

void rlx_walk_failed(struct rlx_walk *walk, TALLOC_CTX *ctx, int err, long status, const char *why,
                     uint64_t now_ms)
{
    struct rlx_endpoint *e = walk->current;
    if (!e)
        return;
    walk->current = NULL;
    e->probing = false;
    if (is_ill(err, status)) {
        e->failed = true;
        e->retry_at_ms = now_ms + SKIP_MS;
    }
    rlx_log(RLX_WARN, "provider.failed", "provider=%s code=%s why=%s", e->name, rlx_err_code(err),
            why);
    char *longer = walk->why ? talloc_asprintf(ctx, "%s; %s: %s", walk->why, e->name, why)
                             : talloc_asprintf(ctx, "%s: %s", e->name, why);
    if (longer) {
        talloc_free(walk->why);
        walk->why = longer;
    }
}

void rlx_walk_succeeded(struct rlx_walk *walk)
{
    if (!walk->current)
        return;
    walk->current->failed = false;
    walk->current->probing = false;
    walk->current = NULL;
}

void rlx_walk_dropped(struct rlx_walk *walk)
{
    if (walk->current)
        walk->current->probing = false;
    walk->current = NULL;
}

bool rlx_chain_is_low(const struct rlx_chain *chain, uint64_t now_ms)
{
    for (size_t i = 0; i < chain->count; i++)
        if (!chain->items[i].failed || i + 1 == chain->count)
            return now_ms < chain->items[i].hints.low_until_ms;
    return false;
}

void rlx_chain_warm(struct rlx_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        rlx_net_warm(chain->net, chain->items[i].warm_url, chain->items[i].key);
}
