/* When the callee begins and ends to speak, and how a turn becomes an answer. */
#include "harness.h"

#include <stdio.h>

/* After the greeting (2.2 s) the callee speaks alone. */
static struct sim *greeted(void **state)
{
    return sim_new(state);
}

static void whole_call(void **state)
{
    struct sim *sim = sim_new(state);

    sim->answer_for = "opening hours";
    sim->answer_text = "We are open from nine to five, Monday to Friday.";
    sim_reply(sim, "I think it is a very nice shop. Would you like to hear more?");
    sim_voice(sim, 3500, 5000, "What are your opening hours?");
    sim_voice(sim, 11000, 12500, "What is your shop like?");
    sim_voice(sim, 20000, 20800, "Okay thanks bye");
    sim_run(sim, 40000);
    assert_int_equal(sim->ends, 1);
    assert_int_equal(sim->after_end, 0);
    assert_string_equal(sim->end_status, "completed");
    assert_string_equal(sim->end_reason, "goodbye");
    assert_string_equal(sim_row(sim, false, 0)->text, "What are your opening hours?");
    assert_string_equal(sim_row(sim, true, 1)->text, sim->answer_text);
    assert_non_null(strstr(sim_row(sim, true, 1)->metadata, "\"source\":\"answer\""));
    assert_non_null(strstr(sim_row(sim, true, 1)->metadata, "\"answer_id\":\"answer-1\""));
    assert_non_null(strstr(sim_row(sim, true, 2)->metadata, "\"source\":\"llm\""));
    sim_between(sim, sim_meta(sim_row(sim, true, 1), "first_audio_ms"), 300, 500);
    sim_between(sim, sim_meta(sim_row(sim, true, 2), "first_audio_ms"), 600, 900);
    sim_true(sim, sim_meta(sim_row(sim, true, 2), "stt_ms") == 300);
    sim_true(sim, sim_meta(sim_row(sim, true, 2), "llm_ms") == 200);
    sim_true(sim, sim_meta(sim_row(sim, true, 2), "tts_ms") == 150);
    sim_true(sim, sim_metric(sim, "turns") == 3);
    sim_true(sim, sim_count(sim, RLX_ACT_HANGUP) == 1);
    for (unsigned i = 0; i + 1 < 4; i++) /* in the order of speaking */
        sim_true(sim, sim_row(sim, true, i + 1)->seq > sim_row(sim, true, i)->seq);
    sim_true(sim, sim_row(sim, true, 1)->seq == sim_row(sim, false, 0)->seq + 1);
}

/* The end silence depends on how finished the words sound. */
static void end_silence(void **state)
{
    static const struct {
        const char *text;
        bool speculation;
        uint32_t stt_ms, low, high; /* of endpoint_ms */
    } CASES[] = {
        {"What are your opening hours?", true, 100, 300, 340},
        {"What are your opening hours?", true, 300, 400, 440}, /* not before the text is there */
        {"the blue one from yesterday", true, 100, 550, 600},
        {"my number is", true, 100, 1200, 1240},
        {"I would like bread and", true, 100, 1200, 1240},
        {"What are your opening hours?", false, 100, 650, 700}, /* the pass begins at 550 */
        {"my number is", false, 100, 1200, 1240},
        {"What are your opening hours?", true, 2500, 1750, 1800}, /* 550 and at most 1200 more */
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = greeted(state);
        sim->options.settings.speculation = CASES[i].speculation;
        sim->stt_ms = CASES[i].stt_ms;
        sim_voice(sim, 3000, 4200, CASES[i].text);
        sim_run(sim, 9000);
        const struct sim_row *row = sim_row_with(sim, CASES[i].text);
        sim_true(sim, row);
        sim_between(sim, sim_meta(row, "endpoint_ms"), CASES[i].low, CASES[i].high);
    }
}

/* Where digits are awaited, pauses are long; ten digits end at once. */
static void collect_mode(void **state)
{
    struct sim *sim = greeted(state);

    sim->options.greeting = "Hello. What is your phone number?";
    sim_voice(sim, 3000, 4500, "five five five one two three");
    sim_voice(sim, 6000, 7200, "four five six seven");
    sim_run(sim, 12000);
    const struct sim_row *row = sim_row(sim, false, 0);
    sim_true(sim, row && strstr(row->text, "five five five") && strstr(row->text, "six seven"));
    sim_between(sim, sim_meta(row, "endpoint_ms"), 300, 500);

    sim = greeted(state);
    sim->options.greeting = "Hello. What is your phone number?";
    sim_voice(sim, 3000, 4500, "five five five one two three");
    sim_run(sim, 12000);
    row = sim_row(sim, false, 0);
    sim_between(sim, sim_meta(row, "endpoint_ms"), 2000, 2050);
}

