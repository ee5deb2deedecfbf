#include "knowledge/embed.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "call/phrases.h"
#include "provider/chain.h"
#include "provider/embed.h"

#define TEXT_BYTES                                                                                 \
    1600 /* a chunk of English text and its title: some 350 tokens of a model that takes 512 */
#define SHORT_BYTES 500 /* when even that was too much */

static size_t clip(const char *text, size_t most)
{
    size_t n = strlen(text);

    if (n <= most)
        return n;
    for (n = most; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80; n--)
        ;
    return n;
}

int rlx_knowledge_texts(const char ***textsp, size_t *countp, TALLOC_CTX *ctx, const char *title,
                        const json_t *questions, char *const *chunks, size_t chunk_count)
{
    size_t asked = json_array_size(questions), count = asked ? asked : chunk_count;

    if (!textsp || !countp || !title)
        return -EINVAL;
    const char **texts = talloc_zero_size(ctx, (count + 1) * sizeof *texts);
    if (!texts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *question = json_string_value(json_array_get(questions, i));
        texts[i] = asked ? rlx_text_bare(texts, question ? question : "")
                         : talloc_asprintf(texts, "%s. %.*s", title,
                                           (int)clip(chunks[i], TEXT_BYTES), chunks[i]);
        if (!texts[i]) {
            talloc_free(texts);
            return -ENOMEM;
        }
    }
    *textsp = texts;
    *countp = count;
    return 0;
}

static int one_by_one(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx,
                      const struct rlx_config *config, const char *const *texts, size_t count,
                      long timeout_ms)
{
    float *all = NULL;
    int err = 0;

    for (size_t i = 0; i < count && !err; i++) {
        float *one = NULL;
        size_t dim = 0;
        char *shorter = talloc_strndup(ctx, texts[i], clip(texts[i], SHORT_BYTES));
        const char *const list[] = {shorter};
        err = shorter ? rlx_embed_blocking(&one, &dim, ctx, config, list, 1, timeout_ms) : -ENOMEM;
        if (!err && !all && !(all = talloc_array(ctx, float, (unsigned)(count * dim))))
            err = -ENOMEM;
        if (!err && i && dim != *dimp)
            err = RLX_EPROTO;
        if (!err) {
            memcpy(all + i * dim, one, dim * sizeof *one);
            *dimp = dim;
        }
        talloc_free(one);
        talloc_free(shorter);
    }
    *vectorsp = all;
    return err;
}

int rlx_knowledge_vectors(float **vectorsp, size_t *dimp, TALLOC_CTX *ctx,
                          const struct rlx_config *config, const char *const *texts, size_t count,
                          long timeout_ms)
{
    float *all = NULL;
    size_t dim = 0;
    int err = 0;

    if (!vectorsp || !dimp || !texts || !count)
        return -EINVAL;
    for (size_t at = 0; at < count && !err; at += RLX_EMBED_BATCH) {
        size_t n = count - at < RLX_EMBED_BATCH ? count - at : RLX_EMBED_BATCH, got = 0;
        float *batch = NULL;
        err = rlx_embed_blocking(&batch, &got, ctx, config, texts + at, n, timeout_ms);
        if (err == RLX_EPROVIDER)
            err = one_by_one(&batch, &got, ctx, config, texts + at, n, timeout_ms);
        if (!err && !all && !(all = talloc_size(ctx, count * got * sizeof *all)))
            err = -ENOMEM;
        if (!err && at && got != dim)
            err = RLX_EPROTO;
        dim = got;
        if (!err)
            memcpy(all + at * dim, batch, n * dim * sizeof *all);
        talloc_free(batch);
    }
    if (err) {
        talloc_free(all);
        return err;
    }
    *vectorsp = all;
    *dimp = dim;
    return 0;
}

bool rlx_knowledge_can_embed(const struct rlx_config *config)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    struct rlx_chain *chain = NULL;
    char *why = NULL;
    bool can =
        !rlx_chain_create(&chain, tmp, NULL, config, RLX_STAGE_EMBED, &why) && chain->count > 0;

    talloc_free(tmp);
    return can;
}
