#include "../rlx_test.h"

#include <stdio.h>
#include <string.h>

#include "audio/playout.h"
#include "base/err.h"

#define LOUD 0x90
#define QUIET 0xff

struct phone {
    uint8_t bytes[200000];
    size_t length;
    uint32_t largest, chunks;
    uint32_t last_at_ms;
    char marks[200][32];
    uint32_t mark_at[200]; /* bytes before it */
    size_t mark_count;
};

static void on_audio(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg)
{
    struct phone *phone = arg;

    assert_true(phone->length + length <= sizeof(phone->bytes));
    memcpy(phone->bytes + phone->length, ulaw, length);
    phone->length += length;
    phone->last_at_ms = at_ms;
    phone->chunks++;
    if (length > phone->largest)
        phone->largest = (uint32_t)length;
}

static void on_mark(const char *name, void *arg)
{
    struct phone *phone = arg;

    snprintf(phone->marks[phone->mark_count], sizeof(phone->marks[0]), "%s", name);
    phone->mark_at[phone->mark_count++] = (uint32_t)phone->length;
}

static void create(void **state, struct rlx_playout **playoutp, struct phone **phonep,
                   const struct rlx_playout_options *options)
{
    *phonep = talloc_zero(*state, struct phone);
    assert_int_equal(rlx_playout_create(playoutp, *state, options, on_audio, on_mark, *phonep), 0);
}

static void append(struct rlx_playout *playout, uint32_t epoch, uint8_t code, uint32_t ms)
{
    uint8_t bytes[80];

    for (uint32_t done = 0; done < ms; done += 10) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = code == QUIET || (i & 1) ? code : code ^ 0x80;
        assert_int_equal(rlx_playout_append(playout, epoch, bytes, sizeof(bytes)), 0);
    }
}

/* Runs the playout as a punctual loop would; returns the time at `until`. */
static void run_until(struct rlx_playout *playout, uint64_t *nowp, uint64_t until)
{
    while (*nowp < until) {
        uint64_t next = rlx_playout_run(playout, *nowp);

        assert_true(next > *nowp);
        *nowp = next < until ? next : until;
    }
    (void)rlx_playout_run(playout, *nowp);
}

static void pacing_keeps_to_the_window(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 3000);
    rlx_playout_finish(playout, 1);
    for (uint64_t t = 1000; t <= 4000; t += 20) {
        uint64_t played = (t - 1000) * 8;

        (void)rlx_playout_run(playout, t);
        assert_true(phone->length <= played + 200 * 8);
        assert_true(phone->length >= (played + 100 * 8 < 24000 ? played + 100 * 8 : 24000));
    }
    assert_int_equal(phone->length, 24000);
    assert_true(phone->largest <= 800);
    assert_true(phone->chunks <= 3000 / 60 + 2);
    for (size_t i = 0; i < phone->mark_count; i++)
        assert_true(phone->mark_at[i] - (i ? phone->mark_at[i - 1] : 0) <= 2000);
    assert_int_equal(phone->mark_at[phone->mark_count - 1], 24000);
    assert_string_equal(phone->marks[0], "1.1.1");
}

static void heard_follows_the_clock_and_the_line(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;
    size_t back = 0;

    create(state, &playout, &phone, NULL);
    assert_true(rlx_playout_over(playout, now));
    rlx_playout_begin(playout, 7);
    append(playout, 7, LOUD, 2000);
    rlx_playout_finish(playout, 7);
    assert_true(rlx_playout_audible(playout, now));
    run_until(playout, &now, 1500);
    assert_int_equal(rlx_playout_heard_ms(playout, now), 440); /* default one way: 60 */
    /* 40 ms out and 40 ms back: every mark is 80 ms after its due time. */
    for (; now < 3080; now += 10) {
        (void)rlx_playout_run(playout, now);
        while (back < phone->mark_count && 1000 + phone->mark_at[back] / 8 + 80 <= now)
            rlx_playout_marked(playout, phone->marks[back++], now);
        assert_true(now >= 3070 || !rlx_playout_over(playout, now));
    }
    assert_int_equal(rlx_playout_heard_ms(playout, now), 2000);
    (void)rlx_playout_run(playout, now);
    while (back < phone->mark_count)
        rlx_playout_marked(playout, phone->marks[back++], now);
    assert_true(rlx_playout_over(playout, now));
    assert_false(rlx_playout_audible(playout, now));
    rlx_playout_begin(playout, 8);
    append(playout, 8, LOUD, 1000);
    run_until(playout, &now, 3580);
    assert_int_equal(rlx_playout_heard_ms(playout, now), 460); /* learned: 40 */
}

