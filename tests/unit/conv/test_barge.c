/* Interruptions: paused at once, then confirmed or taken back. */
#include "harness.h"

#include "call/phrases.h"

#define LONG_REPLY                                                                                 \
    "Our shop sells bread and cake of every kind. We bake it fresh in the morning. You can also "  \
    "order by phone and we will bring it to you."

/* The agent is in the middle of a long answer from about 4.0 s to 12 s. */
static struct sim *talking(void **state)
{
    struct sim *sim = sim_new(state);

    sim_reply(sim, LONG_REPLY);
    sim_voice(sim, 2500, 3300, "What do you sell?");
    return sim;
}

static const struct sim_row *long_row(const struct sim *sim)
{
    return sim_row_with(sim, "Our shop sells");
}

/* Voice pauses the agent within 160 ms; the phone is silent one way later. */
static void voice_pauses(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 8000, "No I want something else");
    sim_run(sim, 6300);
    const struct sim_entry *pause = sim_find(sim, RLX_ACT_PAUSE, 0);
    sim_true(sim, pause);
    sim_between(sim, pause->at, 6080, 6180);
    sim_true(sim, sim_state(sim) == RLX_CONV_PAUSED);
}

/* Long voice confirms: the epoch is dropped, the row keeps what was heard, the words become the
 * next turn. */
static void long_voice_confirms(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 8000, "No I want something else");
    sim_run(sim, 12000);
    const struct sim_entry *drop = sim_find(sim, RLX_ACT_DROP, 6000);
    sim_true(sim, drop);
    sim_between(sim, drop->at, 6450, 6800);
    sim_true(sim, sim_meta(long_row(sim), "interrupted") == 1);
    sim_true(sim, long_row(sim)->final);
    sim_true(sim, !strstr(long_row(sim)->text, "bring it to you"));
    const struct sim_row *user = sim_row_with(sim, "something else");
    sim_true(sim, user);
    sim_true(sim, !strncmp(user->text, "No I want", 9)); /* from its beginning */
    sim_true(sim, user->seq > long_row(sim)->seq);
    sim_true(sim, sim_row(sim, true, 2));
}

/* "mm-hm": the sentence is heard to its end, the gap is short, nothing reaches the model. */
static void backchannel_is_taken_back(void **state)
{
    static const struct {
        uint32_t voiced, stt_ms;
    } CASES[] = {{250, 300}, {350, 300}, {350, 600}, {350, 1500}, {450, 300}};

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = talking(state);
        sim->stt_ms = 300;
        sim_voice(sim, 6000, 6000 + CASES[i].voiced, "Mm-hm");
        sim_run(sim, 5900);
        sim->stt_ms = CASES[i].stt_ms;
        sim_run(sim, 16000);
        uint32_t epoch = sim_said(sim, "Our shop")->epoch;
        sim_true(sim, sim_find(sim, RLX_ACT_RESUME, 0));
        sim_between(sim, sim_phone_gap(sim, epoch), 0, 900);
        sim_true(sim, strstr(long_row(sim)->text, "bring it to you."));
        sim_true(sim, sim_meta(long_row(sim), "interrupted") == 0);
        sim_true(sim, sim_meta(long_row(sim), "resumed") == 1);
        sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 1);
        sim_true(sim, !sim_row_with(sim, "Mm-hm"));
    }
}

/* A short real word confirms through its text. */
static void short_word_confirms(void **state)
{
    static const char *const WORDS[] = {"stop that", "wait", "what", "no"};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        struct sim *sim = talking(state);
        sim_voice(sim, 6000, 6320, WORDS[i]);
        sim_run(sim, 9000);
        sim_true(sim, sim_meta(long_row(sim), "interrupted") == 1);
        sim_true(sim, sim_row_with(sim, WORDS[i]) != NULL);
    }
}

/* "mm-hm" as small models write it: words of a hum, or words that they are not sure of. Clear words
 * and those that always stop a speaker confirm, however unsure. */
static void murmur_is_taken_back(void **state)
{
    static const struct {
        const char *text;
        float logprob;
        bool interrupts;
    } CASES[] = {
        {"Hey, my mom.", -0.6f, false}, {"And I'm on.", 0.0f, false},
        {"I remember.", -1.2f, false},  {"Hey, Madam Lam.", -1.1f, false},
        {"I remember.", -0.5f, true},   {"Wait.", -1.3f, true},
        {"Which one?", 0.0f, true},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = talking(state);
        sim->stt_logprob = CASES[i].logprob;
        sim_voice(sim, 6000, 6400, CASES[i].text);
        sim_run(sim, 16000);
        if ((sim_meta(long_row(sim), "interrupted") == 1) != CASES[i].interrupts)
            print_message("%s at %.1f\n", CASES[i].text, (double)CASES[i].logprob);
        sim_true(sim, (sim_meta(long_row(sim), "interrupted") == 1) == CASES[i].interrupts);
        sim_true(sim, (sim_row_with(sim, CASES[i].text) != NULL) == CASES[i].interrupts);
    }
}

