#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static void life(void **state)
{
    struct fixture *f = *state;
    struct rlx_job *job = NULL;
    json_t *payload = json_pack("{s:i}", "n", 7);

    assert_int_equal(rlx_job_claim(f->store, f->ctx, "a,b", "w", 1000, 50, &job), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_add(f->store, "b", "key", payload, 1000), 0);
    assert_int_equal(rlx_job_add(f->store, "b", "key", payload, 1000), 0); /* the same one */
    json_decref(payload);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "a,b", "w", 999, 50, &job), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "a", "w", 1000, 50, &job), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "a,b", "w", 1000, 50, &job), 0);
    assert_string_equal(job->kind, "b");
    assert_int_equal(job->attempts, 1);
    assert_int_equal(json_integer_value(json_object_get(job->payload, "n")), 7);
    /* Leased: nobody else gets it, until the lease is over. */
    struct rlx_job *second = NULL;
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "b", "v", 1050, 50, &second), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "b", "v", 1051, 50, &second), 0);
    assert_int_equal(second->attempts, 2);
    assert_int_equal(rlx_job_failed(f->store, second->id, "no luck", 2000), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "b", "v", 1999, 50, &second), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "b", "v", 2000, 50, &second), 0);
    assert_int_equal(second->attempts, 3);
    assert_int_equal(rlx_job_done(f->store, second->id), 0);
    assert_int_equal(rlx_job_done(f->store, second->id), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "b", "v", 9000, 50, &second), RLX_ENOTFOUND);
}

static void dead(void **state)
{
    struct fixture *f = *state;
    struct rlx_job *job = NULL;

    assert_int_equal(rlx_job_add(f->store, "a", NULL, NULL, 1), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "a", "w", 1, 50, &job), 0);
    assert_int_equal(rlx_job_failed(f->store, job->id, "hopeless", 0), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "a", "w", 99999, 50, &job), RLX_ENOTFOUND);
}

struct claimer {
    struct fixture *f;
    atomic_int *times; /* per job number */
    int errors;
};

static void *claim_all(void *arg)
{
    struct claimer *claimer = arg;
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_job *job;
    int err;

    while (!(err = rlx_job_claim(claimer->f->store, ctx, "n", "w", 10, 60000, &job))) {
        atomic_fetch_add(&claimer->times[json_integer_value(json_object_get(job->payload, "n"))],
                         1);
        claimer->errors += rlx_job_done(claimer->f->store, job->id) != 0;
    }
    claimer->errors += err != RLX_ENOTFOUND;
    talloc_free(ctx);
    return NULL;
}

static void once_each(void **state)
{
    struct fixture *f = *state;
    atomic_int times[60] = {0};
    struct claimer claimers[8];
    pthread_t threads[8];

    for (int i = 0; i < 60; i++) {
        json_t *payload = json_pack("{s:i}", "n", i);
        assert_int_equal(rlx_job_add(f->store, "n", NULL, payload, i % 10), 0);
        json_decref(payload);
    }
    for (int i = 0; i < 8; i++) {
        claimers[i] = (struct claimer){f, times, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, claim_all, &claimers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(claimers[i].errors, 0);
    }
    for (int i = 0; i < 60; i++)
        assert_int_equal(times[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(life), TEST(dead), TEST(once_each)};

    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
