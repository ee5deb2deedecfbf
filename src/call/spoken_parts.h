/* The parts of the normaliser: a speaker collects words and marks, readers each know one kind of
 * written token.
 *
 * A reader looks at the input at `at`; it returns the bytes that it has spoken, or 0 when the token
 * is not of its kind (then it has emitted nothing). Pure; one thread per speaker.
 */
#ifndef RLX_CALL_SPOKEN_PARTS_H
#define RLX_CALL_SPOKEN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call/spoken.h"

#define RLX_SPEAK_BUFFER 256

struct rlx_speaker {
    const char *in; /* NUL-terminated, length bytes */
    size_t length;
    struct rlx_spoken *out;
    size_t text_length, text_size, word_size;
    char pending; /* a mark that is set only if another word follows, or 0 */
    bool full;    /* a cap was reached or memory failed: nothing more is added */
    bool failed;  /* memory failed */
};

/* Adds the words of `phrase` (letters and apostrophes; a comma after a word makes a pause), all
 * from in[from, from + length). */
void rlx_speaker_say(struct rlx_speaker *s, const char *phrase, size_t from, size_t length);
/* Adds a mark (, . ? !) after the last word; the stronger of two marks stays. */
void rlx_speaker_mark(struct rlx_speaker *s, char mark);
/* The same, but only if another word follows. */
void rlx_speaker_pause(struct rlx_speaker *s, char mark);

/* --- numbers as words: into `out` of RLX_SPEAK_BUFFER bytes, appended --- */
void rlx_words_cardinal(char *out, uint64_t n);
void rlx_words_ordinal(char *out, uint64_t n);
/* 1999 → nineteen ninety nine, 2005 → two thousand five, 2024 → twenty twenty four. */
void rlx_words_year(char *out, unsigned year);
/* As rooms and houses are said: 204 → two oh four, 1200 → twelve hundred. */
void rlx_words_room(char *out, unsigned n);
/* Digit by digit; what is no digit is left out. */
void rlx_words_digits(char *out, const char *digits, size_t length);
/* Letters apart and digits one by one: "AB12" → A B one two. */
void rlx_words_spelled(char *out, const char *text, size_t length);
/* Appends with a blank between. */
void rlx_words_add(char *out, const char *words);

/* --- looking at the input --- */
/* Character at i, '\0' beyond the ends. */
char rlx_in(const struct rlx_speaker *s, size_t i);
bool rlx_in_digit(const struct rlx_speaker *s, size_t i);
bool rlx_in_letter(const struct rlx_speaker *s, size_t i);
/* Digits in a row from i. */
size_t rlx_in_digits(const struct rlx_speaker *s, size_t i);
/* ASCII letters in a row from i. */
size_t rlx_in_letters(const struct rlx_speaker *s, size_t i);
/* Bytes of a dash (hyphen, minus, en or em dash) at i, or 0. */
size_t rlx_in_dash(const struct rlx_speaker *s, size_t i);
/* Whether the text at i is `text`, ASCII case ignored. */
bool rlx_in_is(const struct rlx_speaker *s, size_t i, const char *text);
/* The number that `count` digits at i make. */
uint64_t rlx_in_value(const struct rlx_speaker *s, size_t i, size_t count);
/* The word before i (lower case, ASCII letters), "" when none; blanks and one of ". : #" are
 * stepped over. */
void rlx_in_word_before(const struct rlx_speaker *s, size_t i, char word[24]);
/* The run of letters at i in lower case. Returns its length, 0 when it is too long for `word`. */
size_t rlx_in_word_at(const struct rlx_speaker *s, size_t i, char word[24]);
/* After an abbreviation's full stop that ends at i: a sentence ends there too (end of text, or a
 * capital follows). */
bool rlx_in_sentence_end(const struct rlx_speaker *s, size_t i);

/* --- readers --- */
size_t rlx_speak_markup(struct rlx_speaker *s, size_t at); /* markdown, HTML, lists */
size_t rlx_speak_web(struct rlx_speaker *s, size_t at);    /* URL, e-mail */
size_t rlx_speak_phone(struct rlx_speaker *s, size_t at);
size_t rlx_speak_date(struct rlx_speaker *s, size_t at);
size_t rlx_speak_time(struct rlx_speaker *s, size_t at);
size_t rlx_speak_money(struct rlx_speaker *s, size_t at);
size_t rlx_speak_number(struct rlx_speaker *s, size_t at);
size_t rlx_speak_abbreviation(struct rlx_speaker *s, size_t at);
size_t rlx_speak_word(struct rlx_speaker *s, size_t at);
size_t rlx_speak_symbol(struct rlx_speaker *s, size_t at); /* always > 0 */

/* --- shared between readers --- */
/* Month 1–12 by its name or abbreviation at i, bytes (with a full stop) into *lengthp; 0 when none.
 */
unsigned rlx_month_at(const struct rlx_speaker *s, size_t i, size_t *lengthp);
const char *rlx_month_name(unsigned month);
/* "a m" or "p m" at i after optional blanks; *lengthp includes the blanks. NULL when none. */
const char *rlx_meridiem_at(const struct rlx_speaker *s, size_t i, size_t *lengthp);
/* A unit at i, right after a number: its spoken form. NULL when none. */
const char *rlx_unit_at(const struct rlx_speaker *s, size_t i, bool one, size_t *lengthp);
/* Whether the number at `at`, whose last byte is before `end`, describes a noun: "a $50 deposit",
 * "$5-off". */
bool rlx_is_describing(const struct rlx_speaker *s, size_t at, size_t end);
/* "/month" at i: speaks "per month". Bytes taken or 0. */
size_t rlx_speak_per(struct rlx_speaker *s, size_t i);

/* A written number: digits with groups, a fraction. */
struct rlx_quantity {
    uint64_t whole;
    size_t length;      /* bytes */
    size_t digits;      /* of the whole part, without commas */
    size_t fraction_at; /* of the digits after the point */
    size_t fraction;    /* how many */
    bool grouped, leading_zero;
};
bool rlx_quantity_at(const struct rlx_speaker *s, size_t i, struct rlx_quantity *q);
/* "one thousand two hundred point five". */
void rlx_words_quantity(const struct rlx_speaker *s, char *out, const struct rlx_quantity *q);
/* A range mark at i ("-", " – ", " to "): bytes, when a digit or currency sign follows; else 0. */
size_t rlx_range_at(const struct rlx_speaker *s, size_t i);

#endif
