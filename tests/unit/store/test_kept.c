/* Calls that are kept: lists, removal, share links, retention, live events, sums; phone numbers. */
#include "fixture.h"

#include "store/agents.h"
#include "store/analytics.h"
#include "store/contacts.h"
#include "store/limits.h"
#include "store/live.h"
#include "store/phone_numbers.h"
#include "store/retention.h"
#include "store/shares.h"

static char *answered_call(struct fixture *f, int64_t now_ms, const char *recording)
{
    char *id = fixture_call(f);
    struct rlx_turn_row row = {
        .seq = 1,
        .agent = true,
        .text = "Do you want 100% wool_socks?",
        .at_ms = now_ms,
        .metadata = "{\"stt_ms\":200,\"llm_ms\":300,\"first_audio_ms\":700}",
    };

    rlx_uuid(row.id);
    memcpy(row.call_id, id, 37);
    assert_int_equal(rlx_call_progress(f->store, id, "in-progress"), 0);
    assert_int_equal(rlx_call_append_turn(f->store, &row), 0);
    const struct rlx_call_end end = {.status = "completed",
                                     .outcome = "booked",
                                     .ended_ms = now_ms + 30000,
                                     .recording = recording};
    assert_int_equal(rlx_call_end(f->store, id, &end), 0);
    return id;
}

static size_t found(struct fixture *f, const struct rlx_calls_filter *filter)
{
    char *json = NULL, *next = NULL;
    int64_t total = 0;

    assert_int_equal(
        rlx_calls_list(f->store, f->ctx, f->user, filter, 0, NULL, &json, &next, &total), 0);
    json_t *page = parsed(json);
    size_t count = json_array_size(page);
    assert_int_equal(total, count);
    json_decref(page);
    return count;
}
#define FOUND(...) found(f, &(struct rlx_calls_filter){__VA_ARGS__})

static void filters(void **state)
{
    struct fixture *f = *state;

    answered_call(f, rlx_wall_ms(), NULL);
    fixture_call(f);
    assert_int_equal(FOUND(.agent_id = NULL), 2);
    assert_int_equal(FOUND(.agent_id = f->agent), 2);
    assert_int_equal(FOUND(.status = "completed"), 1);
    assert_int_equal(FOUND(.outcome = "booked"), 1);
    assert_int_equal(FOUND(.sentiment = "positive"), 0);
    assert_int_equal(FOUND(.direction = "outbound"), 2);
    assert_int_equal(FOUND(.direction = "inbound"), 0);
    assert_int_equal(FOUND(.phone_number = "2025550"), 2);
    assert_int_equal(FOUND(.phone_number = "+3"), 0);
    assert_int_equal(FOUND(.from = "2020-01-01T00:00:00.000Z"), 2);
    assert_int_equal(FOUND(.to = "2020-01-01T00:00:00.000Z"), 0);
    assert_int_equal(FOUND(.words = "WOOL_s"), 1);
    assert_int_equal(FOUND(.words = "100%"), 1);
    assert_int_equal(FOUND(.words = "wool%socks"), 0);
    assert_int_equal(FOUND(.words = "'; --"), 0);
}

static void contacts_of_numbers(void **state)
{
    struct fixture *f = *state;
    json_t *fields = parsed("{\"phone_number\":\"+12025550123\",\"name\":\"Ann\",\"custom_fields\":"
                            "{\"plan\":\"gold\",\"name\":\"no\"}}");
    char *json = NULL, *id = fixture_call(f);
    json_t *call = NULL;

    assert_int_equal(rlx_call_load(f->store, f->ctx, id, &call), 0);
    assert_true(json_is_null(json_object_get(call, "contact")));
    json_decref(call);
    assert_int_equal(rlx_contact_create(f->store, f->ctx, f->other, fields, &json),
                     0); /* a stranger's */
    assert_int_equal(rlx_call_load(f->store, f->ctx, id, &call), 0);
    assert_true(json_is_null(json_object_get(call, "contact")));
    json_decref(call);
    assert_int_equal(rlx_contact_create(f->store, f->ctx, f->user, fields, &json), 0);
    assert_int_equal(rlx_call_load(f->store, f->ctx, id, &call), 0);
    assert_string_equal(field(json_object_get(call, "contact"), "name"), "Ann");
    assert_string_equal(field(json_object_get(call, "contact"), "plan"), "gold");
    json_decref(call);
    json_decref(fields);
}

