/* What every unit test starts with: cmocka, and a talloc context that must be empty again at the end of each test. */
#ifndef RLX_TESTS_UNIT_RLX_TEST_H
#define RLX_TESTS_UNIT_RLX_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

/* A set-up that makes *state a fresh context, and the tear-down that frees it. */
static inline int rlx_test_open(void **state)
{
    *state = talloc_new(NULL);
    return *state ? 0 : -1;
}

static inline int rlx_test_close(void **state)
{
    return talloc_free(*state);
}

#define RLX_TEST(function)                                                                         \
    cmocka_unit_test_setup_teardown(function, rlx_test_open, rlx_test_close)

#endif
