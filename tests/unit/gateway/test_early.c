/* Messages that came too early: in order, whole, bounded. */
#include "../rlx_test.h"

#include "gateway/early.h"

struct seen {
    unsigned count;
    size_t bytes;
    char first[8], last[8];
};

static void see(const char *text, size_t length, void *arg)
{
    struct seen *seen = arg;
    char *to = seen->count++ ? seen->last : seen->first;

    seen->bytes += length;
    memset(to, 0, 8);
    memcpy(to, text, length < 7 ? length : 7);
}

static void they_come_back_in_order(void **state)
{
    struct rlx_early *early = NULL;
    struct seen seen = {0};

    rlx_early_replay(early, see, &seen);
    assert_int_equal(seen.count, 0);
    rlx_early_keep(&early, *state, "one", 3);
    rlx_early_keep(&early, *state, "", 0);
    rlx_early_keep(&early, *state, "three and more", 5);
    rlx_early_replay(early, see, &seen);
    assert_true(seen.count == 3 && seen.bytes == 8);
    assert_string_equal(seen.first, "one");
    assert_string_equal(seen.last, "three");
}

static void a_flood_is_bounded(void **state)
{
    static char big[60000];
    struct rlx_early *early = NULL;
    struct seen seen = {0};

    rlx_early_keep(&early, *state, big, sizeof big);
    rlx_early_keep(&early, *state, big, sizeof big); /* does not fit */
    rlx_early_keep(&early, *state, "small", 5);
    for (unsigned i = 0; i < 100000; i++)
        rlx_early_keep(&early, *state, "x", 1);
    rlx_early_replay(early, see, &seen);
    assert_true(seen.bytes < 65536 && seen.count > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(they_come_back_in_order),
        RLX_TEST(a_flood_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
