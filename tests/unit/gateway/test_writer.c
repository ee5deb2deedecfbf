/* The writer with a store that hangs, is away, or is slow: what is durable when, in order, once each. The store's verbs are doubles
 * of this file; nothing here waits for a time to pass but the writer's own 300 ms. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../rlx_test.h"
#include "base/err.h"
#include "gateway/writer.h"

#define CALL "00000000-0000-4000-8000-000000000001"

/* ---- the store ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hangs, away;      /* a write waits until neither */
    bool refuses;          /* RLX_ESTORE at once */
    char written[256];     /* texts, in order */
    uint32_t durable;      /* newest row told */
    unsigned told;
    bool in_order;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int store(const char *text)
{
    int err = 0;

    pthread_mutex_lock(&world.lock);
    while (world.hangs)
        pthread_cond_wait(&world.changed, &world.lock);
    if (world.refuses)
        err = RLX_ESTORE;
    else
        snprintf(world.written + strlen(world.written),
                 sizeof world.written - strlen(world.written), "%s ", text);
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
    return err;
}

int rlx_call_append_turn(struct rlx_store *s, const struct rlx_turn_row *row)
{
    (void)s;
    return store(row->text);
}

int rlx_call_update_turn(struct rlx_store *s, const char *row_id, const char *text,
                         const char *metadata)
{
    (void)s, (void)row_id, (void)metadata;
    return store(text);
}

int rlx_call_event(struct rlx_store *s, const char *call_id, const char *kind, const char *data,
                   int64_t at_ms)
{
    (void)s, (void)call_id, (void)data, (void)at_ms;
    return store(kind);
}

int rlx_call_progress(struct rlx_store *s, const char *call_id, const char *status)
{
    (void)s, (void)call_id;
    return store(status);
}

int rlx_call_set_token(struct rlx_store *s, const char *call_id, const char *sha, int64_t expires)
{
    (void)s, (void)call_id, (void)sha, (void)expires;
    return store("token");
}

int rlx_call_take(struct rlx_store *s, const char *call_id, const char *gateway, const char *sha,
                  int64_t now_ms)
{
    (void)s, (void)call_id, (void)gateway, (void)sha, (void)now_ms;
    return store("take");
}

int rlx_call_end(struct rlx_store *s, const char *call_id, const struct rlx_call_end *end)
{
    (void)s, (void)call_id;
    return store(end->reason);
}

int rlx_dnc_add(struct rlx_store *s, const char *user, const char *number, const char *source,
                const char *call_id)
{
    (void)s, (void)user, (void)number, (void)source, (void)call_id;
    return store("dnc");
}

int rlx_gateway_beat(struct rlx_store *s, const char *id, const char *url, int64_t now_ms)
{
    (void)s, (void)id, (void)url, (void)now_ms;
    pthread_mutex_lock(&world.lock);
    while (world.hangs)
        pthread_cond_wait(&world.changed, &world.lock);
    int err = world.refuses ? RLX_ESTORE : 0;
    pthread_mutex_unlock(&world.lock);
    return err;
}

int rlx_gateway_leave(struct rlx_store *s, const char *id)
{
    (void)s, (void)id;
    return 0;
}

/* ---- the tests' side ---- */

struct fixture {
    char dir[64];
    struct rlx_writer *writer;
};

