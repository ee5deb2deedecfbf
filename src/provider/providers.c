#include "provider/providers.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"
#include "provider/openai.h"

static int make(struct rlx_providers *p, struct rlx_net *net, const struct rlx_config *config,
                TALLOC_CTX *ctx, char **whyp)
{
    struct rlx_chain *chain;
    int err = rlx_chain_create(&chain, p, net, config, RLX_STAGE_STT, whyp);
    if (!err)
        err = rlx_stt_create(&p->stt, p, chain);
    if (!err)
        err = rlx_chain_create(&chain, p, net, config, RLX_STAGE_LLM, whyp);
    if (!err)
        err = rlx_llm_create(&p->llm, p, chain);
    if (!err)
        err = rlx_chain_create(&chain, p, net, config, RLX_STAGE_TTS, whyp);
    if (!err)
        err = rlx_tts_create(&p->tts, p, chain);
    if (!err)
        err = rlx_chain_create(&chain, p, net, config, RLX_STAGE_EMBED, whyp);
    if (!err && chain->count)
        err = rlx_embed_create(&p->embed, p, chain);
    if (whyp && *whyp)
        talloc_steal(ctx, *whyp);
    return err;
}

int rlx_providers_create(struct rlx_providers **providersp, TALLOC_CTX *ctx, struct rlx_net *net,
                         const struct rlx_config *config, char **whyp)
{
    if (!providersp || !net || !config)
        return -EINVAL;
    if (whyp)
        *whyp = NULL;
    struct rlx_providers *p = talloc_zero(ctx, struct rlx_providers);
    int err = p ? make(p, net, config, ctx, whyp) : -ENOMEM;
    if (err) {
        talloc_free(p);
        return err;
    }
    rlx_log(RLX_INFO, "providers.ready", "stt=%s llm=%s tts=%s embed=%s", rlx_stt_name(p->stt),
            rlx_llm_name(p->llm), rlx_tts_name(p->tts), p->embed ? "yes" : "none");
    *providersp = p;
    return 0;
}

int rlx_llm_open(struct rlx_llm **llmp, TALLOC_CTX *ctx, struct rlx_net *net,
                 const struct rlx_config *config, char **whyp)
{
    struct rlx_chain *chain = NULL;
    char *why = NULL;

    if (!llmp || !net || !config)
        return -EINVAL;
    int err = rlx_chain_create(&chain, ctx, net, config, RLX_STAGE_LLM, &why);
    if (!err)
        err = rlx_llm_create(llmp, ctx, chain);
    if (whyp)
        *whyp = why;
    return err;
}

void rlx_providers_warm(struct rlx_providers *p)
{
    rlx_stt_warm(p->stt);
    rlx_llm_warm(p->llm, NULL, NULL);
    rlx_tts_warm(p->tts);
    if (p->embed)
        rlx_embed_warm(p->embed);
}
