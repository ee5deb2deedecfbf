#include "../rlx_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/g711.h"
#include "audio/recorder.h"
#include "audio/wav.h"

#define CALLEE 0x90
#define AGENT 0xa5

struct place {
    char dir[64];
    char path[80];
    TALLOC_CTX *ctx;
    struct rlx_disk *disk;
};

static int place_setup(void **state)
{
    struct place *place = talloc_zero(NULL, struct place);

    snprintf(place->dir, sizeof(place->dir), "/tmp/rlx-recorder-XXXXXX");
    if (!mkdtemp(place->dir))
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/call.wav", place->dir);
    place->ctx = talloc_new(place);
    if (rlx_disk_create(&place->disk, place, 64 << 20))
        return -1;
    *state = place;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *place = *state;

    talloc_free(place->ctx);
    talloc_free(place->disk);
    unlink(place->path);
    rmdir(place->dir);
    return talloc_free(place);
}

static struct rlx_wav *load(struct place *place)
{
    struct rlx_wav *wav = NULL;
    struct stat st;
    if (place->disk)
        rlx_disk_flush(place->disk);
    int fd = open(place->path, O_RDONLY);
    uint8_t *data;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    data = talloc_size(place->ctx, (size_t)st.st_size);
    assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
    close(fd);
    assert_int_equal(rlx_wav_read(&wav, place->ctx, data, (size_t)st.st_size, NULL), 0);
    assert_int_equal(wav->rate_hz, 8000);
    assert_int_equal(wav->channels, 2);
    return wav;
}

static void fill(uint8_t *bytes, uint8_t code, size_t length)
{
    memset(bytes, code, length);
}

/* Asserts that [from, to) ms of a channel (0 = callee, 1 = agent) hold `code`. */
static void check(const struct rlx_wav *wav, int channel, size_t from_ms, size_t to_ms,
                  uint8_t code)
{
    assert_true(wav->frames >= to_ms * 8);
    for (size_t i = from_ms * 8; i < to_ms * 8; i++)
        assert_int_equal(wav->samples[2 * i + (size_t)channel], rlx_ulaw_sample(code));
}

static void both_channels_and_holes(void **state)
{
    struct place *place = *state;
    struct rlx_recorder *recorder;
    uint8_t frame[800];
    struct rlx_wav *wav;

    assert_int_equal(rlx_recorder_create(&recorder, place->ctx, place->disk, place->path), 0);
    assert_int_equal(load(place)->frames, 0);
    fill(frame, CALLEE, 160);
    for (uint64_t t = 100; t < 3000; t += 20)
        rlx_recorder_callee(recorder, t, frame, 160);
    fill(frame, AGENT, 800);
    rlx_recorder_agent(recorder, 1000, frame, 800);
    assert_int_equal(rlx_recorder_length_ms(recorder), 3000);
    assert_int_equal(rlx_recorder_finish(recorder, 3500), 0);
    wav = load(place);
    assert_int_equal(wav->frames, 3500 * 8);
    check(wav, 0, 0, 100, 0xff);
    check(wav, 0, 100, 3000, CALLEE);
    check(wav, 0, 3000, 3500, 0xff);
    check(wav, 1, 0, 1000, 0xff);
    check(wav, 1, 1000, 1100, AGENT);
    check(wav, 1, 1100, 3500, 0xff);
    assert_int_equal(rlx_recorder_tick(recorder, 4000), -EBADF);
}

