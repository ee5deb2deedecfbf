/* Share links of calls. Making and revoking them takes the user; opening one takes the link alone.
 */
#include "store/shares.h"

#include "api/private.h"
#include "api/recording.h"
#include "base/clock.h"

#define HOUR_MS 3600000LL
#define DEFAULT_HOURS 168LL /* a week */

void rlx_api_call_share(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    const json_t *hours = json_object_get(body, "expires_in_hours");
    bool recording = !json_is_false(json_object_get(body, "recording"));
    int64_t expires_ms =
        rlx_wall_ms() + (hours ? json_integer_value(hours) : DEFAULT_HOURS) * HOUR_MS;
    char *token = NULL, *json = NULL;

    json_decref(body);
    int err = rlx_share_create(api->store, req, rlx_api_user(req), rlx_api_id(req, "call_id"),
                               recording, expires_ms, &token, &json);
    if (err) {
        rlx_api_reply_store(req, err, "call");
        return;
    }
    json_t *share = json_loads(json, 0, NULL);
    json_object_set_new(share, "token", json_string(token));
    json_object_set_new(share, "path", json_sprintf("/shared/%s", token));
    rlx_reply_json(req, 201, share);
}

void rlx_api_call_shares(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor;
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_shares_list(api->store, req, rlx_api_user(req), rlx_api_id(req, "call_id"), limit,
                              cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "call");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_share_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_share_delete(api->store, rlx_api_user(req), rlx_api_id(req, "call_id"),
                               rlx_api_id(req, "share_id"));

    if (err)
        rlx_api_reply_store(req, err, "share link");
    else
        rlx_api_reply_message(req, "Share link revoked");
}

void rlx_api_shared(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err = rlx_share_open(api->store, req, rlx_api_id(req, "token"), rlx_wall_ms(), &json);

    rlx_reply_header(req, "Cache-Control", "private, no-store");
    rlx_reply_header(req, "X-Robots-Tag", "noindex");
    if (err)
        rlx_api_reply_store(req, err, "shared call");
    else
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_shared_recording(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *path = NULL;
    int err = rlx_share_recording(api->store, req, rlx_api_id(req, "token"), rlx_wall_ms(), &path);

    rlx_reply_header(req, "X-Robots-Tag", "noindex");
    if (err)
        rlx_api_reply_store(req, err, "recording");
    else
        rlx_api_send_recording(req, api, path);
}
