#include "audio/playout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/level.h"
#include "audio/playout_clock.h"
#include "base/err.h"

#define PER_MS 8u
#define FRAME 160u         /* 20 ms */
#define CHUNK_MIN 480u     /* 60 ms */
#define CHUNK_MAX 800u     /* 100 ms */
#define MARK_EVERY 2000u   /* 250 ms */
#define AHEAD_LEAST_MS 80u /* room for one chunk and a late loop */
#define AHEAD_MOST_MS 400u
#define SHORT_MS 80u /* the phone is about to run dry: whatever there is goes out */
#define UNDERRUN_MS 60u
#define LOST_MS 3000u
#define MARKS 128u  /* outstanding marks; at 250 ms each this is half a minute */
#define LEVELS 128u /* 20 ms frames: 2.5 s of echo reference */
#define GROW_LEAST 32768u
#define MARK_NAME 40

enum playout_state { PLAYOUT_IDLE, PLAYOUT_PLAYING, PLAYOUT_PAUSED, PLAYOUT_CUT };

struct playout_mark {
    uint32_t pos;
    uint64_t due_ms;
    bool back;
};

struct rlx_playout {
    struct rlx_playout_options options;
    rlx_playout_audio_h *audio;
    rlx_playout_mark_h *mark;
    void *arg;

    enum playout_state state;
    uint32_t epoch, generation;
    uint8_t *buffer; /* the epoch's audio from its first sample on */
    size_t buffer_size;
    uint32_t total, sent; /* samples */
    uint32_t frozen;      /* samples: the position in a pause and after a cut */
    bool finished;

    struct rlx_play_clock clock;
    uint32_t ahead_ms;
    uint64_t wanted_ms; /* when run asked to be called; 0 = not */
    uint64_t last_ms;

    /* Marks of this generation: numbers [mark_first, mark_next) are out, by number modulo MARKS. */
    struct playout_mark marks[MARKS];
    uint32_t mark_first, mark_next;
    uint32_t mark_pos;   /* audio before this has a mark behind it */
    uint32_t marked_pos; /* the furthest mark that came back */

    struct {
        uint64_t frame; /* sender time / 20 ms */
        float db;
    } levels[LEVELS];
    struct rlx_playout_stats stats;
};

int rlx_playout_create(struct rlx_playout **playoutp, TALLOC_CTX *ctx,
                       const struct rlx_playout_options *options, rlx_playout_audio_h *audio,
                       rlx_playout_mark_h *mark, void *arg)
{
    struct rlx_playout *playout;

    if (!playoutp || !audio || !mark)
        return RLX_EINVAL;
    playout = talloc_zero(ctx, struct rlx_playout);
    if (!playout)
        return -ENOMEM;
    if (options)
        playout->options = *options;
    if (playout->options.ahead_ms == 0)
        playout->options.ahead_ms = 200;
    if (playout->options.ahead_ms < AHEAD_LEAST_MS)
        playout->options.ahead_ms = AHEAD_LEAST_MS;
    if (playout->options.one_way_ms == 0)
        playout->options.one_way_ms = 60;
    if (playout->options.mark_late_ms == 0)
        playout->options.mark_late_ms = 700;
    if (playout->options.max_ms == 0 || playout->options.max_ms > UINT32_MAX / PER_MS / 4)
        playout->options.max_ms = 120 * 1000;
    playout->ahead_ms = playout->options.ahead_ms;
    playout->audio = audio;
    playout->mark = mark;
    playout->arg = arg;
    playout->mark_first = playout->mark_next = 1;
    rlx_play_clock_init(&playout->clock, playout->options.one_way_ms);
    *playoutp = playout;
    return 0;
}

/* Forgets the marks that are out; those that should have been back are counted as lost. */
static void drop_marks(struct rlx_playout *playout)
{
    uint32_t wait_ms = rlx_play_clock_trip_ms(&playout->clock) + playout->options.mark_late_ms;

    for (; playout->mark_first != playout->mark_next; playout->mark_first++) {
        const struct playout_mark *mark = &playout->marks[playout->mark_first % MARKS];

        if (!mark->back && mark->due_ms + wait_ms <= playout->last_ms)
            playout->stats.marks_lost++;
    }
}

static void expire_marks(struct rlx_playout *playout, uint64_t now_ms)
{
    while (playout->mark_first != playout->mark_next) {
        const struct playout_mark *mark = &playout->marks[playout->mark_first % MARKS];

        if (!mark->back) {
            if (mark->due_ms + LOST_MS > now_ms)
                break;
            playout->stats.marks_lost++;
        }
        playout->mark_first++;
    }
}

