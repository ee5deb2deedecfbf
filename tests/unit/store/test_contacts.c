/* Contacts, their lists and tags, imports, and numbers that must not be called. */
#include "fixture.h"

#include "store/contacts.h"

static char *contact(struct fixture *f, const char *user, const char *number, const char *name)
{
    json_t *fields = json_pack("{s:s,s:s,s:[s,s],s:{s:s}}", "phone_number", number, "name", name,
                               "tags", "new", "a b", "custom_fields", "city", "Rome");
    char *json = NULL;

    assert_int_equal(rlx_contact_create(f->store, f->ctx, user, fields, &json), 0);
    json_decref(fields);
    return json;
}

static void test_contact(void **state)
{
    struct fixture *f = *state;
    char *json = contact(f, f->user, "+12025550101", "Ann Lee"), *id = fixture_id(f, json);
    json_t *row = parsed(json), *change;

    assert_string_equal(field(row, "phone_number"), "+12025550101");
    assert_int_equal(json_array_size(json_object_get(row, "tags")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "tags"), 0)), "a b");
    assert_true(json_is_false(json_object_get(row, "do_not_call")));
    assert_true(json_is_null(json_object_get(row, "email")));
    assert_string_equal(field(json_object_get(row, "custom_fields"), "city"), "Rome");
    json_decref(row);

    change = json_pack("{s:n,s:s,s:[],s:{}}", "name", "email", "ann@example.com", "tags",
                       "custom_fields");
    assert_int_equal(rlx_contact_update(f->store, f->ctx, f->user, id, change, &json), 0);
    row = parsed(json);
    assert_true(json_is_null(json_object_get(row, "name")));
    assert_string_equal(field(row, "email"), "ann@example.com");
    assert_int_equal(json_array_size(json_object_get(row, "tags")), 0);
    assert_int_equal(json_object_size(json_object_get(row, "custom_fields")), 0);
    json_decref(row);
    assert_int_equal(rlx_contact_update(f->store, f->ctx, f->other, id, change, &json),
                     RLX_ENOTFOUND);
    json_decref(change);

    change = json_pack("{s:s}", "phone_number", "+12025550101");
    assert_int_equal(rlx_contact_create(f->store, f->ctx, f->user, change, &json), RLX_ECONFLICT);
    assert_int_equal(rlx_contact_create(f->store, f->ctx, f->other, change, &json), 0);
    json_decref(change);
    assert_int_equal(rlx_dnc_add(f->store, f->user, "+12025550101", "api", NULL), 0);
    assert_int_equal(rlx_contact_get(f->store, f->ctx, f->user, id, &json), 0);
    assert_non_null(strstr(json, "\"do_not_call\":true"));
    assert_int_equal(rlx_contact_get(f->store, f->ctx, f->other, id, &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_contact_delete(f->store, f->other, id), RLX_ENOTFOUND);
    assert_int_equal(rlx_contact_delete(f->store, f->user, id), 0);
    assert_int_equal(rlx_contact_get(f->store, f->ctx, f->user, id, &json), RLX_ENOTFOUND);
}

static int64_t found(struct fixture *f, const char *list, const char *tag, const char *q)
{
    const struct rlx_contact_filter filter = {.list_id = list, .tag = tag, .q = q};
    char *json = NULL, *next = NULL;
    int64_t total = 0;

    assert_int_equal(
        rlx_contacts_list(f->store, f->ctx, f->user, &filter, 200, NULL, &json, &next, &total), 0);
    json_t *rows = parsed(json);
    assert_int_equal(json_array_size(rows), total);
    json_decref(rows);
    return total;
}

static char *new_list(struct fixture *f, const char *user, const char *name)
{
    json_t *fields = json_pack("{s:s}", "name", name);
    char *json = NULL;

    assert_int_equal(rlx_contact_list_create(f->store, f->ctx, user, fields, &json), 0);
    json_decref(fields);
    return fixture_id(f, json);
}

