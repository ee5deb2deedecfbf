#include "api/dispatch.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api/limits.h"
#include "api/private.h"
#include "api/token_cache.h"
#include "base/clock.h"

/* ---- who asks ---- */

bool rlx_scope_allows(const char *scopes, const char *wanted)
{
    const char *colon = strchr(wanted, ':');
    size_t area = colon ? (size_t)(colon - wanted) : strlen(wanted);
    bool read = colon && !strcmp(colon, ":read");

    for (const char *p = scopes; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        if ((n == strlen(wanted) && !strncmp(p, wanted, n)) || (n == 1 && *p == '*' && colon) ||
            (n == 5 && !strncmp(p, "write", 5) && colon) ||
            (n == 4 && !strncmp(p, "read", 4) && read) ||
            (read && n == area + 6 && !strncmp(p, wanted, area) && !strncmp(p + area, ":write", 6)))
            return true;
        p += n;
    }
    return false;
}

static bool refuse(struct rlx_request *req, int err, const char *detail)
{
    if (err == RLX_EAUTH) {
        rlx_reply_header(req, "WWW-Authenticate", "Bearer");
        rlx_reply_error(req, err, detail);
    } else {
        rlx_api_reply_store(req, err, "user");
    }
    return false;
}

static bool by_key(struct rlx_request *req, struct rlx_api *api, struct rlx_api_call *call,
                   const char *key)
{
    char *scopes = NULL;
    int err = rlx_api_key_check(api, req, key, call->user_id, &scopes);

    if (err)
        return refuse(req, err, "the API key is not valid or was revoked");
    if (rlx_scope_allows(scopes, call->operation->scope))
        return true;
    char *detail = talloc_asprintf((TALLOC_CTX *)req, "this API key lacks the scope %s",
                                   call->operation->scope);
    rlx_api_reply_code(req, 403, "scope_missing", detail ? detail : "this API key may not do that");
    return false;
}

static bool authenticate(struct rlx_request *req, struct rlx_api *api, struct rlx_api_call *call)
{
    const char *header = rlx_request_header(req, "Authorization");
    const char *key = rlx_request_header(req, "X-API-Key");
    const char *ticket = call->operation->ticket ? rlx_request_query(req, "ticket") : NULL;
    const char *token = NULL;

    if (!call->operation->scope)
        return true;
    if (header && !strncasecmp(header, "Bearer ", 7))
        token = header + 7 + strspn(header + 7, " ");
    if (token && !strncmp(token, RLX_API_KEY_PREFIX, strlen(RLX_API_KEY_PREFIX)))
        return by_key(req, api, call, token);
    if (token) {
        int err = rlx_token_cache_check(api->tokens, api->jwt_key, token, rlx_wall_ms() / 1000,
                                        call->user_id);
        return !err || refuse(req, err, "the access token is not valid or has expired");
    }
    if (key)
        return by_key(req, api, call, key);
    if (ticket) {
        int err = rlx_ticket_take(api, ticket, rlx_request_path(req), call->user_id);
        return !err || refuse(req, err, "the ticket is not valid, was used or has expired");
    }
    return refuse(req, RLX_EAUTH,
                  "an access token is needed: Authorization: Bearer TOKEN, or X-API-Key: KEY");
}

/* ---- parameters ---- */

static json_t *check_text(const struct rlx_parameter *parameter, const char *text, size_t length,
                          json_t *errors)
{
    return rlx_validate_text(parameter->schema, text, length, parameter->name, errors);
}

/* A path that can't be one of ours does not exist. */
static bool check_path(struct rlx_request *req, const struct rlx_operation *operation)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < operation->parameter_count; i++) {
        const struct rlx_parameter *parameter = &operation->parameters[i];
        if (parameter->in != RLX_IN_PATH)
            continue;
        const char *text = rlx_request_param(req, parameter->name);
        json_t *value = check_text(parameter, text ? text : "", text ? strlen(text) : 0, errors);
        if (json_is_string(value) && parameter->schema->format == RLX_FORMAT_UUID)
            rlx_request_set_param(req, parameter->name, json_string_value(value));
        json_decref(value);
    }
    bool good = !json_array_size(errors);
    json_decref(errors);
    if (!good)
        rlx_reply_error(req, RLX_ENOTFOUND, NULL);
    return good;
}

static void check_query(struct rlx_request *req, const struct rlx_parameter *parameter,
                        json_t *errors)
{
    bool many = parameter->schema->types & RLX_T_ARRAY;
    const char *text;
    size_t length;

    for (size_t i = 0; (text = rlx_request_query_at(req, parameter->name, i, &length)); i++)
        if (i && !many)
            rlx_validate_error(errors, parameter->name, "must not be given twice");
        else
            json_decref(check_text(parameter, text, length, errors));
    if (parameter->required && !rlx_request_query(req, parameter->name))
        rlx_validate_error(errors, parameter->name, "is required");
}

static void check_header(struct rlx_request *req, const struct rlx_parameter *parameter,
                         json_t *errors)
{
    const char *text = rlx_request_header(req, parameter->name);

    if (text)
        json_decref(check_text(parameter, text, strlen(text), errors));
    else if (parameter->required)
        rlx_validate_error(errors, parameter->name, "is required");
}