static void a_lost_last_mark_ends_by_the_clock(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 0;
    struct rlx_playout_stats stats;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 500);
    run_until(playout, &now, 400);
    assert_false(rlx_playout_over(playout, now + 100000)); /* more may come */
    rlx_playout_finish(playout, 1);
    run_until(playout, &now, 500);
    assert_false(rlx_playout_over(playout, 500 + 60 + 699));
    assert_true(rlx_playout_over(playout, 500 + 60 + 700));
    (void)rlx_playout_run(playout, 5000);
    rlx_playout_stats(playout, &stats);
    assert_int_equal(stats.marks_sent, phone->mark_count);
    assert_int_equal(stats.marks_lost, phone->mark_count);
}

static void an_underrun_stops_the_clock(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;
    struct rlx_playout_stats stats;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 300);
    run_until(playout, &now, 1500);
    assert_int_equal(rlx_playout_heard_ms(playout, now), 300);
    assert_false(rlx_playout_audible(playout, now));
    append(playout, 1, LOUD, 300);
    run_until(playout, &now, 1560);
    assert_int_equal(rlx_playout_heard_ms(playout, now), 300);
    run_until(playout, &now, 1660);
    assert_int_equal(rlx_playout_heard_ms(playout, now), 400);
    rlx_playout_stats(playout, &stats);
    assert_int_equal(stats.underruns, 1);
}

static void pause_keeps_and_resume_goes_back_to_a_dip(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;
    uint32_t frozen, from;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 3);
    append(playout, 3, LOUD, 700);
    append(playout, 3, QUIET, 60); /* 700 … 760 */
    append(playout, 3, LOUD, 1000);
    run_until(playout, &now, 2000);
    frozen = rlx_playout_pause(
        playout, now); /* clear reaches the phone 60 ms later, which is 60 ms behind */
    assert_int_equal(frozen, 1000);
    assert_int_equal(rlx_playout_heard_ms(playout, now + 5000), 1000);
    assert_false(rlx_playout_audible(playout, now));
    assert_false(rlx_playout_over(playout, now + 5000));
    assert_int_equal(rlx_playout_pause(playout, now + 100), 1000);
    assert_true(rlx_playout_run(playout, now + 200) == UINT64_MAX);
    append(playout, 3, LOUD, 240); /* goes on filling */
    rlx_playout_finish(playout, 3);
    for (size_t i = 0; i < phone->mark_count; i++)
        rlx_playout_marked(playout, phone->marks[i],
                           now + 120); /* given back by clear: tell nothing */
    assert_int_equal(rlx_playout_heard_ms(playout, now + 120), 1000);
    phone->length = 0;
    phone->mark_count = 0;
    now += 900;
    from = rlx_playout_resume(playout, now, 600);
    assert_in_range(from, 730, 760);
    assert_int_equal(rlx_playout_heard_ms(playout, now), from);
    run_until(playout, &now, now + 1300);
    assert_int_equal(phone->length, (2000 - from) * 8);
    assert_memory_equal(phone->marks[0], "3.2.", 4);
    assert_int_equal(rlx_playout_sent_ms(playout), 2000);
}

static void resume_without_a_dip(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 4000);
    run_until(playout, &now, 1400);
    assert_int_equal(rlx_playout_pause(playout, now), 400);
    assert_int_equal(rlx_playout_resume(playout, now, 600), 0); /* the start is near */
    run_until(playout, &now, 3500);
    (void)rlx_playout_pause(playout, now);
    assert_in_range(rlx_playout_resume(playout, now, 600), 1500, 2100);
    assert_int_equal(rlx_playout_resume(playout, now, 600), rlx_playout_heard_ms(playout, now));
}

static void cut_ends_the_epoch(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;
    uint8_t byte = LOUD;
    size_t length;

    create(state, &playout, &phone, NULL);
    assert_int_equal(rlx_playout_cut(playout, now), 0);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 4000);
    run_until(playout, &now, 1400);
    assert_int_equal(rlx_playout_cut(playout, now), 400);
    assert_int_equal(rlx_playout_cut(playout, now + 500), 400);
    assert_int_equal(rlx_playout_pause(playout, now + 500), 400);
    assert_int_equal(rlx_playout_heard_ms(playout, now + 500), 400);
    assert_int_equal(rlx_playout_total_ms(playout), 400);
    assert_true(rlx_playout_over(playout, now));
    length = phone->length;
    assert_int_equal(rlx_playout_append(playout, 1, &byte, 1), 0);
    assert_true(rlx_playout_run(playout, now + 500) == UINT64_MAX);
    assert_int_equal(phone->length, length);
    rlx_playout_begin(playout, 2);
    append(playout, 1, LOUD, 100); /* late audio of the old one */
    assert_int_equal(rlx_playout_total_ms(playout), 0);
}

static void cut_in_a_pause_keeps_the_frozen_position(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 4000);
    run_until(playout, &now, 2000);
    assert_int_equal(rlx_playout_pause(playout, now), 1000);
    assert_int_equal(rlx_playout_cut(playout, now + 700), 1000);
    assert_true(rlx_playout_over(playout, now + 700));
}

