/* Simulated calls: frames of a sound → voice detection → conversation → real speech to text; its
 * answers come as much later in simulated time as they took. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/level.h"
#include "audio/vad.h"
#include "turns.h"

#define START_MS 1000u
#define SETTLE_MS 600u /* from the end of the greeting to the sound */
#define LATEST_MS                                                                                  \
    20000u /* but so much after the call's start at the latest: its own noise may keep the agent   \
              from listening */
#define AFTER_MS 5000u /* the line stays open behind it */
#define REPLY "I see. Please go on."
#define REPLY_MS 250u
#define LATER 32
#define BYTES_PER_MS 8u
#define CALL_BYTES (660u * 1000 * BYTES_PER_MS) /* longer than the longest call */

struct later {
    uint64_t due_ms;
    struct rlx_conv_event event;
    struct rlx_turns_text *text;
};

struct call {
    const struct rlx_turns_options *options;
    struct rlx_turns_ear *ear;
    struct rlx_turns_result *result;
    const struct rlx_turns_sound *sound;
    size_t *atp; /* bytes of the sound that have been fed */
    struct rlx_conv *conv;
    struct rlx_turns_voice *voice;
    struct rlx_vad *vad;
    uint64_t now_ms, media_ms, listening_ms, silent_ms;
    uint8_t *heard; /* all of the callee's audio in this call */
    size_t heard_length;
    struct later later[LATER];
    size_t later_count;
    uint32_t random;
    bool ended;
    int err;
};

/* ---- what the conversation asks for ---- */

static struct later *add_later(struct call *call, uint64_t delay_ms)
{
    static struct later none;

    if (call->later_count == LATER)
        return &none;
    struct later *later = &call->later[call->later_count++];
    memset(later, 0, sizeof *later);
    later->due_ms = call->now_ms + delay_ms;
    return later;
}

static void cancel(struct call *call, uint32_t job)
{
    size_t kept = 0;

    for (size_t i = 0; i < call->later_count; i++) {
        if (call->later[i].event.job == job)
            TALLOC_FREE(call->later[i].text);
        else
            call->later[kept++] = call->later[i];
    }
    call->later_count = kept;
}

static void hear(struct call *call, const struct rlx_conv_action *action)
{
    struct rlx_turns_text *text;
    size_t from = action->stt.from_ms * BYTES_PER_MS, to = action->stt.to_ms * BYTES_PER_MS;

    to = to < call->heard_length ? to : call->heard_length;
    call->err =
        to > from ? rlx_turns_hear(&text, call, call->ear, call->heard + from, to - from) : -EINVAL;
    if (call->err)
        return;
    uint32_t took = call->options->stt_ms ? call->options->stt_ms : text->took_ms;
    if (call->options->verbose)
        fprintf(stderr, "    heard \"%s\" voiced %u ms, logprob %.2f, took %u ms\n", text->text,
                text->voiced_ms, (double)text->avg_logprob, text->took_ms);
    call->result->stt++;
    call->result->stt_total_ms += took;
    if (took > call->result->stt_max_ms)
        call->result->stt_max_ms = took;
    struct later *later = add_later(call, took);
    later->text = text;
    later->event = (struct rlx_conv_event){.kind = RLX_EV_STT,
                                           .job = action->job,
                                           .stt = {.text = text->text,
                                                   .voiced_ms = text->voiced_ms,
                                                   .avg_logprob = text->avg_logprob,
                                                   .took_ms = took}};
}

static void reply(struct call *call, uint32_t job)
{
    call->result->llm++;
    add_later(call, REPLY_MS)->event =
        (struct rlx_conv_event){.kind = RLX_EV_LLM_TEXT, .job = job, .text = REPLY};
    add_later(call, REPLY_MS + 1)->event =
        (struct rlx_conv_event){.kind = RLX_EV_LLM_DONE, .job = job};
}

static void keep_row(struct call *call, const struct rlx_conv_action *action)
{
    struct rlx_turns_result *result = call->result;
    size_t i = 0;

    if (action->row.agent)
        return;
    while (i < result->turn_count && strcmp(result->turns[i].id, action->row.id))
        i++;
    if (i == RLX_TURNS_MAX)
        return;
    struct rlx_turns_turn *turn = &result->turns[i];
    if (i == result->turn_count) {
        result->turn_count++;
        snprintf(turn->id, sizeof turn->id, "%s", action->row.id);
        turn->at_ms = (uint32_t)(*call->atp / BYTES_PER_MS);
    }
    snprintf(turn->text, sizeof turn->text, "%s", action->row.text);
}

