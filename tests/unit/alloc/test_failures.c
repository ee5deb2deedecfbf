/* Every allocation fails once: the n-th of a scenario for n = 1, 2, … until none is left to fail; and once more with all from the n-th
 * on. Nothing may crash, hang, or be left behind. The C library's functions are replaced in this program, so that talloc's, jansson's
 * and everybody else's allocations count (glibc: "Replacing malloc"). */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../rlx_test.h"
#include "base/log.h"
#include "scenarios.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static atomic_long live;           /* blocks that are allocated now */
static atomic_long countdown = -1; /* allocations until one fails; -1 = none does */
static atomic_bool and_all_after;
static atomic_long failures;

static bool fails(void)
{
    if (atomic_load(&countdown) < 0)
        return false;
    if (atomic_load(&countdown) > 0) {
        atomic_fetch_sub(&countdown, 1);
        return false;
    }
    if (!atomic_load(&and_all_after))
        atomic_store(&countdown, -1);
    atomic_fetch_add(&failures, 1);
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    if (memory)
        atomic_fetch_add(&live, 1);
    return memory;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    void *grown = __libc_realloc(memory, size);
    return memory ? grown : counted(grown);
}

void free(void *memory)
{
    if (memory)
        atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

/* False when the scenario is over before the n-th allocation. */
static bool run_one(const struct scenario *scenario, long n, bool all_after)
{
    long before = atomic_load(&live);

    atomic_store(&failures, 0);
    atomic_store(&and_all_after, all_after);
    atomic_store(&countdown, n - 1);
    const char *broken = scenario->run();
    atomic_store(&countdown, -1);
    long left = atomic_load(&live) - before;
    if (broken)
        fail_msg("%s, allocation %ld fails%s: %s", scenario->name, n, all_after ? " and all after it" : "", broken);
    if (left)
        fail_msg("%s, allocation %ld fails%s: %ld blocks are left", scenario->name, n,
                 all_after ? " and all after it" : "", left);
    return atomic_load(&failures) > 0;
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    rlx_log_setup(RLX_ERROR, false);
    for (unsigned i = 0; i < rlx_scenario_count; i++) {
        const struct scenario *scenario = &rlx_scenarios[i];
        assert_null(scenario->run()); /* what is made once in a process */
        long n = 1;
        while (run_one(scenario, n, false))
            n++;
        print_message("%s: %ld allocations\n", scenario->name, n - 1);
        assert_true(n > 1);
        for (long k = 1; k < n; k += n < 200 ? 1 : n / 97 + 1)
            run_one(scenario, k, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_fails_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
