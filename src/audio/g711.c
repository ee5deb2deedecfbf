/* G.711 µ-law: both directions are table look-ups; the tables are made before main() from the
 * standard's formula. */
#include "audio/g711.h"

#define ULAW_BIAS 0x84
#define ULAW_CLIP 32635
#define ENCODE_SHIFT 2 /* the finest step of the code is 8, so the lowest two bits never decide */

static int16_t decode_table[256];
static uint8_t encode_table[65536 >> ENCODE_SHIFT];

static int16_t decode_one(uint8_t code)
{
    int u = ~code & 0xff;
    int magnitude = ((((u & 0x0f) << 3) + ULAW_BIAS) << ((u & 0x70) >> 4)) - ULAW_BIAS;

    return (int16_t)((u & 0x80) ? -magnitude : magnitude);
}

static uint8_t encode_one(int pcm)
{
    int sign = pcm < 0 ? 0x80 : 0;
    int magnitude = pcm < 0 ? -pcm : pcm;
    int segment = 7;

    if (magnitude > ULAW_CLIP)
        magnitude = ULAW_CLIP;
    magnitude += ULAW_BIAS;
    while (segment > 0 && !(magnitude & (0x80 << segment)))
        segment--;
    return (uint8_t) ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f));
}

__attribute__((constructor)) static void make_tables(void)
{
    for (int i = 0; i < 256; i++)
        decode_table[i] = decode_one((uint8_t)i);
    for (int i = 0; i < (65536 >> ENCODE_SHIFT); i++) {
        int pcm = (int16_t)(uint16_t)(i << ENCODE_SHIFT);

        /* Of the four values that share a negative entry only the largest magnitude could fall into
         * the next code. */
        encode_table[i] = encode_one(pcm < 0 ? pcm + 3 : pcm);
    }
}

void rlx_ulaw_to_pcm(int16_t *pcm, const uint8_t *ulaw, size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        pcm[i] = decode_table[ulaw[i]];
}

void rlx_pcm_to_ulaw(uint8_t *ulaw, const int16_t *pcm, size_t samples)
{
    for (size_t i = 0; i < samples; i++)
        ulaw[i] = encode_table[(uint16_t)pcm[i] >> ENCODE_SHIFT];
}

int16_t rlx_ulaw_sample(uint8_t ulaw)
{
    return decode_table[ulaw];
}
