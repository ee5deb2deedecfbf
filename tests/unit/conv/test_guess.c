/* When a guess is made, and when it is left. */
#include "harness.h"

#include <stdio.h>

/* One turn; with pauses that make two guesses wrong when `pausing`. */
static void speak(struct sim *sim, uint32_t at, bool pausing)
{
    if (pausing) {
        sim_voice(sim, at, at + 500, "the blue one");
        sim_voice(sim, at + 720, at + 1200, "or the green one");
        sim_voice(sim, at + 1420, at + 1900, "from yesterday");
    } else {
        sim_voice(sim, at, at + 1200, "the blue one from yesterday");
    }
}

static struct sim *talk(void **state)
{
    struct sim *sim = sim_new(state);

    sim->stt_ms = sim->llm_ms = sim->tts_ms = 50;
    for (unsigned i = 0; i < 30; i++)
        sim_reply(sim, "It is blue.");
    return sim;
}

/* Speculative passes that were started in [from, to). */
static unsigned guesses(const struct sim *sim, uint32_t from, uint32_t to)
{
    unsigned count = 0;

    for (size_t i = 0; i < sim->log_count; i++)
        count += sim->log[i].kind == RLX_ACT_STT && sim->log[i].purpose == RLX_STT_SPECULATIVE &&
                 sim->log[i].at >= from && sim->log[i].at < to;
    return count;
}

static bool noted(const struct sim *sim, const char *what)
{
    for (size_t i = 0; i < sim->log_count; i++)
        if (sim->log[i].kind == RLX_ACT_NOTE && strstr(sim->log[i].text, what))
            return true;
    return false;
}

static void end(struct sim *sim)
{
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
}

static void two_a_turn_or_as_many_as_the_options_say(void **state)
{
    for (unsigned most = 0; most <= 2; most++) {
        struct sim *sim = talk(state);
        sim->options.guesses = most;
        sim_voice(sim, 3000, 3500, "the blue one");
        sim_voice(sim, 3700, 4200, "the green one");
        sim_voice(sim, 4400, 4900, "the red one");
        sim_voice(sim, 5100, 5600, "from yesterday");
        sim_run(sim, 9000);
        assert_int_equal(guesses(sim, 0, 9000), most ? most : 2);
    }
}

static void a_queue_that_lets_wait_gets_no_guesses(void **state)
{
    struct sim *sim = talk(state);

    sim->stt_queue_ms = 160;
    speak(sim, 3000, false);
    speak(sim, 10000, false);
    sim_run(sim, 16000);
    assert_int_equal(guesses(sim, 0, 9000), 1); /* nothing was known yet */
    assert_int_equal(guesses(sim, 9000, 16000), 0);
    sim->stt_queue_ms = 100;
    speak(sim, 17000, false);
    speak(sim, 24000, false);
    sim_run(sim, 30000);
    assert_int_equal(guesses(sim, 17000, 23000), 0);
    assert_int_equal(guesses(sim, 23000, 30000), 1); /* there is time again */
    sim_true(sim, sim_row(sim, false, 3)); /* all four are turns all the same */
}

static void a_rate_limit_that_runs_out_is_kept_for_what_is_sure(void **state)
{
    struct sim *sim = talk(state);

    sim->rate_low = true;
    speak(sim, 3000, false);
    sim_run(sim, 9000);
    assert_int_equal(guesses(sim, 0, 9000), 0);
    const struct sim_entry *llm = sim_find(sim, RLX_ACT_LLM, 3000);
    sim_true(sim, llm && !llm->speculative);
    sim_true(sim, sim_row(sim, false, 0));
}

/* Every guess was wrong: first they come later, then not at all for some turns, then they are tried again. */
static void guesses_that_do_not_pay_become_rare(void **state)
{
    struct sim *sim = talk(state);
    uint32_t at = 3000;

    sim->options.settings.max_duration_ms = 600000;
    for (unsigned i = 0; i < 8; i++, at += 6000)
        speak(sim, at, true);
    sim_run(sim, at);
    assert_int_equal(guesses(sim, 0, 3000 + 4 * 6000), 8);
    sim_true(sim, noted(sim, "guessing_less"));
    for (uint32_t turn = 4; turn < 8; turn++) { /* the pauses are over before a guess would come: its end alone is guessed on */
        uint32_t from = 3000 + turn * 6000;
        assert_int_equal(guesses(sim, from, from + 1900), 0);
        assert_int_equal(guesses(sim, from, from + 6000), 1);
    }
    end(sim);
    sim_true(sim, sim_metric(sim, "speculation.backed_off") >= 1);
}

static void good_guesses_go_on(void **state)
{
    struct sim *sim = talk(state);
    uint32_t at = 3000;

    for (unsigned i = 0; i < 12; i++, at += 6000)
        speak(sim, at, false);
    sim_run(sim, at);
    assert_int_equal(guesses(sim, 0, at), 12);
    sim_true(sim, !noted(sim, "guessing_less"));
    end(sim);
    sim_true(sim, sim_metric(sim, "speculation.stt.used") == 12);
    sim_true(sim, sim_metric(sim, "speculation.llm.used") == 12);
    sim_true(sim, sim_metric(sim, "speculation.tts.started") == 12);
    sim_true(sim, sim_metric(sim, "speculation.tts.used") == 12);
    sim_true(sim, sim_metric(sim, "speculation.tts.wasted") == 0);
}

/* What is started is used or wasted, at every stage. */
static void every_guess_has_an_outcome(void **state)
{
    static const char *const STAGES[] = {"stt", "llm", "tts"};
    struct sim *sim = talk(state);
    uint32_t at = 3000;

    for (unsigned i = 0; i < 12; i++, at += 6000)
        speak(sim, at, i % 2);
    sim_run(sim, at);
    end(sim);
    for (unsigned i = 0; i < 3; i++) {
        char path[3][40];
        static const char *const WHAT[] = {"started", "used", "wasted"};
        for (unsigned k = 0; k < 3; k++)
            snprintf(path[k], sizeof path[k], "speculation.%s.%s", STAGES[i], WHAT[k]);
        json_int_t started = sim_metric(sim, path[0]);
        sim_true(sim, started > 0);
        sim_true(sim, started == sim_metric(sim, path[1]) + sim_metric(sim, path[2]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(two_a_turn_or_as_many_as_the_options_say),
        RLX_TEST(a_queue_that_lets_wait_gets_no_guesses),
        RLX_TEST(a_rate_limit_that_runs_out_is_kept_for_what_is_sure),
        RLX_TEST(guesses_that_do_not_pay_become_rare),
        RLX_TEST(good_guesses_go_on),
        RLX_TEST(every_guess_has_an_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
