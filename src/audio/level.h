/* Loudness of a frame. Any thread. */
#ifndef RLX_AUDIO_LEVEL_H
#define RLX_AUDIO_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#define RLX_LEVEL_SILENCE_DB (-90.0f)

/* RMS in dB relative to full scale (0 dBFS = a square wave of 32768); never below RLX_LEVEL_SILENCE_DB. */
float rlx_level_db(const int16_t *pcm, size_t samples);

#endif
