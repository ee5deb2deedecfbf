#include "line.h"

#include <math.h>
#include <string.h>

#include "audio/g711.h"

#define NOISE_DEFAULT_DB (-55)
#define ECHO_DEFAULT_DB (-40)
/* White noise through y = x + 0.8 y: soft hiss with more power below, as on a telephone. RMS grows
 * by 1/sqrt(1 - 0.64). */
#define NOISE_POLE 0.8
#define NOISE_RMS 0.5773502691896258 /* of a uniform draw in [-1, 1] */

static int32_t pick(int32_t value, int32_t fallback)
{
    return value == RLX_SCRIPT_UNSET ? fallback : value;
}

/* The draws are made in one order whatever the script overrides, so that one override doesn't
 * change the rest. */
static void draw(struct rlx_line *line)
{
    line->gap_ms = rlx_rng_range(&line->rng, 300, 900);
    line->down_ms = rlx_rng_range(&line->rng, 20, 150);
    line->up_ms = rlx_rng_range(&line->rng, 20, 150);
    line->echo_ms = rlx_rng_range(&line->rng, 60, 500);
    line->amd_ms = rlx_rng_range(&line->rng, 2000, 6000);
    line->noise_db = NOISE_DEFAULT_DB;
    line->echo_db = ECHO_DEFAULT_DB;
    line->loss_percent = 0.5;
    line->late_percent = 10;
    line->lost_percent = 3;
    line->burst_percent = 0.8;
}

static void be_kind(struct rlx_line *line)
{
    line->gap_ms = line->down_ms = line->up_ms = 0;
    line->amd_ms = 2000;
    line->noise_db = line->echo_db = RLX_SCRIPT_OFF;
    line->loss_percent = line->late_percent = line->lost_percent = line->burst_percent = 0;
}

void rlx_line_init(struct rlx_line *line, const struct rlx_line_options *options,
                   const struct rlx_script *script, uint64_t call_number)
{
    memset(line, 0, sizeof(*line));
    line->kind = pick(script->kind, options->kind) != 0;
    line->seed =
        script->seed >= 0 ? (uint64_t)script->seed : options->seed * 1000003u + call_number;
    line->rng.state = line->seed;
    draw(line);
    if (line->kind)
        be_kind(line);
    line->gap_ms = (uint32_t)pick(script->gap_ms, (int32_t)line->gap_ms);
    line->down_ms = (uint32_t)pick(script->delay_ms, (int32_t)line->down_ms);
    line->up_ms = (uint32_t)pick(script->delay_ms, (int32_t)line->up_ms);
    line->echo_ms = (uint32_t)pick(script->echo_ms, (int32_t)line->echo_ms);
    line->noise_db = pick(script->noise_db, line->noise_db);
    line->echo_db = pick(script->echo_db, line->echo_db);
    if (script->loss_tenths != RLX_SCRIPT_UNSET)
        line->loss_percent = script->loss_tenths / 10.0;
    if (script->marks_late != RLX_SCRIPT_UNSET) {
        line->late_percent = script->marks_late;
        line->lost_percent = script->marks_lost;
    }
    if (line->noise_db > RLX_SCRIPT_OFF)
        line->noise_gain =
            32768 * pow(10, line->noise_db / 20.0) / NOISE_RMS * sqrt(1 - NOISE_POLE * NOISE_POLE);
    if (line->echo_db > RLX_SCRIPT_OFF)
        line->echo_gain = pow(10, line->echo_db / 20.0);
}

void rlx_line_microphone(struct rlx_line *line, int16_t pcm[RLX_PHONE_FRAME],
                         const uint8_t heard[RLX_PHONE_FRAME])
{
    const uint32_t size = sizeof(line->played) / sizeof(line->played[0]);

    for (uint32_t i = 0; i < RLX_PHONE_FRAME; i++) {
        double sum = pcm[i];

        line->played[line->played_at % size] = rlx_ulaw_sample(heard[i]);
        if (line->noise_gain > 0) {
            double white = (double)(rlx_rng_next(&line->rng) >> 11) / 4503599627370496.0 - 1;

            line->noise_state = white + NOISE_POLE * line->noise_state;
            sum += line->noise_gain * line->noise_state;
        }
        if (line->echo_gain > 0)
            sum += line->echo_gain * line->played[(line->played_at - line->echo_ms * 8) % size];
        line->played_at++;
        pcm[i] = (int16_t)(sum > 32767 ? 32767 : sum < -32768 ? -32768 : lrint(sum));
    }
}

uint64_t rlx_line_frame(struct rlx_line *line, uint64_t now_ms)
{
    uint64_t release_ms = now_ms + line->up_ms;

    if (line->burst_percent > 0 && release_ms >= line->hold_ms &&
        rlx_rng_chance(&line->rng, line->burst_percent))
        line->hold_ms =
            release_ms + (uint64_t)RLX_PHONE_FRAME_MS * (rlx_rng_range(&line->rng, 3, 10) - 1);
    if (line->loss_percent > 0 && rlx_rng_chance(&line->rng, line->loss_percent)) {
        line->frames_lost++;
        return 0;
    }
    if (release_ms < line->hold_ms)
        release_ms = line->hold_ms;
    if (release_ms < line->release_ms)
        release_ms = line->release_ms;
    line->release_ms = release_ms;
    line->frames_sent++;
    return release_ms;
}

uint64_t rlx_line_mark(struct rlx_line *line, uint64_t now_ms)
{
    uint64_t release_ms = now_ms + line->up_ms;

    if (line->lost_percent > 0 && rlx_rng_chance(&line->rng, line->lost_percent)) {
        line->marks_lost++;
        return 0;
    }
    if (line->late_percent > 0 && rlx_rng_chance(&line->rng, line->late_percent)) {
        line->marks_late++;
        release_ms += rlx_rng_range(&line->rng, 0, 2000);
    }
    return release_ms;
}