static void new_generation(struct rlx_playout *playout)
{
    drop_marks(playout);
    playout->generation++;
    playout->wanted_ms = 0;
}

void rlx_playout_begin(struct rlx_playout *playout, uint32_t epoch)
{
    new_generation(playout);
    playout->state = PLAYOUT_PLAYING;
    playout->epoch = epoch;
    playout->total = playout->sent = playout->frozen = 0;
    playout->mark_pos = playout->marked_pos = 0;
    playout->finished = false;
    rlx_play_clock_restart(&playout->clock, 0);
}

static int reserve(struct rlx_playout *playout, size_t size)
{
    size_t most = (size_t)playout->options.max_ms * PER_MS;
    size_t grown = playout->buffer_size * 2;
    uint8_t *buffer;

    if (size <= playout->buffer_size)
        return 0;
    if (grown < GROW_LEAST)
        grown = GROW_LEAST;
    if (grown < size)
        grown = size;
    if (grown > most)
        grown = most;
    buffer = talloc_realloc(playout, playout->buffer, uint8_t, (unsigned)grown);
    if (!buffer)
        return -ENOMEM;
    playout->buffer = buffer;
    playout->buffer_size = grown;
    return 0;
}

int rlx_playout_append(struct rlx_playout *playout, uint32_t epoch, const uint8_t *ulaw,
                       size_t length)
{
    int err;

    if (epoch != playout->epoch || length == 0 || playout->finished ||
        (playout->state != PLAYOUT_PLAYING && playout->state != PLAYOUT_PAUSED))
        return 0;
    if (length > (size_t)playout->options.max_ms * PER_MS - playout->total)
        return RLX_ETOOBIG;
    err = reserve(playout, playout->total + length);
    if (err)
        return err;
    memcpy(playout->buffer + playout->total, ulaw, length);
    playout->total += (uint32_t)length;
    return 0;
}

void rlx_playout_finish(struct rlx_playout *playout, uint32_t epoch)
{
    if (epoch == playout->epoch)
        playout->finished = true;
}

static float level_of(const struct rlx_playout *playout, uint32_t pos, uint32_t length)
{
    int16_t pcm[FRAME];

    rlx_ulaw_to_pcm(pcm, playout->buffer + pos, length);
    return rlx_level_db(pcm, length);
}

static void send_mark(struct rlx_playout *playout)
{
    char name[MARK_NAME];
    uint32_t number = playout->mark_next++;
    struct playout_mark *mark = &playout->marks[number % MARKS];

    if (number - playout->mark_first == MARKS) {
        if (!mark->back)
            playout->stats.marks_lost++;
        playout->mark_first++;
    }
    mark->pos = playout->sent;
    mark->due_ms = rlx_play_clock_due_ms(&playout->clock, playout->sent);
    mark->back = false;
    playout->mark_pos = playout->sent;
    playout->stats.marks_sent++;
    (void)snprintf(name, sizeof(name), "%u.%u.%u", playout->epoch, playout->generation, number);
    playout->mark(name, playout->arg);
}

static void send_chunk(struct rlx_playout *playout, uint64_t now_ms, uint32_t length)
{
    uint32_t pos = playout->sent;

    if (rlx_play_clock_dry_ms(&playout->clock, now_ms, pos) > UNDERRUN_MS)
        playout->stats.underruns++;
    rlx_play_clock_sent(&playout->clock, now_ms, pos);
    for (uint32_t at = 0; at < length; at += FRAME) {
        uint64_t frame = rlx_play_clock_due_ms(&playout->clock, pos + at) / 20;

        playout->levels[frame % LEVELS].frame = frame;
        playout->levels[frame % LEVELS].db =
            level_of(playout, pos + at, length - at < FRAME ? length - at : FRAME);
    }
    playout->sent += length;
    playout->audio(playout->buffer + pos, length, pos / PER_MS, playout->arg);
}

/* Samples to send now; 0 = wait. */
static uint32_t next_chunk(const struct rlx_playout *playout, uint32_t queued_ms)
{
    uint32_t left = playout->total - playout->sent;
    uint32_t room = queued_ms < playout->ahead_ms ? (playout->ahead_ms - queued_ms) * PER_MS : 0;
    uint32_t chunk = left < CHUNK_MAX ? left : CHUNK_MAX;

    if (chunk > room)
        chunk = room;
    if (chunk < left)
        chunk -= chunk % FRAME;
    if (chunk >= CHUNK_MIN || (chunk == left && (playout->finished || queued_ms <= SHORT_MS)))
        return chunk;
    return 0;
}

