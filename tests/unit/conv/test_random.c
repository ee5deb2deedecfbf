/* Random calls: whatever happens in whatever order, the promises of the conversation hold. Two
 * kinds: whole calls against the simulated world with random voices, delays and faults; and bare
 * events in random order, most of them nonsense. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "call/phrases.h"

#ifndef WORLDS
#define WORLDS 150u
#endif
#ifndef SOUPS
#define SOUPS 1500u
#endif
#define SOUP_EVENTS 400u

/* ---- whole calls ---- */

static const char *const LINES[] = {
    "What are your opening hours?",
    "yes",
    "no",
    "mm-hm",
    "okay",
    "my number is",
    "and",
    "Bye.",
    "I would like to order bread",
    "hold on a second",
    "Thank you.",
    "Who's this?",
    "Hello?",
    "stop",
    "Thanks, goodbye",
    "that is not what I meant",
    "",
    "",
    "",
};
static const char *const REPLIES[] = {
    "We are open from nine to five. Would you like to come by?",
    "Let me book that for you.|!tool book {\"what\":\"bread\"}",
    "!empty",
    "!tool book {\"day\":\"monday\"}",
    "!tool book {\"phone\":\"555-123-4567\"}",
    "Have a nice day.|!tool end_call {}",
    "!fail",
    "Our shop sells bread and cake of every kind. We bake it fresh in the morning. You can also "
    "order "
    "by phone and we will bring it to you. Is there anything that you would like to order now?",
};
#define PICK(sim, array) (array)[sim_draw(sim, sizeof(array) / sizeof(array)[0])]

static struct sim *make_world(void **state, uint32_t seed)
{
    struct sim *sim = sim_new(state);
    uint32_t at = 0;

    sim->seed = seed * 2654435761u + 17;
    sim->options.agent_first = sim_draw(sim, 2);
    sim->options.disclosure_words = sim_draw(sim, 2) * 5;
    sim->options.settings.speculation = sim_draw(sim, 4) != 0;
    sim->options.settings.barge_in = sim_draw(sim, 6) != 0;
    sim->options.settings.dtmf_interrupts = sim_draw(sim, 2);
    sim->options.settings.max_duration_ms = 60000;
    sim->stt_ms = 30 + sim_draw(sim, sim_draw(sim, 5) ? 400 : 3000);
    sim->llm_ms = 30 + sim_draw(sim, sim_draw(sim, 5) ? 500 : 6000);
    sim->tts_ms = 30 + sim_draw(sim, sim_draw(sim, 5) ? 300 : 2500);
    sim->tool_ms = 50 + sim_draw(sim, 12000);
    sim->one_way_ms = 20 + sim_draw(sim, 130);
    sim->mark_late_ms = 1 + sim_draw(sim, 300);
    sim->mark_lost_percent = sim_draw(sim, 30);
    sim->burst_frames = 1 + sim_draw(sim, 10);
    sim->hangover_ms = sim_draw(sim, 8) * 20;
    if (!sim_draw(sim, 4))
        sim->echo_db = -20.0f - (float)sim_draw(sim, 20);
    while (at < 40000 && sim->voice_count < SIM_VOICES - 1) {
        at += 200 + sim_draw(sim, 6000);
        uint32_t length = 40 + sim_draw(sim, 2500);
        sim_voice(sim, at, at + length, PICK(sim, LINES));
        at += length;
    }
    for (unsigned i = 0; i < 20; i++)
        sim_reply(sim, PICK(sim, REPLIES));
    return sim;
}

/* Something goes wrong at a random moment. */
static void disturb(struct sim *sim)
{
    switch (sim_draw(sim, 60)) {
    case 0:
        sim->stt_faults = 1 + sim_draw(sim, 2);
        break;
    case 1:
        sim->llm_faults = 1 + sim_draw(sim, 2);
        break;
    case 2:
        sim->tts_faults = 1 + sim_draw(sim, 3);
        break;
    case 3:
        sim->tts_empty = 1 + sim_draw(sim, 3);
        break;
    case 4:
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_DTMF, .digit = '5'});
        break;
    case 5:
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "human"});
        break;
    case 6:
        sim->llm_silent = !sim->llm_silent;
        break;
    case 7:
        sim->stt_silent = !sim->stt_silent;
        break;
    case 8:
        sim->frames_stop = !sim->frames_stop;
        break;
    case 9:
        if (!sim_draw(sim, 4))
            sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
        break;
    default:
        break;
    }
}