static void what_was_written_can_still_be_cut(void **state)
{
    struct place *place = *state;
    struct rlx_recorder *recorder;
    uint8_t chunk[8000];
    struct rlx_wav *wav;

    assert_int_equal(rlx_recorder_create(&recorder, place->ctx, place->disk, place->path), 0);
    fill(chunk, AGENT, sizeof(chunk));
    rlx_recorder_agent(recorder, 500, chunk, sizeof(chunk));
    assert_int_equal(rlx_recorder_tick(recorder, 2000), 0);
    check(load(place), 1, 500, 1500, AGENT);
    rlx_recorder_agent_cut(recorder, 800);
    assert_int_equal(rlx_recorder_tick(recorder, 3000), 0);
    wav = load(place);
    check(wav, 1, 500, 800, AGENT);
    check(wav, 1, 800, 3000, 0xff);
    rlx_recorder_agent(recorder, 3100, chunk, 800); /* resumed */
    assert_int_equal(rlx_recorder_finish(recorder, 3150), 0);
    wav = load(place);
    assert_int_equal(wav->frames, 3150 * 8);
    check(wav, 1, 3100, 3150, AGENT);
}

/* A quarter of an hour passes, with silence of its own lengths, without a tick for 20 s at a time.
 */
static void long_holes_and_late_ticks(void **state)
{
    struct place *place = *state;
    struct rlx_recorder *recorder;
    uint8_t frame[160];
    struct rlx_wav *wav;

    assert_int_equal(rlx_recorder_create(&recorder, place->ctx, place->disk, place->path), 0);
    fill(frame, CALLEE, 160);
    for (uint64_t t = 0; t < 900000; t += 20000) {
        rlx_recorder_callee(recorder, t, frame, 160);
        rlx_recorder_callee(recorder, t > 9000 ? t - 9000 : t, frame, 160); /* too old: dropped */
        rlx_recorder_callee(recorder, t + 11000, frame, 160);
    }
    rlx_recorder_agent(recorder, 2000000, frame, 160); /* far ahead: dropped */
    rlx_recorder_agent(recorder, UINT64_MAX, frame, 160);
    rlx_recorder_callee(recorder, UINT64_MAX - 5, frame, 160);
    talloc_free(recorder); /* finishes */
    wav = load(place);
    assert_int_equal(wav->frames, (880000 + 11000 + 20) * 8);
    for (size_t t = 0; t < 880000; t += 20000) {
        check(wav, 0, t, t + 20, CALLEE);
        check(wav, 0, t + 20, t + 11000, 0xff);
        check(wav, 0, t + 11000, t + 11020, CALLEE);
        check(wav, 1, t, t + 20000, 0xff);
    }
}

static void a_kill_leaves_a_valid_file(void **state)
{
    struct place *place = *state;
    struct rlx_wav *wav;
    int status;

    TALLOC_FREE(place->disk); /* no thread is there when the process forks */
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct rlx_recorder *recorder;
        struct rlx_disk *disk; /* a thread is not inherited */
        uint8_t frame[160];

        fill(frame, CALLEE, 160);
        if (rlx_disk_create(&disk, place->ctx, 1 << 20) ||
            rlx_recorder_create(&recorder, place->ctx, disk, place->path) != 0)
            _exit(1);
        for (uint64_t t = 0; t < 2500; t += 20) {
            rlx_recorder_callee(recorder, t, frame, 160);
            if (t % 1000 == 980 && rlx_recorder_tick(recorder, t + 20) != 0)
                _exit(1);
        }
        rlx_disk_flush(disk);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    wav = load(place);
    assert_int_equal(wav->frames, 2000 * 8);
    check(wav, 0, 0, 2000, CALLEE);
}

static void an_existing_file_is_not_overwritten(void **state)
{
    struct place *place = *state;
    struct rlx_recorder *recorder, *second, *third;
    uint8_t frame[160];
    int err;

    fill(frame, CALLEE, 160);
    assert_int_equal(rlx_recorder_create(&recorder, place->ctx, place->disk, place->path), 0);
    rlx_recorder_callee(recorder, 980, frame, 160);
    assert_int_equal(rlx_recorder_finish(recorder, 1000), 0);
    assert_int_equal(rlx_recorder_create(&second, place->ctx, place->disk, place->path), 0);
    assert_int_equal(rlx_recorder_create(&third, place->ctx, place->disk, "/nonexistent/x.wav"), 0);
    rlx_disk_flush(place->disk);
    assert_true(rlx_recorder_closed(recorder, &err) && err == 0);
    assert_int_equal(rlx_recorder_tick(second, 1000), -EEXIST);
    assert_int_equal(rlx_recorder_tick(third, 1000), -ENOENT);
    assert_false(rlx_recorder_closed(second, &err));
    (void)rlx_recorder_finish(second, 2000);
    (void)rlx_recorder_finish(third, 2000);
    rlx_disk_flush(place->disk);
    assert_true(rlx_recorder_closed(second, &err) && err == -EEXIST);
    assert_true(rlx_recorder_closed(third, &err) && err == -ENOENT);
    assert_int_equal(load(place)->frames, 8000);
}

