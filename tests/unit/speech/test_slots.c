#include "../rlx_test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/err.h"
#include "slots.h"

struct waiter {
    struct rlx_slots *slots;
    pthread_t thread;
    atomic_bool leave;
    int err;
    unsigned order;
    bool begun;
};

static atomic_uint turns;

static bool leaves(void *arg)
{
    struct waiter *w = arg;

    return atomic_load(&w->leave);
}

static void *wait_and_give(void *arg)
{
    struct waiter *w = arg;
    unsigned slot;

    w->err = rlx_slots_take(w->slots, &slot, w->begun, leaves, w);
    if (!w->err) {
        w->order = atomic_fetch_add(&turns, 1);
        rlx_slots_give(w->slots, slot);
    }
    return NULL;
}

/* Starts a waiter and returns when it stands in line. */
static void line_up(struct waiter *w, struct rlx_slots *slots, unsigned waiting)
{
    w->slots = slots;
    assert_int_equal(pthread_create(&w->thread, NULL, wait_and_give, w), 0);
    while (rlx_slots_load(slots).waiting != waiting)
        sched_yield();
}

static void numbers_are_distinct(void **state)
{
    struct rlx_slots *slots;
    unsigned a, b, c;

    assert_int_equal(rlx_slots_create(&slots, *state, 0, 1), RLX_EINVAL);
    assert_int_equal(rlx_slots_create(&slots, *state, 2, 0), 0);
    assert_int_equal(rlx_slots_take(slots, &a, false, NULL, NULL), 0);
    assert_int_equal(rlx_slots_take(slots, &b, false, NULL, NULL), 0);
    assert_int_not_equal(a, b);
    assert_int_equal(rlx_slots_take(slots, &c, false, NULL, NULL), RLX_ELIMIT);
    assert_int_equal(rlx_slots_load(slots).busy, 2);
    rlx_slots_give(slots, a);
    assert_int_equal(rlx_slots_take(slots, &c, false, NULL, NULL), 0);
    assert_int_equal(c, a);
}

static void first_come_first_served(void **state)
{
    struct waiter w[3] = {{0}};
    struct rlx_slots *slots;
    unsigned slot;

    atomic_store(&turns, 0);
    assert_int_equal(rlx_slots_create(&slots, *state, 1, 3), 0);
    assert_int_equal(rlx_slots_take(slots, &slot, false, NULL, NULL), 0);
    for (unsigned i = 0; i < 3; i++)
        line_up(&w[i], slots, i + 1);
    rlx_slots_give(slots, slot);
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(w[i].thread, NULL);
        assert_int_equal(w[i].err, 0);
        assert_int_equal(w[i].order, i);
    }
    assert_int_equal(rlx_slots_load(slots).busy, 0);
}

static void who_goes_leaves_the_line(void **state)
{
    struct waiter w[2] = {{0}};
    struct rlx_slots *slots;
    unsigned slot;

    assert_int_equal(rlx_slots_create(&slots, *state, 1, 2), 0);
    assert_int_equal(rlx_slots_take(slots, &slot, false, NULL, NULL), 0);
    line_up(&w[0], slots, 1);
    line_up(&w[1], slots, 2);
    atomic_store(&w[0].leave, true);
    pthread_join(w[0].thread, NULL);
    assert_int_equal(w[0].err, -ECANCELED);
    assert_int_equal(rlx_slots_load(slots).waiting, 1);
    rlx_slots_give(slots, slot);
    pthread_join(w[1].thread, NULL);
    assert_int_equal(w[1].err, 0);
}

static void begun_work_is_never_turned_away(void **state)
{
    struct waiter w = {.begun = true};
    struct rlx_slots *slots;
    unsigned slot;

    assert_int_equal(rlx_slots_create(&slots, *state, 1, 0), 0);
    assert_int_equal(rlx_slots_take(slots, &slot, false, NULL, NULL), 0);
    line_up(&w, slots, 1);
    rlx_slots_give(slots, slot);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.err, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(numbers_are_distinct),
        RLX_TEST(first_come_first_served),
        RLX_TEST(who_goes_leaves_the_line),
        RLX_TEST(begun_work_is_never_turned_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
