/* What a call finds: both lists joined, what is cut of a passage, answers and passages in one
 * match, and what is shared. */
#include "../store/fixture.h"

#include <math.h>
#include <pthread.h>

#include "knowledge/find.h"
#include "knowledge/known.h"

#define FILLER                                                                                     \
    "This long sentence is here to fill the chunk with words that nobody will ever ask for in a "  \
    "call. "
#define FILLERS FILLER FILLER FILLER FILLER FILLER

static void add(struct fixture *f, const char *title, const char *const *chunks, size_t count,
                const float *vectors, const char *questions)
{
    size_t ways = 0;
    json_t *fields =
        json_pack("{s:s, s:s, s:s, s:s}", "agent_id", f->agent, "title", title, "content",
                  chunks[0], "source_type", questions ? "answer" : "manual");

    if (questions) {
        json_t *list = parsed(questions);
        ways = json_array_size(list);
        json_object_set_new(fields, "questions", list);
    }
    struct rlx_knowledge_parts parts = {.chunks = (char *const *)(uintptr_t)chunks,
                                        .chunk_count = count,
                                        .vectors = vectors,
                                        .vector_count = questions ? ways : count,
                                        .dim = 2};
    char *json = NULL;
    assert_int_equal(rlx_knowledge_create(f->store, f->ctx, f->user, fields, &parts, &json), 0);
    json_decref(fields);
}

static struct rlx_known *load(struct fixture *f, const char *mode)
{
    struct rlx_known *known = NULL;

    assert_int_equal(rlx_known_load(&known, f->store, f->agent, mode), 0);
    return known;
}

static void find(struct fixture *f, struct rlx_found *found, const struct rlx_known *known,
                 const char *text, const float *vector)
{
    rlx_find(found, f->ctx, known, text, vector, vector ? 2 : 0);
}

static const char *const shelf[] = {FILLERS "Brakes cost ninety dollars. " FILLERS,
                                    FILLERS "Tires are extra. " FILLERS,
                                    FILLERS "We close on Sundays. " FILLERS};
static const float shelf_vectors[] = {1, 0, 0, 1, 0.8F, 0.6F};

static void joined(void **state)
{
    struct fixture *f = *state;
    static const float like_first[] = {1, 0}, like_none[] = {-1, 0};
    struct rlx_found found;

    add(f, "Shelf", shelf, 3, shelf_vectors, NULL);
    struct rlx_known *known = load(f, "auto");
    assert_true(rlx_known_can_look_up(known));
    find(f, &found, known, "how much are brakes", like_first);
    assert_int_equal(found.passages[0].chunk->number, 0);
    assert_true(found.passages[0].score > 0.99F && found.passages[0].similarity > 0.99F);
    assert_non_null(strstr(found.passages[0].text, "Brakes cost ninety dollars."));
    assert_int_equal(strncmp(found.passages[0].text, "Shelf: ", 7), 0);
    /* Near by its vector, though no word is shared. */
    find(f, &found, known, "xyzzy", like_first);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.passages[1].chunk->number, 2);
    assert_true(found.passages[0].words == 0.0F);
    /* Words alone, when there is no vector; chance words, when the vector says that it is something
     * else. */
    find(f, &found, known, "what about tires", NULL);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.passages[0].chunk->number, 1);
    find(f, &found, known, "tires", like_none);
    assert_int_equal(found.count, 0);
    find(f, &found, known, "the is a", NULL);
    assert_int_equal(found.count, 0);
    rlx_known_drop(known);
    rlx_known_forget();
}

static void bounded(void **state)
{
    struct fixture *f = *state;
    struct rlx_found found;
    struct rlx_answer_match match;
    char *endless = talloc_size(f->ctx, 2001);

    memset(endless, 'x', 2000);
    memcpy(endless, "tires ", 6);
    endless[2000] = '\0';
    const char *const chunks[] = {endless, FILLERS FILLERS "Tires. " FILLERS,
                                  "Tires are round. " FILLERS FILLERS,
                                  FILLERS "The tires of winter.", "tires"};
    add(f, "T", chunks, 5, NULL, NULL);
    struct rlx_known *known = load(f, "auto");
    find(f, &found, known, "tires", NULL);
    assert_in_range(found.count, 2, 5);
    for (size_t i = 0; i < found.count; i++) {
        assert_in_range(strlen(found.passages[i].text), 1, RLX_FIND_PASSAGE_BYTES);
        assert_non_null(strcasestr(found.passages[i].text, "tires"));
    }
    rlx_known_match(known, &(struct rlx_answers_query){.heard = "tires"}, &found, &match);
    assert_ptr_equal(match.passages[0], found.passages[0].text);
    assert_string_equal(match.sources[0].title, "T");
    assert_int_equal(match.sources[0].chunk, found.passages[0].chunk->number);
    rlx_known_drop(known);
    rlx_known_forget();
}

