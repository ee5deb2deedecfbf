#include "fixture.h"

static json_t *get_call(struct fixture *f, const char *id)
{
    char *json = NULL;

    assert_int_equal(rlx_call_get(f->store, f->ctx, f->user, id, &json), 0);
    return parsed(json);
}

static void assert_status(struct fixture *f, const char *id, const char *status, const char *reason)
{
    json_t *call = get_call(f, id);

    assert_string_equal(field(call, "status"), status);
    assert_string_equal(field(call, "ended_reason"), reason);
    json_decref(call);
}

static void create(void **state)
{
    struct fixture *f = *state;
    json_t *metadata = parsed("{\"campaign\":\"Q4\",\"deep\":{\"a\":[1,null]}}");
    json_t *options = parsed(
        "{\"caller_id\":\"+15005550006\",\"max_duration_s\":60,\"variables\":{\"n\":\"x\"}}");
    struct rlx_job *job = NULL;
    char *id = NULL, *again = NULL;
    bool created = false;

    assert_int_equal(rlx_call_create(f->store, f->ctx, f->user, f->agent, "+12025550123", metadata,
                                     options, "key", &id, &created),
                     0);
    assert_true(created);
    json_t *call = get_call(f, id);
    assert_string_equal(field(call, "status"), "initiated");
    assert_string_equal(field(call, "phone_number"), "+12025550123");
    assert_string_equal(field(call, "caller_id"), "+15005550006");
    assert_true(json_equal(json_object_get(call, "metadata"), metadata));
    assert_int_equal(json_array_size(json_object_get(call, "transcripts")), 0);
    assert_true(json_is_null(json_object_get(call, "twilio_sid")));
    json_decref(call);
    /* its dial job */
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "dial", "w", rlx_wall_ms(), 50, &job), 0);
    assert_string_equal(field(job->payload, "call_id"), id);
    /* the same key again */
    assert_int_equal(rlx_call_create(f->store, f->ctx, f->user, f->agent, "+12025550123", metadata,
                                     options, "key", &again, &created),
                     0);
    assert_false(created);
    assert_string_equal(id, again);
    assert_int_equal(rlx_call_create(f->store, f->ctx, f->user, f->agent, "+12025550124", metadata,
                                     options, "key", &again, &created),
                     RLX_ECONFLICT);
    /* what a gateway loads */
    assert_int_equal(rlx_call_load(f->store, f->ctx, id, &call), 0);
    assert_int_equal(json_integer_value(json_object_get(call, "max_duration_s")), 60);
    assert_string_equal(field(json_object_get(call, "agent"), "name"), "Emma");
    assert_string_equal(field(json_object_get(call, "variables"), "n"), "x");
    json_decref(call);
    json_decref(metadata);
    json_decref(options);
}

