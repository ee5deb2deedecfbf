/* Written text to spoken text (English): no digit, symbol, markdown or URL reaches the voice. Pure; any thread.
 *
 * Money, times, dates, phone numbers (in groups), decimals, percentages, ordinals, ranges, units, e-mails ("at", "dot"), URLs,
 * abbreviations, markdown, emoji, lists. Every word of the result keeps the span of the original text that it came from, so
 * that a cut in the audio can be mapped back.
 */
#ifndef RLX_CALL_SPOKEN_H
#define RLX_CALL_SPOKEN_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_spoken_word {
    uint16_t text_at, text_length;       /* in .text */
    uint16_t original_at, original_length; /* in the original */
};

struct rlx_spoken {
    char *text;
    struct rlx_spoken_word *words;
    size_t word_count;
};

/* *spokenp on ctx; .text may be "" when nothing can be said. At most 4000 bytes of input are read. -ENOMEM. */
int rlx_spoken_make(struct rlx_spoken **spokenp, TALLOC_CTX *ctx, const char *original)
    __attribute__((warn_unused_result));

/* The original text up to the last word of which at least half was heard, when heard_ms of total_ms of the piece's audio were
 * heard (shares by characters). On ctx, "" when no word was. *wordsp (optional) = how many. */
char *rlx_spoken_heard(TALLOC_CTX *ctx, const struct rlx_spoken *spoken, const char *original,
                       uint32_t heard_ms, uint32_t total_ms, unsigned *wordsp);

#endif
