#include "../rlx_test.h"

#include <math.h>

#include "base/err.h"
#include "stretch.h"

#define RATE 22050

/* Upward zero crossings: cycles of a sine. */
static size_t cycles(const float *x, size_t count)
{
    size_t n = 0;

    for (size_t i = 1; i < count; i++)
        n += x[i - 1] < 0.0f && x[i] >= 0.0f;
    return n;
}

static void shorter_at_the_same_pitch(void **state)
{
    static const float speeds[] = {0.5f, 1.25f, 1.5f, 2.0f, 4.0f};
    float *tone = talloc_array(*state, float, 2 * RATE), *out;
    size_t count;

    for (int i = 0; i < 2 * RATE; i++)
        tone[i] = (float)sin(2.0 * M_PI * 200.0 * i / RATE);
    for (size_t k = 0; k < sizeof speeds / sizeof speeds[0]; k++) {
        assert_int_equal(rlx_stretch(&out, &count, *state, tone, 2 * RATE, RATE, speeds[k]), 0);
        double seconds = (double)count / RATE;
        assert_true(fabs(seconds - 2.0 / (double)speeds[k]) < 0.06);
        assert_true(fabs((double)cycles(out, count) / seconds - 200.0) < 6.0);
        for (size_t i = 0; i < count; i++)
            assert_true(fabsf(out[i]) <= 1.001f);
    }
}

static void normal_and_tiny_are_copied(void **state)
{
    const float x[] = {0.1f, 0.2f, 0.3f};
    size_t count;
    float *out;

    assert_int_equal(rlx_stretch(&out, &count, *state, x, 3, RATE, 1.0f), 0);
    assert_int_equal(count, 3);
    assert_memory_equal(out, x, sizeof x);
    assert_int_equal(rlx_stretch(&out, &count, *state, x, 3, RATE, 4.0f), 0);
    assert_int_equal(count, 3);
    assert_int_equal(rlx_stretch(&out, &count, *state, x, 0, RATE, 2.0f), 0);
    assert_int_equal(count, 0);
    assert_int_equal(rlx_stretch(&out, &count, *state, x, 3, RATE, 0.1f), RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(shorter_at_the_same_pitch),
        RLX_TEST(normal_and_tiny_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