/* A real word whose text comes late cuts the agent again after it was resumed for the time being.
 */
static void late_word_cuts_again(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 6320, "wait please");
    sim_run(sim, 5900);
    sim->stt_ms = 1000;
    sim_run(sim, 9000);
    sim_true(sim, sim_find(sim, RLX_ACT_RESUME, 0));
    sim_true(sim, sim_meta(long_row(sim), "interrupted") == 1);
    sim_true(sim, sim_row_with(sim, "wait please") != NULL);
}

/* A cough: no words, taken back. */
static void noise_is_taken_back(void **state)
{
    struct sim *sim = talking(state);

    sim_noise(sim, 6000, 6200);
    sim_run(sim, 16000);
    sim_true(sim, sim_meta(long_row(sim), "interrupted") == 0);
    sim_true(sim, strstr(long_row(sim)->text, "bring it to you."));
}

/* "yes" after the agent's question is an answer, not a backchannel. */
static void yes_answers_a_question(void **state)
{
    struct sim *sim = sim_new(state);

    sim_reply(sim,
              "Is that right? You said that you want to order bread for the whole week from us.");
    sim_voice(sim, 2500, 3300, "I want bread");
    sim_voice(sim, 5100, 5400, "yes");
    sim_run(sim, 9000);
    sim_true(sim, sim_row_with(sim, "Is that right?"));
    sim_true(sim, sim_meta(sim_row_with(sim, "Is that right?"), "interrupted") == 1);
    sim_true(sim, sim_row_with(sim, "yes") != NULL);
}

/* An interim text with a real word confirms before the voice does. */
static void partial_confirms(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 7500, "I have a question");
    sim_until(sim, RLX_CONV_PAUSED, 6400);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_PARTIAL, .text = "uh-huh"});
    sim_true(sim, sim_state(sim) == RLX_CONV_PAUSED);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_PARTIAL, .text = "I have"});
    sim_true(sim, sim_state(sim) == RLX_CONV_USER_SPEAKING);
}

/* Echo of the agent pauses it once, is recognised, and its level is learned. */
static void echo_is_dropped(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6300, 6750, "bread and cake");
    sim_run(sim, 16000);
    sim_true(sim, sim_meta(long_row(sim), "interrupted") == 0);
    sim_true(sim, !strcmp(sim->end_status, ""));
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
    sim_between(sim, sim_metric(sim, "echo_drops"), 1, 9);
    sim_true(sim, sim_count(sim, RLX_ACT_LLM) == 1);
}

/* Voice that is not 6 dB above the echo to be expected does not count. An ordinary line pauses
 * nothing; a bad one pauses once or twice until it is known; real words interrupt on both. */
static void echo_is_no_voice(void **state)
{
    static const struct {
        float echo_db;
        unsigned pauses;
    } CASES[] = {{-40.0f, 0}, {-33.0f, 0}, {-27.0f, 2}, {-21.0f, 2}};

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct sim *sim = talking(state);
        sim->echo_db = CASES[i].echo_db;
        sim_reply(sim, LONG_REPLY);
        sim_voice(sim, 17500, 18700, "And when do you close?");
        sim_run(sim, 17000);
        sim_between(sim, sim_count(sim, RLX_ACT_PAUSE), 0, CASES[i].pauses);
        sim_true(sim, long_row(sim) && strstr(long_row(sim)->text, "bring it to you."));
        sim_true(sim, sim_meta(long_row(sim), "interrupted") == 0);
        sim_voice(sim, 22500, 24000, "No I want something else");
        sim->voices[sim->voice_count - 1].level_db = -14.0f;
        sim_run(sim, 26000);
        const struct sim_row *second = sim_row(sim, true, 2);
        sim_true(sim, second && sim_meta(second, "interrupted") == 1);
    }
}

