/* The agent's voice in simulated time: tones instead of synthesis, the real playout, a phone that
 * plays without fail. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audio/playout.h"
#include "turns.h"

#define MS_PER_CHAR 60u
#define BYTES_PER_MS 8u
#define FIXED_MS 2u /* a phrase out of the cache */
#define SYNTH_MS 150u
#define ONE_WAY_MS 60u
#define PIECES 64
#define MARKS 256
#define ECHO_FROM_MS 60u
#define ECHO_TO_MS 600u
#define LOUD_CODE 0x90 /* about -14 dBFS */

struct piece {
    uint32_t epoch, number, length_ms;
    uint64_t due_ms;
    bool made, sent;
};

struct mark {
    char name[40];
    uint64_t back_ms;
};

struct rlx_turns_voice {
    struct rlx_playout *playout;
    struct piece pieces[PIECES];
    size_t piece_count;
    struct mark marks[MARKS];
    size_t mark_count;
    uint64_t now_ms, dry_ms; /* dry_ms: when the phone has played all that it has */
    uint32_t epoch, finish;  /* running; no more pieces will come of it */
    bool paused;
};

static void to_phone(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg)
{
    struct rlx_turns_voice *voice = arg;
    uint64_t arrives = voice->now_ms + ONE_WAY_MS;

    (void)ulaw;
    (void)at_ms;
    voice->dry_ms = (voice->dry_ms > arrives ? voice->dry_ms : arrives) + length / BYTES_PER_MS;
}

static void mark_sent(const char *name, void *arg)
{
    struct rlx_turns_voice *voice = arg;

    if (voice->mark_count == MARKS)
        return;
    struct mark *mark = &voice->marks[voice->mark_count++];
    snprintf(mark->name, sizeof mark->name, "%s", name);
    mark->back_ms = voice->dry_ms + ONE_WAY_MS;
}

int rlx_turns_voice_create(struct rlx_turns_voice **voicep, TALLOC_CTX *ctx)
{
    const struct rlx_playout_options options = {.one_way_ms = ONE_WAY_MS};
    struct rlx_turns_voice *voice = talloc_zero(ctx, struct rlx_turns_voice);

    if (!voice)
        return -ENOMEM;
    int err = rlx_playout_create(&voice->playout, voice, &options, to_phone, mark_sent, voice);
    if (err)
        talloc_free(voice);
    else
        *voicep = voice;
    return err;
}

static void cleared(struct rlx_turns_voice *voice)
{
    voice->dry_ms = voice->now_ms + ONE_WAY_MS;
    voice->mark_count = 0;
}

static void forget(struct rlx_turns_voice *voice, uint32_t epoch)
{
    size_t kept = 0;

    for (size_t i = 0; i < voice->piece_count; i++)
        if (voice->pieces[i].epoch != epoch)
            voice->pieces[kept++] = voice->pieces[i];
    voice->piece_count = kept;
}

static void say(struct rlx_turns_voice *voice, const struct rlx_conv_action *action)
{
    if (voice->piece_count == PIECES)
        return;
    voice->pieces[voice->piece_count++] =
        (struct piece){.epoch = action->epoch,
                       .number = action->piece,
                       .length_ms = (uint32_t)strlen(action->text) * MS_PER_CHAR,
                       .due_ms = voice->now_ms + (action->fixed ? FIXED_MS : SYNTH_MS)};
}

static void drop(struct rlx_turns_voice *voice, uint32_t epoch)
{
    forget(voice, epoch);
    if (voice->epoch != epoch)
        return;
    rlx_playout_cut(voice->playout, voice->now_ms);
    cleared(voice);
    voice->epoch = 0;
    voice->paused = false;
}

