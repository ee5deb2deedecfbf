/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stretch.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

#define HOP_MS 15   /* of output for each piece: a few periods of a voice */
#define SEARCH_MS 8 /* how far a piece may move: the longest period of a low voice, halved */
#define SEARCH_STEP 2
#define COMPARE_STEP 3 /* speech has its energy low: every third sample tells enough */

static float likeness(const float *a, const float *b, size_t count)
{
    float sum = 0.0f;

    for (size_t i = 0; i < count; i += COMPARE_STEP)
        sum += a[i] * b[i];
    return sum;
}

/* The place near `wanted` whose sound continues best what follows `after`. */
static size_t best_place(const float *x, size_t count, size_t wanted, size_t after, size_t hop,
                         size_t search)
{
    size_t from = wanted > search ? wanted - search : 0;
    size_t to = wanted + search + hop <= count ? wanted + search : count - hop;
    size_t best = wanted + hop <= count ? wanted : count - hop;
    float most = likeness(x + best, x + after, hop);

    for (size_t place = from; place <= to; place += SEARCH_STEP) {
        float like = likeness(x + place, x + after, hop);

        if (like > most) {
            most = like;
            best = place;
        }
    }
    return best;
}

int rlx_stretch(float **outp, size_t *countp, TALLOC_CTX *ctx, const float *samples, size_t count,
                uint32_t rate_hz, float speed)
{
    const size_t hop = rate_hz * HOP_MS / 1000, search = rate_hz * SEARCH_MS / 1000;
    size_t last = 0, made = 0, room;
    float *out;

    if (!outp || !countp || !(speed >= 0.25f && speed <= 4.0f) || hop == 0)
        return RLX_EINVAL;
    room = (size_t)((double)count / (double)speed) + 3 * hop + count / 100;
    out = talloc_array(ctx, float, (unsigned)room);
    if (!out)
        return -ENOMEM;
    if (speed == 1.0f || count < 4 * hop) {
        memcpy(out, samples, count * sizeof *out);
        made = count;
        goto done;
    }
    memcpy(out, samples, hop * sizeof *out);
    for (made = hop; last + 2 * hop <= count && made + hop <= room; made += hop) {
        size_t wanted = (size_t)((double)made * (double)speed);

        if (wanted + hop > count)
            break;
        size_t place = best_place(samples, count, wanted, last + hop, hop, search);
        for (size_t i = 0; i < hop; i++) {
            float in = (float)i / (float)hop;

            out[made + i] = samples[last + hop + i] * (1.0f - in) + samples[place + i] * in;
        }
        last = place;
    }
done:
    *outp = out;
    *countp = made;
    return 0;
}
