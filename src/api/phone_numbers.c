/* A user's own numbers. */
#include "store/phone_numbers.h"

#include "api/private.h"

static void reply(struct rlx_request *req, int err, int status, const char *json)
{
    if (err == RLX_ECONFLICT)
        rlx_api_reply_code(req, 409, "number_exists", "you have this number already");
    else if (err)
        rlx_api_reply_store(req, err, "phone number or agent");
    else
        rlx_api_reply_text(req, status, json);
}

void rlx_api_phone_numbers_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor;
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_phone_numbers_list(api->store, req, rlx_api_user(req), limit, cursor, &json,
                                     &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "phone number");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_phone_number_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    char *json = NULL;

    int err = rlx_phone_number_create(api->store, req, rlx_api_user(req),
                                      json_string_value(json_object_get(body, "phone_number")),
                                      body, &json);
    json_decref(body);
    reply(req, err, 201, json);
}

void rlx_api_phone_number_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err = rlx_phone_number_get(api->store, req, rlx_api_user(req), rlx_api_id(req, "number_id"),
                                   &json);

    reply(req, err, 200, json);
}

void rlx_api_phone_number_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    char *json = NULL;

    int err = rlx_phone_number_update(api->store, req, rlx_api_user(req),
                                      rlx_api_id(req, "number_id"), body, &json);
    json_decref(body);
    reply(req, err, 200, json);
}

void rlx_api_phone_number_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_phone_number_delete(api->store, rlx_api_user(req), rlx_api_id(req, "number_id"));

    if (err)
        rlx_api_reply_store(req, err, "phone number");
    else
        rlx_api_reply_message(req, "Phone number deleted");
}
