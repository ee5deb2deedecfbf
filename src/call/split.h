/* Cuts a model's streamed text into pieces for speech (the rules of "what is said" in docs/internals/conversation.md).
 *
 * The first piece is the first clause of >= 4 words or 25 characters, else the sentence; later pieces are whole sentences of at
 * most 200 characters; never split inside decimals, money, times, "a.m.", "Dr.", initials, e-mails, numbered lists. Text that
 * begins with { [ < or a code fence is held until it is proven prose (or dropped at the end). Pure; one thread.
 */
#ifndef RLX_CALL_SPLIT_H
#define RLX_CALL_SPLIT_H

#include <stdbool.h>
#include <talloc.h>

struct rlx_split;

int rlx_split_create(struct rlx_split **splitp, TALLOC_CTX *ctx) __attribute__((warn_unused_result));
/* More text from the model. Cap 8 KB a turn: more is dropped. */
void rlx_split_feed(struct rlx_split *split, const char *text);
/* The model has finished: the rest may be taken. */
void rlx_split_end(struct rlx_split *split);
/* The next piece (original text, trimmed, on ctx), or NULL when none is complete yet. `stalled` true: the model has been quiet
 * for 400 ms: a tail may be taken too, only at a clause end. */
char *rlx_split_next(struct rlx_split *split, TALLOC_CTX *ctx, bool stalled);
/* Words taken so far (a spoken turn is at most 60 words: the conversation stops taking then, at a sentence end). */
unsigned rlx_split_words(const struct rlx_split *split);

#endif
