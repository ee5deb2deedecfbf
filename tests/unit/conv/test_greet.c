/* The first seconds: who speaks first, the disclosure, machines. */
#include "harness.h"

#include <stdio.h>

#define DISCLOSURE                                                                                 \
    "Hello, this is Ava, an automated assistant of the bakery. This call is recorded. How can I "  \
    "help you today?"

static struct sim *callee_first(void **state)
{
    struct sim *sim = sim_new(state);

    sim->options.agent_first = false;
    return sim;
}

static uint32_t greeted_at(const struct sim *sim)
{
    const struct sim_entry *epoch = sim_find(sim, RLX_ACT_EPOCH, 0);

    return epoch ? epoch->at : 0;
}

/* Inbound and browser: at once. */
static void agent_first(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 1000);
    sim_between(sim, greeted_at(sim), 0, 20);
}

/* Outbound: at most 300 ms after the callee's "hello?" has ended. */
static void after_hello(void **state)
{
    for (uint32_t length = 200; length <= 1400; length += 300) {
        struct sim *sim = callee_first(state);
        sim_voice(sim, 500, 500 + length, "Hello?");
        sim_run(sim, 6000);
        sim_between(sim, greeted_at(sim), 500 + length + 200, 500 + length + 300);
        /* the greeting is the answer: no model, but the words stand in the transcript, before it */
        sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 0);
        const struct sim_row *hello = sim_row_with(sim, "Hello?");
        sim_true(sim, hello && !hello->agent);
        sim_true(sim, hello->seq < sim_row(sim, true, 0)->seq);
        sim_true(sim, hello->at_ms < sim_row(sim, true, 0)->at_ms);
        size_t count;
        const struct rlx_prompt_turn *history = rlx_conv_history(sim->conv, &count);
        sim_true(sim, count == 2 && !strcmp(history[0].role, "user"));
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
        sim_between(sim, sim_metric(sim, "callee_to_greeting_ms"), 200, 300);
    }
}

/* Nobody says hello. */
static void after_silence(void **state)
{
    struct sim *sim = callee_first(state);

    sim_run(sim, 3000);
    sim_between(sim, greeted_at(sim), 1200, 1230);
}

/* A click is nobody. */
static void click_is_no_hello(void **state)
{
    struct sim *sim = callee_first(state);

    sim->hangover_ms = 40;
    sim_noise(sim, 300, 320);
    sim_run(sim, 3000);
    sim_between(sim, greeted_at(sim), 1200, 1250);
}

/* Long first words may be a machine's: silent until classified, at most two seconds after they end.
 */
static void long_first_words(void **state)
{
    struct sim *sim = callee_first(state);

    sim_voice(sim, 300, 3300, "You have reached the Miller family");
    sim_run(sim, 9000);
    sim_between(sim, greeted_at(sim), 5000, 5300);

    sim = callee_first(state);
    sim_voice(sim, 300, 3300, "Yes hello this is Bob Miller speaking from the office");
    sim_run(sim, 2500);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "human"});
    sim_run(sim, 9000);
    sim_between(sim, greeted_at(sim), 3500, 3600);
}

/* A real question in long first words is answered after the greeting. */
static void first_question(void **state)
{
    struct sim *sim = callee_first(state);

    sim_reply(sim, "I am calling about the bread that you ordered.");
    sim_voice(sim, 300, 2300, "Hello, can you tell me why you are calling at night?");
    sim_run(sim, 12000);
    sim_true(sim, sim_row_with(sim, "bread that you ordered"));
    sim_true(sim, sim_row(sim, false, 0) && !sim_row(sim, false, 1));
}

/* Until the disclosure has been heard, hello and mm-hm do not cancel it, however long. */
static void disclosure_is_protected(void **state)
{
    static const struct {
        const char *text;
        uint32_t length;
    } CASES[] = {{"Hello?", 400}, {"Who's this?", 900}, {"Mm-hm", 300}, {"Okay", 400}};

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = sim_new(state);
        sim->options.greeting = DISCLOSURE;
        sim->options.disclosure_words = 14;
        sim_voice(sim, 1500, 1500 + CASES[i].length, CASES[i].text);
        sim_run(sim, 12000);
        sim_true(sim, strstr(sim_row(sim, true, 0)->text, "This call is recorded."));
        sim_true(sim, sim_meta(sim_row(sim, true, 0), "interrupted") == 0);
        sim_true(sim, !sim_row(sim, false, 0));
    }
}

/* A real interruption does cancel it; what was not heard of it opens the next turn of the agent. */
static void disclosure_is_owed(void **state)
{
    struct sim *sim = sim_new(state);

    sim->options.greeting = DISCLOSURE;
    sim->options.disclosure_words = 14;
    sim_reply(sim, "We are open until five today.");
    sim_voice(sim, 1500, 3000, "When do you close today?");
    sim_run(sim, 15000);
    const struct sim_row *first = sim_row(sim, true, 0), *second = sim_row(sim, true, 1);
    sim_true(sim, sim_meta(first, "interrupted") == 1);
    sim_true(sim, !strstr(first->text, "recorded"));
    sim_true(sim, second && strstr(second->text, "This call is recorded."));
    sim_true(sim, strstr(second->text, "We are open until five today."));
    char both[1700];
    snprintf(both, sizeof both, "%s %s", first->text, second->text);
    sim_true(sim, !strncmp(both, DISCLOSURE,
                           strlen("Hello, this is Ava, an automated assistant of "
                                  "the bakery. This call is recorded.")));
}

