/* What the files answers_read*.c share; nobody else includes it. */
#ifndef RLX_CALL_ANSWERS_READ_PRIVATE_H
#define RLX_CALL_ANSWERS_READ_PRIVATE_H

#include "call/answers_read.h"
#include "call/words.h"

/* Words that a question begins with, as rlx_word_in takes them. */
extern const char *const rlx_question_starts;

/* ---- answers_read_marks.c ---- */
/* The number that a word says ("seven", "40"), or -1. */
double rlx_word_number(const char *word);
/* Number words next to each other are one number: "seventy nine", "three hundred". */
void rlx_reading_numbers(struct rlx_reading *r, TALLOC_CTX *ctx, const struct rlx_words *w);
unsigned rlx_reading_marks(const struct rlx_words *w);
unsigned rlx_reading_asks(const struct rlx_words *w);

/* ---- answers_read_form.c ---- */
/* "it", "that", "this" that point back. */
bool rlx_words_point_back(const struct rlx_words *w);
/* "And on weekends?"; `content`: content words and numbers in it. */
bool rlx_words_follow_up(const struct rlx_words *w, unsigned content);
/* A clause without a question blames. */
bool rlx_text_accuses(TALLOC_CTX *ctx, const char *text);
unsigned rlx_text_questions(TALLOC_CTX *ctx, const char *text);
bool rlx_words_hostile(const struct rlx_words *w);

#endif
