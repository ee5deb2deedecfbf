/* Error codes.
 *
 * Functions return 0 or a negative number: a negative errno as libuv does (-ENOMEM), or one of our own codes from the
 * table below. Each own code has a snake_case name (the `code` of an API error), an HTTP status, and a text.
 */
#ifndef RLX_BASE_ERR_H
#define RLX_BASE_ERR_H

/* clang-format off */
#define RLX_ERR_TABLE(X)                                                                           \
    X(RLX_EINVAL,     -10001, 422, "validation_error",     "a value is not valid")                  \
    X(RLX_EJSON,      -10002, 400, "malformed_json",       "the body is not valid JSON")            \
    X(RLX_EAUTH,      -10003, 401, "unauthorized",         "authentication is missing or not valid")\
    X(RLX_EFORBIDDEN, -10004, 403, "forbidden",            "this is not allowed")                   \
    X(RLX_ENOTFOUND,  -10005, 404, "not_found",            "not found")                             \
    X(RLX_ECONFLICT,  -10006, 409, "conflict",             "this conflicts with what is there")     \
    X(RLX_ETOOBIG,    -10007, 413, "too_large",            "the body is too large")                 \
    X(RLX_ELIMIT,     -10008, 429, "too_many_requests",    "too many requests")                     \
    X(RLX_EPROVIDER,  -10009, 502, "provider_error",       "the provider refused or failed")        \
    X(RLX_ESTORE,     -10010, 503, "store_unavailable",    "the database is away")                  \
    X(RLX_EPROTO,     -10011, 400, "protocol_error",       "the peer broke the protocol")           \
    X(RLX_ECONFIG,    -10012, 500, "bad_configuration",    "the configuration is not valid")        \
    X(RLX_EEMPTY,     -10013, 502, "empty_answer",         "the provider answered nothing")         \
    X(RLX_EMETHOD,    -10014, 405, "method_not_allowed",   "this method is not allowed here")       \
    X(RLX_EMEDIA,     -10015, 415, "unsupported_media",    "the content type is not supported")     \
    X(RLX_EINTERNAL,  -10016, 500, "internal_error",       "an internal error")
/* clang-format on */

enum rlx_err {
#define RLX_ERR_ENUM(name, number, http, code, text) name = (number),
    RLX_ERR_TABLE(RLX_ERR_ENUM)
#undef RLX_ERR_ENUM
};

/* The English text of an error of either kind; never NULL, static memory. Any thread. */
const char *rlx_err_text(int err);

/* The snake_case code for the API ("validation_error"; "internal_error" for an errno). Static memory. */
const char *rlx_err_code(int err);

/* The HTTP status that stands for the error (500 for an errno, 200 for 0). */
int rlx_err_http(int err);

#endif
