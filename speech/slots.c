/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "slots.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

#define POLL_NS                                                                                    \
    20000000L /* how often a waiting request looks whether its client is still there               \
               */

struct waiter {
    struct waiter *next;
    pthread_cond_t turn;
};

struct rlx_slots {
    pthread_mutex_t lock;
    struct waiter *first, **endp; /* the line */
    unsigned waiting, max_waiting;
    unsigned count, free;
    bool taken[];
};

static int slots_destroy(struct rlx_slots *slots)
{
    pthread_mutex_destroy(&slots->lock);
    return 0;
}

int rlx_slots_create(struct rlx_slots **slotsp, TALLOC_CTX *ctx, unsigned count,
                     unsigned max_waiting)
{
    struct rlx_slots *slots;

    if (!slotsp || count == 0 || count > 64)
        return RLX_EINVAL;
    slots = talloc_zero_size(ctx, sizeof *slots + count * sizeof slots->taken[0]);
    if (!slots)
        return -ENOMEM;
    talloc_set_name_const(slots, "struct rlx_slots");
    pthread_mutex_init(&slots->lock, NULL);
    slots->endp = &slots->first;
    slots->count = slots->free = count;
    slots->max_waiting = max_waiting;
    talloc_set_destructor(slots, slots_destroy);
    *slotsp = slots;
    return 0;
}

static void waiter_join(struct rlx_slots *slots, struct waiter *me)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&me->turn, &attr);
    pthread_condattr_destroy(&attr);
    me->next = NULL;
    *slots->endp = me;
    slots->endp = &me->next;
    slots->waiting++;
}

static void waiter_leave(struct rlx_slots *slots, struct waiter *me)
{
    struct waiter **p = &slots->first;

    while (*p != me)
        p = &(*p)->next;
    *p = me->next;
    if (slots->endp == &me->next)
        slots->endp = p;
    slots->waiting--;
    pthread_cond_destroy(&me->turn);
    if (slots->free > 0 && slots->first)
        pthread_cond_signal(&slots->first->turn);
}

/* Waits until `me` heads the line and a slot is free. The lock is held, but not while `gone` is
 * asked. */
static int wait_turn(struct rlx_slots *slots, struct waiter *me, rlx_gone_h *gone, void *arg)
{
    struct timespec until;

    while (slots->first != me || slots->free == 0) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += POLL_NS;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&me->turn, &slots->lock, &until);
        if (!gone)
            continue;
        pthread_mutex_unlock(&slots->lock);
        bool left = gone(arg);
        pthread_mutex_lock(&slots->lock);
        if (left)
            return -ECANCELED;
    }
    return 0;
}

int rlx_slots_take(struct rlx_slots *slots, unsigned *slotp, bool begun, rlx_gone_h *gone,
                   void *arg)
{
    struct waiter me;
    int err = 0;

    pthread_mutex_lock(&slots->lock);
    if (slots->first || slots->free == 0) {
        if (!begun && slots->waiting >= slots->max_waiting) {
            err = RLX_ELIMIT;
            goto out;
        }
        waiter_join(slots, &me);
        err = wait_turn(slots, &me, gone, arg);
        if (!err)
            slots->free--; /* before leaving, which may wake the next */
        waiter_leave(slots, &me);
    } else {
        slots->free--;
    }
    if (!err) {
        unsigned i = 0;

        while (slots->taken[i])
            i++;
        slots->taken[i] = true;
        *slotp = i;
    }
out:
    pthread_mutex_unlock(&slots->lock);
    return err;
}

void rlx_slots_give(struct rlx_slots *slots, unsigned slot)
{
    pthread_mutex_lock(&slots->lock);
    slots->taken[slot] = false;
    slots->free++;
    if (slots->first)
        pthread_cond_signal(&slots->first->turn);
    pthread_mutex_unlock(&slots->lock);
}

struct rlx_slots_load rlx_slots_load(struct rlx_slots *slots)
{
    pthread_mutex_lock(&slots->lock);
    struct rlx_slots_load load = {slots->count, slots->count - slots->free, slots->waiting};
    pthread_mutex_unlock(&slots->lock);
    return load;
}
