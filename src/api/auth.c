/* Accounts: signup, login, refresh, logout, me. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/users.h"

static bool signup_open(struct rlx_request *req, struct rlx_api *api)
{
    const char *mode = rlx_config_get(api->config, RLX_CFG_SIGNUP);

    if (!strcmp(mode, "open"))
        return true;
    rlx_api_reply_code(req, 403, "signup_closed",
                       !strcmp(mode, "invite") ? "signing up needs an invitation"
                                               : "signing up is closed on this server");
    return false;
}

void rlx_api_signup(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char hash[128], *user_id = NULL;

    if (!signup_open(req, api))
        return;
    json_t *body = rlx_api_body(req);
    int err =
        rlx_password_hash(hash, sizeof hash, json_string_value(json_object_get(body, "password")));
    if (!err)
        err = rlx_user_create(api->store, req, json_string_value(json_object_get(body, "email")),
                              hash, json_string_value(json_object_get(body, "name")), &user_id);
    json_decref(body);
    if (err == RLX_ECONFLICT)
        rlx_api_reply_code(req, 409, "email_taken", "an account with this e-mail exists");
    else if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_reply_json(
            req, 201,
            json_pack("{s:s,s:s}", "message", "User created successfully", "user_id", user_id));
}

/* ---- login ---- */

/* A new refresh token and its row. */
static char *session_new(struct rlx_request *req, struct rlx_api *api, const char *user_id,
                         int *errp)
{
    char hex[RLX_SHA256_HEX];
    char *token = rlx_random_token(req, 32);

    if (!token) {
        *errp = -ENOMEM;
        return NULL;
    }
    rlx_sha256_hex(hex, token, strlen(token));
    *errp = rlx_session_create(api->store, user_id, hex, rlx_wall_ms() + RLX_REFRESH_MS);
    return token;
}

static void login_done(struct rlx_request *req, struct rlx_api *api, const json_t *user)
{
    const char *id = json_string_value(json_object_get(user, "id"));
    char *access = rlx_access_token(req, api->jwt_key, id, rlx_wall_ms() / 1000);
    int err = 0;
    char *refresh = session_new(req, api, id, &err);

    if (err || !access || !refresh) {
        rlx_api_reply_store(req, err ? err : -ENOMEM, "user");
        return;
    }
    rlx_reply_json(req, 200,
                   json_pack("{s:s,s:s,s:s,s:{s:s,s:O,s:O}}", "access_token", access,
                             "refresh_token", refresh, "token_type", "bearer", "user", "id", id,
                             "email", json_object_get(user, "email"), "name",
                             json_object_get(user, "name")));
}

/* The password is checked against some hash in every case: unknown and wrong take the same time. */
static int login_check(struct rlx_api *api, const char *email, const char *password, json_t **userp)
{
    int err = rlx_user_by_email(api->store, NULL, email, userp);

    if (err && err != RLX_ENOTFOUND)
        return err;
    const char *hash =
        err ? api->dummy_hash : json_string_value(json_object_get(*userp, "password_hash"));
    bool right = rlx_password_check(password, hash);
    return right && !err ? 0 : RLX_EAUTH;
}

void rlx_api_login(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *user = NULL;
    char wait[16];

    json_t *body = rlx_api_body(req);
    const char *email = json_string_value(json_object_get(body, "email"));
    const char *password = json_string_value(json_object_get(body, "password"));
    const char *peer = rlx_request_peer(req);
    unsigned wait_s = rlx_throttle_wait_s(api->throttle, email, peer, rlx_now_ms());
    if (wait_s) {
        snprintf(wait, sizeof wait, "%u", wait_s);
        rlx_reply_header(req, "Retry-After", wait);
        rlx_reply_error(req, RLX_ELIMIT, "too many failed logins; try again later");
        goto out;
    }
    int err = login_check(api, email, password, &user);
    if (err == RLX_EAUTH) {
        rlx_throttle_failed(api->throttle, email, peer, rlx_now_ms());
        rlx_log(RLX_INFO, "login.failed", "peer=%s", peer);
        rlx_reply_error(req, RLX_EAUTH, "the e-mail or the password is wrong");
    } else if (err) {
        rlx_api_reply_store(req, err, "user");
    } else {
        rlx_throttle_passed(api->throttle, email, peer);
        login_done(req, api, user);
    }
out:
    json_decref(user);
    json_decref(body);
}

/* ---- sessions ---- */

static int refresh(struct rlx_request *req, struct rlx_api *api, const char *token, bool rotate,
                   char **user_idp, char **successorp)
{
    char old[RLX_SHA256_HEX], new[RLX_SHA256_HEX];
    int64_t now_ms = rlx_wall_ms();

    rlx_sha256_hex(old, token, strlen(token));
    if (!rotate)
        return rlx_session_user(api->store, req, old, now_ms, user_idp);
    *successorp = rlx_refresh_successor(req, api->jwt_key, token);
    if (!*successorp)
        return -ENOMEM;
    rlx_sha256_hex(new, *successorp, strlen(*successorp));
    return rlx_session_rotate(api->store, req, old, new, now_ms, now_ms + RLX_REFRESH_MS, user_idp);
}

void rlx_api_refresh(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *user_id = NULL, *successor = NULL, *access = NULL;

    json_t *body = rlx_api_body(req);
    int err = refresh(req, api, json_string_value(json_object_get(body, "refresh_token")),
                      json_is_true(json_object_get(body, "rotate")), &user_id, &successor);
    json_decref(body);
    if (!err && !(access = rlx_access_token(req, api->jwt_key, user_id, rlx_wall_ms() / 1000)))
        err = -ENOMEM;
    if (err == RLX_EAUTH)
        rlx_reply_error(req, err, "the refresh token is not valid or has expired");
    else if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_reply_json(req, 200,
                       json_pack("{s:s,s:s,s:i,s:s*}", "access_token", access, "token_type",
                                 "bearer", "expires_in", RLX_ACCESS_S, "refresh_token", successor));
}

void rlx_api_logout(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char hex[RLX_SHA256_HEX];

    json_t *body = rlx_api_body(req);
    const char *token = json_string_value(json_object_get(body, "refresh_token"));
    rlx_sha256_hex(hex, token, strlen(token));
    int err = rlx_session_delete(api->store, hex);
    json_decref(body);
    if (err)
        rlx_api_reply_store(req, err, "session");
    else
        rlx_api_reply_message(req, "Logged out");
}

void rlx_api_me(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    const char *user = rlx_api_user(req);

    int err = rlx_user_get(api->store, req, user, &json);
    if (err == RLX_ENOTFOUND) /* the account is gone, its token is not */
        rlx_reply_error(req, RLX_EAUTH, "the account does not exist any more");
    else if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_api_reply_text(req, 200, json);
}
