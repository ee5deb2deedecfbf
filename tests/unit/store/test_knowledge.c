/* Knowledge: entries, chunks, full-text search, vectors, revisions. */
#include "fixture.h"

#include "store/knowledge.h"
#include "store/search_words.h"

static char *made(struct fixture *f, const char *title, const char *const *chunks, size_t count,
                  const char *questions)
{
    json_t *fields =
        json_pack("{s:s, s:s, s:s, s:s}", "agent_id", f->agent, "title", title, "content",
                  chunks[0], "source_type", questions ? "answer" : "manual");
    struct rlx_knowledge_parts parts = {.chunks = (char *const *)(uintptr_t)chunks,
                                        .chunk_count = count};
    char *json = NULL;

    if (questions)
        json_object_set_new(fields, "questions", parsed(questions));
    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, fields, &parts, &json), 0);
    json_decref(fields);
    return fixture_id(f, json);
}

/* How many entries hold the words; the id of the newest goes to *idp. */
static size_t search(struct fixture *f, const char *agent, const char *text, char **idp)
{
    char *json = NULL, *next = NULL;
    int64_t total = 0;

    assert_int_equal(
        rlx_knowledge_list(f->store, f->ctx, f->user, agent, text, 0, NULL, &json, &next, &total),
        0);
    json_t *list = parsed(json);
    size_t count = json_array_size(list);
    assert_int_equal(total, count);
    if (idp)
        *idp = talloc_strdup(f->ctx, field(json_array_get(list, 0), "id"));
    json_decref(list);
    return count;
}

static char *stamp(struct fixture *f)
{
    char *text = NULL;

    assert_int_equal(rlx_knowledge_stamp(f->store, f->ctx, f->agent, &text), 0);
    return text;
}

static void entries(void **state)
{
    struct fixture *f = *state;
    static const char *const chunks[] = {"Brakes cost ninety dollars.", "Tires are extra."};
    char *json = NULL, *next = NULL, *before = stamp(f);
    int64_t total = 0;
    char *id = made(f, "Prices", chunks, 2, NULL);

    assert_string_not_equal(before, stamp(f));
    assert_int_equal(rlx_knowledge_get(f->store, f->ctx, f->user, id, &json), 0);
    json_t *entry = parsed(json);
    assert_string_equal(field(entry, "title"), "Prices");
    assert_string_equal(field(entry, "source_type"), "manual");
    assert_true(json_is_null(json_object_get(entry, "source_url")));
    assert_string_equal(field(entry, "created_at"), field(entry, "updated_at"));
    assert_int_equal(json_array_size(json_object_get(entry, "questions")), 0);
    json_decref(entry);
    assert_int_equal(rlx_knowledge_get(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_get(f->store, f->ctx, NULL, id, &json), 0);
    assert_int_equal(rlx_knowledge_list(f->store, f->ctx, f->other, f->agent, NULL, 0, NULL, &json,
                                        &next, &total),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_list(f->store, f->ctx, f->user, f->agent, NULL, 0, NULL, &json,
                                        &next, &total),
                     0);
    json_t *list = parsed(json);
    assert_int_equal(total, 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "length")), 27);
    json_decref(list);
    assert_int_equal(rlx_knowledge_delete(f->store, f->other, id), RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_delete(f->store, f->user, id), 0);
    assert_int_equal(rlx_knowledge_delete(f->store, f->user, id), RLX_ENOTFOUND);
    assert_int_equal(search(f, f->agent, "brakes", NULL), 0);
}

static void of_another(void **state)
{
    struct fixture *f = *state;
    json_t *fields =
        json_pack("{s:s, s:s, s:s}", "agent_id", f->agent, "title", "T", "content", "C");
    struct rlx_knowledge_parts parts = {.chunks = NULL};
    char *json = NULL;

    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->other, fields, &parts, &json),
                     RLX_ENOTFOUND);
    json_decref(fields);
}

