/* Property test: a model of the phone's playout buffer, of its own, is interrupted at random
 * moments; what the playout says was heard must be what the model played. Everything runs in
 * simulated milliseconds from fixed seeds. */
#include "../rlx_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/playout.h"

#define PACKETS 4096
#define QUEUE 4096

struct packet {
    enum { AUDIO, MARK, CLEAR } kind;
    uint64_t arrives_ms;
    uint32_t from, length; /* samples of the epoch's timeline */
    char name[32];
};

struct line {
    uint32_t seed;
    /* the world */
    uint32_t down_ms, up_ms, late_share, lost_share;
    uint64_t stall_from_ms, stall_ms; /* nothing arrives in this time */
    uint64_t now_ms, last_arrival_ms;
    /* on the way down */
    struct packet down[PACKETS];
    size_t down_first, down_next;
    /* the phone's buffer: audio and marks in order; `done` samples of the first are played */
    struct packet queue[QUEUE];
    size_t queue_first, queue_next;
    uint32_t done;
    uint32_t played; /* truth: end of what was played of the epoch's timeline */
    uint64_t cleared_ms;
    /* marks on the way up */
    struct packet up[PACKETS];
    size_t up_count;
};

static uint32_t draw(struct line *line, uint32_t below)
{
    line->seed = line->seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(line->seed >> 4) * below) >> 28);
}

static struct packet *send_down(struct line *line)
{
    struct packet *packet = &line->down[line->down_next++ % PACKETS];
    uint64_t at = line->now_ms + line->down_ms + draw(line, 12);

    if (at >= line->stall_from_ms && at < line->stall_from_ms + line->stall_ms)
        at = line->stall_from_ms + line->stall_ms;
    if (at < line->last_arrival_ms)
        at = line->last_arrival_ms; /* TCP keeps the order */
    line->last_arrival_ms = at;
    memset(packet, 0, sizeof(*packet));
    packet->arrives_ms = at;
    return packet;
}

static void on_audio(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg)
{
    struct packet *packet = send_down(arg);

    (void)ulaw;
    packet->kind = AUDIO;
    packet->from = at_ms * 8;
    packet->length = (uint32_t)length;
}

static void on_mark(const char *name, void *arg)
{
    struct packet *packet = send_down(arg);

    packet->kind = MARK;
    snprintf(packet->name, sizeof(packet->name), "%s", name);
}

static void give_back(struct line *line, const struct packet *mark)
{
    struct packet *up = &line->up[line->up_count];

    if (draw(line, 100) < line->lost_share || line->up_count == PACKETS)
        return;
    *up = *mark;
    up->arrives_ms = line->now_ms + line->up_ms + draw(line, 12);
    if (draw(line, 100) < line->late_share)
        up->arrives_ms += draw(line, 2000);
    line->up_count++;
}

/* One millisecond of the phone's life. */
static void phone_step(struct line *line)
{
    uint32_t budget = 8;

    while (line->down_first < line->down_next &&
           line->down[line->down_first % PACKETS].arrives_ms <= line->now_ms) {
        struct packet *packet = &line->down[line->down_first++ % PACKETS];

        if (packet->kind == CLEAR) {
            for (; line->queue_first < line->queue_next; line->queue_first++)
                if (line->queue[line->queue_first % QUEUE].kind == MARK)
                    give_back(line, &line->queue[line->queue_first % QUEUE]);
            line->done = 0;
            line->cleared_ms = line->now_ms;
        } else {
            line->queue[line->queue_next++ % QUEUE] = *packet;
        }
    }
    while (line->queue_first < line->queue_next) {
        struct packet *head = &line->queue[line->queue_first % QUEUE];
        uint32_t take;

        if (head->kind == MARK) {
            give_back(line, head);
            line->queue_first++;
            continue;
        }
        if (budget == 0)
            break;
        take = head->length - line->done < budget ? head->length - line->done : budget;
        line->done += take;
        budget -= take;
        line->played = head->from + line->done;
        if (line->done == head->length) {
            line->queue_first++;
            line->done = 0;
        }
    }
}

struct result {
    uint32_t count, off_150, worst_ms;
    uint64_t sum_ms;
};

static void judge(struct result *result, uint32_t said_ms, uint32_t truth_ms)
{
    uint32_t off = said_ms > truth_ms ? said_ms - truth_ms : truth_ms - said_ms;

    result->count++;
    result->sum_ms += off;
    if (off > 150)
        result->off_150++;
    if (off > result->worst_ms)
        result->worst_ms = off;
}

struct call {
    struct line line;
    struct rlx_playout *playout;
    uint32_t epoch;
    uint64_t run_at_ms;   /* when the gateway's loop gets round to the playout */
    uint64_t piece_at_ms; /* when the next piece of speech comes */
    uint32_t pieces_left;
    bool speaking;
    struct result *live; /* what heard_ms says in mid-speech, sampled */
    uint8_t speech[8 * 3000];
};

