/* Tools that the model calls, and keys that the callee presses. */
#include "harness.h"

static struct sim *asked(void **state, const char *reply)
{
    struct sim *sim = sim_new(state);

    sim_reply(sim, reply);
    sim_voice(sim, 3000, 4200, "Please book it for Monday.");
    return sim;
}

/* What is said before the call is spoken; the tool runs; the model is asked again with the result.
 */
static void tool_and_answer(void **state)
{
    struct sim *sim = asked(state, "Let me book that for you.|!tool book {\"what\":\"bread\"}");

    sim->tool_result = "{\"booked\":\"monday nine\"}";
    sim_reply(sim, "You are booked for Monday at nine.");
    sim_run(sim, 12000);
    const struct sim_entry *tool = sim_find(sim, RLX_ACT_TOOL, 0);
    sim_true(sim, tool && !strcmp(tool->text, "book"));
    sim_true(sim, sim_row_with(sim, "Let me book that for you."));
    sim_true(sim, sim_row_with(sim, "You are booked for Monday"));
    size_t count;
    bool result = false;
    const struct rlx_prompt_turn *history = rlx_conv_history(sim->conv, &count);
    for (size_t i = 0; i < count; i++)
        result |= !strcmp(history[i].role, "tool") && strstr(history[i].content, "monday nine");
    sim_true(sim, result);
    sim_true(sim, sim_row(sim, false, 0)->seq < sim_row_with(sim, "Let me book")->seq);
}

/* A number, an e-mail, a date or a name is read back; the tool runs on a "yes" and on nothing else.
 */
static void values_are_read_back(void **state)
{
    static const struct {
        const char *arguments, *row, *reply;
        unsigned tools;
    } CASES[] = {
        {"{\"phone\":\"5551234567\"}", "555-123-4567", "Yes that's right", 1},
        {"{\"phone\":\"555-123-4567\"}", "555-123-4567", "No it is another one", 0},
        {"{\"phone\":\"555-123-4567\"}", "555-123-4567", "What do you sell?", 0},
        {"{\"phone\":5551234567}", "555-123-4567", "Yes", 1},
        {"{\"date\":\"2026-11-24\"}", "2026-11-24", "Yes", 1},
        {"{\"date\":\"2026-11-24\"}", "2026-11-24", "right, but not Tuesday", 0},
        {"{\"day\":\"monday\"}", "monday", "yes, Monday", 1},
        {"{\"day\":\"monday\"}", "monday", "yes, Tuesday", 0},
        {"{\"start\":\"2026-11-24T15:30:00Z\"}", "2026-11-24, 15:30", "okay", 1},
        {"{\"email\":\"anna@gmail.com\"}", "A, N, N, A, at gmail dot com", "Yes", 1},
        {"{\"email\":\"anna@gmail.com\"}", "A, N, N, A, at gmail dot com", "ok no", 0},
        {"{\"name\":\"Anna Smith\"}", "Anna Smith", "That's correct", 1},
        {"{\"name\":\"Anna Smith\"}", "Anna Smith", "yeah no that's wrong", 0},
        {"{\"who\":{\"name\":\"Anna\",\"ways\":[{\"to\":\"5551234567\"}]}}", "Anna, 555-123-4567",
         "Yes", 1},
        {"{\"a\":\"monday\",\"day\":\"monday\",\"ok\":true}", "monday", "Yes", 1},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim =
            asked(state, talloc_asprintf(*state, "!tool book %s", CASES[i].arguments));
        sim_run(sim, 4500);
        sim_until(sim, RLX_CONV_AI_SPEAKING, 9000);
        sim_until(sim, RLX_CONV_LISTENING, 20000);
        sim_true(sim, sim_row_with(sim, talloc_asprintf(sim, "read that back: %s. Is that right?",
                                                        CASES[i].row)));
        sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 0);
        uint32_t at = sim_time(sim) / 20 * 20 + 1000;
        sim_voice(sim, at, at + 1000, CASES[i].reply);
        sim_run(sim, at + 6000);
        if (sim_count(sim, RLX_ACT_TOOL) != CASES[i].tools)
            print_message("%s: %s\n", CASES[i].arguments, CASES[i].reply);
        sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == CASES[i].tools);
        sim_true(sim, sim_row_with(sim, "good question")); /* the model goes on in any case */
    }
}

/* A "yes" to something else, or before the question was heard, starts nothing. */
static void yes_to_something_else(void **state)
{
    struct sim *sim = asked(state, "!tool book {\"phone\":\"555-123-4567\"}");

    sim_run(sim, 20000);
    sim_until(sim, RLX_CONV_LISTENING, 26000);
    sim_true(sim, sim_said(sim, "Are you still there"));
    sim_run(sim, sim_time(sim) + 2000);
    uint32_t at = sim_time(sim) / 20 * 20 + 100;
    sim_voice(sim, at, at + 500, "Yes");
    sim_run(sim, at + 4000);
    sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 0);

    sim = asked(state, "!tool book {\"phone\":\"555-123-4567\"}");
    sim_voice(sim, 6000, 7000, "Yes yes");
    sim_run(sim, 9000);
    sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 0);
}

