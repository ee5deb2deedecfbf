/* What is kept while the store is away: order, once each, torn lines, whose file is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/spool.h"

struct fixture {
    TALLOC_CTX *ctx;
    char dir[64];
    struct rlx_spool *spool;
    char seen[128]; /* numbers that were carried out */
    int allowed;    /* so many are, then the store is away */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->ctx = talloc_new(NULL);
    snprintf(f->dir, sizeof f->dir, "/tmp/rlx-spool-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(rlx_spool_create(&f->spool, f->ctx, f->dir, "me"), 0);
    f->allowed = 100;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    talloc_free(f->ctx);
    assert_int_equal(rmdir(f->dir), 0); /* nothing is left behind */
    free(f);
    return 0;
}

static bool see(const json_t *operation, void *arg)
{
    struct fixture *f = arg;
    size_t length = strlen(f->seen);

    if (!f->allowed)
        return false;
    f->allowed--;
    snprintf(f->seen + length, sizeof f->seen - length, "%d ",
             (int)json_integer_value(json_object_get(operation, "n")));
    return true;
}

static off_t add(struct rlx_spool *spool, int n)
{
    char text[32];
    off_t at = -1;

    snprintf(text, sizeof text, "{\"n\":%d}", n);
    assert_int_equal(rlx_spool_add(spool, text, &at), 0);
    return at;
}

static int read_at(struct rlx_spool *spool, off_t at)
{
    json_t *json = rlx_spool_read(spool, at);
    int n = json ? (int)json_integer_value(json_object_get(json, "n")) : -1;

    json_decref(json);
    return n;
}

static void path_of(const struct fixture *f, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", f->dir, name);
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[128];

    path_of(f, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static bool exists(const struct fixture *f, const char *name)
{
    char path[128];

    path_of(f, name, path);
    return access(path, F_OK) == 0;
}

static void nothing_is_made_before_something_is_kept(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(rlx_spool_count(f->spool), 0);
    assert_int_equal(read_at(f->spool, 0), -1);
    assert_true(rlx_spool_replay_orphans(f->spool, see, f));
    assert_string_equal(f->seen, "");
}

static void what_is_kept_can_be_read_until_it_is_done(void **state)
{
    struct fixture *f = *state;
    off_t at[3];

    for (int n = 0; n < 3; n++)
        at[n] = add(f->spool, n + 1);
    assert_true(rlx_spool_count(f->spool) == 3 && exists(f, "me.spool"));
    for (int n = 0; n < 3; n++)
        assert_int_equal(read_at(f->spool, at[n]), n + 1);
    rlx_spool_done(f->spool, at[0]);
    assert_int_equal(read_at(f->spool, at[0]), -1);
    rlx_spool_done(f->spool, at[1]);
    off_t more = add(f->spool, 4);
    rlx_spool_done(f->spool, at[2]);
    assert_true(rlx_spool_count(f->spool) == 1 && exists(f, "me.spool"));
    rlx_spool_done(f->spool, more);
    assert_true(!rlx_spool_count(f->spool) && !exists(f, "me.spool"));
}

static void a_long_operation_is_read_whole(void **state)
{
    struct fixture *f = *state;
    static const char head[] = "{\"n\":7,\"text\":\"";
    char *text = malloc(100000);
    off_t at;

    memset(text, 'x', 100000);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + 99997, "\"}", 3);
    add(f->spool, 1);
    assert_int_equal(rlx_spool_add(f->spool, text, &at), 0);
    assert_int_equal(read_at(f->spool, at), 7);
    rlx_spool_done(f->spool, at);
    rlx_spool_done(f->spool, 0);
    free(text);
}

static void what_was_done_is_not_done_again_after_a_kill(void **state)
{
    struct fixture *f = *state;
    struct rlx_spool *other;

    assert_int_equal(rlx_spool_create(&other, f->ctx, f->dir, "other"), 0);
    off_t first = add(other, 1);
    add(other, 2);
    rlx_spool_done(other, first);
    talloc_free(other);
    assert_true(rlx_spool_replay_orphans(f->spool, see, f));
    assert_string_equal(f->seen, "2 ");
}

static void a_dead_owners_file_is_carried_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;

    write_file(f, "dead.spool", "{\"n\":1}\n#\"n\":2}\n{\"n\":3}\nnot json\n{\"n\":4}\n{\"n\":5");
    f->allowed = 2;
    assert_false(rlx_spool_replay_orphans(f->spool, see, f));
    assert_true(exists(f, "dead.spool"));
    f->allowed = 100;
    assert_true(rlx_spool_replay_orphans(f->spool, see, f));
    assert_string_equal(f->seen, "1 3 4 ");
    assert_false(exists(f, "dead.spool"));
}

static void a_living_owners_file_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct rlx_spool *other;

    assert_int_equal(rlx_spool_create(&other, f->ctx, f->dir, "other"), 0);
    add(other, 1);
    off_t mine = add(f->spool, 2);
    assert_true(rlx_spool_replay_orphans(f->spool, see, f));
    assert_string_equal(f->seen, "");
    talloc_free(other); /* it dies, and leaves its file */
    assert_true(rlx_spool_replay_orphans(f->spool, see, f));
    assert_string_equal(f->seen, "1 ");
    rlx_spool_done(f->spool, mine);
}

static void a_place_that_is_not_there_is_told(void **state)
{
    struct fixture *f = *state;
    struct rlx_spool *nowhere;
    off_t at;

    assert_int_equal(rlx_spool_create(&nowhere, f->ctx, "/nonexistent", "me"), 0);
    assert_true(rlx_spool_add(nowhere, "{}", &at) < 0);
    assert_int_equal(rlx_spool_count(nowhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_made_before_something_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_can_be_read_until_it_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_operation_is_read_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_done_is_not_done_again_after_a_kill, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_dead_owners_file_is_carried_on_where_it_stopped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_living_owners_file_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_that_is_not_there_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