/* After a resume some words are heard twice; they count once, and none is lost. */
static void repeated_words_count_once(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 6250, "Mm-hm");
    sim_voice(sim, 7000, 8200, "No I want something else");
    sim_run(sim, 10000);
    uint32_t epoch = sim_said(sim, "Our shop")->epoch;
    sim_true(sim, sim_meta(long_row(sim), "resumed") == 1);
    int difference = (int)rlx_text_words(long_row(sim)->text) - (int)sim_words_played(sim, epoch);
    sim_between(sim, difference, -1, 1);
    sim_true(sim, !strncmp(LONG_REPLY, long_row(sim)->text, strlen(long_row(sim)->text)));
}

/* Cut right behind a resume: what was heard before the pause counts. */
static void cut_behind_a_resume(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 6250, "Mm-hm");
    sim_run(sim, 5900);
    sim->heard_ms = 44 * SIM_MS_PER_CHAR; /* the first sentence */
    sim_run(sim, 6650);
    sim_true(sim, sim_find(sim, RLX_ACT_RESUME, 0) || sim_state(sim) == RLX_CONV_PAUSED);
    sim_until(sim, RLX_CONV_AI_SPEAKING, 7000);
    sim->heard_ms = 30 * SIM_MS_PER_CHAR;
    sim_voice(sim, 7000, 8200, "No I want something else");
    sim_run(sim, 9000);
    assert_string_equal(long_row(sim)->text, "Our shop sells bread and cake of every kind.");
}

/* After two pauses taken back within ten seconds, voice alone pauses no more; words still
 * interrupt. */
static void third_pause_needs_words(void **state)
{
    struct sim *sim = sim_new(state);

    sim_reply(sim, LONG_REPLY " We have been here for more than thirty years. Everybody in the "
                              "town knows our bread and our cake.");
    sim_voice(sim, 2500, 3300, "What do you sell?");
    sim_voice(sim, 5000, 5300, "Mm-hm");
    sim_voice(sim, 7500, 7800, "Mm-hm");
    sim_voice(sim, 10000, 10300, "Mm-hm");
    sim_run(sim, 11500);
    sim_true(sim, sim_count(sim, RLX_ACT_PAUSE) == 2);
    sim_voice(sim, 12000, 13500, "But what about the price");
    sim_run(sim, 15000);
    sim_true(sim, sim_count(sim, RLX_ACT_PAUSE) == 2);
    sim_true(sim, sim_meta(long_row(sim), "interrupted") == 1);
    sim_true(sim, sim_row_with(sim, "what about the price") != NULL);
}

/* A pause never lasts longer than its limit. */
static void pause_is_bounded(void **state)
{
    struct sim *sim = talking(state);

    sim->stt_silent = false;
    for (uint32_t at = 6000; at < 8000; at += 260)
        sim_noise(sim, at, at + 100); /* neither silence nor 500 of 700 ms */
    sim_run(sim, 5900);
    sim->stt_silent = true;
    sim_run(sim, 9000);
    const struct sim_entry *pause = sim_find(sim, RLX_ACT_PAUSE, 0);
    sim_true(sim, pause);
    bool decided = false;
    for (size_t i = 0; i < sim->log_count; i++)
        decided |= (sim->log[i].kind == RLX_ACT_RESUME || sim->log[i].kind == RLX_ACT_DROP) &&
                   sim->log[i].at > pause->at && sim->log[i].at <= pause->at + 1250;
    sim_true(sim, decided);
}

/* With barge-in off the agent speaks on, but an opt-out is still heard. */
static void barge_in_off(void **state)
{
    struct sim *sim = talking(state);

    sim->options.settings.barge_in = 0;
    sim_voice(sim, 6000, 7500, "I want something else");
    sim_run(sim, 9500);
    sim_true(sim, !sim_find(sim, RLX_ACT_PAUSE, 0));
    sim_true(sim, sim_meta(long_row(sim), "interrupted") == 0);
    sim_voice(sim, 9600, 11000, "Stop calling me");
    sim_run(sim, 30000);
    sim_true(sim, sim_count(sim, RLX_ACT_DNC) == 1);
}

/* The model and the voice go on during a pause: what was made meanwhile is there after it. */
static void synthesis_goes_on(void **state)
{
    struct sim *sim = talking(state);

    sim->tts_ms = 1500;
    sim_voice(sim, 5600, 5850, "Mm-hm");
    sim_run(sim, 18000);
    sim_true(sim, strstr(long_row(sim)->text, "bring it to you."));
    sim_true(sim, sim_count(sim, RLX_ACT_SAY) == 4);
}

/* Made ahead of what is heard: two pieces at most beyond the last whole one. */
static void two_pieces_ahead(void **state)
{
    struct sim *sim = talking(state);

    sim->tts_ms = 1000;
    sim_run(sim, 16000);
    const struct sim_entry *first = sim_said(sim, "Our shop"),
                           *third = sim_said(sim, "order by phone");
    sim_true(sim, first && third);
    sim_true(sim, third->at >= first->at + 1000);
}

