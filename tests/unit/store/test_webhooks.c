/* Webhooks: facts become deliveries in the transaction that makes them, once. */
#include "fixture.h"

#include "store/webhooks.h"

static char *hook(struct fixture *f, const char *user, json_t *events)
{
    json_t *fields = json_pack("{s:s,s:o}", "url", "https://example.com/", "events", events);
    char *json = NULL;

    assert_int_equal(rlx_webhook_create(f->store, f->ctx, user, fields, "whsec_x", &json), 0);
    assert_null(strstr(json, "whsec"));
    json_decref(fields);
    return fixture_id(f, json);
}

static json_t *deliveries(struct fixture *f, const char *webhook)
{
    char *json = NULL, *next = NULL;
    int64_t total = 0;

    assert_int_equal(rlx_deliveries_list(f->store, f->ctx, f->user, webhook, NULL, 0, NULL, &json,
                                         &next, &total),
                     0);
    json_t *rows = parsed(json);
    assert_int_equal(json_array_size(rows), total);
    return rows;
}

/* The one delivery of the event; NULL when there is none. */
static json_t *of_event(json_t *rows, const char *event)
{
    json_t *row, *found = NULL;
    size_t i;

    json_array_foreach (rows, i, row) {
        if (!strcmp(field(row, "event"), event)) {
            assert_null(found);
            found = row;
        }
    }
    return found;
}

static void end(struct fixture *f, const char *call, const char *status, bool owner)
{
    const struct rlx_call_end fact = {
        .status = status, .reason = "goodbye", .owner = owner, .ended_ms = rlx_wall_ms()};

    assert_int_equal(rlx_call_end(f->store, call, &fact), 0);
}

static void test_webhook(void **state)
{
    struct fixture *f = *state;
    char *id = hook(f, f->user, json_pack("[s]", "call.ended")), *json = NULL, *next = NULL;
    json_t *fields = json_pack("{s:b,s:s,s:[s]}", "is_active", 0, "description", "d", "events",
                               "call.failed"),
           *row;
    int64_t total = 0;

    assert_int_equal(rlx_webhook_update(f->store, f->ctx, f->user, id, fields, &json), 0);
    row = parsed(json);
    assert_true(json_is_false(json_object_get(row, "is_active")));
    assert_string_equal(field(row, "description"), "d");
    json_decref(row);
    assert_int_equal(rlx_webhook_update(f->store, f->ctx, f->other, id, fields, &json),
                     RLX_ENOTFOUND);
    json_decref(fields);
    assert_int_equal(rlx_webhook_set_secret(f->store, f->other, id, "x"), RLX_ENOTFOUND);
    assert_int_equal(rlx_webhook_set_secret(f->store, f->user, id, "x"), 0);
    assert_int_equal(rlx_webhooks_list(f->store, f->ctx, f->user, 0, NULL, &json, &next, &total),
                     0);
    assert_int_equal(total, 1);
    assert_int_equal(
        rlx_deliveries_list(f->store, f->ctx, f->other, id, NULL, 0, NULL, &json, &next, NULL),
        RLX_ENOTFOUND);
    assert_int_equal(rlx_webhook_delete(f->store, f->other, id), RLX_ENOTFOUND);
    assert_int_equal(rlx_webhook_delete(f->store, f->user, id), 0);
    assert_int_equal(rlx_webhook_get(f->store, f->ctx, f->user, id, &json), RLX_ENOTFOUND);
}

static void test_facts(void **state)
{
    struct fixture *f = *state;
    char *all = hook(f, f->user,
                     json_pack("[s,s,s,s,s,s]", "call.started", "call.ended", "call.failed",
                               "transcript.ready", "call.analyzed", "contact.opted_out"));
    char *ended = hook(f, f->user, json_pack("[s]", "call.ended"));
    hook(f, f->other, json_pack("[s]", "call.ended"));
    char *call = fixture_call(f), *failed = fixture_call(f);
    const struct rlx_turn_row turn = {.id = "018f0000-0000-7000-8000-000000000001",
                                      .seq = 1,
                                      .text = "Hello",
                                      .at_ms = 1,
                                      .agent = true};
    struct rlx_turn_row said = turn;
    json_t *analysis = json_pack("{s:s,s:s}", "outcome", "interested", "sentiment", "positive");

    assert_int_equal(rlx_call_progress(f->store, call, "ringing"), 0);
    assert_int_equal(rlx_call_progress(f->store, call, "in-progress"), 0);
    memccpy(said.call_id, call, 0, sizeof said.call_id);
    assert_int_equal(rlx_call_append_turn(f->store, &said), 0);
    assert_int_equal(rlx_dnc_add(f->store, f->user, "+12025550123", "call", call), 0);
    end(f, call, "completed", true);
    end(f, call, "completed", true);
    assert_int_equal(rlx_analysis_save(f->store, call, analysis), 0);
    assert_int_equal(rlx_analysis_save(f->store, call, analysis), 0);
    json_decref(analysis);
    end(f, failed, "no-answer", false);
    assert_int_equal(rlx_analysis_fail(f->store, failed, "no words"), 0);

    static const char *const wanted[] = {"call.failed", "call.analyzed",     "transcript.ready",
                                         "call.ended",  "contact.opted_out", "call.started"};
    json_t *rows = deliveries(f, all), *row;
    assert_int_equal(json_array_size(rows), 6);
    for (size_t i = 0; i < 6; i++) {
        row = of_event(rows, wanted[i]);
        assert_non_null(row);
        json_t *payload = json_object_get(row, "payload"), *data = json_object_get(payload, "data");
        assert_string_equal(field(payload, "type"), wanted[i]);
        assert_string_equal(field(row, "status"), "pending");
        assert_true(json_is_string(json_object_get(row, "next_attempt_at")));
        if (i == 1)
            assert_string_equal(field(json_object_get(data, "analysis"), "outcome"), "interested");
        if (i == 2)
            assert_int_equal(json_array_size(json_object_get(data, "transcripts")), 1);
        if (i == 3)
            assert_string_equal(field(json_object_get(data, "call"), "status"), "completed");
        if (i == 4)
            assert_string_equal(field(data, "phone_number"), "+12025550123");
    }
    json_decref(rows);
    rows = deliveries(f, ended);
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
}

