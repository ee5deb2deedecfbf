#include "audio/beep.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "audio/g711.h"

#define WINDOW 160u     /* samples: 20 ms, looked at every 10 ms */
#define HOP 80u
#define TONE_HOPS 12u   /* windows that surely lie in 150 ms of tone */
#define QUIET_HOPS 28u  /* … in 300 ms of quiet */
#define WAIT_HOPS 60u   /* a tone without quiet behind it by then was none */
#define LOUD 0.000316f  /* mean square of full scale: -35 dBFS */
#define DROP 0.03f      /* quiet is 15 dB below the tone */
#define STEADY 0.35f    /* a tone's loudness does not swing: two tones beat */
#define PURE 0.8f       /* share of a window that one sine must explain */
#define PI 3.14159265f
#define LOW_HZ 375.0f /* noise blurs a short measurement */
#define HIGH_HZ 2150.0f
#define DRIFT 0.08f     /* a tone keeps its frequency */

struct rlx_beep {
    float samples[WINDOW + 2]; /* the two before belong to it */
    size_t count;
    unsigned tone, quiet, since; /* hops of tone; of quiet behind it; since the tone */
    float hz, power;             /* of the tone */
};

int rlx_beep_create(struct rlx_beep **beepp, TALLOC_CTX *ctx)
{
    *beepp = talloc_zero(ctx, struct rlx_beep);
    if (!*beepp)
        return -ENOMEM;
    (*beepp)->count = 2;
    return 0;
}

static float mean_square(const float *x)
{
    float sum = 0;

    for (size_t n = 2; n < WINDOW + 2; n++)
        sum += x[n] * x[n];
    return sum / (float)WINDOW;
}

/* Pisarenko's estimate for one sine in white noise: from the lags 1 and 2, which noise does not raise. */
static float likely_hz(const float *x)
{
    float first = 0, second = 0;

    for (size_t n = 2; n < WINDOW + 2; n++) {
        first += x[n] * x[n - 1];
        second += x[n] * x[n - 2];
    }
    if (first > -1e-9f && first < 1e-9f)
        return 2000; /* cos w = 0 */
    float cosine = (second + sqrtf(second * second + 8 * first * first)) / (4 * first);
    return cosine <= -1 || cosine >= 1 ? 0 : acosf(cosine) * (8000.0f / 2 / PI);
}

/* The share of the window's power that a sine of this frequency explains. */
static float explained(const float *x, float hz, float power)
{
    float turn_re = cosf(2 * PI * hz / 8000), turn_im = sinf(2 * PI * hz / 8000);
    float re = 1, im = 0, sum_re = 0, sum_im = 0;

    for (size_t n = 2; n < WINDOW + 2; n++) {
        float next = re * turn_re - im * turn_im;
        sum_re += x[n] * re;
        sum_im += x[n] * im;
        im = re * turn_im + im * turn_re;
        re = next;
    }
    return 2 * (sum_re * sum_re + sum_im * sum_im) / ((float)(WINDOW * WINDOW) * power);
}

/* The frequency of the tone that the window holds, 0 when it is none. */
static float tone_hz(const float *x, float power)
{
    if (power < LOUD)
        return 0;
    float hz = likely_hz(x);
    return hz > LOW_HZ && hz < HIGH_HZ && explained(x, hz, power) > PURE ? hz : 0;
}

static bool follow_tone(struct rlx_beep *beep, float hz, float power)
{
    if (hz == 0 || (beep->tone && power < STEADY * beep->power))
        return false;
    if (!beep->tone || beep->since || fabsf(hz - beep->hz) > DRIFT * beep->hz) {
        beep->tone = 0;
        beep->hz = hz;
        beep->power = 0;
    }
    beep->tone++;
    beep->since = beep->quiet = 0;
    beep->hz += (hz - beep->hz) / (float)beep->tone;
    beep->power = power > beep->power ? power : beep->power;
    return true;
}

/* The tone has ended: quiet for long enough? */
static bool await_quiet(struct rlx_beep *beep, float power)
{
    beep->since++;
    if (power < beep->power * DROP)
        beep->quiet++;
    else
        beep->quiet = 0;
    bool whole = beep->tone >= TONE_HOPS && beep->quiet >= QUIET_HOPS;
    if (whole || beep->tone < TONE_HOPS || beep->since > WAIT_HOPS)
        beep->tone = beep->quiet = beep->since = 0;
    return whole;
}

static bool hop(struct rlx_beep *beep)
{
    float power = mean_square(beep->samples);

    if (follow_tone(beep, tone_hz(beep->samples, power), power))
        return false;
    return beep->tone && await_quiet(beep, power);
}

bool rlx_beep_feed(struct rlx_beep *beep, const uint8_t *ulaw, size_t length)
{
    bool heard = false;

    for (size_t i = 0; i < length; i++) {
        beep->samples[beep->count++] = (float)rlx_ulaw_sample(ulaw[i]) / 32768.0f;
        if (beep->count < WINDOW + 2)
            continue;
        heard = hop(beep) || heard;
        memmove(beep->samples, beep->samples + HOP, (WINDOW + 2 - HOP) * sizeof(float));
        beep->count = WINDOW + 2 - HOP;
    }
    return heard;
}
