/* Whatever a model writes: the normaliser lets only letters, apostrophes and marks through and
 * keeps its spans in order. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "call/spoken.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    char *text = talloc_strndup(ctx, (const char *)data, size);
    struct rlx_spoken *s;
    if (!text || rlx_spoken_make(&s, ctx, text))
        abort();
    for (const unsigned char *at = (const unsigned char *)s->text; *at; at++) {
        if (*at < 0x80 && !isalpha(*at) && !strchr("' ,.?!", *at))
            abort();
    }
    size_t length = strlen(text);
    for (size_t i = 0; i < s->word_count; i++) {
        const struct rlx_spoken_word *w = &s->words[i];
        if ((size_t)w->original_at + w->original_length > length ||
            (i > 0 && w->original_at < w[-1].original_at))
            abort();
    }
    if (!rlx_spoken_heard(ctx, s, text, (uint32_t)size / 2, (uint32_t)size + 1, NULL))
        abort();
    talloc_free(ctx);
    return 0;
}