/* A gateway that was taken for lost comes back: the truth follows. */
static void test_owner_returns(void **state)
{
    struct fixture *f = *state;
    char *id = hook(f, f->user,
                    json_pack("[s,s,s]", "call.failed", "call.ended", "transcript.ready")),
         *call = fixture_call(f);

    end(f, call, "failed", false);
    json_t *rows = deliveries(f, id);
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
    end(f, call, "completed", true);
    rows = deliveries(f, id);
    assert_int_equal(json_array_size(rows), 3);
    assert_non_null(of_event(rows, "call.ended"));
    json_decref(rows);
}

static void test_sending(void **state)
{
    struct fixture *f = *state;
    char *id = hook(f, f->user, json_pack("[s]", "call.ended")), *json = NULL, *next = NULL;
    struct rlx_delivery *delivery = NULL;
    struct rlx_job *job = NULL;
    int64_t total = 0;

    assert_int_equal(rlx_webhook_test(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_webhook_test(f->store, f->ctx, f->user, id, &json), 0);
    char *first = fixture_id(f, json);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "webhook", "w", rlx_wall_ms(), 60000, &job),
                     0);
    assert_string_equal(field(job->payload, "delivery_id"), first);
    assert_int_equal(rlx_delivery_load(f->store, f->ctx, first, &delivery), 0);
    assert_string_equal(delivery->kept, "whsec_x");
    assert_string_equal(delivery->url, "https://example.com/");
    assert_string_equal(delivery->event, "webhook.test");
    assert_string_equal(delivery->user_id, f->user);
    assert_true(delivery->active);
    assert_non_null(strstr(delivery->payload, "\"type\":\"webhook.test\""));

    struct rlx_delivery_result result = {
        .status = "pending", .attempts = 1, .error = "no answer", .next_ms = 1000};
    assert_int_equal(rlx_delivery_result(f->store, first, &result), 0);
    json_t *rows = deliveries(f, id), *row = json_array_get(rows, 0);
    assert_string_equal(field(row, "next_attempt_at"), "1970-01-01T00:00:01.000Z");
    assert_string_equal(field(row, "error"), "no answer");
    assert_true(json_is_null(json_object_get(row, "response_code")));
    json_decref(rows);
    result = (struct rlx_delivery_result){
        .status = "delivered", .attempts = 2, .code = 204, .took_ms = 12, .excerpt = "ok"};
    assert_int_equal(rlx_delivery_result(f->store, first, &result), 0);

    assert_int_equal(rlx_delivery_replay(f->store, f->ctx, f->other, id, first, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_delivery_replay(f->store, f->ctx, f->user, id, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_delivery_replay(f->store, f->ctx, f->user, id, first, &json), 0);
    row = parsed(json);
    assert_string_equal(field(row, "replay_of"), first);
    assert_string_equal(field(row, "status"), "pending");
    json_decref(row);
    assert_int_equal(rlx_deliveries_list(f->store, f->ctx, f->user, id, "delivered", 0, NULL, &json,
                                         &next, &total),
                     0);
    assert_int_equal(total, 1);
    assert_int_equal(rlx_deliveries_forget(f->store, rlx_wall_ms() + 1000), 0);
    rows = deliveries(f, id); /* what is still to be sent stays */
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
}

static void test_secrets(void **state)
{
    struct fixture *f = *state;
    struct rlx_config *config = NULL, *other = NULL;
    char *why = NULL, *secret = NULL, *with[] = {"--secrets-key=new,old"}, *without[] = {""},
         *before[] = {"--secrets-key=old"};

    assert_int_equal(rlx_config_load(&config, f->ctx, 0, without, &why), 0);
    assert_string_equal(rlx_webhook_seal(f->ctx, config, f->user, "whsec_x"), "whsec_x");
    assert_int_equal(rlx_webhook_unseal(&secret, f->ctx, config, f->user, "whsec_x"), 0);
    assert_string_equal(secret, "whsec_x");
    assert_int_equal(rlx_config_load(&other, f->ctx, 1, before, &why), 0);
    char *kept = rlx_webhook_seal(f->ctx, other, f->user, "whsec_x");
    assert_null(strstr(kept, "whsec"));
    assert_int_equal(rlx_webhook_unseal(&secret, f->ctx, config, f->user, kept), RLX_ECONFIG);
    talloc_free(config);
    assert_int_equal(rlx_config_load(&config, f->ctx, 1, with, &why), 0);
    assert_int_equal(rlx_webhook_unseal(&secret, f->ctx, config, f->user, kept), 0);
    assert_string_equal(secret, "whsec_x");
    assert_int_equal(rlx_webhook_unseal(&secret, f->ctx, config, f->other, kept), RLX_ECONFIG);
    kept = rlx_webhook_seal(f->ctx, config, f->user, "whsec_x");
    assert_int_equal(rlx_webhook_unseal(&secret, f->ctx, other, f->user, kept), RLX_ECONFIG);
    assert_int_equal(rlx_webhook_unseal(&secret, f->ctx, config, f->user, "sealed:x"), RLX_ECONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_webhook), TEST(test_facts),
                                       TEST(test_owner_returns), TEST(test_sending),
                                       TEST(test_secrets)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