static void removal(void **state)
{
    struct fixture *f = *state;
    char *id = answered_call(f, rlx_wall_ms(), "/tmp/x.wav"), *open = fixture_call(f), *path = NULL,
         *json = NULL;
    struct rlx_job *job = NULL;
    json_t *wrong = NULL;

    assert_int_equal(rlx_call_delete(f->store, f->ctx, f->other, id, &path), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_delete(f->store, f->ctx, f->user, open, &path), RLX_ECONFLICT);
    assert_int_equal(rlx_call_delete(f->store, f->ctx, f->user, id, &path), 0);
    assert_string_equal(path, "/tmp/x.wav");
    assert_int_equal(rlx_call_get(f->store, f->ctx, f->user, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_delete(f->store, f->ctx, f->user, id, &path), RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "erase", "w", rlx_wall_ms(), 50, &job), 0);
    assert_string_equal(field(job->payload, "path"), "/tmp/x.wav");
    assert_int_equal(rlx_agent_stats_check(f->store, &wrong), 0);
    assert_int_equal(json_array_size(wrong), 0);
    json_decref(wrong);
}

static void shares(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = rlx_wall_ms(), total = 0;
    char *id = answered_call(f, now_ms, "/tmp/x.wav"), *token, *silent, *json, *path, *next;

    assert_int_equal(
        rlx_share_create(f->store, f->ctx, f->other, id, true, now_ms + 1000, &token, &json),
        RLX_ENOTFOUND);
    assert_int_equal(
        rlx_share_create(f->store, f->ctx, f->user, id, true, now_ms + 1000, &token, &json), 0);
    char *share = fixture_id(f, json);
    assert_int_equal(
        rlx_share_create(f->store, f->ctx, f->user, id, false, now_ms + 9000, &silent, &json), 0);
    assert_int_equal(rlx_share_open(f->store, f->ctx, token, now_ms, &json), 0);
    json_t *shown = parsed(json);
    assert_string_equal(field(shown, "phone_number"), "…0123");
    assert_true(json_is_true(json_object_get(shown, "recording")));
    assert_int_equal(json_array_size(json_object_get(shown, "transcripts")), 1);
    assert_null(json_object_get(shown, "user_id"));
    json_decref(shown);
    assert_int_equal(rlx_share_recording(f->store, f->ctx, token, now_ms, &path), 0);
    assert_string_equal(path, "/tmp/x.wav");
    assert_int_equal(rlx_share_recording(f->store, f->ctx, silent, now_ms, &path), RLX_ENOTFOUND);
    assert_int_equal(rlx_share_open(f->store, f->ctx, token, now_ms + 1000, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_share_open(f->store, f->ctx, "nonsense", now_ms, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_shares_list(f->store, f->ctx, f->user, id, 1, NULL, &json, &next, &total),
                     0);
    assert_int_equal(total, 2);
    assert_non_null(next);
    assert_int_equal(rlx_shares_list(f->store, f->ctx, f->other, id, 1, NULL, &json, &next, &total),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_share_delete(f->store, f->other, id, share), RLX_ENOTFOUND);
    assert_int_equal(rlx_share_delete(f->store, f->user, id, share), 0);
    assert_int_equal(rlx_share_open(f->store, f->ctx, token, now_ms, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_shares_expire(f->store, now_ms + 9000), 0);
    assert_int_equal(rlx_share_open(f->store, f->ctx, silent, now_ms, &json), RLX_ENOTFOUND);
}

static void retention(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = rlx_wall_ms();
    char *id = answered_call(f, now_ms, "/tmp/x.wav"), *path, *json;
    struct rlx_retention done;
    struct rlx_job *job = NULL;

    assert_int_equal(rlx_retention_run(f->store, now_ms + 400 * 86400000LL, &done), 0);
    assert_int_equal(done.recordings, 0); /* nobody asked for it */
    json_t *days = parsed("{\"recording_days\":10,\"transcript_days\":20}");
    assert_int_equal(rlx_account_limits_set(f->store, f->user, days), 0);
    json_decref(days);
    assert_int_equal(rlx_retention_run(f->store, now_ms + 9 * 86400000LL, &done), 0);
    assert_int_equal(done.recordings, 0);
    assert_int_equal(rlx_retention_run(f->store, now_ms + 11 * 86400000LL, &done), 0);
    assert_int_equal(done.recordings, 1);
    assert_int_equal(done.transcripts, 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "erase", "w", rlx_wall_ms(), 50, &job), 0);
    assert_int_equal(rlx_call_recording(f->store, f->ctx, f->user, id, &path), RLX_ENOTFOUND);
    assert_int_equal(rlx_retention_run(f->store, now_ms + 21 * 86400000LL, &done), 0);
    assert_int_equal(done.recordings, 0);
    assert_int_equal(done.transcripts, 1);
    assert_int_equal(rlx_call_transcripts(f->store, f->ctx, f->user, id, &json), 0);
    assert_string_equal(json, "[]");
}

static char *upload_of(struct fixture *f)
{
    struct rlx_job *job = NULL;

    if (rlx_job_claim(f->store, f->ctx, "upload", "w", rlx_wall_ms(), 50000, &job))
        return NULL;
    char *path = talloc_strdup(f->ctx, json_string_value(json_object_get(job->payload, "path")));
    assert_int_equal(rlx_job_done(f->store, job->id), 0);
    return path;
}

static void uploads(void **state)
{
    struct fixture *f = *state;
    int64_t now_ms = rlx_wall_ms();
    const char *object = "s3://calls/x.wav?region=us-east-1";
    struct rlx_call_end end = {.status = "completed", .ended_ms = now_ms, .recording = "/r/x.wav"};
    struct rlx_job *job = NULL;
    char *id = fixture_call(f), *path = NULL;

    assert_int_equal(rlx_recording_where(f->store, f->ctx, id, &path), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_end(f->store, id, &end), 0);
    assert_null(upload_of(f)); /* it stays a file */
    id = fixture_call(f);
    end.upload = true;
    assert_int_equal(rlx_call_end(f->store, id, &end), 0);
    assert_string_equal(upload_of(f), "/r/x.wav");
    end.owner = true;
    assert_int_equal(rlx_call_end(f->store, id, &end),
                     0);       /* the gateway's end comes after another */
    assert_null(upload_of(f)); /* once for each call */
    assert_int_equal(rlx_recording_where(f->store, f->ctx, id, &path), 0);
    assert_string_equal(path, "/r/x.wav");
    assert_int_equal(rlx_recording_moved(f->store, id, "/r/y.wav", object), RLX_ECONFLICT);
    assert_int_equal(rlx_recording_moved(f->store, id, "/r/x.wav", object), 0);
    assert_int_equal(rlx_recording_moved(f->store, id, "/r/x.wav", object), RLX_ECONFLICT);
    assert_int_equal(rlx_call_recording(f->store, f->ctx, f->user, id, &path), 0);
    assert_string_equal(path, object);
    assert_int_equal(rlx_call_delete(f->store, f->ctx, f->user, id, &path), 0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "erase", "w", rlx_wall_ms(), 50, &job),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "remove", "w", rlx_wall_ms(), 50, &job), 0);
    assert_string_equal(json_string_value(json_object_get(job->payload, "path")), object);
    assert_int_equal(rlx_recording_moved(f->store, id, object, "/r/x.wav"), RLX_ECONFLICT);
    end.recording = NULL;
    assert_int_equal(rlx_call_end(f->store, fixture_call(f), &end), 0);
    assert_null(upload_of(f)); /* there is nothing to send */
}

