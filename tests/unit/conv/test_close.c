/* Every way in which a call ends. */
#include "harness.h"

#include "call/conv_internal.h"

static uint32_t end_at(const struct sim *sim)
{
    const struct sim_entry *end = sim_find(sim, RLX_ACT_END, 0);

    return end ? end->at : 0;
}

/* Goodbye, all of it heard, 1.2 s of listening, hang-up. */
static void farewell(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    sim_run(sim, 20000);
    assert_string_equal(sim->end_reason, "goodbye");
    sim_true(sim, sim_row_with(sim, "Thank you for your time. Goodbye.")->final);
    uint32_t last = sim_phone_last(sim, 2);
    sim_between(sim, end_at(sim), last + 1150, last + 1500);
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 0);
    sim_true(sim, sim_find(sim, RLX_ACT_HANGUP, 0)->at == end_at(sim));
}

/* A farewell in the listening time ends it; the last words are in the transcript. */
static void farewell_to_farewell(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    sim_until(sim, RLX_CONV_CLOSING, 9000);
    uint32_t at = sim_time(sim) / 20 * 20;
    sim_voice(sim, at + 2200, at + 2700, "Bye bye");
    sim_run(sim, 20000);
    sim_true(sim, sim->ended);
    sim_true(sim, sim_row_with(sim, "Bye bye"));
    sim_between(sim, end_at(sim), at + 3000, at + 3600);
}

/* Anything else cancels the end, at most twice. */
static void end_is_cancelled(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    for (unsigned i = 0; i < 3; i++) {
        sim_until(sim, RLX_CONV_CLOSING, 60000);
        uint32_t at = sim_time(sim) / 20 * 20;
        sim_voice(sim, at + 2300, at + 3500, "Wait what do you sell?");
        sim_run(sim, at + 6500);
        if (i == 2)
            break;
        sim_true(sim, !sim->ended);
        sim_until(sim, RLX_CONV_LISTENING, at + 15000);
        at = sim_time(sim) / 20 * 20;
        sim_voice(sim, at + 500, at + 1400, "Thanks, goodbye");
        sim_run(sim, at + 1600);
    }
    sim_run(sim, 90000);
    sim_true(sim, sim->ended);
    assert_string_equal(sim->end_reason, "goodbye");
}

/* An interruption of the goodbye is heard out. */
static void goodbye_interrupted(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    sim_until(sim, RLX_CONV_CLOSING, 9000);
    uint32_t at = sim_time(sim) / 20 * 20;
    sim_voice(sim, at + 600, at + 2200, "Wait I have a question about bread.");
    sim_run(sim, at + 8000);
    sim_true(sim, !sim->ended);
    sim_true(sim, sim_row_with(sim, "good question"));
    sim_true(sim, sim_meta(sim_row_with(sim, "Thank you"), "interrupted") == 1);
}

/* The goodbye has no audio: the call ends nevertheless. */
static void goodbye_without_audio(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    sim_run(sim, 3500);
    sim->tts_silent = true;
    sim_run(sim, 20000);
    sim_true(sim, sim->ended);
    sim_between(sim, end_at(sim), 8000, 9000);

    sim = sim_new(state);
    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    sim_run(sim, 3500);
    sim->tts_faults = 9;
    sim_run(sim, 20000);
    sim_true(sim, sim->ended);

    sim = sim_new(state);
    sim_voice(sim, 3000, 3900, "Thanks, goodbye");
    sim_run(sim, 3500);
    sim->lose_played = true;
    sim_run(sim, 20000);
    sim_true(sim, sim->ended);
}

/* Opt-out: marked, said aloud, ended; in any words, in any state, but never on weak evidence or in
 * the negative. */
static void opt_out(void **state)
{
    static const char *const WORDS[] = {"Please stop calling me", "take me off your list",
                                        "do not call me again", "remove my number", "Stop."};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        struct sim *sim = sim_new(state);
        sim_voice(sim, 3000, 4200, WORDS[i]);
        sim_run(sim, 20000);
        sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 1);
        assert_string_equal(sim->end_reason, "opt_out");
        sim_true(sim, sim_row_with(sim, "taken you off our list"));
        sim_true(sim, sim_row_with(sim, WORDS[i]));
    }
    struct sim *sim = sim_new(state);
    sim_voice(sim, 3000, 4200, "Please don't take me off your list");
    sim_run(sim, 20000);
    sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 0);
}

/* The same over the agent's speech. */
static void opt_out_interrupts(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 600, 1600, "Stop calling me");
    sim_run(sim, 20000);
    sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 1);
    assert_string_equal(sim->end_reason, "opt_out");
}

/* The agent's own words coming back opt nobody out. */
static void opt_out_not_by_echo(void **state)
{
    struct sim *sim = sim_new(state);

    sim->options.greeting = "Hello. If you want us to stop calling me say stop calling.";
    sim_voice(sim, 3500, 4300, "say stop calling");
    sim_run(sim, 9000);
    sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 0);
}