static void full_text(void **state)
{
    struct fixture *f = *state;
    static const char *const prices[] = {"Brakes cost ninety dollars, front and rear.",
                                         "Tires are extra. Ask for winter tires."};
    static const char *const hours[] = {"We are open from nine to five, closed on Sundays."};
    static const char *const answer[] = {"Yes, we do."};
    char *first = made(f, "Prices", prices, 2, NULL),
         *second = made(f, "Opening hours", hours, 1, NULL);
    char *third = made(f, "Parking", answer, 1, "[\"can I park at the building\"]");
    char *agent = fixture_agent(f, f->user, "Other");
    char *found = NULL;

    assert_int_equal(search(f, f->agent, "the winter tire", &found), 1);
    assert_string_equal(found, first);
    assert_int_equal(search(f, f->agent, "opening sunday", &found), 1);
    assert_string_equal(found, second);
    assert_int_equal(search(f, f->agent, "building parks", &found), 1);
    assert_string_equal(found, third);
    assert_int_equal(search(f, f->agent, "brakes sunday", NULL), 0);
    assert_int_equal(search(f, agent, "tires", NULL), 0);
    /* Nothing to look for, and text that is no query in either language. */
    static const char *const odd[] = {"",       "the is a of",   "\" OR *",
                                      "') | (", "& ! <-> :*",    "scope : x",
                                      "NEAR(",  "\xE2\x80\x99s", "'; DROP TABLE users; --",
                                      "a:b",    "caf\xC3\xA9",   "\\'x"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_int_equal(search(f, f->agent, odd[i], NULL), 0);
    char *endless = talloc_size(f->ctx, 601);
    for (int i = 0; i < 600; i += 3)
        memcpy(endless + i, "\xE6\xBC\xA2", 3);
    endless[600] = '\0';
    assert_int_equal(search(f, f->agent, endless, NULL), 0);
}

static void words(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(
        rlx_search_words(f->ctx, "What's the Price of brakes, brakes & 2 tires?", "", " "),
        "price brakes 2 tires");
    assert_string_equal(rlx_search_words(f->ctx, "caf\xC3\xA9\xE2\x80\x94menu", "\"", " OR "),
                        "\"caf\xC3\xA9\" OR \"menu\"");
    assert_null(rlx_search_words(f->ctx, "do you have it", "", " "));
}

static void vectors(void **state)
{
    struct fixture *f = *state;
    static const char *const text[] = {"one", "two"};
    static const float numbers[] = {1, 0, 0, 1};
    char *id = made(f, "T", text, 2, NULL), **chunks = NULL;
    struct rlx_knowledge_row *rows = NULL;
    size_t count = 0;
    int64_t revision = 0;
    struct rlx_job *job = NULL;

    assert_int_equal(rlx_job_claim(f->store, f->ctx, "embed", "w", rlx_wall_ms() + 10, 1000, &job),
                     0);
    assert_string_equal(json_string_value(json_object_get(job->payload, "knowledge_id")), id);
    assert_int_equal(rlx_knowledge_chunks(f->store, f->ctx, id, &chunks, &count, &revision), 0);
    assert_int_equal(count, 2);
    assert_string_equal(chunks[1], "two");
    assert_int_equal(rlx_knowledge_set_vectors(f->store, id, revision + 1, numbers, 2, 2),
                     RLX_ENOTFOUND);
    char *before = stamp(f);
    assert_int_equal(rlx_knowledge_set_vectors(f->store, id, revision, numbers, 2, 2), 0);
    assert_string_not_equal(before, stamp(f));
    assert_int_equal(rlx_knowledge_load(f->store, f->ctx, f->agent, &rows, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].chunk_count, 2);
    assert_int_equal(rows[0].vector_count, 2);
    assert_memory_equal(rows[0].vectors, numbers, sizeof numbers);
    assert_string_equal(rows[0].content, "one");
    int missing = -1;
    assert_int_equal(rlx_knowledge_embed_missing(f->store, &missing), 0);
    assert_int_equal(missing, 0);
}

/* A change takes chunks and vectors with it, and the job for the old text finds that it is late. */
static void change(void **state)
{
    struct fixture *f = *state;
    static const char *const text[] = {"brakes"}, *const later[] = {"tires", "wheels"};
    static const float numbers[] = {1, 0};
    char *id = made(f, "T", text, 1, NULL), *json = NULL, **chunks = NULL;
    size_t count = 0;
    int64_t revision = 0, now = 0;
    int missing = 0;

    assert_int_equal(rlx_knowledge_chunks(f->store, f->ctx, id, &chunks, &count, &revision), 0);
    assert_int_equal(rlx_knowledge_set_vectors(f->store, id, revision, numbers, 1, 2), 0);
    json_t *fields = json_pack("{s:s, s:s}", "content", "tires and wheels", "title", "New");
    struct rlx_knowledge_parts parts = {.chunks = (char *const *)(uintptr_t)later,
                                        .chunk_count = 2};
    assert_int_equal(rlx_knowledge_update(f->store, f->ctx, f->other, id, fields, &parts, &json),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_update(f->store, f->ctx, f->user, id, fields, &parts, &json), 0);
    json_decref(fields);
    json_t *entry = parsed(json);
    assert_string_equal(field(entry, "title"), "New");
    assert_string_equal(field(entry, "content"), "tires and wheels");
    json_decref(entry);
    assert_int_equal(search(f, f->agent, "brakes", NULL), 0);
    assert_int_equal(search(f, f->agent, "wheels", NULL), 1);
    assert_int_equal(rlx_knowledge_set_vectors(f->store, id, revision + 1, numbers, 1, 2),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_knowledge_embed_missing(f->store, &missing), 0);
    assert_int_equal(missing, 1);
    assert_int_equal(rlx_knowledge_chunks(f->store, f->ctx, id, &chunks, &count, &now), 0);
    assert_true(now > revision);
    /* Chunks of an entry that had none. */
    assert_int_equal(rlx_knowledge_set_chunks(f->store, id, (char *const *)(uintptr_t)text, 1), 0);
    assert_int_equal(search(f, f->agent, "brakes", NULL), 1);
}

static void too_much(void **state)
{
    struct fixture *f = *state;
    size_t count = RLX_KNOWLEDGE_CHUNKS_MAX / 2 + 1;
    const char **chunks = talloc_array(f->ctx, const char *, (unsigned)count);
    struct rlx_knowledge_parts parts = {.chunks = (char *const *)(uintptr_t)chunks,
                                        .chunk_count = count};
    json_t *fields =
        json_pack("{s:s, s:s, s:s}", "agent_id", f->agent, "title", "T", "content", "C");
    char *json = NULL;

    for (size_t i = 0; i < count; i++)
        chunks[i] = "word";
    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, fields, &parts, &json), 0);
    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, fields, &parts, &json),
                     RLX_ETOOBIG);
    json_decref(fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(entries), TEST(of_another), TEST(full_text),
                                       TEST(words),   TEST(vectors),    TEST(change),
                                       TEST(too_much)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