/* What the model has read back itself is not asked twice. */
static void read_back_by_the_model(void **state)
{
    struct sim *sim = asked(state, "Is it 555-123-4567?");

    sim_reply(sim, "!tool book {\"phone\":\"555-123-4567\"}");
    sim_voice(sim, 8000, 8800, "Yes");
    sim_run(sim, 12000);
    sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 1);
    sim_true(sim, !sim_said(sim, "read that back"));
}

/* A "yes" with another choice in it is none. */
static void yes_to_another_choice(void **state)
{
    struct sim *sim = asked(state, "There is Monday or Tuesday. Is it Monday?");

    sim_reply(sim, "!tool book {\"day\":\"monday\"}");
    sim_voice(sim, 9500, 10300, "Yes, Tuesday");
    sim_run(sim, 16000);
    sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 0);
    sim_true(sim, sim_said(sim, "read that back"));
}

/* What the model says behind the call is dropped. */
static void text_behind_a_tool(void **state)
{
    struct sim *sim = asked(state, "");

    sim->llm_silent = true;
    sim_run(sim, 4900);
    uint32_t job = sim_find(sim, RLX_ACT_LLM, 0)->job;
    sim_give(sim, (struct rlx_conv_event){
                      .kind = RLX_EV_LLM_TOOL, .job = job, .tool = {"1", "book", "{}"}});
    sim_give(sim, (struct rlx_conv_event){
                      .kind = RLX_EV_LLM_TEXT, .job = job, .text = "I have booked it already."});
    sim->llm_silent = false;
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_LLM_DONE, .job = job});
    sim_run(sim, 12000);
    sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 1);
    sim_true(sim, !sim_said(sim, "booked it already"));
}

/* A tool that is faster than the voice: what was said before it is not lost. */
static void tool_before_its_words(void **state)
{
    struct sim *sim = asked(state, "Let me book that for you.|!tool book {\"what\":\"bread\"}");

    sim->tool_ms = 5;
    sim->tts_ms = 600;
    sim_reply(sim, "You are booked for Monday at nine.");
    sim_run(sim, 14000);
    const struct sim_row *before = sim_row_with(sim, "Let me book that for you.");
    const struct sim_row *after = sim_row_with(sim, "You are booked for Monday");
    sim_true(sim, before && after && before->seq < after->seq);
}

/* The call's own `say`, when the model says nothing; a filler when it takes long. */
static void tool_says(void **state)
{
    struct sim *sim =
        asked(state, "!tool book {\"what\":\"bread\",\"say\":\"I am looking at the calendar.\"}");

    sim_run(sim, 12000);
    sim_true(sim, sim_row_with(sim, "I am looking at the calendar."));

    sim = asked(state, "!tool book {\"what\":\"bread\"}");
    sim->tool_ms = 3500;
    sim_run(sim, 12000);
    sim_true(sim, sim_row_with(sim, "Let me see"));
    sim_true(sim, sim_row_with(sim, "good question"));
}

/* A tool that never comes back is answered for. */
static void tool_never_answers(void **state)
{
    struct sim *sim = asked(state, "!tool book {\"what\":\"bread\"}");

    sim->tool_ms = 600000;
    sim_run(sim, 25000);
    sim_true(sim, sim_row_with(sim, "good question"));
    sim_between(sim, sim->longest_silence_ms, 0, 8100);
}

/* New words while a tool runs: it is not undone, its result stays in the history, the words are a
 * new turn. */
static void words_in_a_tool(void **state)
{
    struct sim *sim = asked(state, "!tool book {\"what\":\"bread\"}");

    sim->tool_ms = 2500;
    sim->tool_result = "{\"booked\":\"monday nine\"}";
    sim_voice(sim, 5200, 6200, "Is there parking?");
    sim_run(sim, 15000);
    sim_true(sim, sim_row(sim, false, 1));
    assert_string_equal(sim_row(sim, false, 1)->text, "Is there parking?");
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 2);
    size_t count;
    bool result = false;
    const struct rlx_prompt_turn *history = rlx_conv_history(sim->conv, &count);
    for (size_t i = 0; i < count; i++)
        result |= !strcmp(history[i].role, "tool") && strstr(history[i].content, "monday nine");
    sim_true(sim, result);
}

