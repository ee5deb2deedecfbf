/* The words of a text that a search looks for. Pure; any thread. */
#ifndef RLX_STORE_SEARCH_WORDS_H
#define RLX_STORE_SEARCH_WORDS_H

#include <stdbool.h>
#include <talloc.h>

#define RLX_SEARCH_WORD 64  /* bytes of a word; what is longer is cut */
#define RLX_SEARCH_WORDS 12 /* of a question; more make a search slow and no better */

/* The next word at *textp in lower case (ASCII), without what stands behind an apostrophe ("what's" → what); false at the end. */
bool rlx_search_next(const char **textp, char word[RLX_SEARCH_WORD + 1]);
/* False for words that stand in every text and every question (the, is, what …) and single letters. */
bool rlx_search_counts(const char *word);
/* The words of `text` that count, each once, at most RLX_SEARCH_WORDS, in `quote` marks with `between` between them; on ctx, NULL when
 * there are none. */
char *rlx_search_words(TALLOC_CTX *ctx, const char *text, const char *quote, const char *between);

#endif
