/* A call that hangs is left to itself in time; its argument is freed by whoever is last. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "../rlx_test.h"
#include "gateway/bounded.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hangs;
    unsigned freed;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

struct arg {
    int in, out;
};

static int arg_end(struct arg *arg)
{
    (void)arg;
    pthread_mutex_lock(&world.lock);
    world.freed++;
    pthread_mutex_unlock(&world.lock);
    return 0;
}

static struct arg *arg_new(int in)
{
    struct arg *arg = talloc_zero(NULL, struct arg);

    arg->in = in;
    talloc_set_destructor(arg, arg_end);
    return arg;
}

static int work(void *data)
{
    struct arg *arg = data;

    pthread_mutex_lock(&world.lock);
    while (world.hangs)
        pthread_cond_wait(&world.changed, &world.lock);
    pthread_mutex_unlock(&world.lock);
    arg->out = arg->in * 2;
    return arg->in == 3 ? -EIO : 0;
}

static void hang(bool hangs)
{
    pthread_mutex_lock(&world.lock);
    world.hangs = hangs;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static void what_is_done_in_time_gives_its_result(void **state)
{
    struct rlx_bounded *bounded;
    struct arg *two = arg_new(2), *three = arg_new(3);
    int result = 1;

    world.freed = 0;
    assert_int_equal(rlx_bounded_create(&bounded, *state, 4), 0);
    assert_int_equal(rlx_bounded_run(bounded, work, two, 60000, &result), 0);
    assert_true(result == 0 && two->out == 4);
    assert_int_equal(rlx_bounded_run(bounded, work, three, 60000, &result), 0);
    assert_true(result == -EIO && three->out == 6);
    assert_int_equal(world.freed, 0);
    talloc_free(two);
    talloc_free(three);
}

static void what_hangs_is_left_to_itself(void **state)
{
    struct rlx_bounded *bounded;
    int result = 1;

    world.freed = 0;
    hang(true);
    assert_int_equal(rlx_bounded_create(&bounded, *state, 2), 0);
    assert_int_equal(rlx_bounded_run(bounded, work, arg_new(1), 10, &result), -ETIMEDOUT);
    assert_int_equal(rlx_bounded_run(bounded, work, arg_new(1), 0, &result), -ETIMEDOUT);
    assert_int_equal(world.freed, 0);
    assert_int_equal(rlx_bounded_run(bounded, work, arg_new(1), 60000, &result), -EAGAIN);
    assert_int_equal(world.freed, 1);
    assert_int_equal(result, 1);
    hang(false);
    talloc_free(bounded); /* waits for both */
    assert_int_equal(world.freed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(what_is_done_in_time_gives_its_result),
        RLX_TEST(what_hangs_is_left_to_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
