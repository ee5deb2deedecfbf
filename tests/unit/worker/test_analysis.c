/* What an analysis may say: numbers, names, outcomes, moods, extracted values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/err.h"
#include "call/phrases.h"
#include "worker/analysis.h"
#include "worker/numbers.h"

/* "a: …" is the agent, anything else the callee; lines end with \n. */
static json_t *call_of(const char *lines, const char *outcome, const char *extraction)
{
    json_t *rows = json_array();

    for (const char *p = lines; *p;) {
        size_t n = strcspn(p, "\n");
        bool agent = !strncmp(p, "a: ", 3);
        json_array_append_new(rows, json_pack("{s:s,s:s%}", "speaker", agent ? "ai" : "user",
                                              "text", agent ? p + 3 : p, agent ? n - 3 : n));
        p += n + (p[n] == '\n');
    }
    return json_pack("{s:s,s:s*,s:{s:s,s:s,s:o},s:o}", "status", "completed", "outcome", outcome,
                     "agent", "name", "Emma", "prompt_text", "You sell plans of Relayville.",
                     "extraction", extraction ? json_loads(extraction, 0, NULL) : json_array(),
                     "transcripts", rows);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void numbers(void **state)
{
    static const struct {
        const char *plain;
        double values[4];
        size_t count;
    } rows[] = {
        {"it costs 49 dollars", {49}, 1},   {"49.99 a month", {49.99}, 1},
        {"at 10:30", {10, 30}, 2},          {"forty nine dollars", {49}, 1},
        {"two hundred and five", {205}, 1}, {"two thousand three hundred", {2300}, 1},
        {"nine five", {9, 5}, 2},           {"one of them", {0}, 0},
        {"the 5th of may", {5}, 1},         {"no numbers here", {0}, 0},
        {"three and four", {7}, 0}, /* "and" joins only what can be one number: both ways are tried
                                       below */
    };

    (void)state;
    for (size_t i = 0; i + 1 < sizeof rows / sizeof rows[0]; i++) {
        struct rlx_numbers n = {.count = 0};
        rlx_numbers_add(&n, rows[i].plain, false);
        assert_int_equal(n.count, rows[i].count);
        for (size_t k = 0; k < rows[i].count; k++)
            assert_true(rlx_numbers_has(&n, rows[i].values[k]));
    }
    struct rlx_numbers n = {.count = 0};
    rlx_numbers_add(&n, "three and four", false);
    assert_true(rlx_numbers_has(&n, 3) && rlx_numbers_has(&n, 4));
    n.count = 0;
    rlx_numbers_add(&n, "forty nine", true);
    assert_true(rlx_numbers_has(&n, 49) && rlx_numbers_has(&n, 40) && rlx_numbers_has(&n, 9));
    TALLOC_CTX *ctx = talloc_new(NULL);
    assert_string_equal(rlx_digits(ctx, "my number is five five five 12 34 oh"), "55512340");
    talloc_free(ctx);
}

/* Answered, and nobody spoke: when the call ended for a reason of ours the callee is not to
 * blame. */
static void failures_of_ours(void **state)
{
    static const struct {
        const char *lines, *reason, *noted;
        bool answered;
        const char *outcome, *summary;
    } rows[] = {
        {"a: Hello.\n", "providers_failed", NULL, true, "other", "provider could not be reached."},
        {"", "gateway_lost", NULL, true, "other", "failed on our side: the gateway"},
        {"", "stream_lost", NULL, true, "other", "the audio stream broke off."},
        {"", "stream_never_started", NULL, true, "other", "the audio stream never started."},
        {"", "gateway_lost", NULL, false, "no_answer", "Nobody spoke"},
        {"", "hangup", NULL, true, "no_answer", "Nobody spoke"},
        {"", "carrier", NULL, true, "no_answer", "Nobody spoke"},
        {"", "gateway_lost", "voicemail", true, "voicemail", "A voicemail answered."},
        {"a: Hello.\nI'm not interested.\n", "gateway_lost", NULL, true, "not_interested",
         "not interested"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *call = call_of(rows[i].lines, rows[i].noted, NULL);
        struct rlx_evidence *e = NULL;
        json_object_set_new(call, "ended_reason", json_string(rows[i].reason));
        json_object_set_new(call, "answered_at",
                            rows[i].answered ? json_string("2026-01-05T10:00:00Z") : json_null());
        assert_int_equal(rlx_evidence_create(&e, NULL, call), 0);
        json_t *made = rlx_analysis_rules(e, NULL);
        assert_string_equal(text_of(made, "outcome"), rows[i].outcome);
        assert_non_null(strstr(text_of(made, "summary"), rows[i].summary));
        assert_int_equal(rlx_evidence_supports(e, "no_answer"),
                         !strcmp(rows[i].outcome, "no_answer"));
        json_decref(made);
        talloc_free(e);
        json_decref(call);
    }
}

static void outcomes(void **state)
{
    static const struct {
        const char *lines, *noted, *outcome;
    } rows[] = {
        {"a: Hello, this is Emma.\n", NULL, "no_answer"},
        {"", NULL, "no_answer"},
        {"", "voicemail", "voicemail"},
        {"a: Hello.\nPlease stop calling me.\n", NULL, "opted_out"},
        {"a: Hello.\nDon't stop, go on.\n", NULL, "other"},
        {"a: Hello.\nYou have the wrong number.\n", NULL, "wrong_person"},
        {"a: Hello.\nPlease leave a message after the tone.\n", NULL, "voicemail"},
        {"a: May I book you in for Tuesday?\nYes, please.\na: You are booked for Tuesday.\n", NULL,
         "booked"},
        {"a: May I book you in for Tuesday?\nNo.\na: All right.\n", NULL, "other"},
        {"a: Shall I schedule it?\nYes.\na: I can't reach the calendar.\n", NULL, "other"},
        {"a: Hello.\nI'm not interested.\n", NULL, "not_interested"},
        {"a: Hello.\nNo thanks.\n", NULL, "not_interested"},
        {"a: Hello.\nCan you call me back tomorrow?\n", NULL, "callback"},
        {"a: Hello.\nIt's not a good time, I'm driving.\n", NULL, "callback"},
        {"a: Hello.\nHow much does it cost?\na: Nine dollars.\nSounds good, sign me up.\n", NULL,
         "interested"},
        {"a: Hello.\nThe weather is mild.\n", NULL, "other"},
        {"a: Hello.\nHow much is it?\n", "transferred", "transferred"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *call = call_of(rows[i].lines, rows[i].noted, NULL);
        struct rlx_evidence *e = NULL;
        assert_int_equal(rlx_evidence_create(&e, NULL, call), 0);
        assert_string_equal(rlx_evidence_outcome(e), rows[i].outcome);
        talloc_free(e);
        json_decref(call);
    }
}

static void heard(void **state)
{
    static const char lines[] =
        "a: Hi, this is Emma. The plan is $49.99 a month, with twenty five users.\n"
        "My name is John Smith, call me at 5 5 5, one two one two.\n"
        "My e-mail is john at example dot com and we are 30 people.\n";
    static const struct {
        const char *text;
        bool heard;
    } sentences[] = {
        {"The plan costs $49.99.", true},
        {"The plan costs $59.", false},
        {"It has 25 users.", true},
        {"It has twenty five users.", true},
        {"It has ninety users.", false},
        {"The callee is John Smith.", true},
        {"The callee is Peter.", false},
        {"Emma explained the plan of Relayville.", true},
        {"Peter called.", true}, /* the first word tells nothing */
        {"The AI agent was kind.", true},
        {"John's team has 30 people.", true},
        {"It was agreed on Friday.", false},
    };
    static const struct {
        const char *text;
        bool said;
    } values[] = {
        {"John Smith", true},
        {"john smith", true},
        {"Emma", false},
        {"John Smithson", false},
        {"5551212", true},
        {"555-1212", true},
        {"5551213", false},
        {"john@example.com", true},
        {"john@example.org", false},
        {"", false},
        {"twenty five", false},
    };
    json_t *call = call_of(lines, NULL, NULL);
    struct rlx_evidence *e = NULL;

    (void)state;
    assert_int_equal(rlx_evidence_create(&e, NULL, call), 0);
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (rlx_evidence_heard(e, sentences[i].text) != sentences[i].heard)
            fail_msg("%s", sentences[i].text);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (rlx_evidence_callee_said(e, values[i].text) != values[i].said)
            fail_msg("%s", values[i].text);
    assert_true(rlx_evidence_callee_number(e, 30));
    assert_false(rlx_evidence_callee_number(e, 25));
    talloc_free(e);
    json_decref(call);
}

static void parsing(void **state)
{
#define GOOD(more)                                                                                 \
    "{\"sentiment\":\"neutral\",\"outcome\":\"other\",\"summary\":\"s\",\"key_points\":[],"        \
    "\"intents\":[]" more "}"
    static const struct {
        const char *text;
        int err;
    } rows[] = {
        {GOOD(""), 0},
        {"```json\n" GOOD("") "\n```", 0},
        {"Here it is: " GOOD(",\"follow_up\":null,\"extracted\":{}"), 0},
        {"I think that the call went well.", RLX_EJSON},
        {"{\"sentiment\":\"neutral\"", RLX_EJSON},
        {"[]", RLX_EJSON},
        {"", RLX_EJSON},
        {GOOD(",\"follow_up\":7"), RLX_EJSON},
        {GOOD(",\"extracted\":[]"), RLX_EJSON},
        {GOOD(",\"sentiment\":\"happy\""), RLX_EJSON},
        {GOOD(",\"outcome\":\"sold\""), RLX_EJSON},
        {GOOD(",\"key_points\":[1]"), RLX_EJSON},
        {GOOD(",\"intents\":\"x\""), RLX_EJSON},
        {GOOD(",\"summary\":\"\""), RLX_EJSON},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *model = NULL;
        const char *why = NULL;
        int err = rlx_analysis_parse(&model, rows[i].text, &why);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].text, why);
        json_decref(model);
    }
}

static json_t *checked(const char *lines, const char *extraction, const char *model_text)
{
    json_t *call = call_of(lines, NULL, extraction), *model = json_loads(model_text, 0, NULL);
    struct rlx_evidence *e = NULL;

    assert_non_null(model);
    assert_int_equal(rlx_evidence_create(&e, NULL, call), 0);
    json_t *made =
        rlx_analysis_check(e, model, json_object_get(json_object_get(call, "agent"), "extraction"));
    assert_non_null(made);
    talloc_free(e);
    json_decref(model);
    json_decref(call);
    return made;
}

static void corrections(void **state)
{
    static const struct {
        const char *lines, *sentiment, *outcome, *want_sentiment, *want_outcome;
    } rows[] = {
        {"How much is it?\na: Nine dollars.\nGreat, thanks.\n", "positive", "interested",
         "positive", "interested"},
        {"How much is it?\na: Nine dollars.\nOkay.\n", "positive", "booked", "neutral",
         "interested"},
        {"Hello?\na: Hi.\nFine.\n", "negative", "transferred", "neutral", "other"},
        {"Stop calling me!\na: I will.\n", "positive", "interested", "negative", "opted_out"},
        {"Stop calling me!\na: I will.\n", "neutral", "opted_out", "neutral", "opted_out"},
        {"This is a waste of my time.\n", "positive", "other", "negative", "other"},
        {"I'm not interested.\n", "neutral", "interested", "neutral", "not_interested"},
        {"I'm not happy with it.\n", "negative", "other", "negative", "other"},
        {"Call me back tomorrow.\n", "neutral", "other", "neutral", "callback"},
        {"It's fine.\n", "neutral", "no_answer", "neutral", "other"},
        {"How much is it? Call me back on Monday.\n", "neutral", "interested", "neutral",
         "callback"},
        {"It's fine.\n", "neutral", "voicemail", "neutral", "other"},
        {"It's fine.\n", "neutral", "wrong_person", "neutral", "other"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char model[400];
        snprintf(model, sizeof model,
                 "{\"sentiment\":\"%s\",\"outcome\":\"%s\",\"summary\":\"They spoke.\","
                 "\"key_points\":[],\"intents\":[],\"follow_up\":null}",
                 rows[i].sentiment, rows[i].outcome);
        json_t *made = checked(rows[i].lines, NULL, model);
        if (strcmp(text_of(made, "outcome"), rows[i].want_outcome) ||
            strcmp(text_of(made, "sentiment"), rows[i].want_sentiment))
            fail_msg("%s: %s %s", rows[i].lines, text_of(made, "outcome"),
                     text_of(made, "sentiment"));
        assert_string_equal(text_of(made, "method"), "model");
        json_decref(made);
    }
}

static void claims(void **state)
{
    json_t *made = checked(
        "a: The plan is nine dollars a month.\nI am John, we are 30 people. Yes, send it to john "
        "at example dot com.\n",
        "[{\"name\":\"name\"},{\"name\":\"people\",\"type\":\"number\"},{\"name\":\"email\"},"
        "{\"name\":\"city\"},{\"name\":\"consent\",\"type\":\"boolean\"},{\"name\":\"owner\","
        "\"type\":\"boolean\"}]",
        "{\"sentiment\":\"neutral\",\"outcome\":\"interested\","
        "\"summary\":\"The agent named a price of $9. The callee agreed to pay $500! They met "
        "Peter on Monday. The callee gave an e-mail.\","
        "\"key_points\":[\"The price is nine dollars\",\"There are 700 users\"],"
        "\"intents\":[\"sending an e-mail\",\"astronomy\"],\"follow_up\":\"Call Peter at 9.\","
        "\"extracted\":{\"name\":\"John\",\"people\":30,\"email\":\"john@example.com\",\"city\":"
        "\"Paris\","
        "\"consent\":true,\"owner\":false,\"secret\":\"x\"}}");
    json_t *extracted = json_object_get(made, "extracted");

    (void)state;
    assert_string_equal(text_of(made, "summary"),
                        "The agent named a price of $9. The callee gave an e-mail.");
    assert_int_equal(json_array_size(json_object_get(made, "key_points")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(made, "intents"), 0)),
                        "sending an e-mail");
    assert_string_equal(text_of(made, "follow_up"), "Follow up with the callee.");
    assert_false(rlx_evidence_reports("You have been offered a visit."));
    assert_false(rlx_evidence_reports("We'll call."));
    assert_false(rlx_evidence_reports("Callee's"));
    assert_false(rlx_evidence_reports("It was about pipes, and it was about pipes, and so on."));
    assert_true(rlx_evidence_reports("The callee asked for the price."));
    assert_string_equal(text_of(extracted, "name"), "John");
    assert_int_equal(json_integer_value(json_object_get(extracted, "people")), 30);
    assert_string_equal(text_of(extracted, "email"), "john@example.com");
    assert_true(json_is_null(json_object_get(extracted, "city")));
    assert_true(json_is_true(json_object_get(extracted, "consent")));
    assert_true(json_is_null(json_object_get(extracted, "owner")));
    assert_null(json_object_get(extracted, "secret"));
    assert_true(json_array_size(json_object_get(made, "notes")) >= 5);
    json_decref(made);
}

static void by_rules(void **state)
{
    json_t *call = call_of("a: Hi.\nWhat time do you open, and how much is it? \xc3\xa4\n", NULL,
                           "[{\"name\":\"size\"}]");
    struct rlx_evidence *e = NULL;

    (void)state;
    assert_int_equal(rlx_evidence_create(&e, NULL, call), 0);
    json_t *made =
        rlx_analysis_rules(e, json_object_get(json_object_get(call, "agent"), "extraction"));
    assert_string_equal(text_of(made, "method"), "rules");
    assert_non_null(strstr(text_of(made, "summary"), "spoke about pricing and opening hours."));
    assert_true(json_is_null(json_object_get(json_object_get(made, "extracted"), "size")));
    json_t *intents = json_object_get(made, "intents");
    assert_string_equal(json_string_value(json_array_get(intents, 0)), "pricing");
    assert_string_equal(json_string_value(json_array_get(intents, 1)), "opening_hours");
    json_decref(made);
    talloc_free(e);
    json_decref(call);
}

/* Long turns of multi-byte characters: cut between characters, so that the texts stay valid. */
static void long_texts(void **state)
{
    char lines[4096] = "";

    (void)state;
    for (size_t n = 0; n + 8 < sizeof lines - 64; n = strlen(lines))
        memcpy(lines + n, n % 3 ? "äß? " : "ä? ", n % 3 ? 7 : 5);
    json_t *call = call_of(lines, NULL, NULL);
    struct rlx_evidence *e = NULL;
    TALLOC_CTX *ctx = talloc_new(NULL);
    assert_int_equal(rlx_evidence_create(&e, ctx, call), 0);
    json_t *made = rlx_analysis_rules(e, NULL);
    assert_non_null(made);
    json_decref(made);
    char *messages = rlx_analysis_messages(ctx, call, 500);
    assert_non_null(messages);
    assert_true(strlen(messages) < 1500);
    json_t *fields = json_loads("[{\"name\":\"a\"},{\"name\":\"b\",\"type\":\"number\"}]", 0, NULL);
    for (int limits = 0; limits < 2; limits++) {
        char *schema = rlx_analysis_schema(ctx, fields, limits);
        json_t *parsed = json_loads(schema, 0, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
        assert_int_equal(strstr(schema, "maxLength") != NULL, limits);
    }
    json_decref(fields);
    talloc_free(ctx);
    json_decref(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(outcomes), cmocka_unit_test(failures_of_ours),
        cmocka_unit_test(heard),   cmocka_unit_test(parsing),  cmocka_unit_test(corrections),
        cmocka_unit_test(claims),  cmocka_unit_test(by_rules), cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests_name("worker_analysis", tests, NULL, NULL);
}
