/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pitch.h"

#include <math.h>

#define WINDOW 256         /* 32 ms at 8 kHz */
#define SHORTEST_PERIOD 20 /* 400 Hz */
#define LONGEST_PERIOD (RLX_PITCH_SAMPLES - WINDOW - 1)

static float dot(const float *a, const float *b)
{
    float sum = 0.0f;

    for (int i = 0; i < WINDOW; i++)
        sum += a[i] * b[i];
    return sum;
}

float rlx_pitch_clarity(const int16_t pcm[RLX_PITCH_SAMPLES])
{
    float x[RLX_PITCH_SAMPLES], mean = 0.0f, best = 0.0f;

    for (int i = 0; i < RLX_PITCH_SAMPLES; i++)
        mean += (float)pcm[i] / RLX_PITCH_SAMPLES;
    for (int i = 0; i < RLX_PITCH_SAMPLES; i++)
        x[i] = (float)pcm[i] - mean;
    float energy = dot(x, x);
    for (int period = SHORTEST_PERIOD; period <= LONGEST_PERIOD; period++) {
        float scale = energy * dot(x + period, x + period);
        float clarity = scale > 0.0f ? dot(x, x + period) / sqrtf(scale) : 0.0f;

        if (clarity > best)
            best = clarity;
    }
    return best;
}
