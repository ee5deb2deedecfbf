#include "fixture.h"

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
    json_object_foreach(fields, key, value)
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

static void knowledge(void **state)
{
    static const float vectors[] = {0.5f, -0.5f, 1, 0, 0.25f, 2};
    struct fixture *f = *state;
    struct rlx_knowledge_row *rows = NULL;
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    size_t count = 0;
    json_t *fields = json_pack("{s:s,s:s,s:s,s:s,s:[s,s]}", "agent_id", f->agent, "title", "Price",
                               "content", "It is nine dollars.", "source_type", "answer",
                               "questions", "how much is it", "what does it cost");

    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->other, fields, vectors, 2, 3, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, fields, vectors, 2, 3, &json),
                     0);
    char *id = fixture_id(f, json);
    json_t *row = parsed(json);
    assert_string_equal(field(row, "source_type"), "answer");
    assert_int_equal(json_array_size(json_object_get(row, "questions")), 2);
    json_decref(row);
    json_decref(fields);
    assert_int_equal(rlx_knowledge_load(f->store, f->ctx, f->agent, &rows, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].vector_count, 2);
    assert_int_equal(rows[0].dim, 3);
    assert_memory_equal(rows[0].vectors, vectors, sizeof vectors);
    assert_string_equal(rows[0].questions[1], "what does it cost");
    assert_null(rows[0].questions[2]);
    assert_int_equal(rlx_knowledge_set_vectors(f->store, id, vectors, 1, 2), 0);
    assert_int_equal(rlx_knowledge_set_vectors(f->store, "none", vectors, 1, 2), RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_load(f->store, f->ctx, f->agent, &rows, &count), 0);
    assert_int_equal(rows[0].vector_count, 1);
    assert_int_equal(
        rlx_knowledge_list(f->store, f->ctx, f->user, f->agent, 10, NULL, &json, &next, &total), 0);
    assert_int_equal(total, 1);
    assert_int_equal(
        rlx_knowledge_list(f->store, f->ctx, f->other, f->agent, 10, NULL, &json, &next, &total),
        RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_get(f->store, f->ctx, id, &json), 0);
    assert_int_equal(rlx_knowledge_delete(f->store, f->other, id), RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_delete(f->store, f->user, id), 0);
    assert_int_equal(rlx_knowledge_load(f->store, f->ctx, f->agent, &rows, &count), 0);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_full),  TEST(update_subset),      TEST(list_pages),
        TEST(list_numbers), TEST(delete_keeps_calls), TEST(knowledge),
    };
    return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}
