/* Words of an utterance and small patterns over them: what phrases*.c and answers*.c share. Pure;
 * any thread. */
#ifndef RLX_CALL_WORDS_H
#define RLX_CALL_WORDS_H

#include <stdbool.h>
#include <talloc.h>

#define RLX_WORDS_MAX 128

struct rlx_words {
    const char *word[RLX_WORDS_MAX];
    unsigned count;
};

/* Splits rlx_text_plain(text) into at most RLX_WORDS_MAX words, which live on ctx. With `expand`,
 * contractions are written out
 * ("don't" → do not, "who's" → who is, "gonna" → going to), so that a pattern needs one form only.
 * -ENOMEM. */
int rlx_words_make(struct rlx_words *words, TALLOC_CTX *ctx, const char *text, bool expand)
    __attribute__((warn_unused_result));

/* Number of words that `pattern` takes at position `at`, or 0. A pattern is a list of terms with
 * spaces between; a term is alternatives with '|' between, '*' for any word, and an optional term
 * begins with '?'. No backtracking. */
unsigned rlx_words_match(const struct rlx_words *words, unsigned at, const char *pattern);

/* The longest match among a NULL-terminated list of patterns at `at`, or 0. */
unsigned rlx_words_match_any(const struct rlx_words *words, unsigned at,
                             const char *const *patterns);

/* The first place at or after `from` where one of the patterns matches; *lengthp (optional) = words
 * taken. -1 when none does. */
int rlx_words_find(const struct rlx_words *words, unsigned from, const char *const *patterns,
                   unsigned *lengthp);

/* Whether `word` stands in a '|'-separated list. */
bool rlx_word_in(const char *word, const char *list);

#endif