/* What was never heard must not stand in a transcript. */
static void check_rows(const struct sim *sim)
{
    for (size_t i = 0; i < sim->row_count; i++) {
        const struct sim_row *row = &sim->rows[i];
        sim_true(sim, row->final);
        for (size_t j = 0; j < i; j++)
            sim_true(sim, sim->rows[j].seq != row->seq || sim->rows[j].agent == row->agent);
    }
    unsigned n = 0;
    for (size_t i = 0; i < sim->log_count; i++) {
        if (sim->log[i].kind != RLX_ACT_EPOCH)
            continue;
        const struct sim_row *row = NULL;
        unsigned agents = 0;
        for (size_t j = 0; j < sim->row_count && !row; j++)
            if (sim->rows[j].agent && agents++ == n)
                row = &sim->rows[j];
        n++;
        sim_true(sim, row);
        unsigned played = sim_words_played(sim, sim->log[i].epoch);
        if (row->text[0] && rlx_text_words(row->text) > played + 2) {
            print_message("epoch %u: heard %u words: %s\n", sim->log[i].epoch, played, row->text);
            sim_true(sim, false);
        }
    }
}

static void random_calls(void **state)
{
    for (uint32_t seed = 0; seed < WORLDS; seed++) {
        struct sim *sim = make_world(state, seed);
        for (uint32_t at = 0; at < 150000 && !sim->ended; at += 2500) {
            sim_run(sim, at);
            if (!sim->ended && sim->conv)
                disturb(sim);
        }
        if (!sim->ended)
            print_message("seed %u\n", seed);
        sim_true(sim, sim->ends == 1 && sim->after_end == 0);
        sim_true(sim, sim->log[sim->log_count - 1].kind == RLX_ACT_END);
        sim_true(sim, sim->two_epochs == 0);
        sim_true(sim, sim->stt_most <= (sim->options.agent_first ? 1u : 2u));
        sim_between(sim, sim->longest_silence_ms, 0, 10100);
        check_rows(sim);
        talloc_free(sim);
    }
}

/* ---- bare events ---- */

struct soup {
    uint32_t seed, last_job, epoch;
    uint64_t now, ts;
    bool begun, paused;
    unsigned ends, after;
};

static uint32_t draw(struct soup *soup, uint32_t below)
{
    soup->seed = soup->seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(soup->seed >> 4) * below) >> 28);
}

static void make_event(struct soup *soup, struct rlx_conv_event *event)
{
    static const char *const TEXTS[] = {
        "hello",       "",    "stop calling me", "yes",
        "what is it?", "bye", "mm-hm",           "my number is five five five",
        "{\"a\":1}",   ". ."};
    static const char *const NAMES[] = {"book", "end_call", "transfer", "send_sms"};

    *event = (struct rlx_conv_event){.kind = draw(soup, RLX_EV_TIMER + 1)};
    if (draw(soup, 3))
        event->kind = RLX_EV_FRAME;
    if (event->kind >= RLX_EV_STOP && event->kind <= RLX_EV_END_WISH && draw(soup, 20))
        event->kind = RLX_EV_TIMER;
    event->job = soup->last_job ? 1 + draw(soup, soup->last_job + 2) : draw(soup, 3);
    if (draw(soup, 2))
        event->job = soup->last_job;
    event->err = draw(soup, 8) ? 0 : -5;
    event->text = TEXTS[draw(soup, 10)];
    event->digit = "0123456789#*"[draw(soup, 12)];
    event->heard_ms = draw(soup, 4000);
    switch (event->kind) {
    case RLX_EV_FRAME:
        soup->ts += draw(soup, 30) ? 20 : draw(soup, 3000);
        event->frame.ts_ms = draw(soup, 50) ? soup->ts : draw(soup, 100000);
        event->frame.voiced = soup->now / 700 % 3 == 0 && draw(soup, 8);
        event->frame.level_db = -20.0f - (float)draw(soup, 40);
        event->frame.agent_db = draw(soup, 2) ? -90.0f : -20.0f;
        break;
    case RLX_EV_STT:
        event->stt.text = event->text;
        event->stt.took_ms = draw(soup, 500);
        break;
    case RLX_EV_LLM_TOOL:
        event->tool.id = "id";
        event->tool.name = NAMES[draw(soup, 4)];
        event->tool.arguments = draw(soup, 3) ? "{\"say\":\"One moment.\"}" : "nonsense {";
        break;
    case RLX_EV_AUDIO:
        event->audio.epoch = draw(soup, 3) ? soup->epoch : draw(soup, 30);
        event->audio.piece = draw(soup, 4);
        event->audio.total_ms = draw(soup, 2000);
        event->audio.complete = draw(soup, 2);
        break;
    case RLX_EV_KNOWLEDGE:
        event->knowledge.match = NULL;
        break;
    default:
        break;
    }
}