static void nothing_sent_is_nothing_heard(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    assert_int_equal(rlx_playout_heard_ms(playout, 99999), 0);
    assert_int_equal(rlx_playout_pause(playout, 99999), 0);
    assert_int_equal(rlx_playout_resume(playout, 99999, 600), 0);
    rlx_playout_finish(playout, 1);
    assert_true(rlx_playout_over(playout, 99999));
}

static void strange_marks_are_ignored(void **state)
{
    static const char *const names[] = {"",       "1",
                                        "1.1",    "1.1.",
                                        "1.1.99", "1.1.0",
                                        "2.1.1",  "1.2.1",
                                        "1.1.1x", " 1.1.1",
                                        "-1.1.1", "1.1.1.1",
                                        "a.b.c",  "1.1.99999999999999",
                                        "hello",  "4294967297.1.1"};
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 1000);
    run_until(playout, &now, 1100);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        rlx_playout_marked(playout, names[i], now);
    rlx_playout_marked(playout, NULL, now);
    assert_int_equal(rlx_playout_heard_ms(playout, now), 40);
    rlx_playout_marked(playout, phone->marks[0], now); /* the real one, early: believed */
    rlx_playout_marked(playout, phone->marks[0], now + 5000);
    assert_true(rlx_playout_heard_ms(playout, now) >= phone->mark_at[0] / 8);
}

static void a_late_loop_sends_further_ahead(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    struct rlx_playout_stats stats;
    uint64_t now = 1000;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 10000);
    for (int i = 0; i < 20; i++)
        now = rlx_playout_run(playout, now) + 100;
    rlx_playout_stats(playout, &stats);
    assert_int_equal(stats.late_max_ms, 100);
    assert_int_equal(stats.underruns, 0);
    (void)rlx_playout_run(playout, now);
    assert_true(phone->length >= (now - 1000) * 8 + 300 * 8);
    assert_true(phone->length <= (now - 1000) * 8 + 400 * 8);
}

static void a_tiny_tail_goes_out(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;
    uint8_t bytes[7] = {0};

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 330);
    assert_int_equal(rlx_playout_append(playout, 1, bytes, sizeof(bytes)), 0);
    run_until(playout, &now, 1300);
    assert_int_equal(phone->length, 330 * 8 + 7); /* before the phone runs dry, finished or not */
    rlx_playout_finish(playout, 1);
    (void)rlx_playout_run(playout, now);
    assert_int_equal(phone->mark_at[phone->mark_count - 1], 330 * 8 + 7);
}

static void the_cap_holds(void **state)
{
    struct rlx_playout_options options = {.max_ms = 1000};
    struct rlx_playout *playout;
    struct phone *phone;
    uint8_t byte = 0;

    create(state, &playout, &phone, &options);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 1000);
    assert_int_equal(rlx_playout_append(playout, 1, &byte, 1), RLX_ETOOBIG);
    assert_int_equal(rlx_playout_total_ms(playout), 1000);
}

static void levels_are_the_echo_reference(void **state)
{
    struct rlx_playout *playout;
    struct phone *phone;
    uint64_t now = 1000;

    create(state, &playout, &phone, NULL);
    rlx_playout_begin(playout, 1);
    append(playout, 1, LOUD, 400);
    append(playout, 1, QUIET, 400);
    append(playout, 1, LOUD, 400);
    assert_float_equal(rlx_playout_level_db(playout, now, 0), -90, 0.1);
    run_until(playout, &now, 1660); /* the phone is at 600 */
    assert_float_equal(rlx_playout_level_db(playout, now, 0), -90, 0.1);
    assert_true(rlx_playout_level_db(playout, now, 300) > -20); /* at 300 */
    assert_true(rlx_playout_level_db(playout, now, 590) > -20);
    assert_float_equal(rlx_playout_level_db(playout, now, 700), -90, 0.1);
    run_until(playout, &now, 1960); /* at 900 */
    assert_true(rlx_playout_level_db(playout, now, 0) > -20);
    rlx_playout_cut(playout, now);
    assert_true(rlx_playout_level_db(playout, now + 50, 0) > -20); /* clear is on its way */
    assert_float_equal(rlx_playout_level_db(playout, now + 90, 0), -90, 0.1);
    assert_true(rlx_playout_level_db(playout, now + 90, 100) > -20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(pacing_keeps_to_the_window),
        RLX_TEST(heard_follows_the_clock_and_the_line),
        RLX_TEST(a_lost_last_mark_ends_by_the_clock),
        RLX_TEST(an_underrun_stops_the_clock),
        RLX_TEST(pause_keeps_and_resume_goes_back_to_a_dip),
        RLX_TEST(resume_without_a_dip),
        RLX_TEST(cut_ends_the_epoch),
        RLX_TEST(cut_in_a_pause_keeps_the_frozen_position),
        RLX_TEST(nothing_sent_is_nothing_heard),
        RLX_TEST(strange_marks_are_ignored),
        RLX_TEST(a_late_loop_sends_further_ahead),
        RLX_TEST(a_tiny_tail_goes_out),
        RLX_TEST(the_cap_holds),
        RLX_TEST(levels_are_the_echo_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
