/* The beep of an answering machine: a pure tone of 400–2100 Hz for at least 150 ms, then 300 ms of quiet. No I/O, no clock, no
 * allocation but its own; one thread.
 *
 * Of every 20 ms the frequency is estimated (V. F. Pisarenko, 1973), and how much of it a sine of that frequency explains: a tone nearly
 * all, and for as long as it lasts; voices, music and key tones (two sines) never for long.
 */
#ifndef RLX_AUDIO_BEEP_H
#define RLX_AUDIO_BEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_beep;

int rlx_beep_create(struct rlx_beep **beepp, TALLOC_CTX *ctx) __attribute__((warn_unused_result));

/* The callee's audio, µ-law at 8 kHz, in order. True when a beep and the quiet behind it have been heard whole. */
bool rlx_beep_feed(struct rlx_beep *beep, const uint8_t *ulaw, size_t length);

#endif
