/* The cache's folder is pruned when it is opened. */
#include "../rlx_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/speech_cache.h"

static void put_file(const char *dir, const char *name, time_t age_s)
{
    char path[256];
    struct timespec times[2] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};

    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static bool is_there(const char *dir, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void old_pieces_and_leftovers_go(void **state)
{
    char dir[] = "/tmp/rlx-cache-XXXXXX";
    struct rlx_speech_cache *cache;
    uv_loop_t loop;

    assert_non_null(mkdtemp(dir));
    put_file(dir, "new.ulaw", 10);
    put_file(dir, "old.ulaw", 31 * 86400);
    put_file(dir, "half.ulaw.abcdef", 7200);
    put_file(dir, "being-written.ulaw.abcdef", 5);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(rlx_speech_cache_create(&cache, *state, &loop, dir), 0);
    assert_true(is_there(dir, "new.ulaw"));
    assert_true(is_there(dir, "being-written.ulaw.abcdef"));
    assert_false(is_there(dir, "old.ulaw"));
    assert_false(is_there(dir, "half.ulaw.abcdef"));
    talloc_free(cache);
    assert_int_equal(uv_loop_close(&loop), 0);
    unlinkat(AT_FDCWD, talloc_asprintf(*state, "%s/new.ulaw", dir), 0);
    unlinkat(AT_FDCWD, talloc_asprintf(*state, "%s/being-written.ulaw.abcdef", dir), 0);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RLX_TEST(old_pieces_and_leftovers_go)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
