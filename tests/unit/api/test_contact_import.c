/* CSV as people's spreadsheets write it, and what becomes of each row. */
#include "../rlx_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/contact_import.h"
#include "api/csv.h"
#include "api/phone_number.h"
#include "base/err.h"

struct sink {
    json_t *contacts;
    int batches, fail;
};

static int take(const json_t *contacts, void *arg)
{
    struct sink *sink = arg;

    sink->batches++;
    json_array_extend(sink->contacts, (json_t *)contacts);
    return sink->fail;
}

static struct rlx_import *import(TALLOC_CTX *ctx, const char *text, size_t length,
                                 const struct rlx_import_options *options, json_t **contactsp,
                                 int wanted, char **whyp)
{
    static const struct rlx_import_options us = {.region = "US"};
    struct sink sink = {.contacts = json_array()};
    struct rlx_import *got = NULL;
    char *why = NULL;

    int err = rlx_import_read(&got, ctx, text, length, options ? options : &us, take, &sink, &why);
    if (err != wanted)
        fail_msg("gave %d: %s", err, why ? why : "");
    if (contactsp)
        *contactsp = sink.contacts;
    else
        json_decref(sink.contacts);
    if (whyp)
        *whyp = why;
    return got;
}

#define IMPORT(text, contactsp) import(*state, text, strlen(text), NULL, contactsp, 0, NULL)

static const char *text_of(const json_t *contacts, size_t i, const char *name)
{
    const json_t *contact = json_array_get(contacts, i);
    const char *text = json_string_value(json_object_get(contact, name));

    if (!text)
        text = json_string_value(json_object_get(json_object_get(contact, "custom_fields"), name));
    return text ? text : "";
}

static void test_plain(void **state)
{
    json_t *c;
    const char *text =
        "\xef\xbb\xbfPhone,First Name,Last Name,E-mail,Company Name,Tags\r\n"
        "(202) 555-0123,Ann,Lee,ann@example.com,\"Acme, Inc.\nRome\",vip; new one\r\n"
        "\r\n"
        "+49 30 123456,,,,,\r\n"
        "202-555-0124;ext,,,,,\r\n"
        "12,,,,,\r\n"
        ",Bea,,,,\r\n"
        "+1 202 555 0125,,,no mail,,\r\n";
    struct rlx_import *got = IMPORT(text, &c);

    assert_int_equal(got->rows, 6);
    assert_int_equal(got->good, 2);
    assert_int_equal(got->failed, 4);
    assert_int_equal(json_array_size(c), 2);
    assert_string_equal(text_of(c, 0, "phone_number"), "+12025550123");
    assert_string_equal(text_of(c, 0, "name"), "Ann Lee");
    assert_string_equal(text_of(c, 0, "first_name"), "Ann");
    assert_string_equal(text_of(c, 0, "company_name"), "Acme, Inc.\nRome");
    assert_int_equal(json_array_size(json_object_get(json_array_get(c, 0), "tags")), 2);
    assert_string_equal(text_of(c, 1, "phone_number"), "+4930123456");
    static const struct {
        int line;
        const char *column, *message;
    } errors[] = {{6, "Phone", "no phone number"},
                  {7, "Phone", "too short"},
                  {8, "Phone", "is empty"},
                  {9, "E-mail", "no e-mail address"}};
    for (size_t i = 0; i < 4; i++) {
        json_t *e = json_array_get(got->errors, i);
        if (i)
            assert_int_equal(json_integer_value(json_object_get(e, "line")), errors[i].line);
        assert_string_equal(json_string_value(json_object_get(e, "column")), errors[i].column);
        if (i && !strstr(json_string_value(json_object_get(e, "message")), errors[i].message))
            fail_msg("%s", json_string_value(json_object_get(e, "message")));
    }
    json_decref(c);
}