struct seen {
    int count;
    int64_t last;
    char call_id[37], user_id[37];
};

static int see(const struct rlx_live_event *event, void *arg)
{
    struct seen *seen = arg;

    assert_true(event->id > seen->last);
    seen->count++;
    seen->last = event->id;
    snprintf(seen->call_id, sizeof seen->call_id, "%s", event->call_id);
    snprintf(seen->user_id, sizeof seen->user_id, "%s", event->user_id);
    return 0;
}

static void live(void **state)
{
    struct fixture *f = *state;
    struct seen all = {0}, none = {0}, one = {0};
    int64_t last = -1;

    assert_int_equal(rlx_live_last(f->store, &last), 0);
    assert_int_equal(last, 0);
    fixture_call(f);
    char *id = answered_call(f, rlx_wall_ms(), NULL);
    assert_int_equal(rlx_live_read(f->store, 0, 100, see, &all), 0);
    assert_int_equal(all.count, 5); /* initiated twice, in-progress, transcript, completed */
    assert_string_equal(all.user_id, f->user);
    assert_int_equal(rlx_live_last(f->store, &last), 0);
    assert_int_equal(last, all.last);
    assert_int_equal(rlx_live_read_of(f->store, f->other, NULL, 0, last, 100, see, &none), 0);
    assert_int_equal(none.count, 0);
    assert_int_equal(rlx_live_read_of(f->store, f->user, id, 0, last, 3, see, &one), 0);
    assert_int_equal(one.count, 3);
    assert_string_equal(one.call_id, id);
    assert_int_equal(rlx_live_read_of(f->store, f->user, id, one.last, last - 1, 3, see, &one), 0);
    assert_int_equal(one.count, 3);
}