static void check_action(struct soup *soup, const struct rlx_conv_action *action)
{
    soup->after += soup->ends > 0;
    if (action->job > soup->last_job)
        soup->last_job = action->job;
    switch (action->kind) {
    case RLX_ACT_SAY:
        assert_true(action->text && *action->text);
        soup->epoch = action->epoch;
        break;
    case RLX_ACT_EPOCH:
        assert_false(soup->begun && soup->paused);
        soup->begun = true;
        break;
    case RLX_ACT_PAUSE:
        assert_true(soup->begun && !soup->paused);
        soup->paused = true;
        break;
    case RLX_ACT_RESUME:
        assert_true(soup->begun && soup->paused);
        soup->paused = false;
        break;
    case RLX_ACT_DROP:
        soup->paused = false;
        break;
    case RLX_ACT_ROW:
        assert_int_equal(strlen(action->row.id), 36);
        assert_non_null(action->row.text);
        assert_non_null(action->row.metadata);
        break;
    case RLX_ACT_END:
        soup->ends++;
        assert_non_null(action->end.metrics);
        break;
    default:
        break;
    }
}

static void cook(void **state, uint32_t seed)
{
    struct soup soup = {.seed = seed * 2246822519u + 3, .now = 1};
    struct rlx_conv_options options = {.greeting = "Hello, this is Ava. How can I help?"};
    struct rlx_conv *conv;
    struct rlx_conv_event event = {.kind = RLX_EV_STREAM};
    size_t count;

    rlx_turn_settings_default(&options.settings);
    options.agent_first = draw(&soup, 2);
    options.disclosure_words = draw(&soup, 9);
    options.voicemail = draw(&soup, 2) ? "Please call back." : NULL;
    options.can_look_up = draw(&soup, 2);
    options.hangover_ms = draw(&soup, 150);
    options.opt_out_key = '9';
    assert_int_equal(rlx_conv_create(&conv, *state, &options), 0);
    for (unsigned i = 0; i < SOUP_EVENTS; i++) {
        const struct rlx_conv_action *actions = rlx_conv_input(conv, &event, soup.now, &count);
        for (size_t j = 0; j < count; j++)
            check_action(&soup, &actions[j]);
        size_t lines;
        assert_non_null(rlx_conv_history(conv, &lines));
        uint64_t due = rlx_conv_deadline(conv);
        if (soup.ends)
            assert_true(due == UINT64_MAX);
        else
            assert_true(due > soup.now && due < soup.now + 7200000);
        soup.now += draw(&soup, 4) ? 5 + draw(&soup, 40) : draw(&soup, 2500);
        make_event(&soup, &event);
    }
    /* Left alone with its timers it ends. */
    for (unsigned i = 0; i < 20000 && !soup.ends; i++) {
        event = (struct rlx_conv_event){.kind = RLX_EV_TIMER};
        soup.now = rlx_conv_deadline(conv);
        const struct rlx_conv_action *actions = rlx_conv_input(conv, &event, soup.now, &count);
        for (size_t j = 0; j < count; j++)
            check_action(&soup, &actions[j]);
    }
    assert_int_equal(soup.ends, 1);
    assert_int_equal(soup.after, 0);
    talloc_free(conv);
}

static void event_soup(void **state)
{
    for (uint32_t seed = 0; seed < SOUPS; seed++)
        cook(state, seed);
}

/* Frames that change nothing allocate nothing. */
static void quiet_frames_allocate_nothing(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 3000);
    size_t before = talloc_total_blocks(sim->conv);
    sim_run(sim, 6000);
    sim_true(sim, talloc_total_blocks(sim->conv) == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(random_calls),
        RLX_TEST(event_soup),
        RLX_TEST(quiet_frames_allocate_nothing),
    };
    return cmocka_run_group_tests_name("conversation: random calls", tests, NULL, NULL);
}