/* Speech to text begins at least 400 ms before the first voice. */
static void pre_roll(void **state)
{
    struct sim *sim = greeted(state);

    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 8000);
    const struct sim_entry *stt = sim_find(sim, RLX_ACT_STT, 0);
    sim_true(sim, stt);
    sim_between(sim, stt->from, 2400, 2600);
    sim_true(sim, stt->to >= 4200);
    sim_true(sim, sim_row_with(sim, "What are your opening hours?"));
}

/* Isolated words become turns, however short. */
static void isolated_words(void **state)
{
    static const char *const WORDS[] = {"yes", "no", "ok", "yeah", "sure", "hello"};
    static const uint32_t LENGTHS[] = {80, 140, 200, 260, 320, 400};

    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++) {
            struct sim *sim = greeted(state);
            sim->hangover_ms = j % 2 ? 100 : 60;
            sim_voice(sim, 3000, 3000 + LENGTHS[j], WORDS[i]);
            sim_run(sim, 7000);
            sim_true(sim, sim_row_with(sim, WORDS[i]));
            sim_true(sim, sim_row(sim, true, 1)); /* and are answered */
        }
}

/* A click, a cough, a burst without words: no turn, and the silence goes on being counted. */
static void noise_makes_no_turn(void **state)
{
    struct sim *sim = greeted(state);

    sim_noise(sim, 3000, 3040);
    sim_noise(sim, 5000, 5300);
    sim_noise(sim, 7000, 7600);
    sim_run(sim, 14000);
    sim_true(sim, !sim_row(sim, false, 0));
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 0);
    const struct sim_entry *prompt = sim_said(sim, "still there");
    sim_true(sim, prompt);
    sim_between(sim, prompt->at, 10200, 13500); /* not begun anew by the noise */
}

/* Voice while the answer is being made cancels it and extends the same turn: one row, one line of
 * history. */
static void voice_extends_the_turn(void **state)
{
    struct sim *sim = greeted(state);

    sim->llm_ms = 1500;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_voice(sim, 5000, 6000, "on Sunday I mean.");
    sim_run(sim, 12000);
    sim_true(sim, sim_count(sim, RLX_ACT_LLM_CANCEL) >= 1);
    const struct sim_row *row = sim_row(sim, false, 0);
    assert_string_equal(row->text, "What are your opening hours? on Sunday I mean.");
    sim_true(sim, sim_meta(row, "merged") == 1);
    sim_true(sim, !sim_row(sim, false, 1));
    size_t count;
    const struct rlx_prompt_turn *history = rlx_conv_history(sim->conv, &count);
    sim_true(sim, count >= 2 && !strcmp(history[1].role, "user") &&
                      !strcmp(history[1].content, row->text));
    sim_true(sim, count < 4 || strcmp(history[2].role, "user"));
}

/* A guess on the text at 100 ms of silence: the model begins, nothing is heard before the end of
 * turn. */
static void speculation_is_used(void **state)
{
    struct sim *sim = greeted(state);

    sim->stt_ms = 100;
    sim->llm_ms = 100;
    sim->tts_ms = 50;
    sim_voice(sim, 3000, 4200, "the blue one from yesterday");
    sim_run(sim, 9000);
    const struct sim_entry *llm = sim_find(sim, RLX_ACT_LLM, 3000);
    sim_true(sim, llm && llm->speculative && llm->at < 4750);
    const struct sim_entry *epoch = sim_find(sim, RLX_ACT_EPOCH, 3000);
    sim_between(sim, epoch->at, 4750, 4800);
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 1);
    sim_true(sim, sim_meta(sim_row(sim, true, 1), "speculative") == 1);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
    sim_true(sim, sim_metric(sim, "speculation.llm.used") == 1);
    sim_true(sim, sim_metric(sim, "speculation.stt.used") == 1);
}

/* Words that are plainly unfinished are waited with, not guessed on; nor are words that the machine
 * deals with itself. */
static void no_guess(void **state)
{
    static const char *const TEXTS[] = {"my number is", "hold on a second"};

    for (size_t i = 0; i < 2; i++) {
        struct sim *sim = greeted(state);
        sim->stt_ms = 50;
        sim_voice(sim, 3000, 4200, TEXTS[i]);
        sim_run(sim, 9000);
        const struct sim_entry *llm = sim_find(sim, RLX_ACT_LLM, 0);
        sim_true(sim, !llm || (!llm->speculative && llm->at >= 5400));
    }
}

/* The callee goes on: the guess is thrown away, at most two are made a turn, and nothing of them is
 * seen. */