static void count_end(struct call *call, const struct rlx_conv_action *action)
{
    json_t *metrics = json_loads(action->end.metrics, 0, NULL);

    call->ended = true;
    call->result->empty += (unsigned)json_integer_value(json_object_get(metrics, "empty_stt"));
    call->result->suspects += (unsigned)json_integer_value(json_object_get(metrics, "suspects"));
    json_decref(metrics);
}

static void trace(const struct call *call, const struct rlx_conv_action *action)
{
    static const char *const names[] = {
        "STATE", "STT",   "STT_CANCEL", "LOOKUP", "LLM",  "LLM_CANCEL", "SAY", "EPOCH",  "FINISH",
        "DROP",  "PAUSE", "RESUME",     "ROW",    "NOTE", "TOOL",       "DNC", "HANGUP", "END"};

    fprintf(stderr, "%8.2f  media %6u  %s", (double)(call->now_ms - START_MS) / 1000,
            (unsigned)call->media_ms, names[action->kind]);
    if (action->kind == RLX_ACT_STATE)
        fprintf(stderr, " %s", rlx_conv_state_name(action->state));
    if (action->kind == RLX_ACT_STT)
        fprintf(stderr, " %u-%u purpose %d", (unsigned)action->stt.from_ms,
                (unsigned)action->stt.to_ms, (int)action->stt.purpose);
    if (action->kind == RLX_ACT_ROW)
        fprintf(stderr, " %s: %s", action->row.agent ? "agent" : "callee", action->row.text);
    if (action->kind == RLX_ACT_END)
        fprintf(stderr, " %s", action->end.metrics);
    fprintf(stderr, " %s %s\n", action->text ? action->text : "", action->data ? action->data : "");
}

static void carry_out(struct call *call, const struct rlx_conv_action *action)
{
    if (call->options->verbose)
        trace(call, action);
    switch (action->kind) {
    case RLX_ACT_STT:
        hear(call, action);
        break;
    case RLX_ACT_STT_CANCEL:
    case RLX_ACT_LLM_CANCEL:
        cancel(call, action->job);
        break;
    case RLX_ACT_LLM:
        reply(call, action->job);
        break;
    case RLX_ACT_ROW:
        keep_row(call, action);
        break;
    case RLX_ACT_END:
        count_end(call, action);
        break;
    default:
        call->result->pauses += action->kind == RLX_ACT_PAUSE;
        call->result->resumed += action->kind == RLX_ACT_RESUME;
        rlx_turns_voice_act(call->voice, action, call->now_ms);
        break;
    }
}

static void give(struct call *call, struct rlx_conv_event event)
{
    size_t count;

    if (call->ended || call->err)
        return;
    event.heard_ms = rlx_turns_voice_heard_ms(call->voice, call->now_ms);
    const struct rlx_conv_action *actions =
        rlx_conv_input(call->conv, &event, call->now_ms, &count);
    for (size_t i = 0; i < count; i++)
        carry_out(call, &actions[i]);
}

/* ---- the callee's sound ---- */

/* The room's own noise: the sum of uniform numbers is near enough to a bell. */
static void room(struct call *call, uint8_t *frame)
{
    double scale = 32768.0 * pow(10, (double)call->options->room_db / 20);

    for (size_t i = 0; i < RLX_FRAME_SAMPLES; i++) {
        double sum = 0;
        for (int k = 0; k < 12; k++) {
            call->random = call->random * 1664525u + 1013904223u;
            sum += (double)(call->random >> 8) / (1 << 24) - 0.5;
        }
        int16_t sample = (int16_t)lrint(sum * scale);
        rlx_pcm_to_ulaw(frame + i, &sample, 1);
    }
}

/* Before the sound: its own beginning again and again, or the room. */
static void lead_in(struct call *call, uint8_t *frame)
{
    size_t lead = call->options->lead_ms * BYTES_PER_MS / RLX_FRAME_SAMPLES;

    if (!lead || *call->atp || call->sound->length < lead * RLX_FRAME_SAMPLES) {
        room(call, frame);
        return;
    }
    size_t from = call->media_ms / RLX_FRAME_MS % lead * RLX_FRAME_SAMPLES;
    memcpy(frame, call->sound->ulaw + from, RLX_FRAME_SAMPLES);
}