static void opt_out_by_key(void **state)
{
    struct sim *sim = sim_new(state);

    sim->options.opt_out_key = '9';
    sim_run(sim, 1000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_DTMF, .digit = '9'});
    sim_run(sim, 20000);
    sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 1);
    assert_string_equal(sim->end_reason, "opt_out");
}

/* The longest call. */
static void max_duration(void **state)
{
    struct sim *sim = sim_new(state);

    sim->options.settings.max_duration_ms = 12000;
    sim_run(sim, 30000);
    assert_string_equal(sim->end_reason, "max_duration");
    sim_between(sim, end_at(sim), 13000, 15500);
}

/* The callee hangs up: rows hold what was heard; words that were being said are still transcribed.
 */
static void callee_hangs_up(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 1000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    assert_int_equal(sim->ends, 1);
    assert_string_equal(sim->end_status, "completed");
    assert_string_equal(sim->end_reason, "callee_hangup");
    sim_true(sim, strlen(sim_row(sim, true, 0)->text) < 25 && sim_row(sim, true, 0)->final);
    sim_true(sim, sim_count(sim, RLX_ACT_HANGUP) == 0);

    sim = sim_new(state);
    sim_voice(sim, 3000, 4000, "No thanks I am busy");
    sim_run(sim, 4040);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    sim->frames_stop = true;
    sim_run(sim, 9000);
    assert_int_equal(sim->ends, 1);
    sim_true(sim, sim_row_with(sim, "No thanks I am busy"));

    sim = sim_new(state);
    sim_voice(sim, 3000, 4000, "No thanks I am busy");
    sim_run(sim, 4040);
    sim->stt_silent = true;
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    sim_run(sim, 9000);
    assert_int_equal(sim->ends, 1);
    sim_between(sim, end_at(sim), 5900, 6200);
}

/* Hang-up while the answer is being made: the question is kept. */
static void hang_up_while_thinking(void **state)
{
    struct sim *sim = sim_new(state);

    sim->llm_ms = 3000;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_until(sim, RLX_CONV_THINKING, 6000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    assert_int_equal(sim->ends, 1);
    sim_true(sim, sim_row_with(sim, "What are your opening hours?"));
}

static void stop_before_stream(void **state)
{
    struct sim *sim = sim_new(state);

    assert_int_equal(rlx_conv_create(&sim->conv, sim, &sim->options), 0);
    size_t count;
    const struct rlx_conv_event stop = {.kind = RLX_EV_STOP};
    const struct rlx_conv_action *actions = rlx_conv_input(sim->conv, &stop, 5, &count);
    assert_int_equal(actions[count - 1].kind, RLX_ACT_END);
    assert_string_equal(actions[count - 1].end.status, "failed");
    rlx_conv_input(sim->conv, &stop, 6, &count);
    assert_int_equal(count, 0);
}

static void owner_ends(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 1000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "api_hangup"});
    assert_int_equal(sim->ends, 1);
    assert_string_equal(sim->end_reason, "api_hangup");
    sim_true(sim, sim_count(sim, RLX_ACT_HANGUP) == 1);
}

/* However much one event sets off: the end is among it, last, and once. */
static void too_many_actions(void **state)
{
    struct sim *sim = sim_new(state);
    size_t count;

    sim_run(sim, 3000);
    struct rlx_conv *conv = sim->conv;
    (void)rlx_conv_input(conv, &(struct rlx_conv_event){.kind = RLX_EV_TIMER}, sim->now, &count);
    for (unsigned i = 0; i < 2000; i++)
        rlx_conv_note(conv, "flood", "{\"n\":%u}", i);
    rlx_conv_end(conv, true);
    assert_int_equal(conv->actions[conv->action_count - 1].kind, RLX_ACT_END);
    assert_int_equal(conv->actions[conv->action_count - 2].kind, RLX_ACT_HANGUP);
    assert_true(conv->lost && conv->action_count <= 512);

    sim = sim_new(state);
    sim_run(sim, 3000);
    sim->conv->lost = true; /* something was not asked for: the call can't go on as if it were */
    sim_run(sim, 3100);
    sim_true(sim, sim->ends == 1 && !sim->after_end);
    assert_string_equal(sim->end_reason, "overloaded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(farewell),
        RLX_TEST(farewell_to_farewell),
        RLX_TEST(end_is_cancelled),
        RLX_TEST(goodbye_interrupted),
        RLX_TEST(goodbye_without_audio),
        RLX_TEST(opt_out),
        RLX_TEST(opt_out_interrupts),
        RLX_TEST(opt_out_not_by_echo),
        RLX_TEST(opt_out_by_key),
        RLX_TEST(max_duration),
        RLX_TEST(callee_hangs_up),
        RLX_TEST(hang_up_while_thinking),
        RLX_TEST(stop_before_stream),
        RLX_TEST(owner_ends),
        RLX_TEST(too_many_actions),
    };
    return cmocka_run_group_tests_name("conversation: endings", tests, NULL, NULL);
}
