/* The simulated phone's ear piece: a real-time playout buffer behind a delayed line. Knows what was
 * really heard. */
#ifndef RLX_TESTS_CONV_PHONE_H
#define RLX_TESTS_CONV_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct sim_phone;
typedef void sim_phone_mark_h(const char *name, uint64_t at_ms, void *arg);

struct sim_phone *sim_phone_new(TALLOC_CTX *ctx, sim_phone_mark_h *mark, void *arg);
/* One-way delay of each direction, from now on. */
void sim_phone_delay(struct sim_phone *phone, uint32_t one_way_ms);
void sim_phone_audio(struct sim_phone *phone, uint64_t now_ms, uint32_t epoch, uint32_t at_ms,
                     uint32_t length_ms);
void sim_phone_mark(struct sim_phone *phone, uint64_t now_ms, const char *name);
void sim_phone_clear(struct sim_phone *phone, uint64_t now_ms);
/* Plays up to now; marks that were reached are given with the time of their coming back. */
void sim_phone_run(struct sim_phone *phone, uint64_t now_ms);
bool sim_phone_audible(const struct sim_phone *phone, uint64_t now_ms);

struct sim_phone_heard {
    uint32_t epoch, played_ms, longest_gap_ms;
    uint64_t first_ms, last_ms;
};
/* NULL when nothing of the epoch was heard. */
const struct sim_phone_heard *sim_phone_heard(const struct sim_phone *phone, uint32_t epoch);

#endif
