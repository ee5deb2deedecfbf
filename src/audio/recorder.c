#include "audio/recorder.h"

#include <errno.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/wav.h"
#include "base/err.h"

#define RATE 8000u
#define PER_MS 8u
#define CHANNELS 2u
#define FRAME_BYTES ((size_t)CHANNELS * 2)
#define WINDOW UINT64_C(65536) /* samples in memory: 8.2 s, a power of two */
#define AHEAD (UINT64_C(4) * RATE)
#define LENGTH_MAX (12ull * 3600 * RATE)
#define WRITE_FRAMES RATE /* a second at a time */

/* Sample positions count from the recording's start. The ring holds [end - WINDOW, end). */
struct rlx_recorder {
    struct rlx_disk_file *file;
    bool finished;
    uint64_t now;     /* latest time seen, in samples */
    uint64_t end;     /* ring is initialised up to here */
    uint64_t dirty;   /* the file is right before here */
    uint64_t written; /* length of the file in samples */
    int error;        /* what could not be handed over since the last tick */
    uint8_t callee[WINDOW];
    uint8_t agent[WINDOW];
};

static int write_header(struct rlx_recorder *recorder, bool must)
{
    uint8_t header[RLX_WAV_HEADER];

    rlx_wav_header(header, RATE, CHANNELS, (uint32_t)(recorder->written * FRAME_BYTES));
    return rlx_disk_write(recorder->file, 0, header, sizeof(header), must);
}

/* Brings the file up to date before `to`. */
static int write_out(struct rlx_recorder *recorder, uint64_t to, bool must)
{
    uint8_t bytes[WRITE_FRAMES * FRAME_BYTES];

    while (recorder->dirty < to) {
        uint64_t from = recorder->dirty;
        size_t count = to - from < WRITE_FRAMES ? (size_t)(to - from) : WRITE_FRAMES;
        int err;

        for (size_t i = 0; i < count; i++) {
            size_t slot = (from + i) % WINDOW;
            uint16_t left = (uint16_t)rlx_ulaw_sample(recorder->callee[slot]);
            uint16_t right = (uint16_t)rlx_ulaw_sample(recorder->agent[slot]);

            bytes[4 * i] = (uint8_t)left;
            bytes[4 * i + 1] = (uint8_t)(left >> 8);
            bytes[4 * i + 2] = (uint8_t)right;
            bytes[4 * i + 3] = (uint8_t)(right >> 8);
        }
        err = rlx_disk_write(recorder->file, RLX_WAV_HEADER + from * FRAME_BYTES, bytes,
                             count * FRAME_BYTES, must);
        if (err)
            return err;
        recorder->dirty += count;
        if (recorder->written < recorder->dirty)
            recorder->written = recorder->dirty;
    }
    return write_header(recorder, must);
}

/* Makes the ring reach `end`; what would fall out of it unwritten is written first. */
static void extend(struct rlx_recorder *recorder, uint64_t end)
{
    while (recorder->end < end) {
        uint64_t step = end - recorder->end < WINDOW / 2 ? end - recorder->end : WINDOW / 2;
        uint64_t oldest = recorder->end + step > WINDOW ? recorder->end + step - WINDOW : 0;

        if (recorder->dirty < oldest) {
            int err = recorder->finished ? 0 : write_out(recorder, oldest, false);

            if (err && !recorder->error)
                recorder->error = err;
            recorder->dirty = oldest;
        }
        for (uint64_t i = recorder->end; i < recorder->end + step; i++) {
            recorder->callee[i % WINDOW] = RLX_ULAW_SILENCE;
            recorder->agent[i % WINDOW] = RLX_ULAW_SILENCE;
        }
        recorder->end += step;
    }
}

static void put(struct rlx_recorder *recorder, uint8_t *channel, uint64_t at, const uint8_t *ulaw,
                size_t length)
{
    uint64_t oldest;

    if (length > LENGTH_MAX || at + length > LENGTH_MAX)
        return;
    extend(recorder, at + length);
    oldest = recorder->end > WINDOW ? recorder->end - WINDOW : 0;
    for (size_t i = 0; i < length; i++) {
        if (at + i >= oldest)
            channel[(at + i) % WINDOW] = ulaw[i];
    }
    if (at < oldest)
        at = oldest;
    if (recorder->dirty > at)
        recorder->dirty = at;
}

static void see_time(struct rlx_recorder *recorder, uint64_t now)
{
    if (now > LENGTH_MAX)
        now = LENGTH_MAX;
    if (recorder->now < now)
        recorder->now = now;
}

