/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The inference queue: a few slots (one per model instance) that requests wait for in the order in
 * which they came.
 *
 * A request runs the model on its own thread while it holds a slot, so there is nothing to hand
 * over and nothing to clean up when its client goes away: it leaves the line, or stops and gives
 * the slot back. Any thread.
 */
#ifndef RLX_SPEECH_SLOTS_H
#define RLX_SPEECH_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct rlx_slots;

/* True when whoever asked is no longer interested. Called often: must be cheap. */
typedef bool rlx_gone_h(void *arg);

struct rlx_slots_load {
    unsigned slots;
    unsigned busy;
    unsigned waiting;
};

/* `slots` >= 1 instances, at most `max_waiting` requests in line. RLX_EINVAL, -ENOMEM. */
int rlx_slots_create(struct rlx_slots **slotsp, TALLOC_CTX *ctx, unsigned slots,
                     unsigned max_waiting) __attribute__((warn_unused_result));

/* Waits for a slot and puts its number (0 … slots - 1) in *slotp. RLX_ELIMIT at once when the line
 * is full (never for work that has begun, `begun`), -ECANCELED when `gone` (may be NULL) says so
 * while waiting. */
int rlx_slots_take(struct rlx_slots *slots, unsigned *slotp, bool begun, rlx_gone_h *gone,
                   void *arg) __attribute__((warn_unused_result));

/* Gives a slot back. */
void rlx_slots_give(struct rlx_slots *slots, unsigned slot);

struct rlx_slots_load rlx_slots_load(struct rlx_slots *slots);

#endif
