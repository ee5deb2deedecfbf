/* What is run again and again, each time with another allocation failing. A scenario leaves nothing behind, fails no assertion of its
 * own but by `broken`, and allocates nothing itself. */
#ifndef RLX_TESTS_ALLOC_SCENARIOS_H
#define RLX_TESTS_ALLOC_SCENARIOS_H

struct scenario {
    const char *name;
    /* NULL, or what does not hold. */
    const char *(*run)(void);
};

extern const struct scenario rlx_scenarios[];
extern const unsigned rlx_scenario_count;

#endif
