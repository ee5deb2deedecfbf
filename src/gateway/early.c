#include "gateway/early.h"

#include <string.h>

#define MAX_BYTES (64u << 10)

/* Each message is its length, then its text. */
struct rlx_early {
    char *bytes;
    size_t length;
};

void rlx_early_keep(struct rlx_early **earlyp, TALLOC_CTX *ctx, const char *text, size_t length)
{
    struct rlx_early *early = *earlyp ? *earlyp : talloc_zero(ctx, struct rlx_early);
    size_t more = sizeof length + length;

    *earlyp = early;
    if (!early || more > MAX_BYTES - early->length)
        return;
    char *grown = talloc_realloc(early, early->bytes, char, (unsigned)(early->length + more));
    if (!grown)
        return;
    early->bytes = grown;
    memcpy(grown + early->length, &length, sizeof length);
    memcpy(grown + early->length + sizeof length, text, length);
    early->length += more;
}

void rlx_early_replay(const struct rlx_early *early, rlx_early_h *each, void *arg)
{
    size_t length;

    for (size_t at = 0; early && at < early->length; at += sizeof length + length) {
        memcpy(&length, early->bytes + at, sizeof length);
        each(early->bytes + at + sizeof length, length, arg);
    }
}