/* A loop that runs late needs more audio at the phone: twice the lateness, forgotten slowly. */
static void note_lateness(struct rlx_playout *playout, uint64_t now_ms)
{
    uint32_t late_ms = 0, ahead_ms;

    if (playout->wanted_ms == 0 || now_ms < playout->wanted_ms)
        return;
    late_ms = (uint32_t)(now_ms - playout->wanted_ms);
    playout->wanted_ms = 0;
    if (late_ms > playout->stats.late_max_ms)
        playout->stats.late_max_ms = late_ms;
    ahead_ms = playout->options.ahead_ms + (late_ms > 20 ? 2 * (late_ms - 20) : 0);
    if (ahead_ms > AHEAD_MOST_MS)
        ahead_ms = AHEAD_MOST_MS;
    if (ahead_ms > playout->ahead_ms)
        playout->ahead_ms = ahead_ms;
    else if (playout->ahead_ms > playout->options.ahead_ms)
        playout->ahead_ms--;
}

/* How much the phone may have queued when the next chunk goes out. */
static uint32_t next_queued_ms(const struct rlx_playout *playout)
{
    uint32_t left = playout->total - playout->sent;

    if (left >= CHUNK_MIN)
        return playout->ahead_ms - CHUNK_MIN / PER_MS;
    return playout->finished ? playout->ahead_ms - left / PER_MS - 1 : SHORT_MS;
}

uint64_t rlx_playout_run(struct rlx_playout *playout, uint64_t now_ms)
{
    uint32_t queued_ms, chunk, least_ms;

    playout->last_ms = now_ms;
    expire_marks(playout, now_ms);
    if (playout->state != PLAYOUT_PLAYING)
        return UINT64_MAX;
    note_lateness(playout, now_ms);
    for (;;) {
        queued_ms = rlx_play_clock_queued_ms(&playout->clock, now_ms, playout->sent);
        chunk = next_chunk(playout, queued_ms);
        if (chunk == 0)
            break;
        send_chunk(playout, now_ms, chunk);
        if (playout->sent - playout->mark_pos + CHUNK_MAX > MARK_EVERY)
            send_mark(playout);
    }
    if (playout->sent == playout->total) {
        playout->wanted_ms = 0;
        if (playout->finished && playout->mark_pos < playout->sent)
            send_mark(playout);
        return UINT64_MAX;
    }
    least_ms = next_queued_ms(playout);
    playout->wanted_ms = now_ms + (queued_ms > least_ms ? queued_ms - least_ms : 1);
    return playout->wanted_ms;
}

/* Reads "epoch.generation.sequence" and nothing else. */
static bool parse_name(const char *name, uint32_t numbers[3])
{
    for (int i = 0; i < 3; i++) {
        uint64_t value = 0;
        int digits = 0;

        for (; *name >= '0' && *name <= '9' && digits < 10; name++, digits++)
            value = value * 10 + (uint64_t)(*name - '0');
        if (digits == 0 || value > UINT32_MAX || *name != (i < 2 ? '.' : '\0'))
            return false;
        numbers[i] = (uint32_t)value;
        name++;
    }
    return true;
}

void rlx_playout_marked(struct rlx_playout *playout, const char *name, uint64_t now_ms)
{
    uint32_t numbers[3], moved_ms;
    struct playout_mark *mark;

    if (!name || !parse_name(name, numbers) || numbers[0] != playout->epoch ||
        numbers[1] != playout->generation || playout->state != PLAYOUT_PLAYING ||
        numbers[2] - playout->mark_first >= playout->mark_next - playout->mark_first)
        return;
    mark = &playout->marks[numbers[2] % MARKS];
    if (mark->back)
        return;
    mark->back = true;
    if (mark->pos > playout->marked_pos)
        playout->marked_pos = mark->pos;
    moved_ms =
        rlx_play_clock_marked(&playout->clock, now_ms, mark->pos, mark->due_ms, playout->sent);
    for (uint32_t n = numbers[2]; moved_ms > 0 && n != playout->mark_next; n++)
        playout->marks[n % MARKS].due_ms += moved_ms;
}

/* Where the phone will be when a `clear` that is sent now reaches it. */
static uint32_t stop_position(const struct rlx_playout *playout, uint64_t now_ms)
{
    uint32_t one_way_ms = rlx_play_clock_one_way_ms(&playout->clock);

    return rlx_play_clock_heard(&playout->clock, now_ms + one_way_ms, playout->sent);
}

static void freeze(struct rlx_playout *playout, uint64_t now_ms)
{
    playout->frozen = stop_position(playout, now_ms);
    playout->last_ms = now_ms;
    new_generation(playout);
    for (uint32_t i = 0; i < LEVELS; i++) {
        if (playout->levels[i].frame * 20 > now_ms)
            playout->levels[i].frame = 0;
    }
}