static void isolation(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f), *json = NULL, *next = NULL, *a, *b, *c;
    int64_t total = -1;
    bool created;

    assert_int_equal(rlx_call_get(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_transcripts(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_analysis(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_recording(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_control(f->store, f->ctx, f->other, id, &a, &b, &c), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_owned(f->store, f->other, id), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_create(f->store, f->ctx, f->other, f->agent, "+12025550123", NULL,
                                     NULL, NULL, &json, &created),
                     RLX_ENOTFOUND);
    assert_int_equal(
        rlx_calls_list(f->store, f->ctx, f->other, NULL, 0, NULL, &json, &next, &total), 0);
    assert_string_equal(json, "[]");
    assert_int_equal(total, 0);
}

static void list(void **state)
{
    struct fixture *f = *state;
    char *ids[5], *json = NULL, *next = NULL;
    int64_t total = 0;

    for (int i = 0; i < 5; i++)
        ids[i] = fixture_call(f);
    assert_int_equal(rlx_call_progress(f->store, ids[2], "ringing"), 0);
    assert_int_equal(rlx_calls_list(f->store, f->ctx, f->user,
                                    &(struct rlx_calls_filter){.agent_id = f->agent, .status = "ringing"}, 0, NULL, &json,
                                    &next, &total),
                     0);
    assert_int_equal(total, 1);
    json_t *page = parsed(json);
    assert_string_equal(field(json_array_get(page, 0), "id"), ids[2]);
    assert_null(json_object_get(json_array_get(page, 0), "transcripts"));
    json_decref(page);
    assert_int_equal(
        rlx_calls_list(f->store, f->ctx, f->user, NULL, 4, NULL, &json, &next, &total), 0);
    assert_non_null(next);
    assert_int_equal(
        rlx_calls_list(f->store, f->ctx, f->user, NULL, 4, next, &json, &next, &total), 0);
    assert_null(next);
    page = parsed(json);
    assert_int_equal(json_array_size(page), 1);
    json_decref(page);
}

static void progress_forward(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f);
    const struct rlx_call_end end = {.status = "busy", .ended_ms = 5};

    assert_int_equal(rlx_call_progress(f->store, id, "ringing"), 0);
    assert_int_equal(rlx_call_progress(f->store, id, "queued"), 0);
    assert_status(f, id, "ringing", "");
    assert_int_equal(rlx_call_progress(f->store, id, "nonsense"), 0);
    assert_status(f, id, "ringing", "");
    assert_int_equal(rlx_call_end(f->store, id, &end), 0);
    assert_int_equal(rlx_call_progress(f->store, id, "in-progress"), 0);
    assert_status(f, id, "busy", "");
    assert_int_equal(rlx_call_progress(f->store, "none", "ringing"), RLX_ENOTFOUND);
}

static void dialing(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f), *other = fixture_call(f), *sid, *status, *reason;
    struct rlx_dial_state dial;

    assert_int_equal(rlx_dial_begin(f->store, id, "+1", "+2", 1000, &dial), 0);
    assert_true(dial.may_dial);
    /* A second worker, or the same after a crash, never dials again. */
    assert_int_equal(rlx_dial_begin(f->store, id, "+1", "+2", 2000, &dial), 0);
    assert_false(dial.may_dial);
    assert_true(dial.undecided);
    assert_int_equal(dial.since_ms, 1000);
    /* One undecided attempt between two numbers. */
    assert_int_equal(rlx_dial_begin(f->store, other, "+1", "+2", 2000, &dial), RLX_ECONFLICT);
    assert_int_equal(rlx_call_set_sid(f->store, id, "CA1"), 0);
    assert_int_equal(rlx_call_set_sid(f->store, id, "CA1"), 0);
    assert_int_equal(rlx_call_set_sid(f->store, id, "CA2"), RLX_ECONFLICT);
    assert_int_equal(rlx_dial_begin(f->store, id, "+1", "+2", 3000, &dial), 0);
    assert_false(dial.may_dial);
    assert_false(dial.undecided);
    assert_int_equal(rlx_dial_begin(f->store, other, "+1", "+2", 2000, &dial), 0);
    assert_true(dial.may_dial);
    assert_int_equal(rlx_call_set_sid(f->store, other, "CA1"), RLX_ECONFLICT);
    /* Surely never sent: may be tried again. */
    assert_int_equal(rlx_dial_end(f->store, other, "not_sent", 0, "connection refused"), 0);
    assert_int_equal(rlx_dial_begin(f->store, other, "+1", "+2", 4000, &dial), 0);
    assert_true(dial.may_dial);
    assert_int_equal(dial.tries, 2);
    assert_int_equal(rlx_call_peek(f->store, f->ctx, id, &sid, &status, &reason), 0);
    assert_string_equal(sid, "CA1");
    assert_string_equal(status, "initiated");
    assert_string_equal(reason, "");
}

static void token(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f);
    int64_t now = rlx_wall_ms();

    assert_int_equal(rlx_call_set_token(f->store, id, "t1", now + 60000), 0);
    assert_int_equal(rlx_call_set_token(f->store, id, "t1", now + 60000), 0);
    assert_int_equal(rlx_call_set_token(f->store, id, "t2", now + 60000), RLX_ECONFLICT);
    assert_int_equal(rlx_call_take(f->store, id, "g1", "t2", now), RLX_EAUTH);
    assert_int_equal(rlx_call_take(f->store, id, "g1", "t1", now + 60000), RLX_EAUTH);
    assert_int_equal(rlx_call_take(f->store, id, "g1", "t1", now), 0);
    assert_int_equal(rlx_call_take(f->store, id, "g1", "t1", now), RLX_EAUTH);
    assert_status(f, id, "in-progress", "");
    /* A consumed token is not brought back; a fresh one (after a transfer) is taken. */
    assert_int_equal(rlx_call_set_token(f->store, id, "t1", now + 60000), RLX_EAUTH);
    assert_int_equal(rlx_call_set_token(f->store, id, "t3", now + 60000), 0);
    assert_int_equal(rlx_call_take(f->store, id, "g1", "t3", now), 0);
    assert_int_equal(rlx_call_take(f->store, f->user, "g1", "t3", now), RLX_EAUTH);
    const struct rlx_call_end end = {.status = "completed", .ended_ms = now};
    assert_int_equal(rlx_call_end(f->store, id, &end), 0);
    assert_int_equal(rlx_call_set_token(f->store, id, "t4", now + 60000), RLX_ECONFLICT);
}

