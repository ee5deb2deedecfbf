/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text to IPA phonemes by libespeak-ng, in the form that Piper voices are trained on. Any thread
 * (one at a time inside).
 */
#ifndef RLX_SPEECH_PHONEMES_H
#define RLX_SPEECH_PHONEMES_H

#include <stddef.h>
#include <stdint.h>

/* Loads espeak-ng's data and the language ("en-us"). Once per process. RLX_ECONFIG when either is
 * missing. */
int rlx_phonemes_open(const char *language) __attribute__((warn_unused_result));

/* Writes the code points of one sentence's phonemes, clause punctuation included; returns their
 * number, at most `size`. 0 when the text holds nothing to say. */
size_t rlx_phonemes_of(int32_t *codepoints, size_t size, const char *text);

#endif