uint32_t rlx_playout_pause(struct rlx_playout *playout, uint64_t now_ms)
{
    if (playout->state == PLAYOUT_PLAYING) {
        freeze(playout, now_ms);
        playout->state = PLAYOUT_PAUSED;
    }
    return playout->frozen / PER_MS;
}

/* The middle of the last 20 ms before `to` that lie 15 dB below the loudest, or are silent; else
 * the range's start when that is the epoch's, else the quietest place. */
static uint32_t find_dip(const struct rlx_playout *playout, uint32_t from, uint32_t to)
{
    float loudest = RLX_LEVEL_SILENCE_DB, quietest = 0.0f, limit;
    uint32_t quiet_pos = from;

    if (to - from < FRAME)
        return from;
    for (uint32_t pos = to - FRAME;; pos -= FRAME / 2) {
        float db = level_of(playout, pos, FRAME);

        if (db > loudest)
            loudest = db;
        if (db < quietest) {
            quietest = db;
            quiet_pos = pos;
        }
        if (pos < from + FRAME / 2)
            break;
    }
    limit = loudest - 15.0f > -45.0f ? loudest - 15.0f : -45.0f;
    for (uint32_t pos = to - FRAME;; pos -= FRAME / 2) {
        if (level_of(playout, pos, FRAME) < limit)
            return pos + FRAME / 2;
        if (pos < from + FRAME / 2)
            break;
    }
    return from == 0 ? 0 : quiet_pos + FRAME / 2;
}

uint32_t rlx_playout_resume(struct rlx_playout *playout, uint64_t now_ms, uint32_t back_ms)
{
    uint32_t from;

    if (playout->state != PLAYOUT_PAUSED)
        return rlx_playout_heard_ms(playout, now_ms);
    from = playout->frozen / PER_MS > back_ms ? playout->frozen - back_ms * PER_MS : 0;
    from = find_dip(playout, from, playout->frozen);
    playout->state = PLAYOUT_PLAYING;
    playout->sent = playout->mark_pos = playout->marked_pos = from;
    playout->last_ms = now_ms;
    rlx_play_clock_restart(&playout->clock, from);
    return from / PER_MS;
}

uint32_t rlx_playout_cut(struct rlx_playout *playout, uint64_t now_ms)
{
    if (playout->state == PLAYOUT_PLAYING)
        freeze(playout, now_ms);
    if (playout->state != PLAYOUT_IDLE) {
        playout->state = PLAYOUT_CUT;
        playout->total = playout->sent = playout->frozen;
        playout->finished = true;
    }
    return playout->frozen / PER_MS;
}

static uint32_t heard(const struct rlx_playout *playout, uint64_t now_ms)
{
    if (playout->state != PLAYOUT_PLAYING)
        return playout->frozen;
    return rlx_play_clock_heard(&playout->clock, now_ms, playout->sent);
}

uint32_t rlx_playout_heard_ms(const struct rlx_playout *playout, uint64_t now_ms)
{
    return heard(playout, now_ms) / PER_MS;
}

uint32_t rlx_playout_total_ms(const struct rlx_playout *playout)
{
    return playout->total / PER_MS;
}

uint32_t rlx_playout_sent_ms(const struct rlx_playout *playout)
{
    return playout->sent / PER_MS;
}

bool rlx_playout_over(const struct rlx_playout *playout, uint64_t now_ms)
{
    if (playout->state == PLAYOUT_IDLE || playout->state == PLAYOUT_CUT)
        return true;
    if (playout->state == PLAYOUT_PAUSED || !playout->finished || playout->sent < playout->total)
        return false;
    if (!playout->clock.running || playout->marked_pos >= playout->total)
        return true;
    return now_ms >= rlx_play_clock_due_ms(&playout->clock, playout->total) +
                         rlx_play_clock_one_way_ms(&playout->clock) + playout->options.mark_late_ms;
}

bool rlx_playout_audible(const struct rlx_playout *playout, uint64_t now_ms)
{
    return playout->state == PLAYOUT_PLAYING && heard(playout, now_ms) < playout->total;
}

float rlx_playout_level_db(const struct rlx_playout *playout, uint64_t now_ms, uint32_t ago_ms)
{
    uint64_t back_ms = (uint64_t)ago_ms + rlx_play_clock_one_way_ms(&playout->clock);
    uint64_t frame = now_ms > back_ms ? (now_ms - back_ms) / 20 : 0;

    if (frame == 0 || playout->levels[frame % LEVELS].frame != frame)
        return RLX_LEVEL_SILENCE_DB;
    return playout->levels[frame % LEVELS].db;
}

void rlx_playout_stats(const struct rlx_playout *playout, struct rlx_playout_stats *stats)
{
    *stats = playout->stats;
}
