/* One-use tickets, for what sends no header: event streams, audio, the voice test. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "store/api_keys.h"

#define VALID_S 60

int rlx_ticket_take(struct rlx_api *api, const char *ticket, const char *path, char user_id[37])
{
    char hex[RLX_SHA256_HEX];

    if (strlen(ticket) > 100)
        return RLX_EAUTH;
    rlx_sha256_hex(hex, ticket, strlen(ticket));
    return rlx_ticket_use(api->store, hex, path, rlx_wall_ms(), user_id);
}

/* Whether the path is of this form: a {name} stands for one segment. */
static bool has_form(const char *form, const char *path)
{
    while (*form) {
        if (*form == '{') {
            size_t n = strcspn(path, "/");
            if (!n)
                return false;
            path += n;
            form += strcspn(form, "}") + 1;
        } else if (*form++ != *path++) {
            return false;
        }
    }
    return !*path;
}

/* As the router does it, the first form that the path has decides. */
static bool takes_ticket(const char *path)
{
    const char *form = NULL;

    for (size_t i = 0; i < rlx_api_route_count; i++) {
        const struct rlx_route *route = &rlx_api_routes[i];
        if (form ? strcmp(route->path, form) != 0 : !has_form(route->path, path))
            continue;
        form = route->path;
        if (rlx_api_operations[i].ticket)
            return true;
    }
    return false;
}

void rlx_api_ticket_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char hex[RLX_SHA256_HEX];
    json_t *body = rlx_api_body(req);
    const char *path = json_string_value(json_object_get(body, "path"));

    if (!takes_ticket(path)) {
        rlx_api_invalid(req, "path", "no operation of this path takes a ticket");
        json_decref(body);
        return;
    }
    char *ticket = rlx_random_token(req, 32);
    int err = ticket ? 0 : -ENOMEM;

    if (!err) {
        rlx_sha256_hex(hex, ticket, strlen(ticket));
        err = rlx_ticket_create(api->store, rlx_api_user(req), hex, path,
                                rlx_wall_ms() + VALID_S * 1000);
    }
    if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_reply_json(
            req, 201,
            json_pack("{s:s,s:s,s:i}", "ticket", ticket, "path", path, "expires_in", VALID_S));
    json_decref(body);
}
