/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Guards against what Whisper makes up: sound tags, loops, and the words that it says about
 * nothing. Pure.
 */
#ifndef RLX_SPEECH_GUARD_H
#define RLX_SPEECH_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Speech below this is no word: the audio is not decoded at all. */
#define RLX_GUARD_MIN_VOICED_MS 80
#define RLX_GUARD_MIN_PITCHED_MS 60

/* Cleans a decoded text in place: sound tags such as [BLANK_AUDIO], (music), *coughs* and broken
 * UTF-8 go, a text that is one unit said again and again is said once, white space is single, and a
 * text without a letter or digit becomes "". */
void rlx_guard_clean(char *text);

/* True when the text ends in a loop: the same three words or more, again and again up to the end.
 */
bool rlx_guard_loops(const char *text);

/* True for a text that is probably made up: one of the phrases that Whisper says about noise
 * ("you", "thank you", "thanks for watching", "bye"), with little voice behind it or low
 * confidence. */
bool rlx_guard_made_up(const char *text, uint32_t voiced_ms, float avg_logprob);

#endif
