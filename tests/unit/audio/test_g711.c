#include "../rlx_test.h"

#include <stdlib.h>

#include "audio/g711.h"

/* ITU-T G.711 table 2a: decision values and codes at the segment ends, scaled to 16 bit (x 4). */
static void known_values(void **state)
{
    static const struct {
        int16_t pcm;
        uint8_t code;
    } known[] = {{0, 0xff},     {32124, 0x80},  {-32124, 0x00}, {8, 0xfe},    {-8, 0x7e},
                 {32767, 0x80}, {-32768, 0x00}, {1000, 0xce},   {-1000, 0x4e}};
    uint8_t code;

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        rlx_pcm_to_ulaw(&code, &known[i].pcm, 1);
        assert_int_equal(code, known[i].code);
    }
    assert_int_equal(rlx_ulaw_sample(0xff), 0);
    assert_int_equal(rlx_ulaw_sample(0x80), 32124);
    assert_int_equal(rlx_ulaw_sample(0x00), -32124);
}

static void codes_survive_a_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < 256; i++) {
        uint8_t code = (uint8_t)i, again;
        int16_t pcm;

        rlx_ulaw_to_pcm(&pcm, &code, 1);
        assert_int_equal(pcm, rlx_ulaw_sample(code));
        rlx_pcm_to_ulaw(&again, &pcm, 1);
        assert_int_equal(again, code == 0x7f ? 0xff : code);
    }
}

static void every_sample_is_near_its_code(void **state)
{
    (void)state;
    for (int i = -32768; i <= 32767; i++) {
        int16_t pcm = (int16_t)i;
        uint8_t code;
        int magnitude = abs(i) > 32635 ? 32635 : abs(i);

        rlx_pcm_to_ulaw(&code, &pcm, 1);
        /* Half a step: a step is at most 1/16 of the segment's start, the finest is 8. */
        assert_true(abs(abs((int)rlx_ulaw_sample(code)) - magnitude) <= (magnitude + 132) / 32 + 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(known_values),
        RLX_TEST(codes_survive_a_round_trip),
        RLX_TEST(every_sample_is_near_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