static void stop_in_tool(void **state)
{
    struct sim *sim = asked(state, "!tool book {\"what\":\"bread\"}");

    sim->tool_ms = 3000;
    sim_until(sim, RLX_CONV_TOOL, 8000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    assert_int_equal(sim->ends, 1);
    sim_true(sim, sim_row(sim, false, 0));
}

/* end_call: the model's words, else its `say`, else the agent's goodbye; spoken once. */
static void end_call(void **state)
{
    static const struct {
        const char *reply, *last;
    } CASES[] = {
        {"Thank you and have a nice day.|!tool end_call {}", "Thank you and have a nice day."},
        {"!tool end_call {\"say\":\"See you on Monday.\"}", "See you on Monday."},
        {"!tool end_call {}", "Thank you for your time. Goodbye."},
        {"See you.|!tool end_call {\"say\":\"See you on Monday.\"}", "See you."},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = asked(state, CASES[i].reply);
        sim_run(sim, 20000);
        sim_true(sim, sim->ended);
        assert_string_equal(sim->end_reason, "goodbye");
        assert_string_equal(sim_row(sim, true, 1)->text, CASES[i].last);
        sim_true(sim, !sim_row(sim, true, 2));
        sim_true(sim, sim_count(sim, RLX_ACT_TOOL) == 0);
    }
}

/* A transfer: said first, then the stream may end without ending the call; when nobody takes it the
 * agent says so. */
static void transfer(void **state)
{
    struct sim *sim = asked(state, "I will connect you now.|!tool transfer {\"to\":\"sales\"}");

    sim->tool_ms = 200;
    sim_until(sim, RLX_CONV_TRANSFERRING, 12000);
    const struct sim_row *row = sim_row_with(sim, "I will connect you now.");
    sim_true(sim, row && row->final);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    sim_true(sim, !sim->ended);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STREAM});
    sim_run(sim, sim_time(sim) + 4000);
    sim_true(sim, sim_said(sim, "nobody could take the call"));

    sim = asked(state, "I will connect you now.|!tool transfer {\"to\":\"sales\"}");
    sim->tool_ms = 900000;
    sim_until(sim, RLX_CONV_TRANSFERRING, 12000);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    sim_run(sim, 120000);
    assert_string_equal(sim->end_reason, "transferred");
}

/* ---- keys ---- */

static void press(struct sim *sim, const char *digits, uint32_t step)
{
    for (; *digits; digits++) {
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_DTMF, .digit = *digits});
        sim_run(sim, sim_time(sim) + step);
    }
}

/* Keys are one turn: after two seconds, or at once with '#'; masked in the transcript, plain for
 * the model. */
static void keys_are_a_turn(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 3000);
    press(sim, "1234", 300);
    sim_run(sim, 9000);
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 1);
    sim_between(sim, sim_find(sim, RLX_ACT_LLM, 0)->at, 5900, 6000);
    assert_string_equal(sim_row(sim, false, 0)->text, "[keypad: ****]");
    size_t count;
    const struct rlx_prompt_turn *history = rlx_conv_history(sim->conv, &count);
    sim_true(sim, count >= 2 && !strcmp(history[1].content, "[keypad: 1234]"));

    sim = sim_new(state);
    sim->options.settings.mask_digits = 0;
    sim_run(sim, 3000);
    press(sim, "77#", 300);
    sim_run(sim, 6000);
    sim_between(sim, sim_find(sim, RLX_ACT_LLM, 0)->at, 3550, 3650);
    assert_string_equal(sim_row(sim, false, 0)->text, "[keypad: 77]");
}

/* A key's tone in silence is no utterance. */
static void tone_is_no_voice(void **state)
{
    struct sim *sim = sim_new(state);

    sim_noise(sim, 3000, 3160);
    sim_run(sim, 3140);
    press(sim, "5", 10);
    sim_run(sim, 4000);
    sim_true(sim, !sim_find(sim, RLX_ACT_STT, 0));
}

/* A key's tone is no voice: it takes a pause back, unless keys may interrupt. */
static void key_over_speech(void **state)
{
    struct sim *sim = sim_new(state);

    sim_noise(sim, 600, 760);
    sim_until(sim, RLX_CONV_PAUSED, 900);
    press(sim, "5", 10);
    sim_true(sim, sim_state(sim) == RLX_CONV_AI_SPEAKING);
    sim_run(sim, 9000);
    sim_true(sim, strstr(sim_row(sim, true, 0)->text, "help?"));
    assert_string_equal(sim_row(sim, false, 0)->text, "[keypad: *]");

    sim = sim_new(state);
    sim->options.settings.dtmf_interrupts = 1;
    sim_run(sim, 800);
    press(sim, "5", 10);
    sim_true(sim, sim_state(sim) == RLX_CONV_LISTENING);
    sim_true(sim, sim_meta(sim_row(sim, true, 0), "interrupted") == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(tool_and_answer),
        RLX_TEST(tool_before_its_words),
        RLX_TEST(text_behind_a_tool),
        RLX_TEST(values_are_read_back),
        RLX_TEST(read_back_by_the_model),
        RLX_TEST(yes_to_another_choice),
        RLX_TEST(yes_to_something_else),
        RLX_TEST(tool_says),
        RLX_TEST(tool_never_answers),
        RLX_TEST(words_in_a_tool),
        RLX_TEST(stop_in_tool),
        RLX_TEST(end_call),
        RLX_TEST(transfer),
        RLX_TEST(keys_are_a_turn),
        RLX_TEST(key_over_speech),
        RLX_TEST(tone_is_no_voice),
    };
    return cmocka_run_group_tests_name("conversation: tools and keys", tests, NULL, NULL);
}
