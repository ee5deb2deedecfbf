/* Numbers that must not be called. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "store/calls.h"
#include "store/contacts.h"

/* A checked number with its "+", which a path or a query may lack (there it means a blank). */
static void with_plus(char number[20], const char *text)
{
    snprintf(number, 20, "+%s", text + (*text == '+' || *text == ' '));
}

void rlx_api_dnc_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL, *next = NULL;
    const char *cursor;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_dnc_list(api->store, req, rlx_api_user(req), limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "number");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_dnc_add(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req), *all = json_array(), *seen = json_object();
    json_t *one = json_object_get(body, "phone_number"), *item;
    json_t *many = json_object_get(body, "phone_numbers");
    const char *source = json_string_value(json_object_get(body, "source"));
    int64_t added = 0;
    char number[20];
    size_t i;

    if (one)
        json_object_set_new(seen, json_string_value(one), json_true());
    json_array_foreach (many, i, item)
        json_object_set_new(seen, json_string_value(item), json_true());
    const char *text;
    json_object_foreach (seen, text, item) {
        with_plus(number, text);
        json_array_append_new(all, json_string(number));
    }
    if (!json_array_size(all)) {
        rlx_api_invalid(req, "phone_number", "is required, or phone_numbers");
    } else {
        int err =
            rlx_dnc_add_many(api->store, rlx_api_user(req), all, source ? source : "api", &added);
        if (err)
            rlx_api_reply_store(req, err, "number");
        else
            rlx_reply_json(req, 201,
                           json_pack("{s:I,s:I}", "added", (json_int_t)added, "known",
                                     (json_int_t)json_array_size(all) - (json_int_t)added));
    }
    json_decref(seen);
    json_decref(all);
    json_decref(body);
}

void rlx_api_dnc_check(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *text = rlx_request_query(req, "phone_number");
    char number[20], *json = NULL;

    with_plus(number, text ? text : "");
    int err = rlx_dnc_get(api->store, req, rlx_api_user(req), number, &json);
    if (err && err != RLX_ENOTFOUND) {
        rlx_api_reply_store(req, err, "number");
        return;
    }
    json_t *row = err ? NULL : json_loads(json, 0, NULL);
    rlx_reply_json(req, 200,
                   json_pack("{s:s,s:b,s:O*,s:O*}", "phone_number", number, "do_not_call", !err,
                             "source", json_object_get(row, "source"), "created_at",
                             json_object_get(row, "created_at")));
    json_decref(row);
}

void rlx_api_dnc_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char number[20], *json = NULL;

    with_plus(number, rlx_api_id(req, "phone_number"));
    int err = rlx_dnc_get(api->store, req, rlx_api_user(req), number, &json);
    if (err)
        rlx_api_reply_store(req, err, "number");
    else
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_dnc_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char number[20];

    with_plus(number, rlx_api_id(req, "phone_number"));
    int err = rlx_dnc_delete(api->store, rlx_api_user(req), number);
    if (err)
        rlx_api_reply_store(req, err, "number");
    else
        rlx_api_reply_message(req, "The number may be called again");
}
