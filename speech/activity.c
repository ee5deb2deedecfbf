/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "activity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "audio/level.h"
#include "audio/vad.h"
#include "base/err.h"
#include "pitch.h"

#define VAD_MODE 2
#define FLOOR_PERCENTILE 10 /* of the frames' levels: the noise between words */
#define ABOVE_FLOOR_DB                                                                             \
    5.0f /* speech stands out of its noise at least so much; a steady noise never does */
#define QUIETEST_DB (-58.0f) /* nothing below is speech that a telephone carries */
#define LOUD_DB                                                                                    \
    (-30.0f) /* a recording cut tight has no quiet frame: such a level is enough by itself */
#define CLARITY                                                                                    \
    0.5f /* words at 15 dB of noise keep this for 120 ms and more, coughs for 40 ms at most */
#define JOIN_MS 2000  /* pauses up to here stay inside a piece */
#define MARGIN_MS 300 /* kept around a piece: soft onsets and endings escape the detector */
#define CUT_SEARCH_MS                                                                              \
    6000 /* a piece that is too long is cut at the quietest frame of its last part */

struct frames {
    size_t count;
    float *level_db;
    bool *voiced;
};

static int by_level(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The level that a frame must reach to count as speech. */
static int threshold_db(float *thresholdp, const struct frames *f)
{
    float *sorted = talloc_memdup(NULL, f->level_db, f->count * sizeof *sorted);

    if (!sorted)
        return -ENOMEM;
    qsort(sorted, f->count, sizeof *sorted, by_level);
    float limit = sorted[f->count * FLOOR_PERCENTILE / 100] + ABOVE_FLOOR_DB;
    talloc_free(sorted);
    if (limit > LOUD_DB)
        limit = LOUD_DB;
    *thresholdp = limit < QUIETEST_DB ? QUIETEST_DB : limit;
    return 0;
}

static int frames_judge(struct frames *f, TALLOC_CTX *ctx, const int16_t *pcm)
{
    struct rlx_vad *vad;
    float limit;
    int err = rlx_vad_create(&vad, ctx, VAD_MODE);

    if (err)
        return err;
    for (size_t i = 0; i < f->count; i++) {
        const int16_t *frame = pcm + i * RLX_FRAME_SAMPLES;

        f->level_db[i] = rlx_level_db(frame, RLX_FRAME_SAMPLES);
        f->voiced[i] = rlx_vad_frame(vad, frame);
    }
    err = threshold_db(&limit, f);
    for (size_t i = 0; !err && i < f->count; i++)
        f->voiced[i] = f->voiced[i] && f->level_db[i] >= limit;
    return err;
}

static uint32_t voiced_ms(const struct frames *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        n += f->voiced[i];
    return (uint32_t)n * RLX_FRAME_MS;
}

static uint32_t pitched_ms(const struct frames *f, const int16_t *pcm, size_t samples)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count && n < RLX_PITCHED_ENOUGH_MS / RLX_FRAME_MS; i++) {
        size_t at = i * RLX_FRAME_SAMPLES;

        n += f->voiced[i] && at + RLX_PITCH_SAMPLES <= samples &&
             rlx_pitch_clarity(pcm + at) > CLARITY;
    }
    return (uint32_t)n * RLX_FRAME_MS;
}

/* The quietest frame among the last CUT_SEARCH_MS of [start, start + RLX_PIECE_MAX_MS). */
static size_t cut_point(const struct frames *f, size_t start)
{
    size_t end = start + RLX_PIECE_MAX_MS / RLX_FRAME_MS;
    size_t best = end - 1;

    for (size_t i = end - CUT_SEARCH_MS / RLX_FRAME_MS; i < end; i++)
        if (f->level_db[i] < f->level_db[best])
            best = i;
    return best;
}

static int piece_add(struct rlx_activity *a, const struct frames *f, size_t first, size_t last)
{
    uint32_t whole = (uint32_t)f->count * RLX_FRAME_MS;
    uint32_t start = (uint32_t)first * RLX_FRAME_MS, end = (uint32_t)(last + 1) * RLX_FRAME_MS;
    struct rlx_span *pieces = talloc_realloc(a, a->pieces, struct rlx_span, (unsigned)a->count + 1);

    if (!pieces)
        return -ENOMEM;
    a->pieces = pieces;
    pieces[a->count++] = (struct rlx_span){
        .start_ms = start > MARGIN_MS ? start - MARGIN_MS : 0,
        .end_ms = end + MARGIN_MS < whole ? end + MARGIN_MS : whole,
    };
    return 0;
}

static int pieces_find(struct rlx_activity *a, const struct frames *f)
{
    const size_t longest = (RLX_PIECE_MAX_MS - 2 * MARGIN_MS) / RLX_FRAME_MS;
    size_t first = 0, last = 0;
    bool open = false;
    int err = 0;

    for (size_t i = 0; i < f->count && !err; i++) {
        if (!f->voiced[i])
            continue;
        if (open && i - last > JOIN_MS / RLX_FRAME_MS) {
            err = piece_add(a, f, first, last);
            open = false;
        } else if (open && i - first >= longest) {
            size_t cut =
                f->count - first > RLX_PIECE_MAX_MS / RLX_FRAME_MS ? cut_point(f, first) : last;

            if (cut >= i)
                cut = last;
            err = piece_add(a, f, first, cut);
            first = cut + 1;
        }
        if (!open)
            first = i;
        open = true;
        last = i;
    }
    if (open && !err)
        err = piece_add(a, f, first, last);
    return err;
}

int rlx_activity_find(struct rlx_activity **activityp, TALLOC_CTX *ctx, const int16_t *pcm,
                      size_t samples)
{
    struct rlx_activity *a;
    struct frames f = {.count = samples / RLX_FRAME_SAMPLES};
    int err = 0;

    if (!activityp || (!pcm && samples))
        return RLX_EINVAL;
    a = talloc_zero(ctx, struct rlx_activity);
    if (!a)
        return -ENOMEM;
    if (f.count == 0)
        goto out;
    TALLOC_CTX *scratch = talloc_new(a);
    f.level_db = talloc_array(scratch, float, (unsigned)f.count);
    f.voiced = talloc_array(scratch, bool, (unsigned)f.count);
    err = f.level_db && f.voiced ? frames_judge(&f, scratch, pcm) : -ENOMEM;
    if (!err) {
        a->voiced_ms = voiced_ms(&f);
        a->pitched_ms = pitched_ms(&f, pcm, samples);
        err = pieces_find(a, &f);
    }
    talloc_free(scratch);
out:
    if (err)
        talloc_free(a);
    else
        *activityp = a;
    return err;
}
