#include "fixture.h"
#include "store/agents_db.h"
#include "store/knowledge.h"

static void create_full(void **state)
{
    struct fixture *f = *state;
    char *json = NULL;
    json_t *fields = parsed(
        "{\"name\":\"Al\\\"ice\",\"prompt_text\":\"P\",\"voice_settings\":{\"speed\":1.5,\"on\":"
        "true},"
        "\"temperature\":0.25,\"max_tokens\":99,\"is_active\":false,\"greeting\":\"Hi \\u00e9\","
        "\"turn_settings\":{\"speculation\":false},\"extraction\":[{\"name\":\"size\"}]}");

    assert_int_equal(rlx_agent_create(f->store, f->ctx, f->user, fields, &json), 0);
    json_t *agent = parsed(json), *value;
    const char *key;
    json_object_foreach (fields, key, value)
        assert_true(json_equal(value, json_object_get(agent, key)));
    assert_string_equal(field(agent, "llm_model"), "llama3:8b");
    assert_string_equal(field(agent, "user_id"), f->user);
    assert_true(json_is_null(json_object_get(agent, "goodbye")));
    json_decref(agent);
    json_decref(fields);
    fields = parsed("{\"name\":\"x\"}");
    assert_int_equal(rlx_agent_create(f->store, f->ctx, f->user, fields, &json), RLX_EINVAL);
    json_decref(fields);
}

static void update_subset(void **state)
{
    struct fixture *f = *state;
    char *json = NULL;
    json_t *fields = parsed("{\"name\":\"New\",\"greeting\":\"Hello\",\"is_active\":false}");

    assert_int_equal(rlx_agent_update(f->store, f->ctx, f->user, f->agent, fields, &json), 0);
    json_decref(fields);
    fields = parsed("{\"greeting\":null,\"temperature\":0}");
    assert_int_equal(rlx_agent_update(f->store, f->ctx, f->user, f->agent, fields, &json), 0);
    json_t *agent = parsed(json);
    assert_string_equal(field(agent, "name"), "New");
    assert_string_equal(field(agent, "prompt_text"), "Be kind.");
    assert_true(json_is_null(json_object_get(agent, "greeting")));
    assert_true(json_is_false(json_object_get(agent, "is_active")));
    assert_true(json_number_value(json_object_get(agent, "temperature")) == 0.0);
    json_decref(agent);
    assert_int_equal(rlx_agent_update(f->store, f->ctx, f->other, f->agent, fields, &json),
                     RLX_ENOTFOUND);
    json_decref(fields);
}

static void list_pages(void **state)
{
    struct fixture *f = *state;
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    size_t seen = 0;

    for (int i = 0; i < 6; i++)
        fixture_agent(f, f->user, "A");
    fixture_agent(f, f->other, "B");
    do {
        assert_int_equal(rlx_agents_list(f->store, f->ctx, f->user, 3, next, &json, &next, &total),
                         0);
        json_t *page = parsed(json);
        assert_true(json_array_size(page) <= 3);
        seen += json_array_size(page);
        json_decref(page);
        assert_int_equal(total, 7);
    } while (next);
    assert_int_equal(seen, 7);
    assert_int_equal(rlx_agents_list(f->store, f->ctx, f->user, 201, NULL, &json, &next, &total),
                     RLX_EINVAL);
    assert_int_equal(rlx_agents_list(f->store, f->ctx, f->user, 5, "x'--", &json, &next, &total),
                     RLX_EINVAL);
}

static void list_numbers(void **state)
{
    struct fixture *f = *state;
    char *json = NULL, *next = NULL;

    for (int i = 0; i < 2; i++) {
        char *call = fixture_call(f);
        assert_int_equal(rlx_call_progress(f->store, call, "in-progress"), 0);
        struct rlx_call_end end = {.status = "completed",
                                   .ended_ms = rlx_wall_ms() + 10000 + 20000 * i};
        assert_int_equal(rlx_call_end(f->store, call, &end), 0);
    }
    assert_int_equal(rlx_agents_list(f->store, f->ctx, f->user, 0, NULL, &json, &next, NULL), 0);
    json_t *page = parsed(json), *agent = json_array_get(page, 0);
    assert_int_equal(json_integer_value(json_object_get(agent, "call_count")), 2);
    assert_int_equal(json_integer_value(json_object_get(agent, "avg_duration")), 20);
    assert_int_equal(strlen(field(agent, "last_used")), 24);
    assert_null(next);
    json_decref(page);
}