static void answers_first(void **state)
{
    struct fixture *f = *state;
    static const char *const text[] = {"Brakes cost ninety dollars."};
    static const float way[] = {0.9F, 0.43589F}, heard[] = {1, 0};
    struct rlx_found found;
    struct rlx_answer_match match;

    add(f, "Price", text, 1, way, "[\"what do brakes cost\"]");
    add(f, "Shelf", shelf, 3, shelf_vectors, NULL);
    struct rlx_known *known = load(f, "auto");
    find(f, &found, known, "How much are brakes for 3 trucks?", heard);
    rlx_known_match(known,
                    &(struct rlx_answers_query){
                        .heard = "How much are brakes for 3 trucks?", .vector = heard, .dim = 2},
                    &found, &match);
    assert_int_equal(match.kind, RLX_ANSWER_NEAR);
    assert_string_equal(match.passages[0], text[0]);
    assert_int_equal(match.sources[0].chunk, -1);
    assert_string_equal(match.sources[1].title, "Shelf");
    assert_string_equal(rlx_known_says(known)[0], text[0]);
    rlx_known_match(
        known,
        &(struct rlx_answers_query){.heard = "What do brakes cost?", .vector = heard, .dim = 2},
        NULL, &match);
    assert_int_equal(match.kind, RLX_ANSWER_FIRE);
    rlx_known_drop(known);
    rlx_known_forget();
}

static void modes(void **state)
{
    struct fixture *f = *state;
    static const char *const text[] = {"Brakes cost ninety dollars."}, *const small[] = {
                                                                           "Parking is free."};
    static const float way[] = {1, 0};
    size_t count;

    add(f, "Price", text, 1, way, "[\"what do brakes cost\"]");
    add(f, "Parking", small, 1, way, NULL);
    struct rlx_known *known = load(f, NULL);
    assert_string_equal(rlx_known_inline(known)[0], small[0]);
    rlx_known_chunks(known, &count);
    assert_int_equal(count, 0);
    rlx_known_drop(known);
    add(f, "Shelf", shelf, 3, shelf_vectors, NULL);
    known = load(f, "answers");
    rlx_known_chunks(known, &count);
    assert_int_equal(count, 0);
    assert_int_equal(rlx_answers_count(rlx_known_answers(known)), 1);
    rlx_known_drop(known);
    known = load(f, "passages");
    rlx_known_chunks(known, &count);
    assert_int_equal(count, 5);
    assert_int_equal(rlx_answers_count(rlx_known_answers(known)), 0);
    rlx_known_drop(known);
    known = load(f, "off");
    assert_false(rlx_known_can_look_up(known));
    rlx_known_drop(known);
    rlx_known_forget();
}

/* One copy for all calls of an agent, until its knowledge changes; an old one lives as long as a
 * call has it. */
static void shared(void **state)
{
    struct fixture *f = *state;
    size_t count;

    add(f, "Shelf", shelf, 3, shelf_vectors, NULL);
    struct rlx_known *first = load(f, "auto"), *second = load(f, "auto");
    assert_ptr_equal(first, second);
    add(f, "More", shelf, 3, NULL, NULL);
    struct rlx_known *third = load(f, "auto");
    assert_ptr_not_equal(first, third);
    rlx_known_chunks(third, &count);
    assert_int_equal(count, 6);
    rlx_known_chunks(first, &count);
    assert_int_equal(count, 3);
    rlx_known_drop(first);
    rlx_known_drop(second);
    rlx_known_drop(third);
    rlx_known_forget();
}

static void *ask_again(void *arg)
{
    struct fixture *f = arg;
    static const float like_first[] = {1, 0};

    for (int i = 0; i < 30; i++) {
        struct rlx_known *known = NULL;
        struct rlx_found found;
        struct rlx_answer_match match;
        TALLOC_CTX *ctx = talloc_new(NULL);
        if (rlx_known_load(&known, f->store, f->agent, "auto"))
            return "load";
        rlx_find(&found, ctx, known, "how much are brakes", like_first, 2);
        rlx_known_match(known, &(struct rlx_answers_query){.heard = "how much are brakes"}, &found,
                        &match);
        bool good = found.count && match.passages[0];
        talloc_free(ctx);
        rlx_known_drop(known);
        if (!good)
            return "find";
    }
    return NULL;
}

/* Threads share what is known while it changes. */
static void side_by_side(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];

    add(f, "Shelf", shelf, 3, shelf_vectors, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again, f), 0);
    for (int i = 0; i < 10; i++)
        add(f, "More", shelf, 3, shelf_vectors, NULL);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        if (failed)
            fail_msg("%s", (const char *)failed);
    }
    rlx_known_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(joined), TEST(bounded), TEST(answers_first),
                                       TEST(modes),  TEST(shared),  TEST(side_by_side)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
