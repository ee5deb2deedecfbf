#include "scenarios.h"

#include <errno.h>
#include <string.h>

#include "audio/beep.h"
#include "audio/playout.h"
#include "audio/trim.h"
#include "audio/wav.h"
#include "base/config.h"
#include "base/ws.h"
#include "call/answers.h"
#include "call/conv.h"
#include "call/prompt.h"
#include "call/split.h"
#include "call/spoken.h"

/* ---- constructors, used once ---- */

static const char *config(void)
{
    static char *argv[] = {"relayx", "--no-local", "--log-level=warn"};
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_config *config = NULL;
    char *why = NULL;

    int err = ctx ? rlx_config_load(&config, ctx, 3, argv, &why) : -ENOMEM;
    if (!err)
        err = rlx_config_set(config, RLX_CFG_TWILIO_AUTH_TOKEN, "secret");
    if (!err && strcmp(rlx_config_get(config, RLX_CFG_TWILIO_AUTH_TOKEN), "secret") != 0)
        return "a setting was lost without an error";
    talloc_free(ctx);
    return NULL;
}

static void no_message(bool text, const void *data, size_t length, void *arg)
{
    (void)text, (void)data, (void)length, (void)arg;
}

static void no_output(const void *data, size_t length, void *arg)
{
    (void)data, (void)length, (void)arg;
}

/* Made only: wslay's own queue leaves a message behind when it can't take it. */
static const char *websocket(void)
{
    struct rlx_ws *ws = NULL;

    if (!rlx_ws_create(&ws, NULL, true, 1000, no_message, no_output, NULL))
        talloc_free(ws);
    return NULL;
}

static void no_audio(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg)
{
    (void)ulaw, (void)length, (void)at_ms, (void)arg;
}

static void no_mark(const char *name, void *arg)
{
    (void)name, (void)arg;
}

static void no_trimmed(const uint8_t *ulaw, size_t length, void *arg)
{
    (void)ulaw, (void)length, (void)arg;
}

static const char *playout(void)
{
    static const uint8_t ulaw[8000];
    const struct rlx_playout_options options = {.ahead_ms = 200};
    struct rlx_playout *playout = NULL;

    if (rlx_playout_create(&playout, NULL, &options, no_audio, no_mark, NULL))
        return NULL;
    rlx_playout_begin(playout, 1);
    int err = 0;
    for (unsigned i = 0; i < 5 && !err; i++)
        err = rlx_playout_append(playout, 1, ulaw, sizeof ulaw);
    rlx_playout_finish(playout, 1);
    for (uint64_t now = 0; now < 3000; now += 20)
        rlx_playout_run(playout, now);
    rlx_playout_pause(playout, 3000);
    rlx_playout_resume(playout, 3200, 600);
    rlx_playout_cut(playout, 4000);
    bool short_of = !err && rlx_playout_total_ms(playout) > 5000;
    talloc_free(playout);
    return short_of ? "more was played than was given" : NULL;
}

/* Without WebRTC's detector, which uses what it could not allocate. */
static const char *audio(void)
{
    static uint8_t wav_file[RLX_WAV_HEADER + 3200];
    uint8_t ulaw[160] = {0};
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_beep *beep;
    struct rlx_trim *trim;
    struct rlx_wav *wav;

    if (!ctx)
        return NULL;
    rlx_wav_header(wav_file, 8000, 2, 3200);
    if (!rlx_beep_create(&beep, ctx))
        rlx_beep_feed(beep, ulaw, sizeof ulaw);
    if (!rlx_trim_create(&trim, ctx, 40, no_trimmed, NULL)) {
        rlx_trim_feed(trim, ulaw, sizeof ulaw);
        rlx_trim_end(trim);
    }
    const char *broken = NULL;
    if (!rlx_wav_read(&wav, ctx, wav_file, sizeof wav_file, NULL) && wav->frames != 800)
        broken = "a WAV was read in part without an error";
    talloc_free(ctx);
    return broken;
}