static void delete_keeps_calls(void **state)
{
    struct fixture *f = *state;
    char *call = fixture_call(f), *json = NULL;

    assert_int_equal(rlx_agent_delete(f->store, f->other, f->agent), RLX_ENOTFOUND);
    assert_int_equal(rlx_agent_delete(f->store, f->user, f->agent), 0);
    assert_int_equal(rlx_agent_delete(f->store, f->user, f->agent), RLX_ENOTFOUND);
    assert_int_equal(rlx_call_get(f->store, f->ctx, f->user, call, &json), 0);
    json_t *row = parsed(json);
    assert_true(json_is_null(json_object_get(row, "agent_id")));
    json_decref(row);
    json_t *load = NULL;
    assert_int_equal(rlx_call_load(f->store, f->ctx, call, &load), 0);
    assert_true(json_is_null(json_object_get(load, "agent")));
    json_decref(load);
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static json_t *change(struct fixture *f, const char *fields_json)
{
    json_t *fields = parsed(fields_json);
    char *json = NULL;

    assert_int_equal(rlx_agent_update(f->store, f->ctx, f->user, f->agent, fields, &json), 0);
    json_decref(fields);
    return parsed(json);
}

static void versions(void **state)
{
    struct fixture *f = *state;
    char *json = NULL;
    int64_t next = 0, total = 0;

    json_t *agent = change(f, "{\"greeting\":\"Hi\",\"temperature\":0.2}");
    assert_int_equal(number(agent, "version"), 2);
    json_decref(agent);
    agent = change(f, "{\"greeting\":\"Hi\"}"); /* nothing new */
    assert_int_equal(number(agent, "version"), 2);
    json_decref(agent);
    agent = change(f, "{\"warnings\":[\"w\"]}"); /* no setting */
    assert_int_equal(number(agent, "version"), 2);
    json_decref(agent);
    json_decref(change(f, "{\"prompt_text\":\"Be brief.\",\"providers\":{\"llm\":[\"groq\"]}}"));
    assert_int_equal(
        rlx_agent_versions(f->store, f->ctx, f->user, f->agent, 2, 0, &json, &next, &total), 0);
    json_t *page = parsed(json);
    assert_int_equal(json_array_size(page), 2);
    assert_int_equal(total, 3);
    assert_int_equal(next, 2);
    assert_int_equal(number(json_array_get(page, 0), "version"), 3);
    json_t *changed = json_object_get(json_array_get(page, 0), "changed");
    assert_int_equal(json_array_size(changed), 2);
    json_decref(page);
    assert_int_equal(
        rlx_agent_versions(f->store, f->ctx, f->user, f->agent, 2, next, &json, &next, &total), 0);
    page = parsed(json);
    assert_int_equal(json_array_size(page), 1);
    assert_int_equal(next, 0);
    json_decref(page);
    /* what the first was like */
    assert_int_equal(rlx_agent_version(f->store, f->ctx, f->user, f->agent, 1, &json), 0);
    json_t *version = parsed(json), *data = json_object_get(version, "data");
    assert_string_equal(field(data, "prompt_text"), "Be kind.");
    assert_null(json_object_get(data, "id"));
    /* and back */
    assert_int_equal(rlx_agent_update(f->store, f->ctx, f->user, f->agent, data, &json), 0);
    json_decref(version);
    agent = parsed(json);
    assert_int_equal(number(agent, "version"), 4);
    assert_string_equal(field(agent, "prompt_text"), "Be kind.");
    assert_true(json_is_null(json_object_get(agent, "greeting")));
    json_decref(agent);
    assert_int_equal(rlx_agent_version(f->store, f->ctx, f->other, f->agent, 1, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_agent_version(f->store, f->ctx, f->user, f->agent, 9, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(
        rlx_agent_versions(f->store, f->ctx, f->other, f->agent, 2, 0, &json, &next, &total),
        RLX_ENOTFOUND);
}

static void copies(void **state)
{
    struct fixture *f = *state;
    json_t *entry = json_pack("{s:s,s:s,s:s}", "agent_id", f->agent, "title", "Socks", "content",
                              "Wool is warm.");
    char *chunks[] = {(char *)(uintptr_t) "Wool is warm."};
    const float vectors[] = {1, 0};
    const struct rlx_knowledge_parts parts = {chunks, 1, vectors, 1, 2},
                                     bare = {chunks, 1, NULL, 0, 0};
    struct rlx_knowledge_row *rows = NULL;
    struct rlx_job *job = NULL;
    char *json = NULL;
    size_t count = 0;

    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, entry, &parts, &json), 0);
    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, entry, &bare, &json), 0);
    json_decref(entry);
    assert_int_equal(rlx_agent_copy(f->store, f->ctx, f->other, f->agent, NULL, true, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_agent_copy(f->store, f->ctx, f->user, f->agent, NULL, true, &json), 0);
    char *id = fixture_id(f, json);
    json_t *agent = parsed(json);
    assert_string_equal(field(agent, "name"), "Emma (copy)");
    assert_int_equal(number(agent, "version"), 1);
    json_decref(agent);
    assert_int_equal(rlx_knowledge_load(f->store, f->ctx, id, &rows, &count), 0);
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].chunks[0], "Wool is warm.");
    assert_int_equal(rows[0].vector_count + rows[1].vector_count, 1);
    /* a job for each entry without vectors: the old one's and the copy's */
    for (int i = 0; i < 2; i++)
        assert_int_equal(rlx_job_claim(f->store, f->ctx, "embed", "w", rlx_wall_ms(), 5000, &job),
                         0);
    assert_int_equal(rlx_job_claim(f->store, f->ctx, "embed", "w", rlx_wall_ms(), 5000, &job),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_agent_copy(f->store, f->ctx, f->user, f->agent, "Bare", false, &json), 0);
    id = fixture_id(f, json);
    assert_int_equal(rlx_knowledge_load(f->store, f->ctx, id, &rows, &count), 0);
    assert_int_equal(count, 0);
}

