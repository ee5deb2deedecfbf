#include "audio/trim.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/level.h"
#include "base/err.h"

#define BLOCK 80 /* 10 ms */
#define THRESHOLD_DB (-50.0f)
#define KEEP_MAX_MS 500
#define HOLD ((size_t)8 * 4000)

struct rlx_trim {
    rlx_trim_out_h *out;
    void *arg;
    size_t keep;      /* bytes */
    bool inside;      /* voice has come */
    size_t block_len; /* bytes of the block that is being filled */
    size_t hold_len;
    uint8_t block[BLOCK];
    uint8_t hold[HOLD]; /* silence whose fate is open */
};

int rlx_trim_create(struct rlx_trim **trimp, TALLOC_CTX *ctx, uint32_t keep_ms, rlx_trim_out_h *out,
                    void *arg)
{
    struct rlx_trim *trim;

    if (!trimp || !out || keep_ms > KEEP_MAX_MS)
        return RLX_EINVAL;
    trim = talloc_zero(ctx, struct rlx_trim);
    if (!trim)
        return -ENOMEM;
    trim->out = out;
    trim->arg = arg;
    trim->keep = (size_t)keep_ms * 8;
    *trimp = trim;
    return 0;
}

/* Drops the oldest held bytes. */
static void hold_shift(struct rlx_trim *trim, size_t bytes)
{
    memmove(trim->hold, trim->hold + bytes, trim->hold_len - bytes);
    trim->hold_len -= bytes;
}

static void hold_silence(struct rlx_trim *trim, size_t length)
{
    if (trim->inside && trim->hold_len + length > HOLD) {
        trim->out(trim->hold, length, trim->arg);
        hold_shift(trim, length);
    }
    memcpy(trim->hold + trim->hold_len, trim->block, length);
    trim->hold_len += length;
    if (!trim->inside && trim->hold_len > trim->keep)
        hold_shift(trim, trim->hold_len - trim->keep);
}

/* Judges the block of trim->block_len bytes. */
static void judge_block(struct rlx_trim *trim)
{
    int16_t pcm[BLOCK];
    size_t length = trim->block_len;

    trim->block_len = 0;
    rlx_ulaw_to_pcm(pcm, trim->block, length);
    if (rlx_level_db(pcm, length) < THRESHOLD_DB) {
        hold_silence(trim, length);
        return;
    }
    if (trim->hold_len > 0)
        trim->out(trim->hold, trim->hold_len, trim->arg);
    trim->hold_len = 0;
    trim->inside = true;
    trim->out(trim->block, length, trim->arg);
}

void rlx_trim_feed(struct rlx_trim *trim, const uint8_t *ulaw, size_t length)
{
    while (length > 0) {
        size_t take = BLOCK - trim->block_len;

        if (take > length)
            take = length;
        memcpy(trim->block + trim->block_len, ulaw, take);
        trim->block_len += take;
        ulaw += take;
        length -= take;
        if (trim->block_len == BLOCK)
            judge_block(trim);
    }
}

void rlx_trim_end(struct rlx_trim *trim)
{
    if (trim->block_len > 0)
        judge_block(trim);
    if (trim->inside && trim->hold_len > 0)
        trim->out(trim->hold, trim->hold_len < trim->keep ? trim->hold_len : trim->keep, trim->arg);
    trim->hold_len = 0;
    trim->inside = false;
}
