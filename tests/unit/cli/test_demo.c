/* How the demo joins what the phone heard with the transcript, and what is built into it. */
#include "../rlx_test.h"

#include "base/err.h"
#include "cli/demo.h"

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);

    if (!json)
        print_message("line %d: %s\n", error.line, error.text);
    assert_non_null(json);
    return json;
}

static const char call_text[] =
    "{\"id\":\"c1\",\"status\":\"completed\",\"recording\":\"/r.wav\",\"transcripts\":["
    "{\"speaker\":\"ai\",\"text\":\"Hello, this is "
    "Riley.\",\"metadata\":{\"source\":\"greeting\"}},"
    "{\"speaker\":\"user\",\"text\":\"Oh hi there, how are you doing today?\",\"metadata\":{}},"
    "{\"speaker\":\"ai\",\"text\":\"One moment.\",\"metadata\":{\"source\":\"filler\"}},"
    "{\"speaker\":\"ai\",\"text\":\"I am well.\",\"metadata\":{\"source\":\"llm\",\"stt_ms\":210,"
    "\"llm_ms\":300,\"tts_ms\":150}},"
    "{\"speaker\":\"user\",\"text\":\"What days and hours are you opened?\",\"metadata\":{}},"
    "{\"speaker\":\"ai\",\"text\":\"We are open\",\"metadata\":{\"source\":\"answer\","
    "\"interrupted\":true,\"stt_ms\":220}},"
    "{\"speaker\":\"user\",\"text\":\"Sorry wait, which areas do you cover?\","
    "\"metadata\":{\"stt_ms\":250}},"
    "{\"speaker\":\"ai\",\"text\":\"Millbrook.\",\"metadata\":{\"source\":\"goodbye\"}}]}";

static const char phone_text[] =
    "{\"turns\":[{\"callee\":\"Hello?\",\"first_audio_ms\":400},"
    "{\"callee\":\"Oh, hi there. How are you doing today?\",\"first_audio_ms\":900},"
    "{\"callee\":\"What days and hours are you open?\",\"first_audio_ms\":700},"
    "{\"callee\":\"Sorry, wait. Which areas do you actually cover?\",\"first_audio_ms\":1300}]}";

static void turns_are_joined(void **state)
{
    json_t *call = parse(call_text), *phone = parse(phone_text);
    json_t *report = rlx_demo_report(call, phone, NULL);
    json_t *turns = json_object_get(report, "turns"), *turn = json_array_get(turns, 0);

    (void)state;
    assert_int_equal(json_array_size(turns), 3); /* the greeting answered "Hello?" */
    assert_string_equal(json_string_value(json_object_get(turn, "agent")),
                        "One moment. I am well.");
    assert_string_equal(json_string_value(json_object_get(turn, "source")), "llm");
    assert_int_equal(json_integer_value(json_object_get(turn, "stt_ms")), 210);
    assert_int_equal(json_integer_value(json_object_get(turn, "tts_ms")), 150);
    assert_true(json_is_false(json_object_get(turn, "interrupted")));
    turn = json_array_get(turns, 1);
    assert_true(json_is_true(json_object_get(turn, "interrupted")));
    assert_true(json_is_null(json_object_get(turn, "llm_ms")));
    assert_string_equal(json_string_value(json_object_get(json_array_get(turns, 2), "agent")),
                        "Millbrook.");
    /* Whatever answers, the time of hearing stands at what was heard. */
    assert_int_equal(json_integer_value(json_object_get(json_array_get(turns, 2), "stt_ms")), 250);
    assert_int_equal(json_integer_value(json_object_get(report, "median_first_audio_ms")), 900);
    assert_int_equal(json_integer_value(json_object_get(report, "p95_first_audio_ms")), 1300);
    assert_string_equal(json_string_value(json_object_get(report, "recording")), "/r.wav");
    assert_true(rlx_demo_report_is_good(report));
    json_decref(report);
    json_decref(call);
    json_decref(phone);
}

static void a_turn_without_an_answer_is_bad(void **state)
{
    json_t *call = parse(call_text);
    json_t *phone = parse("{\"turns\":[{\"callee\":\"Oh hi there, how are you doing\"},"
                          "{\"callee\":\"Something that nobody heard at all\"}]}");
    json_t *report = rlx_demo_report(call, phone, NULL);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(report, "turns")), 2);
    assert_false(rlx_demo_report_is_good(report));
    assert_true(json_is_null(json_object_get(report, "median_first_audio_ms")));
    json_decref(report);
    report = parse("{\"status\":\"completed\",\"turns\":[{\"agent\":\"One moment.\","
                   "\"source\":\"filler\"}]}");
    assert_false(rlx_demo_report_is_good(report));
    json_decref(report);
    report = rlx_demo_report(call, NULL, NULL);
    assert_false(rlx_demo_report_is_good(report));
    json_decref(report);
    json_decref(call);
    json_decref(phone);
}