static void speculation_is_wasted(void **state)
{
    struct sim *sim = greeted(state);

    sim->stt_ms = 60;
    sim_voice(sim, 3000, 3800, "the blue one");
    sim_voice(sim, 4060, 4800, "from yesterday");
    sim_voice(sim, 5060, 5800, "and the red one");
    sim_voice(sim, 6060, 6800, "that I saw with you");
    sim_run(sim, 12000);
    unsigned guesses = 0;
    for (size_t i = 0; i < sim->log_count; i++)
        guesses += sim->log[i].kind == RLX_ACT_STT && sim->log[i].purpose == RLX_STT_SPECULATIVE;
    sim_true(sim, guesses == 2);
    const struct sim_row *row = sim_row(sim, false, 0);
    assert_string_equal(row->text,
                        "the blue one from yesterday and the red one that I saw with you");
    sim_true(sim, sim_row(sim, true, 1) && !sim_row(sim, true, 2));
    sim_true(sim, sim->two_epochs == 0);
}

/* The look-up knows whether the agent asked, and which answers were given in the last two turns. */
static void lookup_knows_the_talk(void **state)
{
    struct sim *sim = greeted(state);

    sim->answer_for = "opening hours";
    sim->answer_text = "We are open from nine to five.";
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_voice(sim, 8000, 9200, "What is your shop like?");
    sim_voice(sim, 15000, 16200, "What is in it?");
    sim_voice(sim, 22000, 23200, "What else is in it?");
    sim_run(sim, 25000);
    const struct sim_entry *lookups[4];
    uint32_t after = 0;
    for (unsigned i = 0; i < 4; i++) {
        lookups[i] = sim_find(sim, RLX_ACT_LOOKUP, after);
        sim_true(sim, lookups[i]);
        after = lookups[i]->at + 1;
    }
    sim_true(sim, lookups[0]->agent_asked && !lookups[1]->agent_asked);
    assert_string_equal(lookups[0]->recent[0], "");
    assert_string_equal(lookups[1]->recent[0], "answer-1");
    assert_string_equal(lookups[2]->recent[0], "");
    assert_string_equal(lookups[2]->recent[1], "answer-1");
    assert_string_equal(lookups[3]->recent[1], "");
}

/* Knowledge that does not come is done without. */
static void lookup_is_late(void **state)
{
    struct sim *sim = greeted(state);

    sim->lookup_ms = 60000;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 12000);
    sim_true(sim, sim_row_with(sim, "good question"));
}

/* No tool runs on a guess. */
static void no_tool_on_a_guess(void **state)
{
    struct sim *sim = greeted(state);

    sim->stt_ms = 60;
    sim->llm_ms = 50;
    sim_reply(sim, "!tool book {\"what\":\"bread\"}");
    sim_voice(sim, 3000, 4200, "the blue one from yesterday");
    sim_run(sim, 9000);
    const struct sim_entry *tool = sim_find(sim, RLX_ACT_TOOL, 0);
    sim_true(sim, tool);
    sim_between(sim, tool->at, 4750, 4800);
}

/* Silence is silence, whether frames of it come or no frames come. */
static void missing_frames(void **state)
{
    struct sim *sim = greeted(state);

    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 4250);
    sim->frames_stop = true;
    sim_run(sim, 6000);
    sim_true(sim, sim_row_with(sim, "What are your opening hours?"));

    sim = greeted(state);
    sim_run(sim, 3000);
    sim->frames_stop = true;
    sim_run(sim, 14000);
    sim_true(sim, sim->ended);
    assert_string_equal(sim->end_reason, "media_lost");
    sim_between(sim, sim_find(sim, RLX_ACT_END, 0)->at, 12900, 13100);
}

/* Frames that come late and all at once change no duration. */
static void late_frames(void **state)
{
    for (uint32_t burst = 1; burst <= 10; burst += 3) {
        struct sim *sim = greeted(state);
        sim->burst_frames = burst;
        sim->stt_ms = 100;
        sim_voice(sim, 3000, 4200, "the blue one from yesterday");
        sim_run(sim, 9000);
        const struct sim_row *row = sim_row_with(sim, "the blue one from yesterday");
        sim_true(sim, row);
        sim_between(sim, sim_meta(row, "endpoint_ms"), 540, 780);
        sim_between(sim, sim_meta(row, "voiced_ms"), 1180, 1240);
    }
}

/* Somebody who does not stop is cut for speech to text and keeps the floor; all words are kept. */
static void long_speech(void **state)
{
    struct sim *sim = greeted(state);
    char text[64];

    sim->options.settings.long_turn_ms = 6000;
    for (uint32_t i = 0; i < 16; i++) {
        snprintf(text, sizeof text, "this is part %c", (char)('a' + i));
        sim_voice(sim, 3000 + i * 1000, 4000 + i * 1000, text);
    }
    sim_run(sim, 25000);
    const struct sim_row *row = sim_row(sim, false, 0);
    sim_true(sim, row);
    sim_true(sim, strstr(row->text, "part a") && strstr(row->text, "part h") &&
                      strstr(row->text, "part p"));
    sim_true(sim, !sim_row(sim, false, 1));
}

