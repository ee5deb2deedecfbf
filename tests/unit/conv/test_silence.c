/* When nobody says anything, when the callee asks to wait, when the agent needs time. */
#include "harness.h"

static uint32_t said_at(const struct sim *sim, const char *text)
{
    const struct sim_entry *say = sim_said(sim, text);
    const struct sim_entry *epoch = NULL;

    for (size_t i = 0; say && i < sim->log_count && !epoch; i++)
        if (sim->log[i].kind == RLX_ACT_EPOCH && sim->log[i].epoch == say->epoch)
            epoch = &sim->log[i];
    return epoch ? epoch->at : 0;
}

/* 8 s, other words after 8 s more, goodbye after 8 s more. */
static void prompts(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 60000);
    uint32_t first = said_at(sim, "Are you still there"), second = said_at(sim, "can't hear you");
    sim_between(sim, first, 2150 + 8000, 2250 + 8000);
    sim_between(sim, second, first + 1200 + 8000, first + 1500 + 8000);
    uint32_t goodbye = said_at(sim, "Goodbye");
    sim_between(sim, goodbye, second + 2300 + 8000, second + 2800 + 8000);
    assert_string_equal(sim->end_status, "completed");
    assert_string_equal(sim->end_reason, "silence");
    sim_between(sim, sim->longest_silence_ms, 0, 9000);
}

/* Words begin the count anew, voice without words does not. */
static void words_reset(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 12500, 13500, "Yes I am here.");
    sim_run(sim, 17000);
    sim_noise(sim, 20000, 20300);
    sim_run(sim, 40000);
    uint32_t again = 0;
    for (size_t i = 0; i < sim->log_count; i++)
        if (sim->log[i].kind == RLX_ACT_SAY && strstr(sim->log[i].text, "Are you still there") &&
            sim->log[i].at > 15000)
            again = sim->log[i].at;
    sim_true(sim, again); /* the first prompt again, not the second */
    sim_between(sim, again, 25000, 29000);
}

/* The callee may still be there after the goodbye of silence. */
static void back_after_goodbye(void **state)
{
    struct sim *sim = sim_new(state);

    sim_run(sim, 25000);
    sim_until(sim, RLX_CONV_CLOSING, 40000);
    uint32_t at = sim_time(sim) / 20 * 20;
    sim_voice(sim, at + 2600, at + 3800, "Wait I have a question about bread.");
    sim_run(sim, at + 8000);
    sim_true(sim, !sim->ended && sim_row_with(sim, "good question"));
}

/* "Hold on": of course, and 45 s of patience. */
static void hold_on(void **state)
{
    struct sim *sim = sim_new(state);

    sim_voice(sim, 3000, 4000, "Hold on a second");
    sim_run(sim, 6500);
    sim_true(sim, sim_said(sim, "take your time"));
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 0);
    sim_until(sim, RLX_CONV_ON_HOLD, 9000);
    sim_run(sim, 48000);
    sim_true(sim, !sim_said(sim, "still there"));
    sim_run(sim, 55000);
    sim_true(sim, sim_said(sim, "still there"));

    sim = sim_new(state);
    sim_voice(sim, 3000, 4000, "Hold on a second");
    sim_voice(sim, 20000, 21200, "What are your opening hours?");
    sim_run(sim, 26000);
    sim_true(sim, sim_row_with(sim, "good question"));
    sim_true(sim, sim_state(sim) == RLX_CONV_LISTENING || sim_state(sim) == RLX_CONV_AI_SPEAKING);
}

/* Music: on hold, probed every three seconds, no prompts; words bring a short greeting. */
static void music(void **state)
{
    struct sim *sim = sim_new(state);

    sim_noise(sim, 3000, 40000);
    sim_voice(sim, 40000, 41500, "Hello I am back now");
    sim_run(sim, 39000);
    sim_true(sim, sim_state(sim) == RLX_CONV_ON_HOLD);
    sim_true(sim, !sim_said(sim, "still there?") && sim_count(sim, RLX_ACT_LLM) == 0);
    sim_between(sim, sim_count(sim, RLX_ACT_STT), 9, 14);
    sim_run(sim, 48000);
    sim_true(sim, sim_said(sim, "I'm still here"));
    sim_true(sim, sim_row_with(sim, "Hello I am back now"));
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 0);
}

/* Hold music is endured for three minutes. */
static void music_ends(void **state)
{
    struct sim *sim = sim_new(state);

    sim_noise(sim, 3000, 400000);
    sim_run(sim, 400000);
    sim_true(sim, sim->ended);
    assert_string_equal(sim->end_reason, "hold_too_long");
    sim_between(sim, sim_find(sim, RLX_ACT_END, 0)->at, 186000, 196000);
}

/* The answer is slow: a filler within 1.8 s, another within 5 s, a polite end at 8 s. */
static void fillers(void **state)
{
    struct sim *sim = sim_new(state);

    sim->llm_ms = 3000;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 12000);
    uint32_t filler = said_at(sim, "Let me see");
    sim_between(sim, filler, 4600 + 1700, 4650 + 1900);
    sim_true(sim, said_at(sim, "good question") > filler);
    sim_true(sim, sim_row(sim, false, 0)->seq < sim_row_with(sim, "Let me see")->seq);
    sim_true(sim, sim_row(sim, true, 2)); /* the answer itself */
    size_t count;
    const struct rlx_prompt_turn *history = rlx_conv_history(sim->conv, &count);
    for (size_t i = 0; i < count; i++)
        sim_true(sim, !strstr(history[i].content, "Let me see")); /* the model is not told */

    sim = sim_new(state);
    sim->llm_silent = true;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 30000);
    sim_between(sim, said_at(sim, "Let me see"), 6300, 6600);
    sim_between(sim, said_at(sim, "still looking"), 9500, 9750);
    sim_between(sim, said_at(sim, "technical problem"), 12500, 12700);
    assert_string_equal(sim->end_status, "failed");
    sim_between(sim, sim->longest_silence_ms, 0, 4000);
}

/* No filler when the audio is due at once. */
static void no_filler_when_due(void **state)
{
    struct sim *sim = sim_new(state);

    sim->llm_ms = 1500;
    sim->tts_ms = 400;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 12000);
    sim_true(sim, !sim_said(sim, "Let me see"));
}

/* The text of the turn itself is late. */
static void filler_before_the_text(void **state)
{
    struct sim *sim = sim_new(state);

    sim->stt_ms = 4200;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_run(sim, 14000);
    const struct sim_row *filler = sim_row_with(sim, "Let me see"), *user = sim_row(sim, false, 0);
    sim_true(sim, filler && user && user->seq < filler->seq);
    sim_true(sim, sim_row_with(sim, "good question"));
}

/* Voice while a filler is heard: the question before it is not lost when the voice had no words. */
static void noise_in_a_filler(void **state)
{
    struct sim *sim = sim_new(state);

    sim->llm_ms = 4000;
    sim_voice(sim, 3000, 4200, "What are your opening hours?");
    sim_noise(sim, 6700, 7500);
    sim_run(sim, 16000);
    sim_true(sim, sim_row_with(sim, "good question"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(prompts),
        RLX_TEST(words_reset),
        RLX_TEST(back_after_goodbye),
        RLX_TEST(hold_on),
        RLX_TEST(music),
        RLX_TEST(music_ends),
        RLX_TEST(fillers),
        RLX_TEST(no_filler_when_due),
        RLX_TEST(filler_before_the_text),
        RLX_TEST(noise_in_a_filler),
    };
    return cmocka_run_group_tests_name("conversation: silence and waiting", tests, NULL, NULL);
}
