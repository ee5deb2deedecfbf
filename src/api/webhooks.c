/* Webhooks and their deliveries. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/crypto.h"
#include "provider/outbound.h"
#include "store/webhooks.h"

#define SECRET_BYTES 32

/* Answers when the URL can't be one that is called. */
static bool check_url(struct rlx_request *req, struct rlx_api *api, const json_t *fields)
{
    const char *url = json_string_value(json_object_get(fields, "url"));
    char *why = NULL;

    if (!url || !rlx_outbound_check_url((TALLOC_CTX *)req, url,
                                        rlx_config_get(api->config, RLX_CFG_OUTBOUND_ALLOW), &why))
        return true;
    rlx_api_invalid(req, "url", why ? why : "is not valid");
    return false;
}

static void reply_webhook(struct rlx_request *req, int err, int status, const char *json)
{
    if (err)
        rlx_api_reply_store(req, err, "webhook");
    else
        rlx_api_reply_text(req, status, json);
}

static char *new_secret(TALLOC_CTX *ctx)
{
    char *token = rlx_random_token(ctx, SECRET_BYTES);

    return token ? talloc_asprintf(ctx, "whsec_%s", token) : NULL;
}

static char *seal(struct rlx_request *req, const struct rlx_api *api, const char *secret)
{
    return secret ? rlx_webhook_seal((TALLOC_CTX *)req, api->config, rlx_api_user(req), secret)
                  : NULL;
}

/* The one answer that has the secret. */
static void reply_secret(struct rlx_request *req, int status, const char *json, const char *secret)
{
    json_t *webhook = json_loads(json, 0, NULL);

    json_object_set_new(webhook, "secret", json_string(secret));
    rlx_reply_header(req, "Cache-Control", "no-store");
    rlx_reply_json(req, status, webhook);
}

void rlx_api_webhooks_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL, *next = NULL;
    const char *cursor;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err =
        rlx_webhooks_list(api->store, req, rlx_api_user(req), limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "webhook");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_webhook_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *fields = rlx_api_body(req);
    char *json = NULL, *secret = new_secret((TALLOC_CTX *)req);

    if (check_url(req, api, fields)) {
        char *kept = seal(req, api, secret);
        int err = kept ? rlx_webhook_create(api->store, req, rlx_api_user(req), fields, kept, &json)
                       : -ENOMEM;
        if (err)
            rlx_api_reply_store(req, err, "webhook");
        else
            reply_secret(req, 201, json, secret);
    }
    json_decref(fields);
}

void rlx_api_webhook_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err =
        rlx_webhook_get(api->store, req, rlx_api_user(req), rlx_api_id(req, "webhook_id"), &json);

    reply_webhook(req, err, 200, json);
}

void rlx_api_webhook_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *fields = rlx_api_body(req);
    char *json = NULL;

    if (check_url(req, api, fields)) {
        int err = rlx_webhook_update(api->store, req, rlx_api_user(req),
                                     rlx_api_id(req, "webhook_id"), fields, &json);
        reply_webhook(req, err, 200, json);
    }
    json_decref(fields);
}

void rlx_api_webhook_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_webhook_delete(api->store, rlx_api_user(req), rlx_api_id(req, "webhook_id"));

    if (err)
        rlx_api_reply_store(req, err, "webhook");
    else
        rlx_api_reply_message(req, "Webhook deleted");
}

void rlx_api_webhook_secret(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req), *id = rlx_api_id(req, "webhook_id");
    char *json = NULL, *secret = new_secret((TALLOC_CTX *)req);

    char *kept = seal(req, api, secret);
    int err = kept ? rlx_webhook_set_secret(api->store, user, id, kept) : -ENOMEM;
    if (!err)
        err = rlx_webhook_get(api->store, req, user, id, &json);
    if (err)
        rlx_api_reply_store(req, err, "webhook");
    else
        reply_secret(req, 200, json, secret);
}

void rlx_api_webhook_test(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err =
        rlx_webhook_test(api->store, req, rlx_api_user(req), rlx_api_id(req, "webhook_id"), &json);

    reply_webhook(req, err, 202, json);
}

void rlx_api_deliveries_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL, *next = NULL;
    const char *cursor;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err =
        rlx_deliveries_list(api->store, req, rlx_api_user(req), rlx_api_id(req, "webhook_id"),
                            rlx_request_query(req, "status"), limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "webhook");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_delivery_replay(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err = rlx_delivery_replay(api->store, req, rlx_api_user(req), rlx_api_id(req, "webhook_id"),
                                  rlx_api_id(req, "delivery_id"), &json);

    if (err)
        rlx_api_reply_store(req, err, "delivery");
    else
        rlx_api_reply_text(req, 202, json);
}
