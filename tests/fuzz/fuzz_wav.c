/* Fuzz target: the WAV reader. */
#include <stdlib.h>

#include "audio/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_wav *wav = NULL;
    volatile int16_t sum = 0;
    char *why = NULL;

    if (rlx_wav_read(&wav, ctx, data, size, &why) == 0) {
        for (size_t i = 0; i < wav->frames * wav->channels; i++)
            sum = (int16_t)(sum ^ wav->samples[i]);
        if (wav->rate_hz < 8000 || wav->channels < 1)
            abort();
    } else if (!why) {
        abort();
    }
    talloc_free(ctx);
    return 0;
}
