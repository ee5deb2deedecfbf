#include "audio/playout_clock.h"

#include <string.h>

#define PER_MS 8u
#define STALL_AGREE 4      /* marks of the recent ones that must agree */
#define STALL_BAND_MS 80   /* how closely */
#define STALL_LEAST_MS 80  /* what is worth a correction */
#define TRIP_MAX_MS 10000u /* beyond this a mark tells nothing */

void rlx_play_clock_init(struct rlx_play_clock *clock, uint32_t one_way_ms)
{
    memset(clock, 0, sizeof(*clock));
    clock->one_way_ms = one_way_ms;
    clock->trip_ms[0] = clock->trip_ms[1] = UINT32_MAX;
}

void rlx_play_clock_restart(struct rlx_play_clock *clock, uint32_t pos)
{
    clock->running = false;
    clock->anchor_pos = pos;
    clock->floor_pos = pos;
    clock->recent_count = 0;
}

uint64_t rlx_play_clock_due_ms(const struct rlx_play_clock *clock, uint32_t pos)
{
    return clock->anchor_ms + (pos - clock->anchor_pos + PER_MS - 1) / PER_MS;
}

uint32_t rlx_play_clock_queued_ms(const struct rlx_play_clock *clock, uint64_t now_ms,
                                  uint32_t sent)
{
    uint64_t end_ms;

    if (!clock->running)
        return 0;
    end_ms = rlx_play_clock_due_ms(clock, sent);
    return end_ms > now_ms ? (uint32_t)(end_ms - now_ms) : 0;
}

uint32_t rlx_play_clock_dry_ms(const struct rlx_play_clock *clock, uint64_t now_ms, uint32_t sent)
{
    uint64_t end_ms;

    if (!clock->running)
        return 0;
    end_ms = rlx_play_clock_due_ms(clock, sent);
    return now_ms > end_ms ? (uint32_t)(now_ms - end_ms) : 0;
}

uint32_t rlx_play_clock_trip_ms(const struct rlx_play_clock *clock)
{
    uint32_t least = clock->trip_ms[0] < clock->trip_ms[1] ? clock->trip_ms[0] : clock->trip_ms[1];

    return least == UINT32_MAX ? 2 * clock->one_way_ms : least;
}

uint32_t rlx_play_clock_one_way_ms(const struct rlx_play_clock *clock)
{
    return rlx_play_clock_trip_ms(clock) / 2;
}

uint32_t rlx_play_clock_heard(const struct rlx_play_clock *clock, uint64_t now_ms, uint32_t sent)
{
    uint64_t start_ms = clock->anchor_ms + rlx_play_clock_one_way_ms(clock);
    uint64_t pos = clock->floor_pos;

    if (clock->running) {
        if (now_ms >= start_ms) {
            pos = clock->anchor_pos + (now_ms - start_ms) * PER_MS;
        } else {
            /* The run before this one ended when this one began, or sooner. */
            uint64_t back = (start_ms - now_ms) * PER_MS;

            pos = clock->anchor_pos > back ? clock->anchor_pos - back : 0;
        }
    }
    if (pos < clock->floor_pos)
        pos = clock->floor_pos;
    return pos < sent ? (uint32_t)pos : sent;
}

void rlx_play_clock_sent(struct rlx_play_clock *clock, uint64_t now_ms, uint32_t pos)
{
    if (clock->running && now_ms < rlx_play_clock_due_ms(clock, pos))
        return;
    if (!clock->running || now_ms > rlx_play_clock_due_ms(clock, pos))
        clock->recent_count = 0;
    /* All before is due by now, but the phone is one way behind: keep what it has heard of it. */
    clock->floor_pos = rlx_play_clock_heard(clock, now_ms, pos);
    clock->running = true;
    clock->anchor_ms = now_ms;
    clock->anchor_pos = pos;
}

/* Windowed minimum over the last one to two buckets of marks. */
static void learn_trip(struct rlx_play_clock *clock, uint32_t trip_ms)
{
    if (clock->trip_count == RLX_PLAY_BUCKET) {
        clock->trip_ms[0] = clock->trip_ms[1];
        clock->trip_ms[1] = UINT32_MAX;
        clock->trip_count = 0;
    }
    clock->trip_count++;
    if (trip_ms < clock->trip_ms[1])
        clock->trip_ms[1] = trip_ms;
}

/* By how much the recent marks say, in agreement, that the phone is behind. */
static uint32_t find_stall(struct rlx_play_clock *clock, uint32_t trip_ms)
{
    uint32_t sorted[RLX_PLAY_RECENT];
    uint32_t line_ms = rlx_play_clock_trip_ms(clock);

    clock->recent_ms[clock->recent_count++ % RLX_PLAY_RECENT] = trip_ms;
    if (clock->recent_count < RLX_PLAY_RECENT)
        return 0;
    for (uint32_t i = 0; i < RLX_PLAY_RECENT; i++) {
        uint32_t value = clock->recent_ms[i], at = i;

        for (; at > 0 && sorted[at - 1] > value; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = value;
    }
    if (sorted[STALL_AGREE - 1] - sorted[0] > STALL_BAND_MS || sorted[0] < line_ms + STALL_LEAST_MS)
        return 0;
    return sorted[0] - line_ms;
}

uint32_t rlx_play_clock_marked(struct rlx_play_clock *clock, uint64_t now_ms, uint32_t pos,
                               uint64_t due_ms, uint32_t sent)
{
    uint32_t trip_ms = now_ms > due_ms ? (uint32_t)(now_ms - due_ms) : 0;
    uint32_t heard = rlx_play_clock_heard(clock, now_ms, sent);
    uint32_t stall_ms;

    if (now_ms > due_ms + TRIP_MAX_MS)
        return 0;
    clock->floor_pos = heard > pos ? heard : pos;
    learn_trip(clock, trip_ms);
    stall_ms = find_stall(clock, trip_ms);
    if (stall_ms > 0) {
        clock->anchor_ms += stall_ms;
        clock->recent_count = 0;
    }
    return stall_ms;
}
