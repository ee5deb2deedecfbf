/* Contacts and their lists. */
#include <errno.h>
#include <string.h>

#include "api/phone_number.h"
#include "api/private.h"
#include "store/contacts.h"

static const char *query_of(struct rlx_request *req, const char *name)
{
    const char *text = rlx_request_query(req, name);

    return text && *text ? text : NULL;
}

void rlx_api_contacts_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const struct rlx_contact_filter filter = {
        .list_id = query_of(req, "list_id"), .tag = query_of(req, "tag"), .q = query_of(req, "q")};
    char *json = NULL, *next = NULL;
    const char *cursor;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_contacts_list(api->store, req, rlx_api_user(req), &filter, limit, cursor, &json,
                                &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "contact");
    else
        rlx_api_reply_list(req, json, next, total);
}

/* The same id twice is one. */
static void make_unique(json_t *ids)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        for (size_t k = json_array_size(ids); k-- > i + 1;) {
            if (json_equal(json_array_get(ids, i), json_array_get(ids, k)))
                json_array_remove(ids, k);
        }
    }
}

/* What a schema can't say; answers when something is wrong. */
static bool check_contact(struct rlx_request *req, json_t *fields)
{
    const char *number = json_string_value(json_object_get(fields, "phone_number"));
    const char *why = NULL;
    char e164[20];

    make_unique(json_object_get(fields, "list_ids"));
    if (!number)
        return true;
    if (!rlx_phone_e164(number, NULL, e164, &why)) {
        rlx_api_invalid(req, "phone_number", why);
        return false;
    }
    json_object_set_new(fields, "phone_number", json_string(e164));
    return true;
}

static void reply_contact(struct rlx_request *req, int err, int status, const char *json)
{
    if (err == RLX_ECONFLICT)
        rlx_reply_error(req, err, "another contact has this number");
    else if (err == RLX_EINVAL)
        rlx_api_invalid(req, "list_ids", "holds a list that does not exist");
    else if (err)
        rlx_api_reply_store(req, err, "contact");
    else
        rlx_api_reply_text(req, status, json);
}

void rlx_api_contact_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *fields = rlx_api_body(req);
    char *json = NULL;

    if (check_contact(req, fields)) {
        int err = rlx_contact_create(api->store, req, rlx_api_user(req), fields, &json);
        reply_contact(req, err, 201, json);
    }
    json_decref(fields);
}

void rlx_api_contact_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *fields = rlx_api_body(req);
    char *json = NULL;

    if (check_contact(req, fields)) {
        int err = rlx_contact_update(api->store, req, rlx_api_user(req),
                                     rlx_api_id(req, "contact_id"), fields, &json);
        reply_contact(req, err, 200, json);
    }
    json_decref(fields);
}

void rlx_api_contact_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err =
        rlx_contact_get(api->store, req, rlx_api_user(req), rlx_api_id(req, "contact_id"), &json);

    reply_contact(req, err, 200, json);
}

void rlx_api_contact_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_contact_delete(api->store, rlx_api_user(req), rlx_api_id(req, "contact_id"));

    if (err)
        rlx_api_reply_store(req, err, "contact");
    else
        rlx_api_reply_message(req, "Contact deleted");
}

/* ---- lists ---- */

static void reply_list(struct rlx_request *req, int err, int status, const char *json)
{
    if (err == RLX_ECONFLICT)
        rlx_reply_error(req, err, "another list has this name");
    else if (err)
        rlx_api_reply_store(req, err, "list");
    else
        rlx_api_reply_text(req, status, json);
}

void rlx_api_contact_lists_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL, *next = NULL;
    const char *cursor;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_contact_list_list(api->store, req, rlx_api_user(req), limit, cursor, &json, &next,
                                    &total);
    if (err)
        rlx_api_reply_store(req, err, "list");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_contact_list_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *fields = rlx_api_body(req);
    char *json = NULL;

    int err = rlx_contact_list_create(api->store, req, rlx_api_user(req), fields, &json);
    json_decref(fields);
    reply_list(req, err, 201, json);
}

void rlx_api_contact_list_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *fields = rlx_api_body(req);
    char *json = NULL;

    int err = rlx_contact_list_update(api->store, req, rlx_api_user(req),
                                      rlx_api_id(req, "list_id"), fields, &json);
    json_decref(fields);
    reply_list(req, err, 200, json);
}

void rlx_api_contact_list_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err =
        rlx_contact_list_get(api->store, req, rlx_api_user(req), rlx_api_id(req, "list_id"), &json);

    reply_list(req, err, 200, json);
}

void rlx_api_contact_list_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_contact_list_delete(api->store, rlx_api_user(req), rlx_api_id(req, "list_id"));

    if (err)
        rlx_api_reply_store(req, err, "list");
    else
        rlx_api_reply_message(req, "List deleted");
}

void rlx_api_contact_list_change(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    char *json = NULL;

    int err = rlx_contact_list_change(api->store, req, rlx_api_user(req),
                                      rlx_api_id(req, "list_id"), json_object_get(body, "add"),
                                      json_object_get(body, "remove"), &json);
    json_decref(body);
    reply_list(req, err, 200, json);
}
