#include "../rlx_test.h"

#include <math.h>

#include "audio/level.h"

static void levels(void **state)
{
    int16_t pcm[160];

    (void)state;
    assert_float_equal(rlx_level_db(NULL, 0), RLX_LEVEL_SILENCE_DB, 0.001);
    for (int i = 0; i < 160; i++)
        pcm[i] = 0;
    assert_float_equal(rlx_level_db(pcm, 160), RLX_LEVEL_SILENCE_DB, 0.001);
    pcm[0] = 1; /* 1/32768 over 160 samples is -112 dB: the floor holds */
    assert_float_equal(rlx_level_db(pcm, 160), RLX_LEVEL_SILENCE_DB, 0.001);
    for (int i = 0; i < 160; i++)
        pcm[i] = i & 1 ? 32767 : -32768;
    assert_float_equal(rlx_level_db(pcm, 160), 0.0, 0.01);
    for (int i = 0; i < 160; i++)
        pcm[i] = (int16_t)lrint(3276.8 * sin(2 * M_PI * i / 16));
    assert_float_equal(rlx_level_db(pcm, 160), -23.01, 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