static void durable(const char *call_id, uint32_t row, void *arg)
{
    (void)arg;
    assert_string_equal(call_id, CALL);
    pthread_mutex_lock(&world.lock);
    world.in_order = world.in_order && row == world.durable + 1;
    world.durable = row;
    world.told++;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static void set(bool hangs, bool refuses)
{
    pthread_mutex_lock(&world.lock);
    world.hangs = hangs;
    world.refuses = refuses;
    pthread_cond_broadcast(&world.changed);
    pthread_mutex_unlock(&world.lock);
}

static int setup(void **state)
{
    struct fixture *f = talloc_zero(NULL, struct fixture);
    struct rlx_writer_options options = {
        .gateway_id = "me", .control_url = "", .spool_dir = f->dir, .durable = durable};

    snprintf(f->dir, sizeof f->dir, "/tmp/rlx-writer-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    world.durable = world.told = 0;
    world.in_order = true;
    world.written[0] = '\0';
    set(false, false);
    assert_int_equal(rlx_writer_create(&f->writer, f, &options), 0);
    *state = f;
    return 0;
}

static unsigned files(const struct fixture *f)
{
    DIR *dir = opendir(f->dir);
    unsigned count = 0;
    struct dirent *entry;

    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];

    set(false, false);
    talloc_free(f->writer);
    snprintf(path, sizeof path, "%s/me.spool", f->dir);
    unlink(path);
    assert_int_equal(rmdir(f->dir), 0);
    talloc_free(f);
    return 0;
}

static void row(struct fixture *f, uint32_t number)
{
    char text[8];
    struct rlx_turn_row turn = {.seq = number, .text = text, .call_id = CALL};

    snprintf(text, sizeof text, "%u", number);
    snprintf(turn.id, sizeof turn.id, "row-%u", number);
    rlx_writer_turn(f->writer, &turn, false, number);
}

static void until_durable(uint32_t number)
{
    pthread_mutex_lock(&world.lock);
    while (world.durable < number)
        pthread_cond_wait(&world.changed, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

static void until_written(const char *all)
{
    pthread_mutex_lock(&world.lock);
    while (strcmp(world.written, all) != 0)
        pthread_cond_wait(&world.changed, &world.lock);
    pthread_mutex_unlock(&world.lock);
}

static void what_the_store_has_is_durable_and_needs_no_file(void **state)
{
    struct fixture *f = *state;

    row(f, 1);
    row(f, 2);
    until_durable(2);
    assert_string_equal(world.written, "1 2 ");
    assert_int_equal(files(f), 0);
    assert_true(world.in_order);
}

/* The store neither takes the row nor says that it can't. */
static void a_store_that_hangs_costs_no_row(void **state)
{
    struct fixture *f = *state;

    set(true, false);
    for (uint32_t n = 1; n <= 3; n++)
        row(f, n);
    until_durable(3);
    assert_int_equal(files(f), 1);
    assert_string_equal(world.written, "");
    assert_int_equal(rlx_writer_backlog(f->writer), 3);
    set(false, false);
    until_written("1 2 3 ");
    row(f, 4);
    until_durable(4);
    assert_true(world.in_order && world.told == 4); /* once each */
    assert_string_equal(world.written, "1 2 3 4 ");
    assert_int_equal(files(f), 0);
}

static void a_store_that_is_away_is_written_when_it_is_back(void **state)
{
    struct fixture *f = *state;

    set(false, true);
    for (uint32_t n = 1; n <= 3; n++)
        row(f, n);
    rlx_writer_event(f->writer, CALL, "note", NULL); /* nobody asks when it is durable */
    until_durable(3);
    assert_string_equal(world.written, "");
    set(false, false);
    until_written("1 2 3 note ");
    assert_int_equal(world.told, 3);
}

/* What is still waiting when the process ends stands on disk, for whoever comes next. */
static void what_waits_at_the_end_is_kept_and_taken_by_the_next(void **state)
{
    struct fixture *f = *state;
    struct rlx_writer_options options = {.gateway_id = "next", .control_url = "", .spool_dir = f->dir};
    struct rlx_writer *next;

    set(false, true);
    row(f, 1);
    row(f, 2);
    rlx_writer_progress(f->writer, CALL, "ringing");
    talloc_free(f->writer);
    f->writer = NULL;
    assert_int_equal(files(f), 1);
    set(false, false);
    assert_int_equal(rlx_writer_create(&next, f, &options), 0);
    until_written("1 2 ringing ");
    talloc_free(next);
    assert_int_equal(files(f), 0);
}

static void no_disk_either_loses_nothing_while_the_process_lives(void **state)
{
    struct fixture *f = *state;
    char path[128];

    snprintf(path, sizeof path, "%s/me.spool", f->dir);
    assert_int_equal(symlink("/nonexistent/spool", path), 0); /* can't be opened */
    set(false, true);
    row(f, 1);
    row(f, 2);
    set(false, false);
    until_written("1 2 ");
    assert_true(world.in_order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_store_has_is_durable_and_needs_no_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_store_that_hangs_costs_no_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_store_that_is_away_is_written_when_it_is_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_waits_at_the_end_is_kept_and_taken_by_the_next, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_disk_either_loses_nothing_while_the_process_lives, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
