/* API keys: for programs, in the place of a login. */
#include "store/api_keys.h"

#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/crypto.h"

#define SHOWN 12 /* characters of a key that tell it from others */
#define DAY_MS (24 * 3600 * 1000LL)

int rlx_api_key_check(struct rlx_api *api, TALLOC_CTX *ctx, const char *key, char user_id[37],
                      char **scopesp)
{
    char hex[RLX_SHA256_HEX];

    if (strncmp(key, RLX_API_KEY_PREFIX, strlen(RLX_API_KEY_PREFIX)) != 0 || strlen(key) > 200)
        return RLX_EAUTH;
    rlx_sha256_hex(hex, key, strlen(key));
    return rlx_api_key_use(api->store, ctx, hex, rlx_wall_ms(), user_id, scopesp);
}

/* ["a", "b"] → "a b" */
static char *joined(TALLOC_CTX *ctx, const json_t *array)
{
    char *text = talloc_strdup(ctx, "");
    const json_t *item;
    size_t i;

    json_array_foreach (array, i, item)
        text = text ? talloc_asprintf_append(text, "%s%s", i ? " " : "", json_string_value(item))
                    : NULL;
    return text;
}

static int make(struct rlx_request *req, struct rlx_api *api, const json_t *body, json_t **jsonp)
{
    char hex[RLX_SHA256_HEX], prefix[SHOWN + 1];
    const json_t *days = json_object_get(body, "expires_in_days");
    const json_t *asked = json_object_get(body, "scopes");
    int64_t now_ms = rlx_wall_ms();
    char *token = rlx_random_token(req, 32);
    char *key = token ? talloc_asprintf((TALLOC_CTX *)req, RLX_API_KEY_PREFIX "%s", token) : NULL;
    char *scopes = json_array_size(asked) ? joined(req, asked) : talloc_strdup(req, "*");

    if (!key || !scopes)
        return -ENOMEM;
    memcpy(prefix, key, SHOWN);
    prefix[SHOWN] = '\0';
    rlx_sha256_hex(hex, key, strlen(key));
    int err = rlx_api_key_create(
        api->store, rlx_api_user(req), json_string_value(json_object_get(body, "name")), prefix,
        hex, scopes, now_ms, json_is_integer(days) ? now_ms + json_integer_value(days) * DAY_MS : 0,
        jsonp);
    if (!err)
        json_object_set_new(*jsonp, "key", json_string(key));
    return err;
}

void rlx_api_api_key_create(struct rlx_request *req, void *arg)
{
    json_t *body = rlx_api_body(req), *json = NULL;
    int err = make(req, arg, body, &json);

    json_decref(body);
    if (err == RLX_ELIMIT)
        rlx_api_reply_code(req, 409, "too_many_keys",
                           "there are 100 keys already: revoke one that is not needed");
    else if (err)
        rlx_api_reply_store(req, err, "API key");
    else
        rlx_reply_json(req, 201, json);
}

void rlx_api_api_keys_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *json = NULL;
    char count[24];
    int err = rlx_api_keys_list(api->store, rlx_api_user(req), &json);

    if (err) {
        rlx_api_reply_store(req, err, "API key");
        return;
    }
    snprintf(count, sizeof count, "%zu", json_array_size(json));
    rlx_reply_header(req, "X-Total-Count", count);
    rlx_reply_json(req, 200, json);
}

void rlx_api_api_key_revoke(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err =
        rlx_api_key_revoke(api->store, rlx_api_user(req), rlx_api_id(req, "key_id"), rlx_wall_ms());

    if (err)
        rlx_api_reply_store(req, err, "API key");
    else
        rlx_api_reply_message(req, "API key revoked");
}