void rlx_turns_voice_act(struct rlx_turns_voice *voice, const struct rlx_conv_action *action,
                         uint64_t now_ms)
{
    voice->now_ms = now_ms;
    switch (action->kind) {
    case RLX_ACT_SAY:
        say(voice, action);
        break;
    case RLX_ACT_EPOCH:
        rlx_playout_begin(voice->playout, action->epoch);
        voice->epoch = action->epoch;
        voice->paused = false;
        break;
    case RLX_ACT_FINISH:
        voice->finish = action->epoch;
        break;
    case RLX_ACT_DROP:
        drop(voice, action->epoch);
        break;
    case RLX_ACT_PAUSE:
        rlx_playout_pause(voice->playout, now_ms);
        cleared(voice);
        voice->paused = true;
        break;
    case RLX_ACT_RESUME:
        rlx_playout_resume(voice->playout, now_ms, action->ms);
        voice->paused = false;
        break;
    default:
        break;
    }
}

/* Makes the next piece that is due; its whole audio comes at once. */
static bool make_piece(struct rlx_turns_voice *voice, struct rlx_conv_event *event)
{
    for (size_t i = 0; i < voice->piece_count; i++) {
        struct piece *piece = &voice->pieces[i];
        if (piece->made || piece->due_ms > voice->now_ms)
            continue;
        piece->made = true;
        *event = (struct rlx_conv_event){.kind = RLX_EV_AUDIO,
                                         .audio = {.epoch = piece->epoch,
                                                   .piece = piece->number,
                                                   .total_ms = piece->length_ms,
                                                   .complete = true}};
        return true;
    }
    return false;
}

static void send_pieces(struct rlx_turns_voice *voice)
{
    uint8_t tone[200 * BYTES_PER_MS];
    bool waiting = false;

    memset(tone, LOUD_CODE, sizeof tone);
    for (size_t i = 0; voice->epoch && i < voice->piece_count; i++) {
        struct piece *piece = &voice->pieces[i];
        if (piece->epoch != voice->epoch || piece->sent)
            continue;
        waiting = waiting || !piece->made;
        if (waiting)
            continue;
        piece->sent = true;
        for (size_t left = piece->length_ms * BYTES_PER_MS; left;) {
            size_t part = left < sizeof tone ? left : sizeof tone;
            if (rlx_playout_append(voice->playout, piece->epoch, tone, part))
                return;
            left -= part;
        }
    }
    if (voice->epoch && voice->finish == voice->epoch && !waiting)
        rlx_playout_finish(voice->playout, voice->epoch);
}

static void marks_back(struct rlx_turns_voice *voice)
{
    size_t kept = 0;

    for (size_t i = 0; i < voice->mark_count; i++) {
        struct mark mark = voice->marks[i];
        if (mark.back_ms <= voice->now_ms)
            rlx_playout_marked(voice->playout, mark.name, voice->now_ms);
        else
            voice->marks[kept++] = mark;
    }
    voice->mark_count = kept;
}

bool rlx_turns_voice_run(struct rlx_turns_voice *voice, uint64_t now_ms,
                         struct rlx_conv_event *event)
{
    voice->now_ms = now_ms;
    send_pieces(voice);
    if (now_ms % 5 == 0)
        rlx_playout_run(voice->playout, now_ms);
    marks_back(voice);
    if (make_piece(voice, event))
        return true;
    if (!voice->epoch || voice->paused || !rlx_playout_over(voice->playout, now_ms))
        return false;
    forget(voice, voice->epoch);
    voice->epoch = 0;
    *event = (struct rlx_conv_event){.kind = RLX_EV_PLAYED};
    return true;
}

uint32_t rlx_turns_voice_heard_ms(const struct rlx_turns_voice *voice, uint64_t now_ms)
{
    return voice->epoch ? rlx_playout_heard_ms(voice->playout, now_ms) : 0;
}

float rlx_turns_voice_level_db(const struct rlx_turns_voice *voice, uint64_t now_ms)
{
    float loudest = -90.0f;

    for (uint32_t ago = ECHO_FROM_MS; ago <= ECHO_TO_MS; ago += 20) {
        float level = rlx_playout_level_db(voice->playout, now_ms, ago);
        loudest = level > loudest ? level : loudest;
    }
    return loudest;
}

bool rlx_turns_voice_speaks(const struct rlx_turns_voice *voice)
{
    return voice->epoch != 0;
}
