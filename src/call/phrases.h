/* What the callee's words mean for the conversation: decisions on text alone. English. Pure; any thread. */
#ifndef RLX_CALL_PHRASES_H
#define RLX_CALL_PHRASES_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* Lower case, no punctuation, single spaces, contractions kept ("don't"), filler words (um, uh, er) kept. On ctx. */
char *rlx_text_plain(TALLOC_CTX *ctx, const char *text);
/* The same without fillers and politeness at the edges ("um, so, can you tell me …" → what is asked). */
char *rlx_text_bare(TALLOC_CTX *ctx, const char *text);
unsigned rlx_text_words(const char *text);

/* "mm-hm", "uh-huh", "okay", "right", "yeah I see" …: every word is a backchannel word. */
bool rlx_is_backchannel(const char *text);
/* What speech to text writes of a hum: at most four words of vowels, m, n and h alone ("Hey, my mom", "Amen", "And I'm
 * on" for "mm-hm"), and none that people do say by itself ("no", "my name"). */
bool rlx_is_hum(const char *text);
/* A word that stops a speaker: "wait", "stop", "no", "sorry", "what", "excuse me" … stands in it. */
bool rlx_is_urgent(const char *text);
/* "yes", "no", "okay", "sure" …: would answer a question. */
bool rlx_is_short_answer(const char *text);
/* The agent's words end in a question. */
bool rlx_is_question(const char *text);
/* The callee's words ask something, by their order or their mark (speech to text often leaves the "?" out). */
bool rlx_is_asking(const char *text);
/* "bye", "goodbye", "have a good day", "thanks bye", "that's all" … as the whole utterance. */
bool rlx_is_farewell(const char *text);
/* Opt-out by phrase ("stop calling", "take me off", "do not call me", "remove my number"; bare "stop" only as the whole
 * utterance), without negation ("don't take me off"). */
bool rlx_is_opt_out(const char *text);
/* "hold on", "one second", "let me get …": patience. */
bool rlx_is_hold_request(const char *text);
/* "hello", "who's this", "who is calling": what does not cancel the disclosure. */
bool rlx_is_greeting(const char *text);
/* On the list of known hallucinations of speech to text ("you", ".", "thank you", "bye", "thanks for watching" …). */
bool rlx_is_hallucination(const char *text);

enum rlx_completeness { RLX_TEXT_COMPLETE, RLX_TEXT_NEUTRAL, RLX_TEXT_UNFINISHED };
/* Whether an utterance sounds finished: complete sentences and short answers; trailing "and", "my number is", "the", "um" are
 * unfinished; else neutral. */
enum rlx_completeness rlx_text_completeness(const char *text);
/* The agent's last words ask for digits, spelling, an address or an e-mail. */
bool rlx_asks_for_detail(const char *text);

enum rlx_detail { RLX_DETAIL_NONE, RLX_DETAIL_DIGITS, RLX_DETAIL_SPELLING, RLX_DETAIL_EMAIL, RLX_DETAIL_ADDRESS, RLX_DETAIL_DATE };
/* Which of these they ask for; RLX_DETAIL_NONE exactly when rlx_asks_for_detail is false. */
enum rlx_detail rlx_asked_detail(const char *text);

/* Share (0…1) of heard's words that stand in order in `said` (longest common subsequence / words of heard). Words <= 64. */
double rlx_echo_share(const char *heard, const char *said);

#endif