static struct rlx_turn_row turn(const char *call_id, uint32_t seq, bool agent, const char *text)
{
    struct rlx_turn_row row = {.seq = seq, .agent = agent, .text = text, .at_ms = 1766000000123};

    rlx_uuid(row.id);
    memcpy(row.call_id, call_id, 37);
    return row;
}

static void transcript(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f), *json = NULL;
    struct rlx_turn_row first = turn(id, 1, true, "Hello!"), second = turn(id, 2, false, "Hi");
    json_t *events = NULL;

    second.metadata = "{\"source\":\"llm\"}";
    assert_int_equal(rlx_call_append_turn(f->store, &second), 0); /* a spool may come late */
    assert_int_equal(rlx_call_append_turn(f->store, &first), 0);
    assert_int_equal(rlx_call_append_turn(f->store, &first), 0); /* a repeat is ignored */
    assert_int_equal(rlx_call_update_turn(f->store, first.id, "Hel", "{\"interrupted\":true}"), 0);
    assert_int_equal(rlx_call_update_turn(f->store, "none", "x", NULL), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_transcripts(f->store, f->ctx, f->user, id, &json), 0);
    json_t *rows = parsed(json);
    assert_int_equal(json_array_size(rows), 2);
    json_t *row = json_array_get(rows, 0);
    assert_string_equal(field(row, "speaker"), "ai");
    assert_string_equal(field(row, "text"), "Hel");
    assert_string_equal(field(row, "timestamp"), "2025-12-17T19:33:20.123Z");
    assert_true(json_is_true(json_object_get(json_object_get(row, "metadata"), "interrupted")));
    assert_string_equal(field(json_array_get(rows, 1), "speaker"), "user");
    json_decref(rows);
    struct rlx_turn_row orphan = turn("00000000-0000-7000-8000-000000000000", 1, true, "x");
    assert_int_equal(rlx_call_append_turn(f->store, &orphan), RLX_ENOTFOUND);
    /* live events: status, two rows, one change */
    assert_int_equal(rlx_call_events(f->store, f->ctx, id, 0, 10, &events), 0);
    assert_int_equal(json_array_size(events), 4);
    json_int_t last = json_integer_value(json_object_get(json_array_get(events, 2), "id"));
    json_decref(events);
    assert_int_equal(rlx_call_events(f->store, f->ctx, id, last, 10, &events), 0);
    assert_int_equal(json_array_size(events), 1);
    assert_string_equal(field(json_array_get(events, 0), "kind"), "transcript");
    json_decref(events);
}

