/* What the OpenAI-compatible clients share, and how the chains' owners make them. Private to
 * provider/. */
#ifndef RLX_PROVIDER_OPENAI_H
#define RLX_PROVIDER_OPENAI_H

#include <jansson.h>
#include <stddef.h>
#include <talloc.h>

#include "provider/chain.h"
#include "provider/embed.h"
#include "provider/llm.h"
#include "provider/stt.h"
#include "provider/tts.h"

/* Base URL as OpenAI's SDKs take it: without a last '/'; "/v1" is added when it has no path. On
 * ctx. */
char *rlx_openai_base(TALLOC_CTX *ctx, const char *url);
/* True when the URL's host is `host`. */
bool rlx_openai_host_is(const char *url, const char *host);
/* The provider's own words from an error body ({error: {message}} and its relatives), else the
 * start of a plain text; NULL when there is nothing to show. On ctx. */
char *rlx_provider_message(TALLOC_CTX *ctx, const char *body, size_t length);

/* The chat request as JSON text on ctx. `stream` and `schema` (JSON text or NULL) exclude each
 * other. RLX_EINVAL when messages, tools or schema are no JSON of the right kind. */
struct rlx_chat {
    const char *model; /* as resolved */
    const char *messages, *tools, *schema;
    double temperature;
    uint32_t max_tokens;
    bool stream;
};
int rlx_chat_body(char **bodyp, TALLOC_CTX *ctx, const struct rlx_chain *chain,
                  const struct rlx_endpoint *endpoint, const struct rlx_chat *chat)
    __attribute__((warn_unused_result));
/* The embeddings request, and its answer: count × dim unit-length floats on ctx; RLX_EPROTO when it
 * is none. */
char *rlx_embed_body(TALLOC_CTX *ctx, const char *model, const char *const *texts, size_t count);
int rlx_embed_parse(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx, const json_t *answer,
                    size_t count) __attribute__((warn_unused_result));

/* Growable bytes with a cap: 0, RLX_ETOOBIG, -ENOMEM. */
struct rlx_bytes {
    uint8_t *data;
    size_t length, room;
};
int rlx_bytes_add(struct rlx_bytes *bytes, TALLOC_CTX *ctx, const void *data, size_t length,
                  size_t max) __attribute__((warn_unused_result));

/* The chain becomes the object's child. */
int rlx_stt_create(struct rlx_stt **sttp, TALLOC_CTX *ctx, struct rlx_chain *chain)
    __attribute__((warn_unused_result));
int rlx_llm_create(struct rlx_llm **llmp, TALLOC_CTX *ctx, struct rlx_chain *chain)
    __attribute__((warn_unused_result));
int rlx_tts_create(struct rlx_tts **ttsp, TALLOC_CTX *ctx, struct rlx_chain *chain)
    __attribute__((warn_unused_result));
int rlx_embed_create(struct rlx_embed **embedp, TALLOC_CTX *ctx, struct rlx_chain *chain)
    __attribute__((warn_unused_result));

#endif
