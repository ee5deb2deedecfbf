/* Accounts: signup, login, refresh, logout, me. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/api_keys.h"
#include "store/users.h"

#define INVITE_DAYS 7
#define DAY_MS (24 * 3600 * 1000LL)

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Answers when nobody may sign up like this. */
static bool signup_open(struct rlx_request *req, struct rlx_api *api, const char *code)
{
    const char *mode = rlx_config_get(api->config, RLX_CFG_SIGNUP);
    bool invite = !strcmp(mode, "invite");

    if (!strcmp(mode, "open") || (invite && code))
        return true;
    rlx_api_reply_code(req, 403, "signup_closed",
                       invite ? "signing up needs an invitation: send its invite_code"
                              : "signing up is closed on this server");
    return false;
}

/* Too many passwords are being checked at the moment. */
static bool busy(struct rlx_request *req, int err)
{
    if (err != RLX_ELIMIT)
        return false;
    rlx_reply_header(req, "Retry-After", "5");
    rlx_reply_error(req, err, "too many passwords are being checked; try again in a few seconds");
    return true;
}

static int signup(struct rlx_request *req, struct rlx_api *api, const json_t *body,
                  const char *code, char **user_idp)
{
    const char *email = text_of(body, "email"), *name = text_of(body, "name");
    char hash[128], hex[RLX_SHA256_HEX];
    int err = rlx_password_hash(hash, sizeof hash, text_of(body, "password"));

    if (err)
        return err;
    if (strcmp(rlx_config_get(api->config, RLX_CFG_SIGNUP), "invite") != 0)
        return rlx_user_create(api->store, req, email, hash, name, user_idp);
    rlx_sha256_hex(hex, code, strlen(code));
    return rlx_user_create_invited(api->store, req, email, hash, name, hex, rlx_wall_ms(),
                                   user_idp);
}

void rlx_api_signup(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *body = rlx_api_body(req);
    const char *code = text_of(body, "invite_code");
    char *user_id = NULL;

    if (!signup_open(req, api, code)) {
        json_decref(body);
        return;
    }
    int err = signup(req, api, body, code, &user_id);
    json_decref(body);
    if (busy(req, err))
        return;
    if (err == RLX_ECONFLICT)
        rlx_api_reply_code(req, 409, "email_taken", "an account with this e-mail exists");
    else if (err == RLX_EFORBIDDEN)
        rlx_api_reply_code(req, 403, "invite_invalid",
                           "this invitation does not exist, was used, has expired, or is for "
                           "another e-mail");
    else if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_reply_json(
            req, 201,
            json_pack("{s:s,s:s}", "message", "User created successfully", "user_id", user_id));
}

void rlx_api_invite_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req);
    char hex[RLX_SHA256_HEX];
    int64_t now_ms = rlx_wall_ms();
    bool admin = false;
    int err = rlx_user_is_admin(api->store, user, &admin);

    if (!err && !admin) {
        rlx_reply_error(req, RLX_EFORBIDDEN,
                        "only the server's administrator (its first account) may invite; others "
                        "are invited with: relayx user invite");
        return;
    }
    json_t *body = rlx_api_body(req);
    const json_t *days = json_object_get(body, "days");
    int64_t expires_ms =
        now_ms + (json_is_integer(days) ? json_integer_value(days) : INVITE_DAYS) * DAY_MS;
    char *code = rlx_random_token(req, 24);
    if (!err && !code)
        err = -ENOMEM;
    if (!err) {
        rlx_sha256_hex(hex, code, strlen(code));
        err = rlx_invite_create(api->store, hex, text_of(body, "email"), user, now_ms, expires_ms);
    }
    if (err) {
        rlx_api_reply_store(req, err, "user");
    } else {
        char expires[RLX_TIME_TEXT];
        rlx_time_text(expires, expires_ms);
        rlx_reply_json(req, 201,
                       json_pack("{s:s,s:s?,s:s}", "invite_code", code, "email",
                                 text_of(body, "email"), "expires_at", expires));
    }
    json_decref(body);
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
    int wrong = rlx_password_check(password, hash);
    return wrong ? wrong : err ? RLX_EAUTH : 0;
}

