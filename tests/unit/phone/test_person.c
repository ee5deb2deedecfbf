/* The person performs in simulated time: no speech is rendered, sounds are made here. */
#include "../rlx_test.h"

#include "phone/person.h"

struct stage {
    struct rlx_callee *callee;
    struct rlx_hear *hear;
    struct rlx_person *person;
    char keys[16];
    size_t key_count;
    bool here;
    uint64_t now_ms;
};

static void on_key(char key, void *arg)
{
    struct stage *stage = arg;

    stage->keys[stage->key_count++] = key;
}

/* Every spoken step takes 400 ms, of which the first and last 20 are silent; a key 200. */
static struct stage *create(TALLOC_CTX *ctx, const char *text)
{
    struct stage *stage = talloc_zero(ctx, struct stage);
    struct rlx_callee *callee = talloc_zero(stage, struct rlx_callee);

    stage->callee = callee;
    assert_int_equal(rlx_script_parse(&callee->script, callee, text, NULL), 0);
    callee->sounds = talloc_zero_array(callee, struct rlx_sound *, (unsigned)callee->script->count);
    for (size_t i = 0; i < callee->script->count; i++) {
        enum rlx_script_do what = callee->script->steps[i].what;
        struct rlx_sound *sound;

        if (what == RLX_DO_WAIT || what == RLX_DO_SILENCE || what == RLX_DO_END ||
            what == RLX_DO_HANGUP)
            continue;
        sound = callee->sounds[i] = talloc_zero(callee, struct rlx_sound);
        sound->samples = what == RLX_DO_PRESS ? strlen(callee->script->steps[i].text) * 1600 : 3200;
        sound->pcm = talloc_array(sound, int16_t, (unsigned)sound->samples);
        for (size_t k = 0; k < sound->samples; k++)
            sound->pcm[k] = 5000;
        sound->loud_start = 160;
        sound->loud_end = sound->samples - 160;
    }
    stage->hear = rlx_hear_create(stage);
    stage->person = rlx_person_create(stage, callee, stage->hear, on_key, stage);
    stage->here = true;
    return stage;
}

/* Time passes, with the agent speaking or not; returns how many ms the person spoke. */
static unsigned pass(struct stage *stage, unsigned ms, bool agent)
{
    unsigned spoke = 0;

    for (; ms > 0 && stage->here; ms -= 20) {
        uint8_t heard[160];
        int16_t pcm[160];

        memset(heard, agent ? 0x90 : 0xff, sizeof(heard));
        rlx_hear_feed(stage->hear, heard, sizeof(heard));
        stage->here = rlx_person_tick(stage->person, pcm);
        stage->now_ms += 20;
        spoke += pcm[0] != 0 ? 20 : 0;
    }
    return spoke;
}

static const struct rlx_utterance *word(struct stage *stage, size_t i, size_t count)
{
    size_t have;
    const struct rlx_utterance *words = rlx_person_words(stage->person, &have);

    assert_int_equal(have, count);
    return &words[i];
}

static void say_wait_say_hangup(void **state)
{
    struct stage *stage = create(*state, "say Hello\nwait\nsay Bye\nhangup");

    assert_int_equal(pass(stage, 1000, false), 400);
    assert_int_equal(word(stage, 0, 1)->start_ms, 20);
    assert_int_equal(word(stage, 0, 1)->end_ms, 380);
    assert_int_equal(pass(stage, 1500, true), 0);
    assert_int_equal(pass(stage, 300, false), 0); /* a breath */
    assert_int_equal(pass(stage, 500, true), 0);
    assert_int_equal(pass(stage, 960, false), 0);
    assert_int_equal(pass(stage, 500, false), 400); /* a second after the agent's end */
    assert_true(word(stage, 1, 2)->start_ms >= 3300 + 1000);
    assert_true(stage->here || stage->now_ms > 4700);
    pass(stage, 100, false);
    assert_false(stage->here);
}

