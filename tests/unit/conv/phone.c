#include "phone.h"

#include <stdio.h>
#include <string.h>

#define LINE 4096
#define EPOCHS 256

struct item {
    enum { AUDIO, MARK, CLEAR } kind;
    uint64_t arrives_ms;
    uint32_t epoch, at_ms, length_ms, done_ms;
    char name[40];
};

struct sim_phone {
    sim_phone_mark_h *mark;
    void *arg;
    uint32_t one_way_ms;
    uint64_t now_ms;
    struct item line[LINE], queue[LINE]; /* on the way; in the buffer */
    size_t line_first, line_next, queue_first, queue_next;
    struct sim_phone_heard heard[EPOCHS];
    size_t heard_count;
    uint64_t audible_ms;
};

struct sim_phone *sim_phone_new(TALLOC_CTX *ctx, sim_phone_mark_h *mark, void *arg)
{
    struct sim_phone *phone = talloc_zero(ctx, struct sim_phone);

    phone->mark = mark;
    phone->arg = arg;
    return phone;
}

void sim_phone_delay(struct sim_phone *phone, uint32_t one_way_ms)
{
    phone->one_way_ms = one_way_ms;
}

static struct item *send(struct sim_phone *phone, uint64_t now_ms)
{
    struct item *item = &phone->line[phone->line_next++ % LINE];

    memset(item, 0, sizeof *item);
    item->arrives_ms = now_ms + phone->one_way_ms;
    return item;
}

void sim_phone_audio(struct sim_phone *phone, uint64_t now_ms, uint32_t epoch, uint32_t at_ms,
                     uint32_t length_ms)
{
    struct item *item = send(phone, now_ms);

    item->kind = AUDIO;
    item->epoch = epoch;
    item->at_ms = at_ms;
    item->length_ms = length_ms;
}

void sim_phone_mark(struct sim_phone *phone, uint64_t now_ms, const char *name)
{
    struct item *item = send(phone, now_ms);

    item->kind = MARK;
    snprintf(item->name, sizeof item->name, "%s", name);
}

void sim_phone_clear(struct sim_phone *phone, uint64_t now_ms)
{
    send(phone, now_ms)->kind = CLEAR;
}

static struct sim_phone_heard *heard_of(struct sim_phone *phone, uint32_t epoch)
{
    for (size_t i = phone->heard_count; i > 0; i--)
        if (phone->heard[i - 1].epoch == epoch)
            return &phone->heard[i - 1];
    if (phone->heard_count == EPOCHS)
        return &phone->heard[EPOCHS - 1];
    struct sim_phone_heard *heard = &phone->heard[phone->heard_count++];
    memset(heard, 0, sizeof *heard);
    heard->epoch = epoch;
    heard->first_ms = phone->now_ms;
    heard->last_ms = phone->now_ms;
    return heard;
}

static void arrive(struct sim_phone *phone)
{
    while (phone->line_first < phone->line_next) {
        struct item *item = &phone->line[phone->line_first % LINE];
        if (item->arrives_ms > phone->now_ms)
            return;
        phone->line_first++;
        if (item->kind != CLEAR) {
            phone->queue[phone->queue_next++ % LINE] = *item;
            continue;
        }
        for (; phone->queue_first < phone->queue_next; phone->queue_first++) {
            struct item *queued = &phone->queue[phone->queue_first % LINE];
            if (queued->kind == MARK)
                phone->mark(queued->name, phone->now_ms + phone->one_way_ms, phone->arg);
        }
    }
}

static void play_millisecond(struct sim_phone *phone)
{
    while (phone->queue_first < phone->queue_next) {
        struct item *item = &phone->queue[phone->queue_first % LINE];
        if (item->kind == MARK) {
            phone->mark(item->name, phone->now_ms + phone->one_way_ms, phone->arg);
            phone->queue_first++;
            continue;
        }
        struct sim_phone_heard *heard = heard_of(phone, item->epoch);
        uint64_t gap = phone->now_ms - heard->last_ms;
        if (gap > heard->longest_gap_ms)
            heard->longest_gap_ms = (uint32_t)gap;
        item->done_ms++;
        heard->last_ms = phone->now_ms + 1;
        phone->audible_ms = phone->now_ms + 1;
        if (item->at_ms + item->done_ms > heard->played_ms)
            heard->played_ms = item->at_ms + item->done_ms;
        if (item->done_ms >= item->length_ms)
            phone->queue_first++;
        return;
    }
}

void sim_phone_run(struct sim_phone *phone, uint64_t now_ms)
{
    if (!phone->now_ms)
        phone->now_ms = now_ms;
    for (; phone->now_ms < now_ms; phone->now_ms++) {
        arrive(phone);
        if (phone->queue_first == phone->queue_next && phone->line_first == phone->line_next) {
            phone->now_ms = now_ms;
            return;
        }
        play_millisecond(phone);
    }
    arrive(phone);
}

bool sim_phone_audible(const struct sim_phone *phone, uint64_t now_ms)
{
    return phone->audible_ms + 40 >= now_ms;
}

const struct sim_phone_heard *sim_phone_heard(const struct sim_phone *phone, uint32_t epoch)
{
    for (size_t i = 0; i < phone->heard_count; i++)
        if (phone->heard[i].epoch == epoch)
            return &phone->heard[i];
    return NULL;
}
