/* Values that a callee gave and that must be right before a tool uses them: which they are, how they are read back, and what
 * counts as a "yes" to them. Decisions on text alone. English. Pure; any thread. */
#ifndef RLX_CALL_READBACK_H
#define RLX_CALL_READBACK_H

#include <stdbool.h>
#include <talloc.h>

/* Whether the value of a tool's argument is read back first: by the argument's name (phone, e-mail, date, day, time, name,
 * address, …) or, whatever the name, by its shape (an '@', four digits or more, a date, a time of day, a weekday). Not: nothing
 * at all, values of more than 200 bytes, identifiers and links of the machine, time zones. */
bool rlx_readback_wants(const char *name, const char *value);

/* How it is written in what the agent says, on ctx: ten digits in groups of 3-3-4, other long numbers digit by digit, an e-mail
 * spelled, a time stamp as date and time without its zone; all else as it is. NULL when out of memory. */
char *rlx_readback_say(TALLOC_CTX *ctx, const char *value);

/* The agent's words hold the value: as it is, as rlx_readback_say writes it, or, of seven digits or more, in other groups. */
bool rlx_readback_holds(const char *said, const char *value);

/* The callee's words are a plain "yes" to the values that were read back: every word agrees, or repeats a word of `values` ("" =
 * none). With any other word ("but", "no", another day), as a question, or when more than twelve words long it is none: asking
 * again is cheap, an act that can't be undone is not. */
bool rlx_readback_is_yes(const char *text, const char *values);

#endif