static void interrupts_count_from_the_agents_start(void **state)
{
    struct stage *stage = create(*state, "say Hi\ninterrupt after 1.2 Stop\nwait\nsay Bye");

    pass(stage, 800, false);
    assert_int_equal(pass(stage, 1200, true), 0); /* the agent begins at 800 */
    assert_int_equal(pass(stage, 400, true), 400);
    assert_int_equal(word(stage, 1, 2)->start_ms, 800 + 1200 + 20);
    assert_string_equal(word(stage, 1, 2)->kind, "interrupt");
    /* The interrupted words go on a little; their end is no answer. */
    pass(stage, 100, true);
    assert_int_equal(pass(stage, 2000, false), 0);
    pass(stage, 600, true);
    assert_int_equal(pass(stage, 2000, false), 400);
}

static void mmhm_is_no_turn(void **state)
{
    struct stage *stage = create(*state, "say Hi\nmmhm after 0.5\nmmhm after 1.5\nwait\nsay Bye");

    pass(stage, 600, false);
    assert_int_equal(pass(stage, 500, true), 0);
    assert_int_equal(pass(stage, 600, true), 400);
    pass(stage, 360, true);
    assert_int_equal(word(stage, 1, 2)->start_ms, 600 + 500 + 20);
    assert_int_equal(pass(stage, 600, true), 400); /* the second counts from the same start */
    assert_int_equal(word(stage, 2, 3)->start_ms, 600 + 1500 + 20);
    assert_int_equal(pass(stage, 500, true), 0);
    assert_int_equal(pass(stage, 960, false), 0);
    assert_int_equal(pass(stage, 600, false), 400); /* wait: the end of the same words was enough */
}

static void limits_are_noted_and_the_script_goes_on(void **state)
{
    struct stage *stage =
        create(*state, "limit 2\nwait\nsay Anybody?\nmmhm after 1\ninterrupt after 1 Hey\nend 1");
    const struct rlx_person_timeout *timeouts;
    size_t count;

    assert_int_equal(pass(stage, 2000, false), 0);
    assert_int_equal(pass(stage, 400, false), 400);
    assert_int_equal(pass(stage, 3900, false),
                     0); /* 2 s for mm-hm, which is not said to nobody, 2 s for the next */
    assert_int_equal(pass(stage, 600, false), 400);
    pass(stage, 2000, false);
    assert_false(stage->here); /* end 1 */
    timeouts = rlx_person_timeouts(stage->person, &count);
    assert_int_equal(count, 3);
    assert_string_equal(timeouts[0].what, "wait");
    assert_int_equal(timeouts[0].line, 2);
    assert_int_equal(timeouts[0].at_ms, 2000);
    assert_string_equal(timeouts[1].what, "mmhm");
    assert_string_equal(timeouts[2].what, "interrupt");
}

static void an_agent_that_goes_on_has_answered(void **state)
{
    struct stage *stage = create(*state, "silence 1\nsay But\nwait\nsay Bye");

    assert_int_equal(pass(stage, 1400, true), 400);
    pass(stage, 5000, true); /* never stops: its words are the answer */
    assert_int_equal(pass(stage, 1600, false), 400);
}

static void keys_and_machines(void **state)
{
    struct stage *stage = create(*state, "voicemail Leave a message\nbeep\npress 4#");

    assert_false(rlx_person_greeting_over(stage->person));
    pass(stage, 400, false);
    assert_false(rlx_person_greeting_over(stage->person));
    pass(stage, 420, false);
    assert_true(rlx_person_greeting_over(stage->person));
    pass(stage, 80, false);
    assert_int_equal(stage->key_count, 0); /* at the tone's end */
    pass(stage, 20, false);
    assert_int_equal(stage->key_count, 1);
    pass(stage, 400, false);
    assert_string_equal(stage->keys, "4#");
    assert_string_equal(word(stage, 0, 2)->kind, "voicemail");
    assert_string_equal(word(stage, 1, 2)->kind, "dtmf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(say_wait_say_hangup),
        RLX_TEST(interrupts_count_from_the_agents_start),
        RLX_TEST(mmhm_is_no_turn),
        RLX_TEST(limits_are_noted_and_the_script_goes_on),
        RLX_TEST(an_agent_that_goes_on_has_answered),
        RLX_TEST(keys_and_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
