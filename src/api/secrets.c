/* Keys of providers that a user gives: written, never read back. */
#include "store/secrets.h"

#include <string.h>

#include "api/private.h"
#include "base/clock.h"

void rlx_api_secrets_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *json = NULL;
    int err = rlx_secrets_list(api->store, rlx_api_user(req), &json);

    if (err)
        rlx_api_reply_store(req, err, "secret");
    else
        rlx_reply_json(req, 200, json);
}

/* A value with a line break or another control character in it would break a header. */
static bool printable(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p < ' ' || *p == 127)
            return false;
    return true;
}

void rlx_api_secret_put(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    const char *name = rlx_api_id(req, "name");
    const char *value = json_string_value(json_object_get(body, "value"));

    if (!printable(value)) {
        rlx_api_invalid(req, "value", "must hold no control characters");
    } else {
        int err =
            rlx_secret_put(api->store, api->config, rlx_api_user(req), name, value, rlx_wall_ms());
        if (err == RLX_ECONFIG)
            rlx_api_reply_code(req, 424, "secrets_key_missing", rlx_secrets_why());
        else if (err)
            rlx_api_reply_store(req, err, "secret");
        else
            rlx_api_reply_message(req, "Secret stored");
    }
    json_decref(body);
}

void rlx_api_secret_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_secret_delete(api->store, rlx_api_user(req), rlx_api_id(req, "name"));

    if (err)
        rlx_api_reply_store(req, err, "secret");
    else
        rlx_api_reply_message(req, "Secret deleted");
}
