/* The providers that the configuration names, made once per gateway process. */
#ifndef RLX_PROVIDER_PROVIDERS_H
#define RLX_PROVIDER_PROVIDERS_H

#include <talloc.h>

#include "base/config.h"
#include "provider/embed.h"
#include "provider/llm.h"
#include "provider/meter.h"
#include "provider/net.h"
#include "provider/stt.h"
#include "provider/tts.h"

struct rlx_providers {
    struct rlx_stt *stt; /* each is a chain: it fails over to the next provider before the first result */
    struct rlx_llm *llm;
    struct rlx_tts *tts;
    struct rlx_embed *embed; /* NULL = none */
};

/* Builds the chains from STT_PROVIDERS, LLM_PROVIDERS, TTS_PROVIDERS, EMBED_PROVIDERS (unset: what the keys allow, then
 * local). Free them, and with them all jobs, before rlx_net_close. RLX_ECONFIG with *whyp on ctx when a stage has no provider or a name is unknown. */
int rlx_providers_create(struct rlx_providers **providersp, TALLOC_CTX *ctx, struct rlx_net *net,
                         const struct rlx_config *config, char **whyp)
    __attribute__((warn_unused_result));
/* The language models alone, for a loop of one's own (a text chat). A talloc child of ctx; the same order of freeing. */
int rlx_llm_open(struct rlx_llm **llmp, TALLOC_CTX *ctx, struct rlx_net *net,
                 const struct rlx_config *config, char **whyp) __attribute__((warn_unused_result));
/* Opens connections to all. */
void rlx_providers_warm(struct rlx_providers *providers);

/* Blocking chat completion for the worker: the whole answer text on ctx. `schema` is a JSON schema text or NULL
 * (response_format json_schema). Tries the chain in order. */
int rlx_llm_blocking(char **textp, TALLOC_CTX *ctx, const struct rlx_config *config,
                     const char *model, const char *messages, const char *schema,
                     uint32_t max_tokens, long timeout_ms, char **whyp)
    __attribute__((warn_unused_result));
/* The same, and what it costs is counted on the meter (may be NULL). */
int rlx_llm_blocking_metered(struct rlx_meter *meter, char **textp, TALLOC_CTX *ctx,
                             const struct rlx_config *config, const char *model,
                             const char *messages, const char *schema, uint32_t max_tokens,
                             long timeout_ms, char **whyp) __attribute__((warn_unused_result));

#endif
