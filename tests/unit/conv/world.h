/* Between the harness and its fake providers: the queue of what is on its way. Private to the
 * harness. */
#ifndef RLX_TESTS_CONV_WORLD_H
#define RLX_TESTS_CONV_WORLD_H

#include "harness.h"

#define SIM_PENDING 1024

struct sim_pending {
    uint64_t at;
    enum { TO_CONV, AUDIO, MARK } kind;
    struct rlx_conv_event event;
    char text[640], name[64], arguments[300];
    uint32_t from_ms; /* AUDIO: the chunk's place in its piece */
};

/* A place in the queue that is due after `delay`; the caller fills it. */
struct sim_pending *sim_later(struct sim *sim, uint64_t delay);
/* Takes the oldest one that is due. */
bool sim_take_due(struct sim *sim, struct sim_pending *due);
void sim_cancel_job(struct sim *sim, uint32_t job);
void sim_cancel_epoch(struct sim *sim, uint32_t epoch);

void sim_do_row(struct sim *sim, const struct rlx_conv_action *action);
void sim_do_stt(struct sim *sim, const struct rlx_conv_action *action);
void sim_do_lookup(struct sim *sim, const struct rlx_conv_action *action);
void sim_do_llm(struct sim *sim, const struct rlx_conv_action *action);
void sim_do_say(struct sim *sim, const struct rlx_conv_action *action);
void sim_do_tool(struct sim *sim, const struct rlx_conv_action *action);

#endif
