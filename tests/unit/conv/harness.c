#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "phone.h"
#include "world.h"

#define CHUNK_MS 200u /* as the providers give it */
#define FRAME_MS 20u
#define ECHO_DELAY_MS 150u
#define VOICE_DB (-20.0f)
#define ROOM_DB (-60.0f)

/* ---- playout and phone ---- */

static void line_audio(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg)
{
    struct sim *sim = arg;

    (void)ulaw;
    if (sim->playout_epoch != rlx_conv_epoch(sim->conv))
        sim->two_epochs++;
    sim_phone_audio(sim->phone, sim->now, sim->playout_epoch, at_ms, (uint32_t)(length / 8));
}

static void line_mark(const char *name, void *arg)
{
    struct sim *sim = arg;

    sim_phone_mark(sim->phone, sim->now, name);
}

static void mark_back(const char *name, uint64_t at_ms, void *arg)
{
    struct sim *sim = arg;

    if (sim->lose_marks || (sim->mark_lost_percent && sim_draw(sim, 100) < sim->mark_lost_percent))
        return;
    uint32_t late = sim->mark_late_ms ? sim_draw(sim, sim->mark_late_ms) : 0;
    struct sim_pending *pending = sim_later(sim, late + (at_ms > sim->now ? at_ms - sim->now : 1));
    pending->kind = MARK;
    snprintf(pending->text, sizeof pending->text, "%s", name);
}

/* Audio is held here until its epoch has begun and the pieces before it are whole. */
struct held {
    uint32_t epoch, piece, from_ms, length_ms;
    bool complete;
    char text[640];
};
static struct held held[SIM_PENDING];
static size_t held_count;

/* A letter is loud, a space is quiet. */
static void append(struct sim *sim, const struct held *part)
{
    uint8_t ulaw[CHUNK_MS * 8];
    size_t length = strlen(part->text);

    for (uint32_t ms = 0; ms < part->length_ms; ms++) {
        size_t at = (part->from_ms + ms) / SIM_MS_PER_CHAR;
        memset(ulaw + ms * 8, at < length && part->text[at] != ' ' ? 0x90 : 0xff, 8);
    }
    if (rlx_playout_append(sim->playout, part->epoch, ulaw, part->length_ms * 8))
        fail_msg("the playout refused audio");
}

static void forget_held(uint32_t epoch)
{
    size_t kept = 0;

    for (size_t i = 0; i < held_count; i++)
        if (held[i].epoch != epoch)
            held[kept++] = held[i];
    held_count = kept;
}

static bool release_one(struct sim *sim)
{
    for (size_t i = 0; i < held_count; i++) {
        struct held *part = &held[i];
        if (part->epoch != sim->playout_epoch || part->piece != sim->piece_now)
            continue;
        if (part->length_ms)
            append(sim, part);
        sim->piece_now += part->complete;
        memmove(part, part + 1, (--held_count - i) * sizeof *part);
        return true;
    }
    return false;
}

/* The playout is told of the end when all pieces that were asked for have come. */
static void release_held(struct sim *sim)
{
    while (release_one(sim))
        ;
    if (sim->finish_wanted && sim->piece_now > sim->pieces_asked)
        rlx_playout_finish(sim->playout, sim->playout_epoch);
}

static void audio_came(struct sim *sim, const struct sim_pending *pending)
{
    const struct rlx_conv_event *event = &pending->event;

    if (held_count == SIM_PENDING)
        fail_msg("too much audio held");
    struct held *part = &held[held_count++];
    *part = (struct held){.epoch = event->audio.epoch,
                          .piece = event->audio.piece,
                          .from_ms = pending->from_ms,
                          .length_ms = event->audio.total_ms - pending->from_ms,
                          .complete = event->audio.complete};
    snprintf(part->text, sizeof part->text, "%s", pending->text);
    release_held(sim);
    sim_give(sim, *event);
}

/* ---- actions ---- */

static void keep_row(struct sim *sim, const struct rlx_conv_action *action)
{
    struct sim_row *row = NULL;

    for (size_t i = 0; i < sim->row_count; i++)
        if (!strcmp(sim->rows[i].id, action->row.id))
            row = &sim->rows[i];
    if (row && row->final)
        fail_msg("a final row was changed: %s", action->row.text);
    if (!row && sim->row_count < SIM_ROWS)
        row = &sim->rows[sim->row_count++];
    if (!row)
        return;
    snprintf(row->id, sizeof row->id, "%s", action->row.id);
    snprintf(row->text, sizeof row->text, "%s", action->row.text);
    snprintf(row->metadata, sizeof row->metadata, "%s", action->row.metadata);
    row->seq = action->row.seq;
    row->agent = action->row.agent;
    row->final = action->row.final;
    row->at_ms = action->row.at_ms;
}

