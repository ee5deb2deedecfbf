#include "audio/level.h"

#include <math.h>

float rlx_level_db(const int16_t *pcm, size_t samples)
{
    int64_t sum = 0;
    float db;

    if (!pcm || samples == 0)
        return RLX_LEVEL_SILENCE_DB;
    for (size_t i = 0; i < samples; i++)
        sum += (int64_t)pcm[i] * pcm[i];
    if (sum == 0)
        return RLX_LEVEL_SILENCE_DB;
    db = 10.0f * log10f((float)sum / (float)samples / (32768.0f * 32768.0f));
    return db < RLX_LEVEL_SILENCE_DB ? RLX_LEVEL_SILENCE_DB : db;
}
