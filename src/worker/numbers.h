/* Numbers in a text, in digits or English words. Pure. */
#ifndef RLX_WORKER_NUMBERS_H
#define RLX_WORKER_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#define RLX_NUMBERS_MAX 256

struct rlx_numbers {
    double value[RLX_NUMBERS_MAX];
    size_t count;
};

/* Adds the numbers of rlx_text_plain text: "49", "49.99", "10:30" (10 and 30), "forty nine" (49).
 * With `parts` also the single words of a compound (40 and 9), for texts that others are held
 * against. "one" and "zero" in words count only with `parts`: they are too common to be claims. */
void rlx_numbers_add(struct rlx_numbers *numbers, const char *plain, bool parts);
bool rlx_numbers_has(const struct rlx_numbers *numbers, double value);
/* All digits of plain text in order, spelled ones too ("five five five" → "555"), on ctx. */
char *rlx_digits(TALLOC_CTX *ctx, const char *plain);

#endif