/* "Take me off your list" as the very first words. */
static void opt_out_at_once(void **state)
{
    struct sim *sim = callee_first(state);

    sim_voice(sim, 300, 1500, "Take me off your list");
    sim_run(sim, 20000);
    sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 1);
    assert_string_equal(sim->end_reason, "opt_out");
    assert_string_equal(sim->end_outcome, "do_not_call");
    sim_true(sim, sim_row_with(sim, "taken you off our list"));
    sim_true(sim, sim_row_with(sim, "Take me off your list"));
}

/* A machine: hang up, or leave the message when it is silent, then hang up. */
static void machines(void **state)
{
    struct sim *sim = callee_first(state);

    sim_voice(sim, 300, 6300, "You have reached the Miller family please leave a message");
    sim_run(sim, 3000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "machine_start"});
    sim_true(sim, sim->ended);
    assert_string_equal(sim->end_reason, "voicemail");
    assert_string_equal(sim->end_outcome, "voicemail");

    sim = callee_first(state);
    sim->options.voicemail = "This is Ava of the bakery. Please call us back.";
    sim_voice(sim, 300, 6300, "You have reached the Miller family please leave a message");
    sim_run(sim, 3000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "machine_start"});
    sim_run(sim, 30000);
    sim_between(sim, greeted_at(sim), 8000, 8200);
    sim_true(sim, sim_row_with(sim, "Please call us back."));
    assert_string_equal(sim->end_reason, "voicemail");
    sim_true(sim, sim_count(sim, RLX_ACT_HANGUP) == 1);
}

/* A beep starts the message at once; one that comes into it starts it again; without a carrier's verdict it tells the machine. */
static void beeps(void **state)
{
    static const uint32_t AT[] = {6700, 9000};
    struct rlx_conv_event beep = {.kind = RLX_EV_BEEP};

    for (unsigned i = 0; i < 2; i++) {
        struct sim *sim = callee_first(state);
        sim->options.voicemail = "This is Ava of the bakery. Please call us back.";
        sim_voice(sim, 300, 6000, "You have reached the Miller family please leave a message");
        sim_run(sim, 3000);
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "machine_start"});
        sim_run(sim, AT[i]);
        sim_give(sim, beep);
        sim_run(sim, AT[i] + 100);
        sim_true(sim, sim_find(sim, RLX_ACT_EPOCH, AT[i]));
        sim_give(sim, beep); /* again: not a second time */
        sim_run(sim, 30000);
        sim_true(sim, sim_count(sim, RLX_ACT_EPOCH) <= 2);
        sim_true(sim, sim_row_with(sim, "Please call us back."));
        assert_string_equal(sim->end_reason, "voicemail");
    }
    struct sim *sim = callee_first(state);
    sim_voice(sim, 300, 4000, "You have reached the Miller family please leave a message");
    sim_run(sim, 4800);
    sim_give(sim, beep);
    sim_true(sim, sim->ended);
    assert_string_equal(sim->end_reason, "voicemail");
    sim = callee_first(state); /* who has talked with us is no machine, whatever beeps behind them */
    sim_voice(sim, 300, 700, "Hello?");
    sim_voice(sim, 4500, 5500, "What are your opening hours?");
    sim_run(sim, 6800);
    sim_give(sim, beep);
    sim_run(sim, 9000);
    sim_true(sim, !sim->ended);
}

/* The message starts again, once, when the machine goes on speaking. */
static void message_restarts(void **state)
{
    struct sim *sim = callee_first(state);

    sim->options.voicemail = "This is Ava of the bakery. Please call us back.";
    sim_voice(sim, 300, 2300, "You have reached the Miller family");
    sim_voice(sim, 4800, 6300, "please leave a message");
    sim_run(sim, 1000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "machine_start"});
    sim_run(sim, 30000);
    sim_true(sim, sim_count(sim, RLX_ACT_EPOCH) == 2);
    sim_true(sim, sim_row_with(sim, "Please call us back."));
}

/* The carrier's late "machine" does not end a talk with somebody who has spoken with us. */
static void late_machine_is_not_believed(void **state)
{
    struct sim *sim = callee_first(state);

    sim_voice(sim, 300, 700, "Hello?");
    sim_voice(sim, 4500, 5500, "What are your opening hours?");
    sim_run(sim, 6500);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_AMD, .text = "machine_start"});
    sim_run(sim, 9000);
    sim_true(sim, !sim->ended && sim_row_with(sim, "good question"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(agent_first),
        RLX_TEST(after_hello),
        RLX_TEST(after_silence),
        RLX_TEST(click_is_no_hello),
        RLX_TEST(long_first_words),
        RLX_TEST(first_question),
        RLX_TEST(disclosure_is_protected),
        RLX_TEST(disclosure_is_owed),
        RLX_TEST(opt_out_at_once),
        RLX_TEST(machines),
        RLX_TEST(beeps),
        RLX_TEST(message_restarts),
        RLX_TEST(late_machine_is_not_believed),
    };
    return cmocka_run_group_tests_name("conversation: the first seconds", tests, NULL, NULL);
}
