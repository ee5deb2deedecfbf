/* The providers of one stage in their order, and who is tried next. One thread (the loop's, or a
 * blocking caller's own).
 *
 * A provider that failed is skipped for ten seconds; then one request probes it (half-open) while
 * others still pass it by. When nothing else is left, skipped ones are tried all the same: an
 * attempt is better than none.
 */
#ifndef RLX_PROVIDER_CHAIN_H
#define RLX_PROVIDER_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"
#include "provider/models.h"
#include "provider/net.h"

enum rlx_stage { RLX_STAGE_STT, RLX_STAGE_LLM, RLX_STAGE_TTS, RLX_STAGE_EMBED };

struct rlx_endpoint {
    const char *name;     /* "openai", "groq", "local" */
    const char *base_url; /* without a last '/' */
    const char *key;      /* NULL = none */
    const char *model, *voice;
    const char *warm_url; /* cheap to GET */
    bool local;           /* our own servers: their extensions may be used */
    bool official;        /* the vendor's own service, not a compatible one */
    bool failed, probing;
    struct rlx_net_hints hints; /* how busy it is */
    uint64_t retry_at_ms;
};

struct rlx_chain {
    struct rlx_net *net; /* NULL for blocking use */
    struct rlx_models *models;
    struct rlx_endpoint *items;
    size_t count;
    char *name; /* "groq,local" */
};

/* Builds a stage's chain from the configuration; RLX_ECONFIG with *whyp on ctx. An embedding chain
 * that is "none" is empty. */
int rlx_chain_create(struct rlx_chain **chainp, TALLOC_CTX *ctx, struct rlx_net *net,
                     const struct rlx_config *config, enum rlx_stage stage, char **whyp)
    __attribute__((warn_unused_result));

/* One job's way down the chain. Zeroed to begin with. */
struct rlx_walk {
    uint32_t tried; /* bits */
    struct rlx_endpoint *current;
    char *why; /* the failures so far, in one sentence, on the context given to rlx_walk_failed */
};

/* The next provider to try (also in walk->current), NULL when all have been. */
struct rlx_endpoint *rlx_walk_next(struct rlx_walk *walk, struct rlx_chain *chain, uint64_t now_ms);
/* How the current attempt ended. `http_status` 0 = none; a request that the provider found wrong
 * (400, 413, 422) and an empty answer are no sign that the provider is ill. */
void rlx_walk_failed(struct rlx_walk *walk, TALLOC_CTX *ctx, int err, long http_status,
                     const char *why, uint64_t now_ms);
void rlx_walk_succeeded(struct rlx_walk *walk);
/* It was cancelled: nothing is known. */
void rlx_walk_dropped(struct rlx_walk *walk);

/* The provider that would be asked now has little left of its rate limit. */
bool rlx_chain_is_low(const struct rlx_chain *chain, uint64_t now_ms);
/* Fetches every provider's warm_url. */
void rlx_chain_warm(struct rlx_chain *chain);

#endif