static void test_encodings(void **state)
{
    static const char *const texts[] = {
        "phone;name\n+12025550123;M\xfcller \x80\n",               /* Windows-1252 */
        "phone\tname\r+12025550123\tM\xc3\xbcller \xe2\x82\xac\r", /* UTF-8, old Mac line ends */
        "phone|name\n+12025550123|\"M\xc3\xbcller \xe2\x82\xac\"", /* no last line end */
    };

    for (size_t i = 0; i < 3; i++) {
        json_t *c;
        struct rlx_import *got = IMPORT(texts[i], &c);
        assert_string_equal(text_of(c, 0, "name"), "M\xc3\xbcller \xe2\x82\xac");
        assert_string_equal(got->encoding, i ? "utf-8" : "windows-1252");
        json_decref(c);
    }
    char *why;
    import(*state, "\xff\xfep\0h\0", 6, NULL, NULL, RLX_EINVAL, &why);
    assert_non_null(strstr(why, "UTF-16"));
    import(*state, "phone\n+1\0002", 9, NULL, NULL, RLX_EINVAL, &why);
    assert_non_null(strstr(why, "NUL"));
}

static void test_broken(void **state)
{
    char *why;

    import(*state, "", 0, NULL, NULL, RLX_EINVAL, &why);
    assert_string_equal(why, "the file is empty");
    import(*state, "a,b\n1,2\n", 8, NULL, NULL, RLX_EINVAL, &why);
    assert_non_null(strstr(why, "(columns: \"a\", \"b\")"));
    const char *open = "phone,name\n+12025550123,A\n+12025550124,\"B\nC\n";
    import(*state, open, strlen(open), NULL, NULL, RLX_EINVAL, &why);
    assert_string_equal(why, "line 3: a quoted field is never closed");
    const char *twice = "phone,city,City\n";
    import(*state, twice, strlen(twice), NULL, NULL, RLX_EINVAL, &why);
    assert_string_equal(why, "column \"City\" is there twice");
    char *longest = talloc_size(*state, 300000);
    memset(longest, 'x', 300000);
    memcpy(longest, "phone,name\n1,\"", 14);
    import(*state, longest, 300000, NULL, NULL, RLX_EINVAL, &why);
    assert_non_null(strstr(why, "line 2"));
    struct rlx_import *got = IMPORT("phone\n1,2,3\n", NULL);
    assert_int_equal(got->failed, 1);
    assert_non_null(
        strstr(json_string_value(json_object_get(json_array_get(got->errors, 0), "message")),
               "more fields than columns"));
}

static void test_merge(void **state)
{
    json_t *c;
    struct rlx_import *got = IMPORT("phone,name,city,tags\n"
                                    "2025550123,Ann,,a\n"
                                    "+1 (202) 555-0123,,Rome,b\n"
                                    "+12025550123,Anne,,\n",
                                    &c);

    assert_int_equal(got->good, 1);
    assert_int_equal(got->duplicates, 2);
    assert_int_equal(json_array_size(c), 1);
    assert_string_equal(text_of(c, 0, "name"), "Anne");
    assert_string_equal(text_of(c, 0, "city"), "Rome");
    assert_int_equal(json_array_size(json_object_get(json_array_get(c, 0), "tags")), 2);
    json_decref(c);
}

