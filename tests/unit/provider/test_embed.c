/* Embeddings on the loop and blocking. */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "fake.h"

#include "base/err.h"

struct seen {
    float vectors[16];
    size_t count, dim;
    char why[300];
    int err;
    bool done;
};

static const char *const local[] = {"--local-embed-url=http://127.0.0.1:%a", NULL};
static const char *const none[] = {"--no-local", "--openai-base-url=http://127.0.0.1:%a", NULL};
static const char *const texts[] = {"one", "two"};

static void on_done(int err, const float *vectors, size_t count, size_t dim, const char *why,
                    void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    seen->done = true;
    seen->err = err;
    seen->count = count;
    seen->dim = dim;
    if (!err)
        memcpy(seen->vectors, vectors, count * dim * sizeof *vectors);
    else
        snprintf(seen->why, sizeof seen->why, "%s", why);
}

static void check(const float *v)
{
    assert_true(v[0] == 0 && v[1] == 1 && v[2] == 0 && v[3] == 0);
    assert_true(fabsf(v[4] - 0.6f) < 1e-6f && fabsf(v[5] - 0.8f) < 1e-6f);
}

static void on_the_loop(void **state)
{
    struct bench *bench = *state;
    struct rlx_embed_job *job;
    struct seen seen = {0};
    bench_configure(bench, local);
    assert_int_equal(rlx_embed_start(&job, bench->providers->embed, texts, 2, 0, on_done, &seen),
                     0);
    bench_run(bench, &seen.done);
    assert_int_equal(seen.err, 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.dim, 3);
    check(seen.vectors);
    static const struct {
        enum fake_mode mode;
        int err;
    } cases[] = {{FAKE_GARBAGE, RLX_EPROTO},
                 {FAKE_EMPTY, RLX_EPROTO},
                 {FAKE_ABORT, RLX_EPROVIDER},
                 {FAKE_SLOW, -ETIMEDOUT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&seen, 0, sizeof seen);
        fake_set(bench->a, cases[i].mode);
        assert_int_equal(rlx_embed_start(&job, bench->providers->embed, texts, 2,
                                         cases[i].mode == FAKE_SLOW ? 40 : 0, on_done, &seen),
                         0);
        bench_run(bench, &seen.done);
        assert_int_equal(seen.err, cases[i].err);
        assert_true(strlen(seen.why) > 10);
        fake_free_waiting(bench->a);
    }
    memset(&seen, 0, sizeof seen);
    fake_set(bench->a, FAKE_SLOW);
    assert_int_equal(rlx_embed_start(&job, bench->providers->embed, texts, 2, 0, on_done, &seen),
                     0);
    bench_idle(bench, 5);
    rlx_embed_cancel(job);
    fake_free_waiting(bench->a);
    bench_idle(bench, 5);
    assert_false(seen.done);
}

static void blocking(void **state)
{
    struct bench *bench = *state;
    float *vectors;
    size_t dim;
    bench_configure(bench, local);
    assert_int_equal(rlx_embed_blocking(&vectors, &dim, bench, bench->config, texts, 2, 0), 0);
    assert_int_equal(dim, 3);
    check(vectors);
    fake_set_status(bench->a, 500);
    assert_int_equal(rlx_embed_blocking(&vectors, &dim, bench, bench->config, texts, 2, 0),
                     RLX_EPROVIDER);
}

static void not_configured(void **state)
{
    struct bench *bench = *state;
    float *vectors;
    size_t dim;
    bench_configure(bench, none);
    assert_null(bench->providers->embed);
    assert_int_equal(rlx_embed_blocking(&vectors, &dim, bench, bench->config, texts, 2, 0),
                     RLX_ENOTFOUND);
    rlx_providers_warm(bench->providers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {BENCH_TEST(on_the_loop), BENCH_TEST(blocking),
                                       BENCH_TEST(not_configured)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