/* Answers 422 when there are errors; drops the array. */
static bool none(struct rlx_request *req, json_t *errors)
{
    if (!json_array_size(errors)) {
        json_decref(errors);
        return true;
    }
    rlx_api_invalid_all(req, errors);
    return false;
}

static bool check_parameters(struct rlx_request *req, const struct rlx_operation *operation)
{
    if (!operation->parameter_count)
        return true;
    json_t *errors = json_array();
    for (size_t i = 0; i < operation->parameter_count; i++) {
        const struct rlx_parameter *parameter = &operation->parameters[i];
        if (parameter->in == RLX_IN_QUERY)
            check_query(req, parameter, errors);
        else if (parameter->in == RLX_IN_HEADER)
            check_header(req, parameter, errors);
    }
    return none(req, errors);
}

/* ---- bodies ---- */

static bool check_json(struct rlx_request *req, struct rlx_api_call *call)
{
    json_t *body = NULL;
    size_t length;

    rlx_request_body(req, &length);
    if (!length && !call->operation->body_required)
        return true;
    int err = rlx_request_json(req, &body);
    if (err) {
        rlx_reply_error(req, err,
                        err == RLX_EINVAL   ? "a string holds U+0000"
                        : err == RLX_EMEDIA ? "the body must be application/json"
                                            : NULL);
        return false;
    }
    json_t *errors = json_array();
    call->body = rlx_validate(call->operation->body, body, "", errors);
    return none(req, errors);
}

/* A form's text fields become the body; its files are the handler's to read. */
static bool check_form(struct rlx_request *req, struct rlx_api_call *call)
{
    const struct rlx_schema *form = call->operation->form;
    json_t *errors = json_array();

    call->body = json_object();
    for (size_t i = 0; i < form->property_count; i++) {
        const struct rlx_property *property = &form->properties[i];
        size_t length;
        const char *text = rlx_request_field(req, property->name, &length);
        if (!text && property->required)
            rlx_validate_error(errors, property->name, "is required");
        if (!text || property->schema->format == RLX_FORMAT_BINARY)
            continue;
        json_t *value = rlx_validate_text(property->schema, text, length, property->name, errors);
        if (value)
            json_object_set_new(call->body, property->name, value);
    }
    return none(req, errors);
}

static bool check_body(struct rlx_request *req, struct rlx_api_call *call)
{
    const struct rlx_operation *operation = call->operation;

    if (!operation->media)
        return true;
    if ((operation->media & RLX_MEDIA_FORM) && rlx_request_is(req, "multipart/form-data"))
        return check_form(req, call);
    if ((operation->media & RLX_MEDIA_CSV) && rlx_request_is(req, "text/csv"))
        return true;
    if (operation->media & RLX_MEDIA_JSON)
        return check_json(req, call);
    rlx_reply_error(req, RLX_EMEDIA,
                    operation->media & RLX_MEDIA_FORM ? "the body must be multipart/form-data"
                                                      : "the body must be text/csv");
    return false;
}

/* ---- how often ---- */

static bool may_now(struct rlx_request *req, struct rlx_api *api, enum rlx_rate rate,
                    const char *who)
{
    unsigned wait_s = rlx_limits_take(api->limits, rate, who, rlx_now_ms());
    char text[32];

    if (!wait_s)
        return true;
    snprintf(text, sizeof text, "%u", wait_s);
    rlx_reply_header(req, "Retry-After", text);
    snprintf(text, sizeof text, "%u", rlx_limits_of(api->limits, rate));
    rlx_reply_header(req, "X-RateLimit-Limit", text);
    rlx_reply_error(req, RLX_ELIMIT, "too many requests; try again after the time in Retry-After");
    return false;
}

/* An address is limited before its token is looked at, so that tokens and keys can't be guessed
 * fast. */
static bool admit(struct rlx_request *req, struct rlx_api *api, struct rlx_api_call *call)
{
    const struct rlx_operation *operation = call->operation;
    enum rlx_rate rate = operation->rate;

    if (rate && !may_now(req, api, RLX_RATE_ADDRESS, rlx_request_peer(req)))
        return false;
    if (!authenticate(req, api, call))
        return false;
    if (!may_now(req, api, rate, call->user_id[0] ? call->user_id : rlx_request_peer(req)))
        return false;
    return check_path(req, operation) && check_parameters(req, operation);
}

void rlx_dispatch_early(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    struct rlx_api_call *call = rlx_request_data(req);
    size_t index = (size_t)(rlx_request_route(req) - api->routes);

    if (index >= rlx_api_route_count)
        return;
    call->operation = &rlx_api_operations[index];
    call->admitted = admit(req, api, call);
}

void rlx_dispatch(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    struct rlx_api_call *call = rlx_request_data(req);

    call->operation = &rlx_api_operations[rlx_request_route(req) - api->routes];
    if ((call->admitted || admit(req, api, call)) && check_body(req, call))
        call->operation->handler(req, arg);
}