static void test_filters(void **state)
{
    struct fixture *f = *state;
    char *one = fixture_id(f, contact(f, f->user, "+12025550101", "Ann Lee"));
    char *two = fixture_id(f, contact(f, f->user, "+12025550102", "Bea_100%"));
    char *theirs = fixture_id(f, contact(f, f->other, "+12025550103", "Ann Else"));
    char *list = new_list(f, f->user, "Friends"), *json = NULL, *next = NULL;
    json_t *add = json_pack("[s,s,s]", one, theirs, one), *fields;
    int64_t total = 0;

    assert_int_equal(rlx_contact_list_change(f->store, f->ctx, f->user, list, add, NULL, &json), 0);
    assert_non_null(strstr(json, "\"contact_count\":1"));
    assert_int_equal(rlx_contact_list_change(f->store, f->ctx, f->other, list, add, NULL, &json),
                     RLX_ENOTFOUND);
    json_decref(add);
    assert_int_equal(found(f, list, NULL, NULL), 1);
    assert_int_equal(found(f, NULL, "new", NULL), 2);
    assert_int_equal(found(f, NULL, "ne", NULL), 0);
    assert_int_equal(found(f, NULL, NULL, "LEE"), 1);
    assert_int_equal(found(f, NULL, NULL, "550102"), 1);
    assert_int_equal(found(f, NULL, NULL, "a_1"), 1);
    assert_int_equal(found(f, NULL, NULL, "%"), 1);
    assert_int_equal(found(f, list, "new", "ann"), 1);
    assert_int_equal(found(f, list, "new", "bea"), 0);

    assert_int_equal(
        rlx_contacts_list(f->store, f->ctx, f->user, NULL, 1, NULL, &json, &next, &total), 0);
    assert_int_equal(total, 2);
    assert_non_null(strstr(json, next));
    assert_true(!strcmp(next, one) || !strcmp(next, two));
    bool one_first = !strcmp(next, one);
    assert_int_equal(
        rlx_contacts_list(f->store, f->ctx, f->user, NULL, 1, next, &json, &next, NULL), 0);
    assert_null(next);
    assert_non_null(strstr(json, one_first ? two : one));

    fields = json_pack("{s:[s]}", "list_ids", new_list(f, f->other, "Theirs"));
    assert_int_equal(rlx_contact_update(f->store, f->ctx, f->user, one, fields, &json), RLX_EINVAL);
    json_decref(fields);
    fields = json_pack("{s:[s]}", "list_ids", list);
    assert_int_equal(rlx_contact_update(f->store, f->ctx, f->user, two, fields, &json), 0);
    assert_non_null(strstr(json, list));
    json_decref(fields);
    assert_int_equal(found(f, list, NULL, NULL), 2);
}

static void test_lists(void **state)
{
    struct fixture *f = *state;
    char *list = new_list(f, f->user, "Friends"), *json = NULL, *next = NULL;
    json_t *fields = json_pack("{s:s,s:s}", "name", "Friends", "description", "d");
    int64_t total = 0;

    assert_int_equal(rlx_contact_list_create(f->store, f->ctx, f->user, fields, &json),
                     RLX_ECONFLICT);
    assert_int_equal(rlx_contact_list_update(f->store, f->ctx, f->user, list, fields, &json), 0);
    assert_non_null(strstr(json, "\"description\":\"d\""));
    assert_int_equal(rlx_contact_list_update(f->store, f->ctx, f->other, list, fields, &json),
                     RLX_ENOTFOUND);
    json_decref(fields);
    assert_int_equal(
        rlx_contact_list_list(f->store, f->ctx, f->user, 0, NULL, &json, &next, &total), 0);
    assert_int_equal(total, 1);
    assert_int_equal(rlx_contact_list_get(f->store, f->ctx, f->user, list, &json), 0);
    assert_int_equal(rlx_contact_list_delete(f->store, f->other, list), RLX_ENOTFOUND);
    assert_int_equal(rlx_contact_list_delete(f->store, f->user, list), 0);
    assert_int_equal(rlx_contact_list_get(f->store, f->ctx, f->user, list, &json), RLX_ENOTFOUND);
}

