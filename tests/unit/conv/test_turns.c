/* The ordinary call: greeting, a question, its answer, goodbye. */
#include "harness.h"

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
    sim_print(sim);
    print_message("%s\n", sim->metrics);
    assert_int_equal(sim->ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(whole_call)};
    return cmocka_run_group_tests_name("conversation: turns", tests, NULL, NULL);
}