/* Counts an attempt on the account from this peer; answers when it must wait. */
static bool may_try(struct rlx_request *req, struct rlx_api *api, const char *account)
{
    unsigned wait_s =
        rlx_throttle_try_s(api->throttle, account, rlx_request_peer(req), rlx_now_ms());
    char wait[16];

    if (!wait_s)
        return true;
    snprintf(wait, sizeof wait, "%u", wait_s);
    rlx_reply_header(req, "Retry-After", wait);
    rlx_reply_error(req, RLX_ELIMIT, "too many failed logins; try again later");
    return false;
}

void rlx_api_login(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *peer = rlx_request_peer(req);
    json_t *user = NULL, *body = rlx_api_body(req);
    const char *email = text_of(body, "email");

    if (!may_try(req, api, email))
        goto out;
    int err = login_check(api, email, text_of(body, "password"), &user);
    if (err == RLX_EAUTH) {
        rlx_log(RLX_INFO, "login.failed", "peer=%s", peer);
        rlx_reply_error(req, RLX_EAUTH, "the e-mail or the password is wrong");
    } else if (err) {
        rlx_throttle_undo(api->throttle, email, peer);
        if (!busy(req, err))
            rlx_api_reply_store(req, err, "user");
    } else {
        rlx_throttle_passed(api->throttle, email, peer);
        login_done(req, api, user);
    }
out:
    json_decref(user);
    json_decref(body);
}

/* ---- the password ---- */

static int password_change(struct rlx_request *req, struct rlx_api *api, const char *user,
                           const json_t *body)
{
    const char *kept = text_of(body, "refresh_token");
    char *hash = NULL, made[128], hex[RLX_SHA256_HEX];
    int err = rlx_user_password(api->store, req, user, &hash);

    if (!err)
        err = rlx_password_check(text_of(body, "old_password"), hash);
    if (!err)
        err = rlx_password_hash(made, sizeof made, text_of(body, "new_password"));
    if (err)
        return err;
    if (kept)
        rlx_sha256_hex(hex, kept, strlen(kept));
    return rlx_user_password_set(api->store, user, made, kept ? hex : NULL, rlx_wall_ms());
}

void rlx_api_password(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req), *peer = rlx_request_peer(req);

    if (!may_try(req, api, user))
        return;
    json_t *body = rlx_api_body(req);
    int err = password_change(req, api, user, body);
    json_decref(body);
    if (err == RLX_EAUTH) {
        rlx_api_reply_code(req, 403, "wrong_password", "the old password is wrong");
        return;
    }
    if (err)
        rlx_throttle_undo(api->throttle, user, peer);
    else
        rlx_throttle_passed(api->throttle, user, peer);
    if (err && !busy(req, err))
        rlx_api_reply_store(req, err, "user");
    else if (!err)
        rlx_api_reply_message(req, "Password changed");
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

static void answer_me(struct rlx_request *req, struct rlx_api *api, int err, const char *user)
{
    char *json = NULL;

    if (!err)
        err = rlx_user_get(api->store, req, user, &json);
    if (err == RLX_ENOTFOUND) /* the account is gone, its token is not */
        rlx_reply_error(req, RLX_EAUTH, "the account does not exist any more");
    else if (err)
        rlx_api_reply_store(req, err, "user");
    else
        rlx_api_reply_text(req, 200, json);
}

void rlx_api_me(struct rlx_request *req, void *arg)
{
    answer_me(req, arg, 0, rlx_api_user(req));
}

void rlx_api_me_update(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req);
    json_t *body = rlx_api_body(req);
    int err = rlx_user_update(api->store, user, body, rlx_wall_ms());

    json_decref(body);
    answer_me(req, api, err, user);
}