static void keep_log(struct sim *sim, const struct rlx_conv_action *action)
{
    if (sim->log_count == SIM_LOG)
        return;
    struct sim_entry *entry = &sim->log[sim->log_count++];
    *entry = (struct sim_entry){.at = sim_time(sim),
                                .kind = action->kind,
                                .job = action->job,
                                .epoch = action->epoch,
                                .piece = action->piece,
                                .state = action->state,
                                .purpose = action->stt.purpose,
                                .hint = action->stt.hint,
                                .speculative = action->llm.speculative,
                                .from = (uint32_t)action->stt.from_ms,
                                .to = (uint32_t)action->stt.to_ms};
    entry->agent_asked = action->lookup.agent_asked;
    for (unsigned i = 0; i < 2; i++)
        snprintf(entry->recent[i], sizeof entry->recent[i], "%s",
                 action->lookup.recent[i] ? action->lookup.recent[i] : "");
    const char *text = action->kind == RLX_ACT_ROW    ? action->row.text
                       : action->kind == RLX_ACT_TOOL ? action->tool.name
                       : action->kind == RLX_ACT_END  ? action->end.reason
                                                      : action->text;
    snprintf(entry->text, sizeof entry->text, "%s%s%s", text ? text : "",
             action->kind == RLX_ACT_NOTE ? " " : "",
             action->kind == RLX_ACT_NOTE ? action->data : "");
}

static void drop(struct sim *sim, uint32_t epoch)
{
    sim_cancel_epoch(sim, epoch);
    forget_held(epoch);
    if (sim->playout_epoch != epoch)
        return;
    rlx_playout_cut(sim->playout, sim->now);
    sim_phone_clear(sim->phone, sim->now);
    sim->playout_epoch = 0;
    sim->paused = false;
}

static void keep_end(struct sim *sim, const struct rlx_conv_action *action)
{
    sim->ends++;
    sim->ended = true;
    snprintf(sim->end_status, sizeof sim->end_status, "%s", action->end.status);
    snprintf(sim->end_reason, sizeof sim->end_reason, "%s", action->end.reason);
    snprintf(sim->end_outcome, sizeof sim->end_outcome, "%s",
             action->end.outcome ? action->end.outcome : "");
    snprintf(sim->metrics, sizeof sim->metrics, "%s", action->end.metrics);
}

static uint32_t pieces_of(const struct sim *sim, uint32_t epoch)
{
    uint32_t pieces = 0;

    for (size_t i = 0; i < sim->log_count; i++)
        if (sim->log[i].kind == RLX_ACT_SAY && sim->log[i].epoch == epoch)
            pieces = sim->log[i].piece;
    return pieces;
}

static void carry_out(struct sim *sim, const struct rlx_conv_action *action)
{
    if (sim->ended)
        sim->after_end++;
    switch (action->kind) {
    case RLX_ACT_STT:
        sim_do_stt(sim, action);
        break;
    case RLX_ACT_STT_CANCEL:
    case RLX_ACT_LLM_CANCEL:
        sim_cancel_job(sim, action->job);
        break;
    case RLX_ACT_LOOKUP:
        sim_do_lookup(sim, action);
        break;
    case RLX_ACT_LLM:
        sim_do_llm(sim, action);
        break;
    case RLX_ACT_SAY:
        sim_do_say(sim, action);
        break;
    case RLX_ACT_EPOCH:
        if (sim->playout_epoch)
            sim->two_epochs++;
        rlx_playout_begin(sim->playout, action->epoch);
        sim->playout_epoch = action->epoch;
        sim->piece_now = 1;
        sim->finish_wanted = false;
        release_held(sim);
        break;
    case RLX_ACT_FINISH:
        sim->finish_wanted = true;
        sim->pieces_asked = pieces_of(sim, action->epoch);
        release_held(sim);
        break;
    case RLX_ACT_DROP:
        drop(sim, action->epoch);
        break;
    case RLX_ACT_PAUSE:
        rlx_playout_pause(sim->playout, sim->now);
        sim_phone_clear(sim->phone, sim->now);
        sim->paused = true;
        break;
    case RLX_ACT_RESUME:
        rlx_playout_resume(sim->playout, sim->now, action->ms);
        sim->paused = false;
        break;
    case RLX_ACT_ROW:
        keep_row(sim, action);
        sim_do_row(sim, action);
        break;
    case RLX_ACT_TOOL:
        sim_do_tool(sim, action);
        break;
    case RLX_ACT_END:
        keep_end(sim, action);
        break;
    default:
        break;
    }
}