/* ---- words ---- */

static const char *words(void)
{
    static const char *const asks[] = {"What are your opening hours?", "When are you open?"};
    static const float vectors[8] = {1, 0, 0, 0, 0, 1, 0, 0};
    static const struct rlx_prompt_turn turns[] = {{.role = "user", .content = "Hello?"},
                                                   {.role = "assistant", .content = "Hi."}};
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_answers *answers;
    struct rlx_answer_match match;
    struct rlx_spoken *spoken;
    struct rlx_split *split;

    if (!ctx)
        return NULL;
    int err = rlx_spoken_make(&spoken, ctx, "On Jan 3 at 9:30 a.m. it is $12.50, see www.example.com.");
    const char *broken = !err && strpbrk(spoken->text, "0123456789$") ? "figures are spoken" : NULL;
    if (!rlx_split_create(&split, ctx)) {
        rlx_split_feed(split, "Yes, we are open on Saturdays. Dr. Miller is in from 9 to 5. And ");
        rlx_split_end(split);
        while (rlx_split_next(split, ctx, false))
            ;
    }
    if (!rlx_answers_create(&answers, ctx)) {
        const struct rlx_answers_query query = {
            .heard = "What are your opening hours?", .vector = vectors, .dim = 4};
        err = rlx_answers_add(answers, "a", "hours", "From nine to five.", asks, 2, vectors, 4);
        if (!err)
            err = rlx_answers_add_passage(answers, "p", "text", "We are a bakery.", vectors, 4);
        rlx_answers_match(answers, &query, &match);
        if (match.kind == RLX_ANSWER_FIRE && (!match.text || strcmp(match.text, "From nine to five.") != 0))
            broken = "another answer was given";
    }
    char *system = rlx_prompt_system(ctx, "You are Ava.", NULL);
    if (system)
        rlx_prompt_messages(ctx, system, turns, 2, NULL, 1000);
    talloc_free(ctx);
    return broken;
}

/* ---- a whole call ---- */

#define WAITING 64

struct call {
    struct rlx_conv *conv;
    uint64_t now_ms, media_ms;
    struct rlx_conv_event waiting[WAITING];
    unsigned first, count, turn;
    uint32_t epoch;
    unsigned ends, after_end;
    uint64_t play_until_ms;
};

static void later(struct call *call, struct rlx_conv_event event)
{
    if (call->count < WAITING)
        call->waiting[(call->first + call->count++) % WAITING] = event;
}

static void answer(struct call *call, const struct rlx_conv_action *action)
{
    static const char *const heard[] = {"Hello?", "What are your opening hours?",
                                        "No wait, can you put me through to my account, it is 415 555 0123",
                                        "Yes.", "Thank you, goodbye."};

    if (call->ends)
        call->after_end++;
    switch (action->kind) {
    case RLX_ACT_STT:
        later(call, (struct rlx_conv_event){.kind = RLX_EV_STT, .job = action->job,
                                            .stt = {.text = heard[call->turn % 5], .took_ms = 50}});
        break;
    case RLX_ACT_LOOKUP:
        later(call, (struct rlx_conv_event){.kind = RLX_EV_KNOWLEDGE, .job = action->job});
        break;
    case RLX_ACT_LLM:
        later(call, (struct rlx_conv_event){.kind = RLX_EV_LLM_TEXT, .job = action->job,
                                            .text = "We are open from 9 to 5. Is there anything else that I can do for you? "});
        if (call->turn == 2)
            later(call, (struct rlx_conv_event){
                            .kind = RLX_EV_LLM_TOOL, .job = action->job,
                            .tool = {.id = "t", .name = "note",
                                     .arguments = "{\"phone\":\"+14155550123\",\"say\":\"One moment.\"}"}});
        later(call, (struct rlx_conv_event){.kind = RLX_EV_LLM_DONE, .job = action->job});
        break;
    case RLX_ACT_SAY:
        later(call, (struct rlx_conv_event){.kind = RLX_EV_AUDIO,
                                            .audio = {.epoch = action->epoch, .piece = action->piece,
                                                      .total_ms = 900, .complete = true}});
        break;
    case RLX_ACT_EPOCH:
        call->epoch = action->epoch;
        call->play_until_ms = call->now_ms + 1800;
        break;
    case RLX_ACT_DROP:
        call->play_until_ms = action->epoch == call->epoch ? 0 : call->play_until_ms;
        break;
    case RLX_ACT_TOOL:
        later(call, (struct rlx_conv_event){.kind = RLX_EV_TOOL_DONE, .job = action->job, .text = "{\"ok\":true}"});
        break;
    case RLX_ACT_ROW:
        later(call, (struct rlx_conv_event){.kind = RLX_EV_KEPT, .kept = {.row = action->row.number}});
        break;
    case RLX_ACT_END:
        call->ends++;
        break;
    default:
        break;
    }
}