/* A disk that can't keep up: what it does not take is handed over again, and the end of the file always is. */
static void a_full_queue_delays_and_loses_nothing(void **state)
{
    struct place *place = *state;
    struct rlx_recorder *recorder;
    struct rlx_disk *small;
    uint8_t frame[160];
    struct rlx_wav *wav;
    int err;

    fill(frame, CALLEE, 160);
    assert_int_equal(rlx_disk_create(&small, place->ctx, 1000), 0);
    assert_int_equal(rlx_recorder_create(&recorder, place->ctx, small, place->path), 0);
    for (uint64_t t = 0; t < 3000; t += 20)
        rlx_recorder_callee(recorder, t, frame, 160);
    assert_int_equal(rlx_recorder_tick(recorder, 3000), -ENOBUFS);
    assert_int_equal(rlx_recorder_tick(recorder, 3000), -ENOBUFS);
    assert_int_equal(rlx_recorder_finish(recorder, 3000), 0);
    rlx_disk_flush(small);
    assert_true(rlx_recorder_closed(recorder, &err) && err == 0);
    wav = load(place);
    assert_int_equal(wav->frames, 3000 * 8);
    check(wav, 0, 0, 3000, CALLEE);
    talloc_free(recorder);
}

/* A write that fails (the file may not grow) is told once, and made good when the disk takes it again. */
static void what_the_disk_refused_is_written_again(void **state)
{
    struct place *place = *state;
    struct rlx_recorder *recorder;
    struct rlimit old, limit;
    uint8_t frame[160];
    struct rlx_wav *wav;

    fill(frame, CALLEE, 160);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(rlx_recorder_create(&recorder, place->ctx, place->disk, place->path), 0);
    for (uint64_t t = 0; t < 1000; t += 20)
        rlx_recorder_callee(recorder, t, frame, 160);
    assert_int_equal(rlx_recorder_tick(recorder, 1000), 0);
    rlx_disk_flush(place->disk);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = (struct rlimit){.rlim_cur = 40000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (uint64_t t = 1000; t < 2000; t += 20)
        rlx_recorder_callee(recorder, t, frame, 160);
    assert_int_equal(rlx_recorder_tick(recorder, 2000), 0);
    rlx_disk_flush(place->disk);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(load(place)->frames <= 10000); /* no header counts what is not there */
    for (uint64_t t = 2000; t < 3000; t += 20)
        rlx_recorder_callee(recorder, t, frame, 160);
    assert_int_equal(rlx_recorder_tick(recorder, 3000), -EFBIG);
    rlx_disk_flush(place->disk);
    assert_int_equal(rlx_recorder_finish(recorder, 3000), 0);
    wav = load(place);
    assert_int_equal(wav->frames, 3000 * 8);
    check(wav, 0, 0, 3000, CALLEE);
}

#define PLACE_TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE_TEST(both_channels_and_holes),
        PLACE_TEST(what_was_written_can_still_be_cut),
        PLACE_TEST(long_holes_and_late_ticks),
        PLACE_TEST(a_kill_leaves_a_valid_file),
        PLACE_TEST(an_existing_file_is_not_overwritten),
        PLACE_TEST(a_full_queue_delays_and_loses_nothing),
        PLACE_TEST(what_the_disk_refused_is_written_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
