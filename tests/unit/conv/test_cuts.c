/* A hundred interruptions at random moments: the transcript is cut where the phone's own playout
 * buffer had got to. */
#include "harness.h"

#include <stdlib.h>

#include "call/phrases.h"

#define CUTS 100u
#define REPLY                                                                                      \
    "Our shop sells bread and cake of every kind, and coffee too. We bake everything fresh in "    \
    "the "                                                                                         \
    "morning with flour from the old mill. You can order by phone and we bring it to your house."

/* Words of the transcript minus words played; -1000 = the agent was not interrupted. */
static int one_cut(void **state, uint32_t seed, uint32_t *gapp)
{
    struct sim *sim = sim_new(state);

    sim->seed = seed * 7919u + 1;
    sim->one_way_ms = 20 + sim_draw(sim, 130);
    sim->mark_late_ms = sim_draw(sim, 3) ? 1 + sim_draw(sim, 40) : 1 + sim_draw(sim, 2000);
    sim->mark_lost_percent = sim_draw(sim, 3) ? 0 : 20;
    sim->tts_ms = 80 + sim_draw(sim, 250);
    sim->burst_frames = 1 + sim_draw(sim, 4);
    sim_reply(sim, REPLY);
    sim_voice(sim, 2500, 3300, "What do you sell?");
    uint32_t at = (5000 + sim_draw(sim, 8500)) / 20 * 20;
    sim_voice(sim, at, at + 900 + sim_draw(sim, 600), "No I want something else");
    sim_run(sim, at + 3000);
    const struct sim_entry *say = sim_said(sim, "Our shop");
    if (!say || !sim_row(sim, true, 1) || sim_meta(sim_row(sim, true, 1), "interrupted") != 1)
        return -1000;
    *gapp = sim_phone_gap(sim, say->epoch);
    int difference =
        (int)rlx_text_words(sim_row(sim, true, 1)->text) - (int)sim_words_played(sim, say->epoch);
    talloc_free(sim);
    return difference;
}

static void a_hundred_cuts(void **state)
{
    unsigned within_one = 0, beyond_two = 0, not_cut = 0;
    uint32_t gap = 0;

    for (uint32_t i = 0; i < CUTS; i++) {
        int difference = one_cut(state, i, &gap);
        not_cut += difference == -1000;
        within_one += abs(difference) <= 1;
        beyond_two += difference != -1000 && abs(difference) > 2;
    }
    print_message("within one word: %u, beyond two: %u\n", within_one, beyond_two);
    assert_int_equal(not_cut, 0);
    assert_true(within_one >= 95);
    assert_int_equal(beyond_two, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(a_hundred_cuts)};
    return cmocka_run_group_tests_name("conversation: cuts", tests, NULL, NULL);
}