/* One millisecond of everything. */
static void step(struct call *call)
{
    struct line *line = &call->line;

    line->now_ms++;
    phone_step(line);
    for (size_t i = 0; i < line->up_count;) {
        if (line->up[i].arrives_ms > line->now_ms) {
            i++;
            continue;
        }
        rlx_playout_marked(call->playout, line->up[i].name, line->now_ms);
        line->up[i] = line->up[--line->up_count];
    }
    if (call->pieces_left > 0 && line->now_ms >= call->piece_at_ms) {
        uint32_t ms = 300 + draw(line, 2500);

        assert_int_equal(rlx_playout_append(call->playout, call->epoch, call->speech, ms * 8), 0);
        if (--call->pieces_left == 0)
            rlx_playout_finish(call->playout, call->epoch);
        /* Speech is made faster than it is spoken, but now and then not. */
        call->piece_at_ms = line->now_ms + (draw(line, 4) ? ms / 3 : ms + draw(line, 600));
        call->run_at_ms = line->now_ms;
    }
    if (line->now_ms >= call->run_at_ms) {
        uint64_t next = rlx_playout_run(call->playout, line->now_ms);

        call->run_at_ms = next == UINT64_MAX ? next : next + draw(line, 15);
    }
    if (call->speaking && line->now_ms % 97 == 0)
        judge(call->live, rlx_playout_heard_ms(call->playout, line->now_ms), line->played / 8);
}

/* The gateway sends clear, the phone carries it out; returns what the phone had played by then. */
static uint32_t clear_now(struct call *call)
{
    struct line *line = &call->line;
    struct packet *packet = send_down(line);

    packet->kind = CLEAR;
    line->cleared_ms = 0;
    while (line->cleared_ms == 0)
        step(call);
    return line->played / 8;
}

static void one_turn(struct call *call, struct result *result)
{
    struct line *line = &call->line;
    uint64_t until;
    uint32_t said;

    rlx_playout_begin(call->playout, ++call->epoch);
    line->played = 0;
    call->pieces_left = 1 + draw(line, 4);
    call->piece_at_ms = line->now_ms + 50;
    call->run_at_ms = UINT64_MAX;
    if (line->stall_ms)
        line->stall_from_ms = line->now_ms + 500 + draw(line, 1000);
    call->speaking = true;
    for (until = line->now_ms + 100 + draw(line, 6000); line->now_ms < until;)
        step(call);
    call->speaking = false;
    said = rlx_playout_pause(call->playout, line->now_ms);
    judge(result, said, clear_now(call));
    for (until = line->now_ms + 100 + draw(line, 1000); line->now_ms < until;)
        step(call);
    if (draw(line, 2)) {
        uint32_t from = rlx_playout_resume(call->playout, line->now_ms, 600);

        assert_true(from <= said && said - from <= 600);
        line->played = from * 8;
        call->run_at_ms = line->now_ms;
        for (until = line->now_ms + 200 + draw(line, 2000); line->now_ms < until;)
            step(call);
        said = rlx_playout_cut(call->playout, line->now_ms);
        judge(result, said, clear_now(call));
    } else {
        assert_int_equal(rlx_playout_cut(call->playout, line->now_ms), said);
    }
    for (until = line->now_ms + 500; line->now_ms < until;)
        step(call);
}

static void run_calls(TALLOC_CTX *ctx, struct result *result, uint32_t late, uint32_t lost,
                      uint32_t stall_ms)
{
    struct result live = {0};

    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct call *call = talloc_zero(ctx, struct call);
        struct line *line = &call->line;

        call->live = &live;
        line->seed = seed * 7919;
        line->now_ms = 10000;
        line->down_ms = 20 + draw(line, 131);
        line->up_ms = 20 + draw(line, 131);
        line->late_share = late;
        line->lost_share = lost;
        line->stall_ms = stall_ms;
        for (size_t i = 0; i < sizeof(call->speech); i++)
            call->speech[i] = (uint8_t)draw(line, 256);
        assert_int_equal(rlx_playout_create(&call->playout, call, NULL, on_audio, on_mark, line),
                         0);
        for (int turn = 0; turn < 5; turn++)
            one_turn(call, result);
        talloc_free(call);
    }
    print_message("heard_ms in mid-speech: mean %.0f ms off, worst %u, %.1f%% over 150 ms\n",
                  (double)live.sum_ms / live.count, live.worst_ms,
                  100.0 * live.off_150 / live.count);
    if (stall_ms == 0)
        assert_true(live.off_150 * 20 <= live.count);
    print_message("late %u%%, lost %u%%, stall %u ms: %u cuts, mean %.0f ms off, worst %u, %.1f%% "
                  "over 150 ms\n",
                  late, lost, stall_ms, result->count, (double)result->sum_ms / result->count,
                  result->worst_ms, 100.0 * result->off_150 / result->count);
}

static void good_marks(void **state)
{
    struct result result = {0};

    run_calls(*state, &result, 0, 0, 0);
    assert_true(result.off_150 == 0);
}

static void some_marks_late_or_lost(void **state)
{
    struct result result = {0};

    run_calls(*state, &result, 15, 5, 0);
    assert_true(result.off_150 * 20 <= result.count);
    assert_true(result.worst_ms <= 400);
}

static void all_marks_late(void **state)
{
    struct result result = {0};

    run_calls(*state, &result, 100, 10, 0);
    assert_true(result.off_150 * 20 <= result.count);
}

static void all_marks_lost(void **state)
{
    struct result result = {0};

    run_calls(*state, &result, 0, 100, 0);
    assert_true(result.off_150 * 20 <= result.count);
}

static void the_line_stalls(void **state)
{
    struct result result = {0};

    run_calls(*state, &result, 5, 2, 500);
    assert_true(result.off_150 * 2 <= result.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(good_marks),     RLX_TEST(some_marks_late_or_lost), RLX_TEST(all_marks_late),
        RLX_TEST(all_marks_lost), RLX_TEST(the_line_stalls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