static void voicemail_policy(void **state)
{
    struct fixture *f = *state;
    json_t *agent = change(f, "{\"voicemail_message\":\"Call us.\"}"), *call;

    assert_string_equal(field(agent, "voicemail_policy"), "leave_message");
    json_decref(agent);
    char *id = fixture_call(f);
    assert_int_equal(rlx_call_load(f->store, f->ctx, id, &call), 0);
    assert_string_equal(field(json_object_get(call, "agent"), "voicemail_message"), "Call us.");
    json_decref(call);
    agent = change(f, "{\"voicemail_policy\":\"hang_up\"}");
    assert_string_equal(field(agent, "voicemail_message"), "Call us.");
    json_decref(agent);
    assert_int_equal(rlx_call_load(f->store, f->ctx, id, &call), 0);
    assert_string_equal(field(json_object_get(call, "agent"), "voicemail_message"), "");
    json_decref(call);
}

static void assert_stats_right(struct fixture *f)
{
    json_t *wrong = NULL;

    assert_int_equal(rlx_agent_stats_check(f->store, &wrong), 0);
    assert_int_equal(json_array_size(wrong), 0);
    json_decref(wrong);
}

static void statistics(void **state)
{
    struct fixture *f = *state;
    const int64_t now_ms = rlx_wall_ms();
    struct rlx_call_end end = {.status = "completed", .ended_ms = now_ms + 10000};
    json_t *wrong = NULL;

    assert_stats_right(f);
    char *a = fixture_call(f), *b = fixture_call(f);
    assert_stats_right(f);
    assert_int_equal(rlx_call_progress(f->store, a, "in-progress"), 0);
    assert_int_equal(rlx_call_end(f->store, a, &end), 0);
    assert_stats_right(f);
    /* the owner's later end counts, once */
    end.owner = true;
    end.ended_ms += 7000;
    assert_int_equal(rlx_call_end(f->store, a, &end), 0);
    assert_int_equal(rlx_call_end(f->store, a, &end), 0);
    assert_stats_right(f);
    end.status = "busy"; /* never answered: no duration */
    assert_int_equal(rlx_call_end(f->store, b, &end), 0);
    assert_stats_right(f);
    /* the checker sees what is wrong */
    struct rlx_db *db;
    assert_int_equal(rlx_db_begin(f->store, RLX_DB_WRITE, &db), 0);
    assert_int_equal(rlx_db_end(db, rlx_db_stats_begin(db, b)), 0);
    assert_int_equal(rlx_agent_stats_check(f->store, &wrong), 0);
    assert_int_equal(json_array_size(wrong), 1);
    json_decref(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_full),  TEST(update_subset),      TEST(list_pages),
        TEST(list_numbers), TEST(delete_keeps_calls), TEST(versions),
        TEST(copies),       TEST(voicemail_policy),   TEST(statistics),
    };
    return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}
