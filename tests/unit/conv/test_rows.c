/* A transcript row is durable before the agent's next turn is heard; the wait for it is bounded. */
#include "harness.h"

#include <stdio.h>

static struct sim *asked(void **state)
{
    struct sim *sim = sim_new(state);

    sim->stt_ms = sim->llm_ms = sim->tts_ms = 50;
    sim_reply(sim, "It is a blue one.");
    sim_voice(sim, 3000, 4200, "the blue one from yesterday");
    return sim;
}

static const struct sim_entry *reply(struct sim *sim)
{
    return sim_find(sim, RLX_ACT_EPOCH, 3000);
}

static uint32_t rows_written(const struct sim *sim)
{
    return sim_count(sim, RLX_ACT_ROW);
}

static void end(struct sim *sim)
{
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_END_WISH, .text = "test"});
}

static void a_row_that_is_durable_costs_nothing(void **state)
{
    struct sim *sim = asked(state);

    sim_run(sim, 9000);
    sim_between(sim, reply(sim)->at, 4750, 4800);
    end(sim);
    sim_true(sim, sim_metric(sim, "rows_late") == 0);
    sim_true(sim, sim_metric(sim, "row_wait_max_ms") == 0);
}

static void the_next_turn_waits_for_the_row(void **state)
{
    struct sim *sim = asked(state);

    sim->keep_ms = UINT32_MAX;
    sim_run(sim, 4900); /* the answer's audio is there */
    const struct sim_entry *llm = sim_find(sim, RLX_ACT_LLM, 3000);
    sim_true(sim, llm && sim_find(sim, RLX_ACT_SAY, llm->at));
    sim_true(sim, !reply(sim));
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_KEPT, .kept.row = 1});
    sim_true(sim, rows_written(sim) > 1 && !reply(sim)); /* not all of them */
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_KEPT, .kept.row = 9999});
    sim_true(sim, !reply(sim)); /* a number that was never given out */
    sim_give(sim, (struct rlx_conv_event){.kind = RLX_EV_KEPT, .kept.row = rows_written(sim)});
    sim_true(sim, reply(sim) && reply(sim)->at == 4900);
    end(sim);
    sim_true(sim, sim_metric(sim, "rows_late") == 0);
    sim_between(sim, sim_metric(sim, "row_wait_max_ms"), 100, 200);
}

static void the_wait_is_bounded(void **state)
{
    struct sim *sim = asked(state);

    sim->keep_ms = UINT32_MAX;
    sim_run(sim, 9000);
    uint32_t made = sim_find(sim, RLX_ACT_LLM, 3000)->at;
    sim_between(sim, reply(sim)->at, made + 1000, made + 1020);
    bool noted = false;
    for (size_t i = 0; i < sim->log_count; i++)
        noted |= sim->log[i].kind == RLX_ACT_NOTE && strstr(sim->log[i].text, "rows_late");
    sim_true(sim, noted);
    end(sim);
    sim_true(sim, sim_metric(sim, "rows_late") >= 1);
}

/* Listening is not held up: the callee's words are taken while the row is still on its way. */
static void listening_does_not_wait(void **state)
{
    struct sim *sim = asked(state);

    sim->keep_ms = UINT32_MAX;
    sim_run(sim, 4400);
    sim_true(sim, sim_count(sim, RLX_ACT_STT) >= 1 && sim_find(sim, RLX_ACT_LLM, 3000));
}

/* Frames stop as well: the clock alone lets the answer go. */
static void the_bound_holds_without_frames(void **state)
{
    struct sim *sim = asked(state);

    sim->keep_ms = UINT32_MAX;
    sim_run(sim, 4850);
    sim_true(sim, !reply(sim));
    sim->frames_stop = true;
    sim_run(sim, 6500);
    sim_true(sim, reply(sim));
}

static void a_row_names_its_passages(void **state)
{
    struct sim *sim = asked(state);

    sim_run(sim, 9000);
    end(sim);
    const char *metadata = sim_row(sim, true, 1)->metadata;
    assert_non_null(
        strstr(metadata, "\"passages\":[{\"id\":\"entry-1\",\"title\":\"Hours\",\"score\":0.98"));
    assert_non_null(strstr(metadata, "\"chunk\":2}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(a_row_that_is_durable_costs_nothing),
        RLX_TEST(the_next_turn_waits_for_the_row),
        RLX_TEST(the_wait_is_bounded),
        RLX_TEST(listening_does_not_wait),
        RLX_TEST(the_bound_holds_without_frames),
        RLX_TEST(a_row_names_its_passages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