static void sums(void **state)
{
    struct fixture *f = *state;
    const struct rlx_period all = {.from = "2020-01-01T00:00:00.000Z",
                                   .to = "2100-01-01T00:00:00.000Z"};
    const struct rlx_period past = {
        .from = "2020-01-01T00:00:00.000Z", .to = "2020-02-01T00:00:00.000Z", .agent_id = f->agent};
    json_t *json;

    answered_call(f, rlx_wall_ms(), NULL);
    fixture_call(f);
    assert_int_equal(rlx_analytics_summary(f->store, f->user, &all, &json), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "calls")), 2);
    assert_int_equal(json_integer_value(json_object_get(json, "live")), 1);
    assert_true(json_number_value(json_object_get(json, "answer_rate")) == 0.5);
    assert_int_equal(json_integer_value(json_object_get(json, "avg_duration")), 30);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "outcomes"), "booked")), 1);
    json_decref(json);
    assert_int_equal(rlx_analytics_summary(f->store, f->user, &past, &json), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "calls")), 0);
    assert_true(json_is_null(json_object_get(json, "answer_rate")));
    json_decref(json);
    assert_int_equal(rlx_analytics_days(f->store, f->user, &all, &json), 0);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "calls")), 2);
    assert_int_equal(strlen(field(json_array_get(json, 0), "date")), 10);
    json_decref(json);
    assert_int_equal(rlx_analytics_outcomes(f->store, f->user, &all, &json), 0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "statuses"), "initiated")), 1);
    json_decref(json);
    assert_int_equal(rlx_analytics_agents(f->store, f->user, &all, &json), 0);
    assert_int_equal(json_array_size(json), 1);
    assert_string_equal(field(json_array_get(json, 0), "name"), "Emma");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json, 0), "positive")), 1);
    json_decref(json);
    assert_int_equal(rlx_analytics_latency(f->store, f->user, &all, &json), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "turns")), 1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "first_audio_ms"), "p95")), 700);
    assert_true(json_is_null(json_object_get(json, "tts_ms")));
    json_decref(json);
    assert_int_equal(rlx_analytics_summary(f->store, f->other, &all, &json), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "calls")), 0);
    json_decref(json);
}

static void phone_numbers(void **state)
{
    struct fixture *f = *state;
    json_t *fields = json_pack("{s:s,s:s}", "label", "Sales", "agent_id", f->agent);
    char *json = NULL, *next = NULL;
    int64_t total = 0;

    assert_int_equal(
        rlx_phone_number_create(f->store, f->ctx, f->other, "+12025550100", fields, &json),
        RLX_ENOTFOUND); /* another's agent */
    assert_int_equal(
        rlx_phone_number_create(f->store, f->ctx, f->user, "+12025550100", fields, &json), 0);
    char *id = fixture_id(f, json);
    json_t *number = parsed(json);
    assert_string_equal(field(number, "agent_name"), "Emma");
    json_decref(number);
    assert_int_equal(
        rlx_phone_number_create(f->store, f->ctx, f->user, "+12025550100", fields, &json),
        RLX_ECONFLICT);
    json_decref(fields);
    fields = parsed("{\"agent_id\":null}");
    assert_int_equal(rlx_phone_number_update(f->store, f->ctx, f->other, id, fields, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_phone_number_update(f->store, f->ctx, f->user, id, fields, &json), 0);
    json_decref(fields);
    number = parsed(json);
    assert_string_equal(field(number, "label"), "Sales");
    assert_true(json_is_null(json_object_get(number, "agent_id")));
    json_decref(number);
    assert_int_equal(
        rlx_phone_numbers_list(f->store, f->ctx, f->user, 0, NULL, &json, &next, &total), 0);
    assert_int_equal(total, 1);
    assert_int_equal(rlx_phone_number_get(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_phone_number_delete(f->store, f->other, id), RLX_ENOTFOUND);
    assert_int_equal(rlx_phone_number_delete(f->store, f->user, id), 0);
    assert_int_equal(rlx_phone_number_delete(f->store, f->user, id), RLX_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(filters), TEST(contacts_of_numbers), TEST(removal),
        TEST(shares),  TEST(retention),           TEST(live),
        TEST(sums),    TEST(phone_numbers),       TEST(uploads),
    };
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