/* What the user heard must be an answer, in time to be one. */
static void what_counts_as_answered(void **state)
{
    static const struct {
        const char *turn;
        bool good;
    } CASES[] = {
        {"{\"agent\":\"We do.\",\"source\":\"answer\",\"first_audio_ms\":500}", true},
        {"{\"agent\":\"We do.\",\"source\":\"llm\",\"first_audio_ms\":500}", true},
        {"{\"agent\":\"Bye.\",\"source\":\"goodbye\",\"first_audio_ms\":500}", true},
        {"{\"agent\":\"Are you still there?\",\"source\":\"prompt\",\"first_audio_ms\":8000}",
         false},
        {"{\"agent\":\"One moment.\",\"source\":\"filler\",\"first_audio_ms\":500}", false},
        {"{\"agent\":\"We do.\",\"source\":\"answer\",\"first_audio_ms\":null}", false},
        {"{\"agent\":\"\",\"source\":null,\"first_audio_ms\":null}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"status\":\"completed\",\"turns\":[%s]}", CASES[i].turn);
        json_t *report = parse(text);
        assert_int_equal(rlx_demo_report_is_good(report), CASES[i].good);
        json_decref(report);
    }
}

/* Only the first words may be what the greeting answers: questions that were lost at the call's
 * beginning are turns, unanswered ones. */
static void lost_first_turns_are_shown(void **state)
{
    json_t *call = parse(call_text);
    json_t *phone =
        parse("{\"turns\":[{\"callee\":\"Hello?\",\"first_audio_ms\":400},"
              "{\"callee\":\"Nobody heard any of this\",\"first_audio_ms\":null},"
              "{\"callee\":\"What days and hours are you open?\",\"first_audio_ms\":700}]}");
    json_t *report = rlx_demo_report(call, phone, NULL);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(report, "turns")), 2);
    assert_false(rlx_demo_report_is_good(report));
    json_decref(report);
    json_decref(phone);
    phone =
        parse("{\"turns\":[{\"callee\":\"Nobody heard any of this\",\"first_audio_ms\":null}]}");
    report = rlx_demo_report(call, phone, NULL);
    assert_int_equal(json_array_size(json_object_get(report, "turns")), 1);
    assert_false(rlx_demo_report_is_good(report));
    json_decref(report);
    json_decref(phone);
    json_decref(call);
}

static void knowledge_files(void **state)
{
    json_t *list = NULL;
    char *why = NULL;

    assert_int_equal(rlx_demo_read_knowledge(&list, *state,
                                             "{\"entries\":[{\"answer\":\"Nine.\",\"ways to ask\":"
                                             "[\"When?\"]},{\"title\":\"T\",\"text\":\"Some.\"}]}",
                                             &why),
                     0);
    json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    assert_string_equal(json_string_value(json_object_get(first, "title")), "When?");
    assert_string_equal(json_string_value(json_object_get(first, "source_type")), "answer");
    assert_string_equal(json_string_value(json_object_get(second, "content")), "Some.");
    assert_null(json_object_get(second, "source_type"));
    json_decref(list);
    assert_int_equal(rlx_demo_read_knowledge(&list, *state, "[{\"title\":\"x\"}]", &why),
                     RLX_EINVAL);
    assert_non_null(strstr(why, "entry 1"));
    assert_int_equal(rlx_demo_read_knowledge(&list, *state, "{}", &why), RLX_EINVAL);
    assert_int_equal(rlx_demo_read_knowledge(&list, *state, "[", &why), RLX_EINVAL);
    assert_non_null(strstr(why, "line 1"));
}

/* The demo's own rules: enough answers, each with enough ways to ask, and no question of the callee
 * among them. */
static void built_in_files(void **state)
{
    json_t *list = NULL, *agent = parse(rlx_demo_agent), *entry, *question;
    char *why = NULL;
    size_t i, j;

    assert_non_null(json_object_get(agent, "prompt_text"));
    assert_int_equal(rlx_demo_read_knowledge(&list, *state, rlx_demo_knowledge, &why), 0);
    assert_true(json_array_size(list) >= 8);
    json_array_foreach (list, i, entry) {
        json_t *questions = json_object_get(entry, "questions");
        assert_true(json_array_size(questions) >= 4);
        json_array_foreach (questions, j, question)
            assert_null(strstr(rlx_demo_callee, json_string_value(question)));
    }
    assert_non_null(strstr(rlx_demo_callee, "\nmmhm "));
    assert_non_null(strstr(rlx_demo_callee, "\ninterrupt "));
    json_decref(list);
    json_decref(agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(turns_are_joined),        RLX_TEST(a_turn_without_an_answer_is_bad),
        RLX_TEST(what_counts_as_answered), RLX_TEST(lost_first_turns_are_shown),
        RLX_TEST(knowledge_files),         RLX_TEST(built_in_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