void sim_give(struct sim *sim, struct rlx_conv_event event)
{
    size_t count;

    event.rate_low = sim->rate_low;
    event.heard_ms = sim->playout_epoch ? rlx_playout_heard_ms(sim->playout, sim->now) : 0;
    if (sim->heard_ms && sim->playout_epoch)
        event.heard_ms = sim->heard_ms;
    const struct rlx_conv_action *actions = rlx_conv_input(sim->conv, &event, sim->now, &count);
    for (size_t i = 0; i < count; i++) {
        keep_log(sim, &actions[i]);
        carry_out(sim, &actions[i]);
    }
    sim->deadline = rlx_conv_deadline(sim->conv);
    if (!sim->ended && sim->streaming && sim->deadline <= sim->now)
        fail_msg("the deadline is not ahead");
    if (!sim->ended && sim->streaming && sim->deadline == UINT64_MAX)
        fail_msg("no deadline in state %s", rlx_conv_state_name(sim_state(sim)));
}

/* ---- the callee ---- */

static const struct sim_voice *voice_at(const struct sim *sim, uint64_t ms)
{
    for (size_t i = 0; i < sim->voice_count; i++)
        if (ms >= sim->voices[i].from && ms < sim->voices[i].to)
            return &sim->voices[i];
    return NULL;
}

static void one_frame(struct sim *sim)
{
    uint64_t ts = sim->media_ms, back = ts > sim->hangover_ms ? ts - sim->hangover_ms : 0;
    const struct sim_voice *voice = voice_at(sim, ts + 10);
    struct rlx_conv_event event = {.kind = RLX_EV_FRAME};
    float agent = -90.0f;

    for (uint32_t ago = 60; ago <= 600 && sim->echo_db > -100.0f; ago += 20) {
        float level = rlx_playout_level_db(sim->playout, sim->now, ago);
        agent = level > agent ? level : agent;
    }
    event.frame.ts_ms = ts;
    event.frame.agent_db = agent;
    event.frame.level_db = voice ? voice->level_db : ROOM_DB;
    event.frame.voiced = voice != NULL;
    for (uint64_t ms = back; ms < ts && !event.frame.voiced; ms += FRAME_MS)
        event.frame.voiced = voice_at(sim, ms + 10) != NULL;
    float now = rlx_playout_level_db(sim->playout, sim->now, ECHO_DELAY_MS);
    if (!voice && now > -60.0f && sim->echo_db > -100.0f) {
        event.frame.voiced = true;
        event.frame.level_db = now + sim->echo_db;
    }
    sim->media_ms = ts + FRAME_MS;
    sim_give(sim, event);
}

static void frames(struct sim *sim)
{
    uint64_t since = sim->now - SIM_START;
    uint32_t burst = sim->burst_frames ? sim->burst_frames : 1;

    if (sim->frames_stop) {
        sim->media_ms = since / FRAME_MS * FRAME_MS;
        return;
    }
    if (since % (FRAME_MS * burst))
        return;
    while (!sim->ended && sim->media_ms + FRAME_MS <= since)
        one_frame(sim);
}

/* ---- time ---- */

static void give_pending(struct sim *sim, struct sim_pending *pending)
{
    struct rlx_answer_match match = {
        .why = "",
        .passages = {"We open at nine."},
        .sources = {{.id = "entry-1", .title = "Hours", .chunk = 2, .score = 0.98765f}},
    };

    switch (pending->kind) {
    case MARK:
        rlx_playout_marked(sim->playout, pending->text, sim->now);
        return;
    case AUDIO:
        audio_came(sim, pending);
        return;
    case TO_CONV:
        break;
    }
    struct rlx_conv_event *event = &pending->event;
    if (event->kind == RLX_EV_STT && !event->err)
        event->stt.text = pending->text;
    if (event->kind == RLX_EV_LLM_TEXT || event->kind == RLX_EV_TOOL_DONE)
        event->text = pending->text;
    if (event->kind == RLX_EV_LLM_TOOL) {
        event->tool.id = "call_1";
        event->tool.name = pending->name;
        event->tool.arguments = pending->arguments;
    }
    if (event->kind == RLX_EV_KNOWLEDGE) {
        event->knowledge.match = &match;
        if (sim->answer_for && strstr(pending->text, sim->answer_for)) {
            match.kind = RLX_ANSWER_FIRE;
            match.id = "answer-1";
            match.text = sim->answer_text;
            match.score = 0.9f;
        }
    }
    sim_give(sim, *event);
}