static void test_mapping(void **state)
{
    json_t *mapping = json_pack("{s:s,s:s,s:s}", "Tel. 2", "phone_number", "Note",
                                "custom:Last Order", "phone", ""),
           *tags = json_pack("[s]", "import"), *c;
    struct rlx_import_options options = {.mapping = mapping, .tags = tags};
    const char *text = "phone,Tel. 2,Note\nx,+12025550123,yes\n2025550123,2025550123,\n";
    char *why;

    struct rlx_import *got = import(*state, text, strlen(text), &options, &c, 0, NULL);
    assert_int_equal(got->good, 1);
    assert_int_equal(got->failed, 1); /* without a region a number needs its country code */
    assert_string_equal(text_of(c, 0, "last_order"), "yes");
    assert_int_equal(json_array_size(json_object_get(json_array_get(c, 0), "tags")), 1);
    json_decref(c);
    json_object_set_new(mapping, "Note", json_string("colour"));
    import(*state, text, strlen(text), &options, NULL, RLX_EINVAL, &why);
    assert_string_equal(why, "column \"Note\" is mapped to something that is no field");
    json_object_set_new(mapping, "Note", json_string(""));
    json_object_set_new(mapping, "gone", json_string("name"));
    import(*state, text, strlen(text), &options, NULL, RLX_EINVAL, &why);
    assert_string_equal(why, "column \"gone\" is mapped but is not in the file");
    json_decref(mapping);
    json_decref(tags);

    struct rlx_import_options numbers = {.region = "GB", .numbers_only = true};
    text = "name,number\nAnn,020 7946 0018\n";
    import(*state, text, strlen(text), &numbers, &c, 0, NULL);
    assert_string_equal(text_of(c, 0, "phone_number"), "+442079460018");
    assert_string_equal(text_of(c, 0, "name"), "");
    json_decref(c);
}

static void test_batches(void **state)
{
    struct rlx_import_options options = {.region = "US"};
    struct sink sink = {.contacts = json_array()};
    struct rlx_import *got;
    char *text = talloc_strdup(*state, "phone\n"), *why;

    for (int i = 0; i < 2500; i++)
        text = talloc_asprintf_append_buffer(text, "+1202%07d\n", 5550000 + i);
    assert_int_equal(rlx_import_read(&got, *state, text, strlen(text), &options, take, &sink, &why),
                     0);
    assert_int_equal(sink.batches, 3);
    assert_int_equal(json_array_size(sink.contacts), 2500);
    sink.fail = RLX_ESTORE;
    assert_int_equal(rlx_import_read(&got, *state, text, strlen(text), &options, take, &sink, &why),
                     RLX_ESTORE);
    assert_int_equal(sink.batches, 4);
    json_decref(sink.contacts);
}

static void test_writing(void **state)
{
    char *row = NULL;
    static const char *const fields[] = {"+12025550123", "=1+1", "a,\"b\"", "",   "-x",
                                         "+x",           "@a",   "plain",   "\tx"};

    for (size_t i = 0; i < 9; i++)
        assert_true(rlx_csv_add(*state, &row, fields[i]));
    assert_string_equal(row,
                        "+12025550123,\"'=1+1\",\"a,\"\"b\"\"\",,\"'-x\",\"'+x\",\"'@a\",plain,"
                        "\"'\tx\"");
    assert_string_equal(rlx_csv_bare("'=1"), "=1");
    assert_string_equal(rlx_csv_bare("'n Abend"), "'n Abend");
}

static void test_numbers(void **state)
{
    char e164[20];
    const char *why = NULL;
    (void)state;

    assert_true(rlx_phone_e164("tel:+1-202-555-0123", NULL, e164, &why));
    assert_string_equal(e164, "+12025550123");
    assert_true(rlx_phone_e164("00 44 20 7946 0018", "DE", e164, &why));
    assert_string_equal(e164, "+442079460018");
    assert_false(rlx_phone_e164("2025550123", NULL, e164, &why));
    assert_false(rlx_phone_e164("+1 202 555 0123 ext. 4", NULL, e164, &why));
    assert_false(rlx_phone_e164("hello", "US", e164, &why));
    assert_false(rlx_phone_e164("", "US", e164, &why));
    assert_true(rlx_phone_region("DE"));
    assert_false(rlx_phone_region("XX"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(test_plain),   RLX_TEST(test_encodings), RLX_TEST(test_broken),
        RLX_TEST(test_merge),   RLX_TEST(test_mapping),   RLX_TEST(test_batches),
        RLX_TEST(test_writing), RLX_TEST(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