static void test_import(void **state)
{
    struct fixture *f = *state;
    char *known = fixture_id(f, contact(f, f->user, "+12025550101", "Ann Lee")), *json = NULL;
    char *list = new_list(f, f->user, "Import");
    int64_t count = 0;
    json_t *rows =
               json_pack("[{s:s,s:[s],s:{s:s}},{s:s,s:s},{s:s}]", "phone_number", "+12025550101",
                         "tags", "vip", "custom_fields", "age", "40", "phone_number",
                         "+12025550102", "name", "Bea", "phone_number", "+12025550103"),
           *row;

    assert_int_equal(rlx_contacts_import(f->store, f->user, rows, NULL, true, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(found(f, NULL, NULL, NULL), 1);
    assert_int_equal(rlx_contacts_import(f->store, f->user, rows, list, false, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(found(f, list, NULL, NULL), 3);
    assert_int_equal(found(f, NULL, "vip", NULL), 1);
    assert_int_equal(found(f, NULL, NULL, "bea"), 1);
    assert_int_equal(rlx_contact_get(f->store, f->ctx, f->user, known, &json), 0);
    row = parsed(json);
    assert_string_equal(field(row, "name"), "Ann Lee");
    assert_int_equal(json_array_size(json_object_get(row, "tags")), 3);
    assert_string_equal(field(json_object_get(row, "custom_fields"), "city"), "Rome");
    assert_string_equal(field(json_object_get(row, "custom_fields"), "age"), "40");
    json_decref(row);
    assert_int_equal(rlx_contacts_import(f->store, f->user, rows, list, false, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(found(f, NULL, NULL, NULL), 3);
    json_decref(rows);

    assert_int_equal(rlx_contacts_custom_names(f->store, f->user, NULL, &rows), 0);
    assert_int_equal(json_array_size(rows), 2);
    assert_string_equal(json_string_value(json_array_get(rows, 0)), "age");
    json_decref(rows);
}

static void test_dnc(void **state)
{
    struct fixture *f = *state;
    json_t *numbers = json_pack("[s,s,s]", "+12025550101", "+12025550102", "+4930123456");
    char *json = NULL, *next = NULL;
    int64_t added = 0, total = 0;
    bool listed = false;

    assert_int_equal(rlx_dnc_add(f->store, f->user, "+12025550102", "call", NULL), 0);
    assert_int_equal(rlx_dnc_add_many(f->store, f->user, numbers, "import", &added), 0);
    assert_int_equal(added, 2);
    json_decref(numbers);
    assert_int_equal(rlx_dnc_list(f->store, f->ctx, f->user, 2, NULL, &json, &next, &total), 0);
    assert_int_equal(total, 3);
    assert_string_equal(next, "12025550102");
    assert_int_equal(rlx_dnc_list(f->store, f->ctx, f->user, 2, next, &json, &next, NULL), 0);
    assert_null(next);
    assert_non_null(strstr(json, "+4930123456"));
    assert_int_equal(rlx_dnc_get(f->store, f->ctx, f->user, "+12025550102", &json), 0);
    assert_non_null(strstr(json, "\"source\":\"call\""));
    assert_int_equal(rlx_dnc_get(f->store, f->ctx, f->other, "+12025550102", &json), RLX_ENOTFOUND);
    assert_int_equal(rlx_dnc_has(f->store, f->user, "+4930123456", &listed), 0);
    assert_true(listed);
    assert_int_equal(rlx_dnc_delete(f->store, f->user, "+4930123456"), 0);
    assert_int_equal(rlx_dnc_delete(f->store, f->user, "+4930123456"), RLX_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_contact), TEST(test_filters), TEST(test_lists),
                                       TEST(test_import), TEST(test_dnc)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