static int recorder_destroy(struct rlx_recorder *recorder)
{
    if (!recorder->finished)
        (void)rlx_recorder_finish(recorder, 0);
    rlx_disk_release(recorder->file);
    return 0;
}

int rlx_recorder_create(struct rlx_recorder **recorderp, TALLOC_CTX *ctx, struct rlx_disk *disk,
                        const char *path)
{
    struct rlx_recorder *recorder;
    int err;

    if (!recorderp || !disk || !path)
        return RLX_EINVAL;
    recorder = talloc_zero(ctx, struct rlx_recorder);
    if (!recorder)
        return -ENOMEM;
    err = rlx_disk_open(&recorder->file, disk, path);
    if (err) {
        talloc_free(recorder);
        return err;
    }
    talloc_set_destructor(recorder, recorder_destroy);
    err = write_header(recorder, true);
    if (err) {
        talloc_free(recorder);
        return err;
    }
    *recorderp = recorder;
    return 0;
}

void rlx_recorder_callee(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                         size_t length)
{
    if (at_ms > LENGTH_MAX / PER_MS)
        return;
    put(recorder, recorder->callee, at_ms * PER_MS, ulaw, length);
    see_time(recorder, at_ms * PER_MS + length);
}

void rlx_recorder_agent(struct rlx_recorder *recorder, uint64_t at_ms, const uint8_t *ulaw,
                        size_t length)
{
    if (at_ms > LENGTH_MAX / PER_MS || at_ms * PER_MS > recorder->now + AHEAD || length > AHEAD)
        return;
    put(recorder, recorder->agent, at_ms * PER_MS, ulaw, length);
}

void rlx_recorder_agent_cut(struct rlx_recorder *recorder, uint64_t at_ms)
{
    uint64_t oldest = recorder->end > WINDOW ? recorder->end - WINDOW : 0;
    uint64_t at = at_ms > LENGTH_MAX / PER_MS ? LENGTH_MAX : at_ms * PER_MS;

    if (at < oldest)
        at = oldest;
    for (uint64_t i = at; i < recorder->end; i++)
        recorder->agent[i % WINDOW] = RLX_ULAW_SILENCE;
    if (recorder->dirty > at)
        recorder->dirty = at;
}

/* The disk did not take a part: all that is still in memory is written again. */
static int take_error(struct rlx_recorder *recorder)
{
    int err = rlx_disk_error(recorder->file);

    if (err)
        recorder->dirty = recorder->end > WINDOW ? recorder->end - WINDOW : 0;
    if (!err)
        err = recorder->error;
    recorder->error = 0;
    return err;
}

static int tick(struct rlx_recorder *recorder, uint64_t now_ms, bool last)
{
    see_time(recorder, now_ms > LENGTH_MAX / PER_MS ? LENGTH_MAX : now_ms * PER_MS);
    extend(recorder, recorder->now);
    int failed = take_error(recorder);
    int err = write_out(recorder, recorder->now, last);
    return failed ? failed : err;
}

int rlx_recorder_tick(struct rlx_recorder *recorder, uint64_t now_ms)
{
    return recorder->finished ? -EBADF : tick(recorder, now_ms, false);
}

int rlx_recorder_finish(struct rlx_recorder *recorder, uint64_t now_ms)
{
    if (recorder->finished)
        return -EBADF;
    int err = tick(recorder, now_ms, true);
    recorder->finished = true;
    rlx_disk_close(recorder->file);
    return err;
}

bool rlx_recorder_closed(struct rlx_recorder *recorder, int *errp)
{
    return rlx_disk_closed(recorder->file, errp);
}

void rlx_recorder_copy(const struct rlx_recorder *recorder, uint64_t at_ms, uint8_t *callee,
                       uint8_t *agent, size_t length)
{
    uint64_t oldest = recorder->end > WINDOW ? recorder->end - WINDOW : 0;

    for (size_t i = 0; i < length; i++) {
        uint64_t at = at_ms * PER_MS + i;
        bool known = at >= oldest && at < recorder->end;
        callee[i] = known ? recorder->callee[at % WINDOW] : RLX_ULAW_SILENCE;
        agent[i] = known ? recorder->agent[at % WINDOW] : RLX_ULAW_SILENCE;
    }
}

uint64_t rlx_recorder_length_ms(const struct rlx_recorder *recorder)
{
    return recorder->now / PER_MS;
}