/* Speech to text fails once: the callee is asked to repeat; fails again: a polite end. */
static void stt_fails(void **state)
{
    struct sim *sim = greeted(state);

    sim->options.settings.speculation = 0;
    sim->stt_faults = 1;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 7500);
    sim_true(sim, sim_said(sim, "catch that"));
    sim_voice(sim, 9000, 10200, "What are your opening hours?");
    sim_run(sim, 13000);
    sim_true(sim, sim_row(sim, false, 0));

    sim = greeted(state);
    sim->stt_faults = 99;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_voice(sim, 9000, 10200, "What are your opening hours?");
    sim_run(sim, 25000);
    assert_string_equal(sim->end_status, "failed");
    assert_string_equal(sim->end_reason, "providers_failed");
    sim_true(sim, sim_row_with(sim, "technical problem"));
}

/* A pass on a guess that fails is repeated at the end of the turn. */
static void guess_fails(void **state)
{
    struct sim *sim = greeted(state);

    sim->stt_faults = 1;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 8000);
    sim_true(sim, sim_row(sim, false, 0) && !sim_said(sim, "catch that"));
}

/* The model says nothing: asked once more, then a phrase. It fails: once more, then a polite end.
 */
static void llm_fails(void **state)
{
    struct sim *sim = greeted(state);

    sim_reply(sim, "!empty");
    sim_reply(sim, " . ");
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 9000);
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 2);
    sim_true(sim, sim_said(sim, "don't have an answer"));

    sim = greeted(state);
    sim->llm_faults = 1;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 9000);
    sim_true(sim, sim_said(sim, "good question"));

    sim = greeted(state);
    sim->llm_faults = 2;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 20000);
    assert_string_equal(sim->end_reason, "providers_failed");
    sim_true(sim, sim_row_with(sim, "What are your opening hours?"));
}

/* A piece without sound is skipped; a turn without any sound still ends; a voice that fails ends
 * the call politely. */
static void tts_fails(void **state)
{
    struct sim *sim = greeted(state);

    sim_reply(sim, "We bake bread every day. It is very good bread.");
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 3000);
    sim->tts_empty = 1;
    sim_run(sim, 9000);
    sim_true(sim, sim_row_with(sim, "It is very good bread."));
    sim_true(sim, !sim_row_with(sim, "We bake bread every day"));
    sim_true(sim, sim_state(sim) == RLX_CONV_LISTENING);

    sim = greeted(state);
    sim_reply(sim, "We bake bread every day. It is very good bread.");
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 3000);
    sim->tts_empty = 2;
    sim_run(sim, 9000);
    sim_true(sim, sim_state(sim) == RLX_CONV_LISTENING);
    sim_true(sim, sim_row(sim, false, 0));

    sim = greeted(state);
    sim_reply(sim, "We bake bread every day. It is very good bread.");
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 3000);
    sim->tts_faults = 2;
    sim_run(sim, 20000);
    assert_string_equal(sim->end_reason, "providers_failed");
}

/* When the last mark is lost, or the end of an epoch is never told, the call goes on. */
static void lost_end_of_speech(void **state)
{
    struct sim *sim = greeted(state);

    sim->lose_marks = true;
    sim_run(sim, 4000);
    sim_true(sim, sim_state(sim) == RLX_CONV_LISTENING);

    sim = greeted(state);
    sim->lose_played = true;
    sim_run(sim, 8000);
    sim_true(sim, sim_state(sim) == RLX_CONV_LISTENING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(whole_call),
        RLX_TEST(end_silence),
        RLX_TEST(collect_mode),
        RLX_TEST(pre_roll),
        RLX_TEST(isolated_words),
        RLX_TEST(noise_makes_no_turn),
        RLX_TEST(voice_extends_the_turn),
        RLX_TEST(speculation_is_used),
        RLX_TEST(no_guess),
        RLX_TEST(speculation_is_wasted),
        RLX_TEST(lookup_knows_the_talk),
        RLX_TEST(lookup_is_late),
        RLX_TEST(no_tool_on_a_guess),
        RLX_TEST(missing_frames),
        RLX_TEST(late_frames),
        RLX_TEST(long_speech),
        RLX_TEST(stt_fails),
        RLX_TEST(guess_fails),
        RLX_TEST(llm_fails),
        RLX_TEST(tts_fails),
        RLX_TEST(lost_end_of_speech),
    };
    return cmocka_run_group_tests_name("conversation: turns", tests, NULL, NULL);
}
