/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tells a voice from a noise burst: vowels repeat themselves with the vocal folds' period, coughs,
 * breath and clicks don't. Pure.
 */
#ifndef RLX_SPEECH_PITCH_H
#define RLX_SPEECH_PITCH_H

#include <stdint.h>

#define RLX_PITCH_SAMPLES 390 /* of 8 kHz PCM that are looked at: 32 ms and the longest period */

/* The highest normalised autocorrelation for a period of 60 to 400 Hz: 0 (none) … 1 (a steady
 * tone). */
float rlx_pitch_clarity(const int16_t pcm[RLX_PITCH_SAMPLES]);

#endif
