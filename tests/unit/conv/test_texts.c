/* What speech to text is asked and what its texts are worth; how much of the model's text is said.
 */
#include "harness.h"

#include "call/phrases.h"

/* After the greeting (2.2 s) the callee speaks alone. */
static struct sim *greeted(void **state)
{
    return sim_new(state);
}

/* Speech to text is told what the agent waits for; a model that has nothing to hear and repeats it
 * makes no turn. */
static void stt_hints(void **state)
{
    static const struct {
        const char *greeting, *hint; /* NULL = none; else it begins so */
    } CASES[] = {
        {"Hello. What is your phone number?", "Digits: 0 1 2"},
        {"Hello. Can I get your zip code?", "Digits:"},
        {"Hello. How do you spell your last name?", "Spelled letters:"},
        {"Hello. What is your e-mail address?", "An e-mail address"},
        {"Hello. May I have your address, please?", "An address"},
        {"Hello. I will need your date of birth.", "A date"},
        {"Hello. What time works for you?", NULL},
        {"Hello. How can I help?", NULL},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = greeted(state);
        sim->options.greeting = CASES[i].greeting;
        sim_voice(sim, 3600, 4500, "the blue one");
        sim_run(sim, 9000);
        unsigned jobs = 0;
        for (size_t j = 0; j < sim->log_count; j++) {
            const struct sim_entry *entry = &sim->log[j];
            if (entry->kind != RLX_ACT_STT || entry->at > 6000)
                continue;
            jobs++;
            sim_true(sim, !entry->hint == !CASES[i].hint);
            sim_true(sim,
                     !entry->hint || !strncmp(entry->hint, CASES[i].hint, strlen(CASES[i].hint)));
        }
        sim_true(sim, jobs);
        if (!CASES[i].hint)
            continue;
        const char *hint = sim_find(sim, RLX_ACT_STT, 0)->hint;
        sim = greeted(state);
        sim->options.greeting = CASES[i].greeting;
        sim_voice(sim, 3600, 4500, hint);
        sim_run(sim, 8000);
        sim_true(sim, !sim_row(sim, false, 0));
    }
}

/* What a model writes about a sound is not what somebody said. */
static void remarks(void **state)
{
    static const char *const TEXTS[] = {"[BLANK_AUDIO]", "(coughs)", " [Music]. ", "..."};

    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct sim *sim = greeted(state);
        sim_voice(sim, 3000, 3800, TEXTS[i]);
        sim_run(sim, 6000);
        sim_true(sim, !sim_row(sim, false, 0));
    }
}

/* What models invent from noise makes no turn when there is little sound behind it; said plainly it
 * does. */
static void suspects(void **state)
{
    struct sim *sim = greeted(state);

    sim_voice(sim, 3000, 3140, "Thank you.");
    sim_run(sim, 6000);
    sim_true(sim, !sim_row(sim, false, 0));
    sim_voice(sim, 6100, 6700, "Thank you.");
    sim_run(sim, 9000);
    sim_true(sim, sim_row(sim, false, 0));
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
    sim_true(sim, sim_metric(sim, "suspects") == 1);

    sim = greeted(state);
    sim_voice(sim, 3000, 3700, "Bye.");
    sim->voices[0].level_db = -57.0f; /* below the room's level + 6 dB */
    sim_run(sim, 6000);
    sim_true(sim, !sim_row(sim, false, 0) && !sim->ended);
}

/* A text that models like to invent needs a model that is sure of it; other words do not. */
static void unsure_texts(void **state)
{
    static const struct {
        const char *text;
        float logprob;
        bool turn;
    } CASES[] = {
        {"Thank you.", 0.0f, true}, /* not told */
        {"Thank you.", -0.3f, true},
        {"Thank you.", -1.0f, true},
        {"Thank you.", -1.1f, false},
        {"Thanks for watching.", -1.5f, false},
        {"you", -2.0f, false},
        {"Bye.", -1.5f, false},                        /* ends no call */
        {"What are your opening hours?", -1.5f, true}, /* nobody invents this */
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = greeted(state);
        sim->stt_logprob = CASES[i].logprob;
        sim_voice(sim, 3000, 3900, CASES[i].text);
        sim_run(sim, 7000);
        if ((sim_row(sim, false, 0) != NULL) != CASES[i].turn)
            print_message("%s at %.1f\n", CASES[i].text, (double)CASES[i].logprob);
        sim_true(sim, (sim_row(sim, false, 0) != NULL) == CASES[i].turn);
        sim_true(sim, !sim->ended);
        sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
        sim_true(sim, sim_metric(sim, "suspects") == !CASES[i].turn);
    }
}

/* An echo of the agent just after it has stopped is no turn. */
static void echo_after_speech(void **state)
{
    struct sim *sim = greeted(state);

    sim_voice(sim, 2300, 2900, "How can I help?");
    sim_run(sim, 6000);
    sim_true(sim, !sim_row(sim, false, 0));
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
    sim_true(sim, sim_metric(sim, "echo_drops") == 1);
}

/* A single word is too little to tell an echo by what was said seconds ago: "Hello?" after a
 * greeting that begins with it is an answer. Of the agent's last word it is an echo. */