static bool is_audible(struct sim *sim)
{
    return sim_phone_audible(sim->phone, sim->now) || voice_at(sim, sim->now - SIM_START) != NULL;
}

static void watch_silence(struct sim *sim)
{
    enum rlx_conv_state state = sim_state(sim);

    if (!sim->silent_since || is_audible(sim) || state == RLX_CONV_ON_HOLD ||
        state == RLX_CONV_TRANSFERRING || sim->log_count != sim->silent_actions) {
        sim->silent_since = sim->now;
        sim->silent_actions = sim->log_count;
    }
    if (sim->now - sim->silent_since > sim->longest_silence_ms)
        sim->longest_silence_ms = (uint32_t)(sim->now - sim->silent_since);
}

static void step(struct sim *sim)
{
    struct sim_pending due;

    sim->now++;
    while (!sim->ended && sim_take_due(sim, &due))
        give_pending(sim, &due);
    if (!sim->ended)
        frames(sim);
    if (sim->ended)
        return;
    if (sim->deadline <= sim->now)
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_TIMER});
    if (sim->ended || sim->now % 5)
        return;
    rlx_playout_run(sim->playout, sim->now);
    sim_phone_run(sim->phone, sim->now);
    watch_silence(sim);
    if (sim->playout_epoch && !sim->paused && !sim->lose_played &&
        rlx_playout_over(sim->playout, sim->now)) {
        sim->playout_epoch = 0;
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_PLAYED});
    }
}

/* ---- what tests use ---- */

struct sim *sim_new(void **state)
{
    struct sim *sim = talloc_zero(*state, struct sim);

    rlx_turn_settings_default(&sim->options.settings);
    sim->options.agent_first = true;
    sim->options.greeting = "Hello, this is Ava. How can I help?";
    sim->options.uuid_seed = 7;
    sim->options.can_look_up = true;
    sim->options.wall_ms = 1700000000000;
    sim->stt_ms = 300;
    sim->lookup_ms = 10;
    sim->llm_ms = 200;
    sim->llm_gap_ms = 10;
    sim->tts_ms = 150;
    sim->tool_ms = 500;
    sim->one_way_ms = 40;
    sim->keep_ms = 3;
    sim->hangover_ms = 100;
    sim->echo_db = -100.0f;
    sim->pending = talloc_array(sim, struct sim_pending, SIM_PENDING);
    sim->now = SIM_START;
    held_count = 0;
    return sim;
}

void sim_start(struct sim *sim)
{
    struct rlx_playout_options options = {.one_way_ms = sim->one_way_ms};

    sim->options.hangover_ms = sim->hangover_ms;
    assert_int_equal(rlx_conv_create(&sim->conv, sim, &sim->options), 0);
    assert_int_equal(rlx_playout_create(&sim->playout, sim, &options, line_audio, line_mark, sim),
                     0);
    sim->phone = sim_phone_new(sim, mark_back, sim);
    sim_phone_delay(sim->phone, sim->one_way_ms);
    sim->streaming = true;
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STREAM});
}

void sim_voice(struct sim *sim, uint32_t from, uint32_t to, const char *text)
{
    assert_true(sim->voice_count < SIM_VOICES);
    struct sim_voice *voice = &sim->voices[sim->voice_count++];
    *voice = (struct sim_voice){.from = from, .to = to, .level_db = VOICE_DB};
    snprintf(voice->text, sizeof voice->text, "%s", text);
}

void sim_noise(struct sim *sim, uint32_t from, uint32_t to)
{
    sim_voice(sim, from, to, "");
}

void sim_reply(struct sim *sim, const char *reply)
{
    assert_true(sim->reply_count < SIM_REPLIES);
    snprintf(sim->replies[sim->reply_count++], sizeof sim->replies[0], "%s", reply);
}

void sim_run(struct sim *sim, uint32_t until)
{
    if (!sim->conv)
        sim_start(sim);
    while (!sim->ended && sim_time(sim) < until)
        step(sim);
}

void sim_until(struct sim *sim, enum rlx_conv_state state, uint32_t limit)
{
    if (!sim->conv)
        sim_start(sim);
    while (!sim->ended && sim_state(sim) != state && sim_time(sim) < limit)
        step(sim);
    sim_true(sim, sim_state(sim) == state);
}

uint32_t sim_time(const struct sim *sim)
{
    return (uint32_t)(sim->now - SIM_START);
}

enum rlx_conv_state sim_state(const struct sim *sim)
{
    return rlx_conv_state(sim->conv);
}