static void give(struct call *call, struct rlx_conv_event event)
{
    size_t count;

    if (call->play_until_ms)
        event.heard_ms = (uint32_t)(1800 - (call->play_until_ms > call->now_ms ? call->play_until_ms - call->now_ms : 0));
    const struct rlx_conv_action *actions = rlx_conv_input(call->conv, &event, call->now_ms, &count);
    for (size_t i = 0; i < count; i++)
        answer(call, &actions[i]);
    rlx_conv_deadline(call->conv);
}

/* 20 ms pass: a frame, what was on its way, the end of what is played. */
static void step(struct call *call, bool voiced)
{
    struct rlx_conv_event frame = {.kind = RLX_EV_FRAME,
                                   .frame = {.ts_ms = call->media_ms, .voiced = voiced,
                                             .level_db = voiced ? -20 : -60, .agent_db = -90}};

    call->now_ms += 20;
    give(call, frame);
    call->media_ms += 20;
    for (unsigned most = call->count; most && call->count; most--) {
        struct rlx_conv_event event = call->waiting[call->first];
        call->first = (call->first + 1) % WAITING;
        call->count--;
        give(call, event);
    }
    if (call->play_until_ms && call->now_ms >= call->play_until_ms) {
        struct rlx_conv_event played = {.kind = RLX_EV_PLAYED};
        give(call, played);
        call->play_until_ms = 0;
    }
}

static const char *whole_call(void)
{
    static struct call call;
    struct rlx_conv_options options = {.greeting = "Hello, this is Ava. How can I help?",
                                       .disclosure_words = 4, .voicemail = "Call us.",
                                       .can_look_up = true, .uuid_seed = 7, .wall_ms = 1000};

    call = (struct call){.now_ms = 1000};
    rlx_turn_settings_default(&options.settings);
    if (rlx_conv_create(&call.conv, NULL, &options))
        return NULL;
    for (unsigned i = 0; rlx_conv_phrase(call.conv, i); i++)
        ;
    give(&call, (struct rlx_conv_event){.kind = RLX_EV_STREAM});
    for (call.turn = 0; call.turn < 5 && !call.ends; call.turn++) {
        for (unsigned i = 0; i < 150 && !call.ends; i++)
            step(&call, i < 40); /* the third turn begins over the agent */
        if (call.turn == 3)
            give(&call, (struct rlx_conv_event){.kind = RLX_EV_DTMF, .digit = '5'});
    }
    for (unsigned i = 0; i < 300 && !call.ends; i++)
        step(&call, false);
    if (!call.ends)
        give(&call, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
    talloc_free(call.conv);
    if (call.ends != 1)
        return "the call did not end once";
    return call.after_end ? "something was asked for after the end" : NULL;
}

const struct scenario rlx_scenarios[] = {
    {"config", config}, {"websocket", websocket}, {"playout", playout},
    {"audio", audio},   {"words", words},         {"whole call", whole_call},
};
const unsigned rlx_scenario_count = sizeof rlx_scenarios / sizeof rlx_scenarios[0];
