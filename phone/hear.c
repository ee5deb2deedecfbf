#include "hear.h"

#include "audio/g711.h"

#define SEGMENTS_MAX 20000u
#define PER_MS 8u

struct rlx_hear {
    uint64_t now;  /* samples fed */
    uint64_t last; /* last loud sample */
    struct rlx_segment *segments;
    size_t count, size;
};

struct rlx_hear *rlx_hear_create(TALLOC_CTX *ctx)
{
    return talloc_zero(ctx, struct rlx_hear);
}

static void begin_segment(struct rlx_hear *hear, uint64_t at)
{
    if (hear->count == hear->size) {
        size_t size = hear->size ? hear->size * 2 : 32;
        struct rlx_segment *segments;

        if (hear->count >= SEGMENTS_MAX)
            return;
        segments = talloc_realloc(hear, hear->segments, struct rlx_segment, (unsigned)size);
        if (!segments)
            return;
        hear->segments = segments;
        hear->size = size;
    }
    hear->segments[hear->count].start_ms = at / PER_MS;
    hear->segments[hear->count].end_ms = at / PER_MS;
    hear->segments[hear->count++].longest_gap_ms = 0;
}

static void loud_sample(struct rlx_hear *hear, uint64_t at)
{
    struct rlx_segment *segment;

    if (hear->count == 0 || at - hear->last > (uint64_t)RLX_HEAR_SPLIT_MS * PER_MS)
        begin_segment(hear, at);
    if (hear->count > 0) {
        segment = &hear->segments[hear->count - 1];
        if (at > hear->last && (at - hear->last) / PER_MS > segment->longest_gap_ms &&
            segment->end_ms > segment->start_ms)
            segment->longest_gap_ms = (uint32_t)((at - hear->last) / PER_MS);
        segment->end_ms = at / PER_MS;
    }
    hear->last = at;
}

void rlx_hear_feed(struct rlx_hear *hear, const uint8_t *ulaw, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int sample = rlx_ulaw_sample(ulaw[i]);

        if (sample > RLX_HEAR_SAMPLE || sample < -RLX_HEAR_SAMPLE)
            loud_sample(hear, hear->now + i);
    }
    hear->now += length;
}

const struct rlx_segment *rlx_hear_segments(const struct rlx_hear *hear, size_t *countp)
{
    *countp = hear->count;
    return hear->segments;
}

uint64_t rlx_hear_now_ms(const struct rlx_hear *hear)
{
    return hear->now / PER_MS;
}

const struct rlx_segment *rlx_hear_first_after(const struct rlx_hear *hear, uint64_t after_ms)
{
    for (size_t i = 0; i < hear->count; i++)
        if (after_ms == UINT64_MAX || hear->segments[i].start_ms > after_ms)
            return &hear->segments[i];
    return NULL;
}
