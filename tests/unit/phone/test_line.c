#include "../rlx_test.h"

#include <math.h>

#include "audio/g711.h"
#include "phone/line.h"

static struct rlx_line *create(TALLOC_CTX *ctx, bool kind, const char *text, uint64_t number)
{
    struct rlx_line *line = talloc(ctx, struct rlx_line);
    struct rlx_line_options options = {.kind = kind, .seed = 1};
    struct rlx_script *script = NULL;

    assert_int_equal(rlx_script_parse(&script, ctx, text, NULL), 0);
    rlx_line_init(line, &options, script, number);
    return line;
}

static void a_kind_line_changes_nothing(void **state)
{
    struct rlx_line *line = create(*state, true, "", 0);
    int16_t pcm[160] = {100, -100};
    uint8_t heard[160];

    memset(heard, 0x80, sizeof(heard));
    for (uint64_t t = 1000; t < 60000; t += 20) {
        assert_int_equal(rlx_line_frame(line, t), t);
        assert_int_equal(rlx_line_mark(line, t), t);
        rlx_line_microphone(line, pcm, heard);
    }
    assert_int_equal(pcm[0], 100);
    assert_int_equal(pcm[2], 0);
    assert_int_equal(line->gap_ms, 0);
    assert_int_equal(line->frames_lost + line->marks_lost + line->marks_late, 0);
}

static void an_unkind_line_keeps_its_bounds(void **state)
{
    for (uint64_t number = 0; number < 50; number++) {
        struct rlx_line *line = create(*state, false, "", number);
        uint64_t before = 0;
        unsigned lost = 0, held = 0, late = 0, gone = 0;

        assert_in_range(line->gap_ms, 300, 900);
        assert_in_range(line->down_ms, 20, 150);
        assert_in_range(line->up_ms, 20, 150);
        assert_in_range(line->echo_ms, 60, 500);
        assert_in_range(line->amd_ms, 2000, 6000);
        for (uint64_t t = 1000; t < 201000; t += 20) {
            uint64_t at = rlx_line_frame(line, t), mark = rlx_line_mark(line, t);

            lost += at == 0;
            gone += mark == 0;
            if (at) {
                assert_true(at >= before); /* in order */
                assert_true(at >= t + line->up_ms && at <= t + line->up_ms + 200);
                held += at > t + line->up_ms;
                before = at;
            }
            if (mark) {
                assert_true(mark >= t + line->up_ms && mark <= t + line->up_ms + 2000);
                late += mark > t + line->up_ms;
            }
        }
        assert_in_range(lost, 20, 90);   /* 0.5 % of 10000 */
        assert_in_range(gone, 220, 380); /* 3 % */
        assert_in_range(late, 800, 1150);
        assert_true(held > 100);
    }
}

static void the_seed_decides(void **state)
{
    struct rlx_line *a = create(*state, false, "", 3), *b = create(*state, false, "", 3);
    struct rlx_line *c = create(*state, false, "", 4), *d = create(*state, false, "seed 5", 3);
    struct rlx_line *e = create(*state, false, "seed 5", 9);

    for (uint64_t t = 1000; t < 9000; t += 20)
        assert_int_equal(rlx_line_frame(a, t), rlx_line_frame(b, t));
    assert_true(a->down_ms != c->down_ms || a->up_ms != c->up_ms || a->gap_ms != c->gap_ms);
    assert_int_equal(d->down_ms, e->down_ms);
    assert_int_equal(d->gap_ms, e->gap_ms);
}

static void the_script_overrides(void **state)
{
    struct rlx_line *line = create(
        *state, true, "unkind\ngap 10\ndelay 70\nloss 100\nmarks 0 100\nnoise off\necho off", 0);

    assert_false(line->kind);
    assert_int_equal(line->gap_ms, 10);
    assert_int_equal(line->down_ms, 70);
    assert_int_equal(line->up_ms, 70);
    assert_int_equal(rlx_line_frame(line, 1000), 0);
    assert_int_equal(rlx_line_mark(line, 1000), 0);
    assert_int_equal(line->frames_lost, 1);
    assert_int_equal(line->marks_lost, 1);
}

static double level(const int16_t *pcm, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)pcm[i] * pcm[i];
    return 10 * log10(sum / (double)count / (32768.0 * 32768.0) + 1e-12);
}

static void noise_has_its_level(void **state)
{
    struct rlx_line *line = create(*state, true, "noise -50\necho off", 0);
    int16_t pcm[160 * 200] = {0};
    uint8_t heard[160];

    memset(heard, 0xff, sizeof(heard));
    for (size_t i = 0; i < 200; i++)
        rlx_line_microphone(line, pcm + 160 * i, heard);
    assert_float_equal(level(pcm, 160 * 200), -50, 0.5);
}

static void echo_comes_back_later_and_softer(void **state)
{
    struct rlx_line *line = create(*state, true, "noise off\necho -20 100", 0);
    int16_t pcm[160 * 20] = {0};

    for (size_t i = 0; i < 20; i++) {
        uint8_t heard[160];

        memset(heard, i == 2 ? 0x90 : 0xff, sizeof(heard));
        rlx_line_microphone(line, pcm + 160 * i, heard);
    }
    for (size_t i = 0; i < 160 * 20; i++) {
        bool echo = i >= 160 * 7 && i < 160 * 8; /* 100 ms are 5 frames */

        assert_int_equal(pcm[i], echo ? lrint(rlx_ulaw_sample(0x90) * 0.1) : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(a_kind_line_changes_nothing),
        RLX_TEST(an_unkind_line_keeps_its_bounds),
        RLX_TEST(the_seed_decides),
        RLX_TEST(the_script_overrides),
        RLX_TEST(noise_has_its_level),
        RLX_TEST(echo_comes_back_later_and_softer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