/* Hang-up in a pause: the row holds what was heard until then. */
static void stop_in_pause(void **state)
{
    struct sim *sim = talking(state);

    sim_voice(sim, 6000, 7000, "No");
    sim_until(sim, RLX_CONV_PAUSED, 6400);
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_STOP});
    sim_run(sim, 10000);
    assert_int_equal(sim->ends, 1);
    sim_true(sim, !strcmp(sim->end_reason, "callee_hangup"));
    sim_true(sim, long_row(sim)->final && !strstr(long_row(sim)->text, "bring it to you"));
}

/* Nothing of the agent was heard: its row is withdrawn. */
static void unheard_row_is_withdrawn(void **state)
{
    struct sim *sim = talking(state);

    sim->one_way_ms = 400;
    sim_voice(sim, 4070, 5200, "and I also want some coffee");
    sim_run(sim, 5600);
    for (size_t i = 0; i < sim->row_count; i++)
        if (sim->rows[i].agent && sim->rows[i].seq > 1)
            sim_true(sim, sim_phone_played(sim, 2) > 300 || !sim->rows[i].text[0]);
}

static uint32_t asked_ms(const struct sim *sim, uint32_t epoch)
{
    uint32_t ms = 0;

    for (size_t i = 0; i < sim->log_count; i++)
        if (sim->log[i].kind == RLX_ACT_SAY && sim->log[i].epoch == epoch)
            ms += (uint32_t)strlen(sim->log[i].text) * SIM_MS_PER_CHAR;
    return ms;
}

/* However long a pause is and however much the model says, at most 15 s are made ahead. */
static void buffer_is_capped(void **state)
{
    struct sim *sim = sim_new(state);

    sim->options.settings.pause_max_ms = 30000;
    sim->options.settings.confirm_ms = 2000;
    sim->options.settings.max_words = 500;
    sim->hangover_ms = 0;
    sim_reply(sim,
              "We bake bread every day of the week and we begin at four. It is very good bread "
              "and you will like it as all of our guests do. Our cake is good too and it is "
              "made with butter from the farm next door, which is not far from the lake, and "
              "with milk from there. And there is coffee and tea and juice for everybody who "
              "comes in to sit down. On Sundays we are closed so that we can go to the lake.");
    sim_voice(sim, 3000, 4200, "What do you sell?");
    for (uint32_t at = 6000; at < 26000; at += 300)
        sim_noise(sim, at, at + 160); /* somebody mumbles; what it is stays unknown */
    sim_run(sim, 5900);
    sim->stt_silent = true;
    uint32_t epoch = rlx_conv_epoch(sim->conv), most = 0;
    sim_true(sim, epoch);
    sim_until(sim, RLX_CONV_PAUSED, 6300);
    for (uint32_t at = sim_time(sim); at < 25000; at += 20) {
        sim_run(sim, at);
        sim_true(sim, sim_state(sim) == RLX_CONV_PAUSED);
        uint32_t ahead = asked_ms(sim, epoch) - rlx_playout_heard_ms(sim->playout, sim->now);
        most = ahead > most ? ahead : most;
    }
    sim_between(sim, most, 8000, 15000);
    sim->stt_silent = false;
    sim_run(sim, 70000); /* and all of it is said in the end */
    sim_true(sim, sim_row_with(sim, "go to the lake."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(voice_pauses),
        RLX_TEST(long_voice_confirms),
        RLX_TEST(backchannel_is_taken_back),
        RLX_TEST(short_word_confirms),
        RLX_TEST(murmur_is_taken_back),
        RLX_TEST(late_word_cuts_again),
        RLX_TEST(noise_is_taken_back),
        RLX_TEST(yes_answers_a_question),
        RLX_TEST(partial_confirms),
        RLX_TEST(echo_is_dropped),
        RLX_TEST(echo_is_no_voice),
        RLX_TEST(repeated_words_count_once),
        RLX_TEST(cut_behind_a_resume),
        RLX_TEST(third_pause_needs_words),
        RLX_TEST(pause_is_bounded),
        RLX_TEST(barge_in_off),
        RLX_TEST(synthesis_goes_on),
        RLX_TEST(two_pieces_ahead),
        RLX_TEST(stop_in_pause),
        RLX_TEST(unheard_row_is_withdrawn),
        RLX_TEST(buffer_is_capped),
    };
    return cmocka_run_group_tests_name("conversation: interruptions", tests, NULL, NULL);
}
