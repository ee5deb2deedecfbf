#include "fixture.h"

static void by_email(void **state)
{
    struct fixture *f = *state;
    char *id = NULL, *json = NULL;
    json_t *user = NULL;

    assert_int_equal(rlx_user_create(f->store, f->ctx, "ANN@Example.com", "x", NULL, &id),
                     RLX_ECONFLICT);
    assert_int_equal(rlx_user_by_email(f->store, f->ctx, "Ann@example.COM", &user), 0);
    assert_string_equal(field(user, "id"), f->user);
    assert_string_equal(field(user, "password_hash"), "x");
    json_decref(user);
    assert_int_equal(rlx_user_by_email(f->store, f->ctx, "nobody@example.com", &user),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_user_get(f->store, f->ctx, f->user, &json), 0);
    user = parsed(json);
    assert_string_equal(field(user, "email"), "ann@example.com");
    assert_null(json_object_get(user, "password_hash"));
    size_t length = strlen(field(user, "created_at"));
    assert_int_equal(length, 24);
    assert_int_equal(field(user, "created_at")[23], 'Z');
    json_decref(user);
    assert_int_equal(rlx_user_get(f->store, f->ctx, "x", &json), RLX_ENOTFOUND);
}

static void sessions(void **state)
{
    struct fixture *f = *state;
    char *user = NULL;

    assert_int_equal(rlx_session_create(f->store, f->user, "t1", 1000), 0);
    assert_int_equal(rlx_session_create(f->store, f->user, "t1", 1000), RLX_ECONFLICT);
    assert_int_equal(rlx_session_create(f->store, "nobody", "t9", 1000), RLX_ENOTFOUND);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "t1", 999, &user), 0);
    assert_string_equal(user, f->user);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "t1", 1000, &user), RLX_EAUTH);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "t2", 1, &user), RLX_EAUTH);
    assert_int_equal(rlx_session_delete(f->store, "t1"), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "t1", 1, &user), RLX_EAUTH);
    assert_int_equal(rlx_session_create(f->store, f->user, "t3", 1000), 0);
    assert_int_equal(rlx_sessions_expire(f->store, 2000), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "t3", 1, &user), RLX_EAUTH);
}

static void rotation(void **state)
{
    struct fixture *f = *state;
    const int64_t end = 1000000000;
    char *user = NULL;

    assert_int_equal(rlx_session_create(f->store, f->user, "a", end), 0);
    assert_int_equal(rlx_session_rotate(f->store, f->ctx, "a", "b", 1000, end, &user), 0);
    /* Within the grace: the same successor again, and the old one still counts. */
    assert_int_equal(rlx_session_rotate(f->store, f->ctx, "a", "b", 31000, end, &user), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "a", 31000, &user), 0);
    assert_int_equal(rlx_session_rotate(f->store, f->ctx, "b", "c", 40000, end, &user), 0);
    /* Later: somebody replays it, and the family dies. */
    assert_int_equal(rlx_session_rotate(f->store, f->ctx, "a", "b", 31001, end, &user), RLX_EAUTH);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "c", 41000, &user), RLX_EAUTH);
    /* Logging out ends successors too. */
    assert_int_equal(rlx_session_create(f->store, f->user, "d", end), 0);
    assert_int_equal(rlx_session_rotate(f->store, f->ctx, "d", "e", 1000, end, &user), 0);
    assert_int_equal(rlx_session_delete(f->store, "d"), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "e", 1001, &user), RLX_EAUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(by_email), TEST(sessions), TEST(rotation)};

    return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