static void ending(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f), *path = NULL;
    struct rlx_job *job = NULL;
    int64_t now = rlx_wall_ms();
    const struct rlx_call_end callback = {.status = "completed", .ended_ms = now + 3400};
    const struct rlx_call_end owner = {.status = "completed",
                                       .reason = "goodbye",
                                       .outcome = "callback",
                                       .ended_ms = now + 3600,
                                       .recording = "/r/x.wav",
                                       .metrics = "{\"turns\":3}",
                                       .owner = true};

    assert_int_equal(rlx_call_set_token(f->store, id, "t", now + 60000), 0);
    assert_int_equal(rlx_call_take(f->store, id, "g", "t", now), 0);
    assert_int_equal(rlx_call_recording(f->store, f->ctx, f->user, id, &path), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_end(f->store, id, &callback), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "analyse", "w", now + 60000, 50, &job), 0);
    assert_int_equal(rlx_job_done(f->store, job->id), 0);
    /* The owner knows more; the analysis is made again. */
    assert_int_equal(rlx_call_end(f->store, id, &owner), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "analyse", "w", now + 60000, 50, &job), 0);
    assert_int_equal(rlx_job_done(f->store, job->id), 0);
    /* Anything later changes nothing. */
    assert_int_equal(rlx_call_end(f->store, id, &callback), 0);
    assert_int_equal(rlx_call_end(f->store, id, &owner), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "analyse", "w", now + 60000, 50, &job),
                     RLX_ENOTFOUND);
    json_t *call = get_call(f, id);
    assert_string_equal(field(call, "ended_reason"), "goodbye");
    assert_string_equal(field(call, "outcome"), "callback");
    assert_int_equal(json_integer_value(json_object_get(call, "duration")), 4);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(call, "metrics"), "turns")),
                     3);
    json_decref(call);
    assert_int_equal(rlx_call_recording(f->store, f->ctx, f->user, id, &path), 0);
    assert_string_equal(path, "/r/x.wav");
    assert_int_equal(rlx_call_end(f->store, "none", &owner), RLX_ENOTFOUND);
}

static void lost_gateway(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f), *kept = fixture_call(f);
    int64_t now = rlx_wall_ms();
    int closed = 0;

    assert_int_equal(rlx_gateway_beat(f->store, "g1", "http://127.0.0.1:1", now), 0);
    assert_int_equal(rlx_gateway_beat(f->store, "g2", "http://127.0.0.1:2", now), 0);
    assert_int_equal(rlx_call_set_token(f->store, id, "t", now + 60000), 0);
    assert_int_equal(rlx_call_take(f->store, id, "g1", "t", now), 0);
    assert_int_equal(rlx_call_set_token(f->store, kept, "u", now + 60000), 0);
    assert_int_equal(rlx_call_take(f->store, kept, "g2", "u", now), 0);
    for (int64_t t = 0; t <= 6000; t += 1000) {
        assert_int_equal(rlx_gateway_beat(f->store, "g2", "http://127.0.0.1:2", now + t), 0);
        assert_int_equal(rlx_calls_close_lost(f->store, now + t, 6000, &closed), 0);
        assert_int_equal(closed, 0);
    }
    /* After a break in which we could not look ourselves, a whole lease must pass again. */
    for (int64_t t = 60000; t < 66000; t += 1000) {
        assert_int_equal(rlx_gateway_beat(f->store, "g2", "http://127.0.0.1:2", now + t), 0);
        assert_int_equal(rlx_calls_close_lost(f->store, now + t, 6000, &closed), 0);
        assert_int_equal(closed, 0);
    }
    assert_int_equal(rlx_gateway_beat(f->store, "g2", "http://127.0.0.1:2", now + 66000), 0);
    assert_int_equal(rlx_calls_close_lost(f->store, now + 66000, 6000, &closed), 0);
    assert_int_equal(closed, 1);
    assert_status(f, id, "failed", "gateway_lost");
    assert_status(f, kept, "in-progress", "");
    /* It was not dead after all: its own end counts. */
    const struct rlx_call_end owner = {
        .status = "completed", .reason = "hangup", .ended_ms = now, .owner = true};
    assert_int_equal(rlx_call_end(f->store, id, &owner), 0);
    assert_status(f, id, "completed", "hangup");
    /* A gateway that left without ending its call. */
    assert_int_equal(rlx_gateway_leave(f->store, "g2"), 0);
    assert_int_equal(rlx_calls_close_lost(f->store, now + 67000, 6000, &closed), 0);
    assert_int_equal(closed, 1);
    assert_status(f, kept, "failed", "gateway_lost");
    int64_t count = 9;
    assert_int_equal(rlx_gateways_count(f->store, now + 67000, &count), 0);
    assert_int_equal(count, 0);
}

