/* What of a tool's arguments is read back, in which form, and what counts as a "yes" to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <talloc.h>

#include "call/readback.h"
#include "call/spoken.h"

static void test_yes(void **state)
{
    static const struct {
        const char *reply, *values;
        bool yes;
    } CASES[] = {
        {"Yes.", "", true},
        {"Yes that's right", "", true},
        {"Yeah, yeah.", "", true},
        {"um, yes please", "", true},
        {"That's correct, thank you.", "", true},
        {"That is my number, yes", "", true},
        {"It is.", "", true},
        {"All correct.", "", true},
        {"Sounds good, go ahead", "", true},
        {"Okay", "", true},
        {"Yes, that's the right date", "", true},
        {"Yes, Monday.", "Monday", true},
        {"yes, anna smith is right", "Anna Smith", true},
        {"", "", false},
        {"No", "", false},
        {"yeah no", "", false},
        {"yeah no that's wrong", "", false},
        {"ok no", "", false},
        {"yes no", "", false},
        {"right, but not Monday", "Monday", false},
        {"Right, but", "", false},
        {"not right", "", false},
        {"that's not right", "", false},
        {"that isn't correct", "", false},
        {"yes, wait", "", false},
        {"okay hold on", "", false},
        {"yes, actually Tuesday", "Monday", false},
        {"yes, Tuesday", "Monday", false},
        {"yes, five five six", "555-123-4567", false},
        {"sure, if it is cheap", "", false},
        {"yes I don't think so", "", false},
        {"right so what does it cost", "", false},
        {"is that right", "", false},
        {"Is that right?", "", false},
        {"Right?", "", false},
        {"okay?", "", false},
        {"correction", "", false},
        {"surely not", "", false},
        {"okra", "", false},
        {"yes or Tuesday", "Tuesday", false},
        {"yes yes yes yes yes yes yes yes yes yes yes yes yes", "", false},
        {"yes, no", "No 5 Main Street", false},
        {"thank you", "", false},
        {"please", "", false},
        {"mm-hm", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (rlx_readback_is_yes(CASES[i].reply, CASES[i].values) != CASES[i].yes)
            fail_msg("\"%s\" to \"%s\" is %s yes", CASES[i].reply, CASES[i].values,
                     CASES[i].yes ? "a" : "no");
}

static void test_wants(void **state)
{
    static const struct {
        const char *name, *value;
        bool wants;
    } CASES[] = {
        {"phone", "555-123-4567", true},
        {"email", "anna@example.com", true},
        {"customer_name", "Anna", true},
        {"firstName", "Anna", true},
        {"date", "the first", true},
        {"day", "monday", true},
        {"time", "nine", true},
        {"start", "nine", true},
        {"startsAt", "nine", true},
        {"when", "as soon as possible", true},
        {"birthday", "the first", true},
        {"address", "Main Street", true},
        {"slot", "the second", true},
        /* by their shape, whatever they are called */
        {"to", "+12025550123", true},
        {"contact", "anna@example.com", true},
        {"a", "2026-11-24", true},
        {"a", "11/24", true},
        {"a", "3pm", true},
        {"a", "at 9:30", true},
        {"a", "10 a.m.", true},
        {"a", "nine o'clock", true},
        {"note", "call on Tuesday", true},
        {"a", "tomorrow", true},
        {"a", "noon", true},
        {"a", "May 5", true},
        {"a", "12345", true},
        /* none of these */
        {"what", "bread", false},
        {"party_size", "4", false},
        {"note", "you may come in", false},
        {"time_zone", "America/New_York", false},
        {"day", "", false},
        {"slot_id", "3f2a9c1e-1111-2222-3333-444455556666", false},
        {"link", "https://example.com/a/20261124", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (rlx_readback_wants(CASES[i].name, CASES[i].value) != CASES[i].wants)
            fail_msg("%s=%s is %sread back", CASES[i].name, CASES[i].value,
                     CASES[i].wants ? "not " : "");
}

/* The written form, which goes into the transcript, and what the voice is given of it. */
static void test_say(void **state)
{
    static const struct {
        const char *value, *written, *spoken;
    } CASES[] = {
        {"5551234567", "555-123-4567", "five five five, one two three, four five six seven"},
        {"(555) 123 4567", "555-123-4567", "five five five, one two three, four five six seven"},
        {"+15551234567", "555-123-4567", "five five five, one two three, four five six seven"},
        {"12345", "1, 2, 3, 4, 5", "one, two, three, four, five"},
        {"0042", "0, 0, 4, 2", "zero, zero, four, two"},
        {"anna@gmail.com", "A, N, N, A, at gmail dot com", "A, N, N, A, at gmail dot com"},
        {"a.b-7_c+d@bake.co.uk",
         "A, dot, B, dash, 7, underscore, C, plus, D, at B, A, K, E, dot C, O, dot U, K",
         "A, dot, B, dash, seven, underscore, C, plus, D, at B, A, K, E, dot C, O, dot U, K"},
        {"2026-11-24", "2026-11-24", "November twenty fourth, twenty twenty six"},
        {"2026-11-24T15:30:00Z", "2026-11-24, 15:30",
         "November twenty fourth, twenty twenty six, three thirty p m"},
        {"2026-11-24T15:30+01:00", "2026-11-24, 15:30",
         "November twenty fourth, twenty twenty six, three thirty p m"},
        {"monday", "monday", "monday"},
        {"Anna Smith", "Anna Smith", "Anna Smith"},
        {"call anna@gmail.com", "call anna@gmail.com", "call anna at gmail dot com"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct rlx_spoken *spoken;
        char *written = rlx_readback_say(*state, CASES[i].value);
        assert_non_null(written);
        assert_string_equal(written, CASES[i].written);
        assert_int_equal(rlx_spoken_make(&spoken, *state, written), 0);
        assert_string_equal(spoken->text, CASES[i].spoken);
        talloc_free(written);
        talloc_free(spoken);
    }
}

static void test_holds(void **state)
{
    static const struct {
        const char *said, *value;
        bool holds;
    } CASES[] = {
        {"Is it 555-123-4567?", "5551234567", true},
        {"Is it +1 555 123 4567?", "5551234567", true},
        {"Is it 555-123-4568?", "5551234567", false},
        {"So, Monday at nine?", "monday", true},
        {"Is that anna@example.com?", "anna@example.com", true},
        {"That is A, N, N, A, at gmail dot com. Is that right?", "anna@gmail.com", true},
        {"You are Joanna?", "Anna", false},
        {"Shall I book Monday?", "mon", false},
        {"On 2026-11-24?", "2026-11-25", false},
        {"", "Anna", false},
        {"Anna?", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        if (rlx_readback_holds(CASES[i].said, CASES[i].value) != CASES[i].holds)
            fail_msg("\"%s\" in \"%s\"", CASES[i].value, CASES[i].said);
}

static int setup(void **state)
{
    *state = talloc_new(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    size_t left = talloc_total_blocks(*state);

    talloc_free(*state);
    return left == 1 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yes),
        cmocka_unit_test(test_wants),
        cmocka_unit_test_setup_teardown(test_say, setup, teardown),
        cmocka_unit_test(test_holds),
    };
    return cmocka_run_group_tests_name("values that are read back", tests, NULL, NULL);
}