static void one_word_after_speech(void **state)
{
    struct sim *sim = greeted(state);

    sim_voice(sim, 2400, 2800, "Hello?");
    sim_run(sim, 6000);
    sim_true(sim, sim_row(sim, false, 0) && !strcmp(sim_row(sim, false, 0)->text, "Hello?"));

    sim = greeted(state);
    sim_voice(sim, 2400, 2800, "Help?");
    sim_run(sim, 6000);
    sim_true(sim, !sim_row(sim, false, 0));
}

/* One job of speech to text at a time: a newer one aborts the older before it begins. */
static void one_stt_job(void **state)
{
    static const uint32_t TOOK[] = {50, 150, 300, 700, 1500, 3000};

    for (size_t i = 0; i < sizeof TOOK / sizeof TOOK[0]; i++) {
        struct sim *sim = greeted(state);
        sim->stt_ms = TOOK[i];
        sim_voice(sim, 1000, 1400, "the greeting is spoken over"); /* a snippet */
        sim_voice(sim, 3000, 3800, "the blue one");
        sim_voice(sim, 4100, 4800, "from yesterday");
        sim_voice(sim, 5100, 5800, "and the red one");
        sim_run(sim, 16000);
        sim_true(sim, sim->stt_most == 1);
        sim_true(sim, sim_count(sim, RLX_ACT_STT) >= 2);
        sim_true(sim, sim_row(sim, false, 0));
    }
}

/* A spoken turn is short: it stops at the end of a sentence. */
static void word_limit(void **state)
{
    struct sim *sim = greeted(state);

    sim->options.settings.max_words = 16;
    sim_reply(sim, "We bake bread every day. It is very good bread and you will like it. "
                   "Our cake is good too. And there is coffee.");
    sim_voice(sim, 3000, 4200, "What do you sell?");
    sim_run(sim, 15000);
    assert_string_equal(sim_row(sim, true, 1)->text,
                        "We bake bread every day. It is very good bread and you will like it.");
}

/* An approved answer is said whole, however long; the same words of the model are cut at 60. */
static void word_limit_spares_answers(void **state)
{
    static const char TEXT[] =
        "We bake bread every day of the week and we begin at four in the morning. "
        "It is very good bread and you will like it as all of our guests do. "
        "Our cake is good too and it is made with butter from the farm next door. "
        "And there is coffee and tea and juice for everybody who comes in to sit down. "
        "On Sundays we are closed so that we can go to the lake.";

    for (unsigned answer = 0; answer < 2; answer++) {
        struct sim *sim = greeted(state);
        if (answer) {
            sim->answer_for = "sell";
            sim->answer_text = TEXT;
        }
        sim_reply(sim, TEXT);
        sim_voice(sim, 3000, 4200, "What do you sell?");
        sim_run(sim, 35000);
        const struct sim_row *row = sim_row(sim, true, 1);
        sim_true(sim, row && row->final);
        if (answer)
            assert_string_equal(row->text, TEXT);
        sim_true(sim, answer || !strstr(row->text, "On Sundays"));
        sim_true(sim, answer || rlx_text_words(row->text) <= 60);
    }
}

/* The model falls silent inside a sentence: after 400 ms the tail up to a clause end is spoken, not
 * sooner, and never the middle of a clause. */
static void stalled_model(void **state)
{
    static const struct {
        const char *text, *said; /* NULL = nothing of it */
    } CASES[] = {
        {"We bake fresh bread every day, and then", "We bake fresh bread every day,"},
        {"We bake fresh bread every", NULL},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = greeted(state);
        sim->llm_silent = true;
        sim_voice(sim, 3000, 4200, "What do you sell?");
        sim_run(sim, 4800);
        uint32_t job = sim_find(sim, RLX_ACT_LLM, 0)->job, at = sim_time(sim);
        sim_give(sim, (struct rlx_conv_event){
                          .kind = RLX_EV_LLM_TEXT, .job = job, .text = "We sell many things. "});
        sim_give(sim, (struct rlx_conv_event){
                          .kind = RLX_EV_LLM_TEXT, .job = job, .text = CASES[i].text});
        sim_true(sim, sim_said(sim, "many things") && !sim_said(sim, "fresh bread"));
        sim_run(sim, at + 1500);
        const struct sim_entry *tail = sim_said(sim, "fresh bread");
        sim_true(sim, (tail != NULL) == (CASES[i].said != NULL));
        if (!tail)
            continue;
        assert_string_equal(tail->text, CASES[i].said);
        sim_between(sim, tail->at, at + 400, at + 420);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(stt_hints),     RLX_TEST(remarks),           RLX_TEST(suspects),
        RLX_TEST(unsure_texts),  RLX_TEST(echo_after_speech), RLX_TEST(one_word_after_speech),
        RLX_TEST(one_stt_job),   RLX_TEST(word_limit),        RLX_TEST(word_limit_spares_answers),
        RLX_TEST(stalled_model),
    };
    return cmocka_run_group_tests_name("conversation: texts", tests, NULL, NULL);
}