static void stale(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f);
    json_t *calls = NULL;
    int64_t now = rlx_wall_ms();

    assert_int_equal(rlx_call_set_sid(f->store, id, "CA9"), 0);
    assert_int_equal(rlx_calls_stale(f->store, f->ctx, now, 60000, &calls), 0);
    assert_int_equal(json_array_size(calls), 0);
    json_decref(calls);
    assert_int_equal(rlx_calls_stale(f->store, f->ctx, now + 61000, 60000, &calls), 0);
    assert_int_equal(json_array_size(calls), 1);
    assert_string_equal(field(json_array_get(calls, 0), "twilio_sid"), "CA9");
    json_decref(calls);
}

static void do_not_call(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f);
    bool listed = true;

    assert_int_equal(rlx_dnc_has(f->store, f->user, "+12025550123", &listed), 0);
    assert_false(listed);
    assert_int_equal(rlx_dnc_add(f->store, f->user, "+12025550123", "call", id), 0);
    assert_int_equal(rlx_dnc_add(f->store, f->user, "+12025550123", "call", id), 0);
    assert_int_equal(rlx_dnc_has(f->store, f->user, "+12025550123", &listed), 0);
    assert_true(listed);
    assert_int_equal(rlx_dnc_has(f->store, f->other, "+12025550123", &listed), 0);
    assert_false(listed);
}

static void analysis(void **state)
{
    struct fixture *f = *state;
    char *id = fixture_call(f), *json = NULL;
    json_t *made =
        parsed("{\"sentiment\":\"positive\",\"outcome\":\"interested\",\"summary\":\"S\","
               "\"key_points\":[\"a\"],\"intents\":[],\"follow_up\":null,"
               "\"extracted\":{\"size\":3},\"method\":\"rules\"}");

    assert_int_equal(rlx_call_analysis(f->store, f->ctx, f->user, id, &json), 0);
    json_t *row = parsed(json);
    assert_string_equal(field(row, "status"), "pending");
    json_decref(row);
    assert_int_equal(rlx_analysis_fail(f->store, id, "why"), 0);
    assert_int_equal(rlx_analysis_save(f->store, id, made), 0);
    json_decref(made);
    assert_int_equal(rlx_call_analysis(f->store, f->ctx, f->user, id, &json), 0);
    row = parsed(json);
    assert_string_equal(field(row, "status"), "completed");
    assert_string_equal(field(row, "call_id"), id);
    assert_true(json_is_null(json_object_get(row, "error")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(row, "extracted"), "size")),
                     3);
    json_decref(row);
    row = get_call(f, id);
    assert_string_equal(field(row, "outcome"), "interested");
    assert_string_equal(field(row, "sentiment"), "positive");
    json_decref(row);
    assert_int_equal(rlx_analysis_fail(f->store, "none", "x"), RLX_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create),       TEST(isolation), TEST(list),        TEST(progress_forward),
        TEST(dialing),      TEST(token),     TEST(transcript),  TEST(ending),
        TEST(lost_gateway), TEST(stale),     TEST(do_not_call), TEST(analysis),
    };
    return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