static void next_frame(struct call *call, uint8_t *frame)
{
    size_t left = call->sound->length - *call->atp;
    bool settled = call->now_ms >= START_MS + LATEST_MS ||
                   (call->listening_ms && call->now_ms >= call->listening_ms + SETTLE_MS);

    if (!settled || left < RLX_FRAME_SAMPLES) {
        lead_in(call, frame);
        return;
    }
    memcpy(frame, call->sound->ulaw + *call->atp, RLX_FRAME_SAMPLES);
    *call->atp += RLX_FRAME_SAMPLES;
    call->result->fed_ms += RLX_FRAME_MS;
    if (!rlx_turns_voice_speaks(call->voice))
        call->result->listened_ms += RLX_FRAME_MS;
    call->silent_ms = call->now_ms;
}

static int feed(struct call *call)
{
    int16_t pcm[RLX_FRAME_SAMPLES];
    if (call->heard_length + RLX_FRAME_SAMPLES > CALL_BYTES)
        return -ENOMEM;
    uint8_t *frame = call->heard + call->heard_length;
    next_frame(call, frame);
    call->heard_length += RLX_FRAME_SAMPLES;
    rlx_ulaw_to_pcm(pcm, frame, RLX_FRAME_SAMPLES);
    struct rlx_conv_event event = {
        .kind = RLX_EV_FRAME,
        .frame = {.ts_ms = call->media_ms,
                  .voiced = rlx_vad_frame(call->vad, pcm),
                  .level_db = rlx_level_db(pcm, RLX_FRAME_SAMPLES),
                  .agent_db = rlx_turns_voice_level_db(call->voice, call->now_ms)}};
    call->media_ms += RLX_FRAME_MS;
    give(call, event);
    return 0;
}

/* ---- time ---- */

static void give_later(struct call *call)
{
    for (size_t i = 0; i < call->later_count;) {
        struct later later = call->later[i];
        if (later.due_ms > call->now_ms) {
            i++;
            continue;
        }
        memmove(call->later + i, call->later + i + 1, (--call->later_count - i) * sizeof later);
        give(call, later.event);
        talloc_free(later.text);
        i = 0; /* the list may be another now */
    }
}

static int step(struct call *call)
{
    struct rlx_conv_event event;
    int err = 0;

    call->now_ms++;
    give_later(call);
    while (rlx_turns_voice_run(call->voice, call->now_ms, &event))
        give(call, event);
    if (!call->listening_ms && rlx_conv_state(call->conv) == RLX_CONV_LISTENING)
        call->listening_ms = call->now_ms;
    if ((call->now_ms - START_MS) % RLX_FRAME_MS == 0)
        err = feed(call);
    if (rlx_conv_deadline(call->conv) <= call->now_ms)
        give(call, (struct rlx_conv_event){.kind = RLX_EV_TIMER});
    bool fed = call->sound->length - *call->atp < RLX_FRAME_SAMPLES;
    if (fed && call->now_ms > call->silent_ms + AFTER_MS)
        give(call, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    return err ? err : call->err;
}

static int one_call(struct call *call)
{
    struct rlx_conv_options options = {.agent_first = true,
                                       .greeting = "Hello, this is Ava. How can I help you?",
                                       .uuid_seed = 7 + call->result->calls};

    rlx_turn_settings_default(&options.settings);
    int err = rlx_vad_create(&call->vad, call, 2);
    if (!err)
        options.hangover_ms = rlx_vad_hangover_ms(call->vad);
    if (!err)
        err = rlx_turns_voice_create(&call->voice, call);
    if (!err)
        err = rlx_conv_create(&call->conv, call, &options);
    call->heard = talloc_array(call, uint8_t, CALL_BYTES);
    if (err || !call->heard)
        return err ? err : -ENOMEM;
    call->now_ms = call->silent_ms = START_MS;
    call->random = 1 + call->result->calls++;
    give(call, (struct rlx_conv_event){.kind = RLX_EV_STREAM});
    while (!err && !call->ended)
        err = step(call);
    return err;
}

int rlx_turns_replay(struct rlx_turns_result *result, struct rlx_turns_ear *ear,
                     const struct rlx_turns_sound *sound, const struct rlx_turns_options *options)
{
    size_t at = 0;
    int err = 0;

    *result = (struct rlx_turns_result){0};
    while (!err && sound->length - at >= RLX_FRAME_SAMPLES) {
        struct call *call = talloc_zero(NULL, struct call);
        if (!call)
            return -ENOMEM;
        *call = (struct call){
            .options = options, .ear = ear, .result = result, .sound = sound, .atp = &at};
        err = one_call(call);
        talloc_free(call);
    }
    size_t kept = 0;
    for (size_t i = 0; i < result->turn_count; i++)
        if (*result->turns[i].text)
            result->turns[kept++] = result->turns[i];
    result->turn_count = kept;
    return err;
}
