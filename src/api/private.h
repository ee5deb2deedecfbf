/* What the API's files share; nobody else includes it. */
#ifndef RLX_API_PRIVATE_H
#define RLX_API_PRIVATE_H

#include <jansson.h>
#include <stdatomic.h>
#include <talloc.h>

#include "api/api.h"
#include "api/dispatch.h"
#include "api/handlers.h" /* made at build: every operation's handler */
#include "api/throttle.h"
#include "api/validate.h"
#include "base/config.h"
#include "base/err.h"
#include "base/httpd.h"
#include "store/store.h"

#define RLX_ACCESS_S 3600
#define RLX_REFRESH_MS (30LL * 24 * 3600 * 1000)
#define RLX_STREAMS_MAX 200 /* live streams of a process */
#define RLX_STREAMS_OF_USER 16

struct rlx_api {
    struct rlx_config *config;
    struct rlx_store *store;
    struct rlx_httpd *httpd;
    struct rlx_throttle *throttle;
    struct rlx_limits *limits;
    struct rlx_token_cache *tokens;
    struct rlx_metrics *metrics;
    struct rlx_hub *hub; /* live events */
    struct rlx_prices *prices;
    const char *jwt_key;  /* owned by the configuration */
    char dummy_hash[128]; /* a bcrypt hash that nobody's password gives: unknown e-mails cost the
                             same time */
    char *csp;            /* Content-Security-Policy of the page */
    atomic_bool stopping;
    atomic_int streams; /* live streams */
    char stream_users[RLX_STREAMS_MAX][37]; /* whose each is; "" = free */
    struct rlx_health *health;
    struct rlx_route *routes; /* the operations', in their order, then the pages' */
};

/* What a request carries along (rlx_request_data). */
struct rlx_api_call {
    char id[37];      /* request id */
    char user_id[37]; /* "" = not authenticated */
    uint64_t began_us;
    const struct rlx_operation *operation; /* NULL: a page, or no route */
    json_t *body;                          /* checked */
    bool admitted;                         /* all but the body was checked */
};

rlx_handler_h rlx_api_page, rlx_api_docs, rlx_api_docs_file;

/* requests.c: around every request. */
rlx_handler_h rlx_api_before, rlx_api_after;

/* ---- what a handler asks; the dispatcher (dispatch.h) has checked everything before ---- */

/* The user's id; never NULL on an operation that needs authentication. */
const char *rlx_api_user(struct rlx_request *req);
/* The body, or the text fields of a form, as an object that is valid and holds only fields that the description names.
 * {} when an optional body is absent. A new reference: the caller drops it. */
json_t *rlx_api_body(struct rlx_request *req);
/* A {name} of the path, valid as its schema says (UUIDs in lower case). */
const char *rlx_api_id(struct rlx_request *req, const char *name);
/* limit and cursor (NULL: the first page) of a list. */
void rlx_api_page_of(struct rlx_request *req, int *limitp, const char **cursorp);
/* Answers 422 for what a schema can't say: `field` "a.b[0]" or "", the message without the field's name. */
void rlx_api_invalid(struct rlx_request *req, const char *field, const char *message);
/* The same for several: an array of {field, message}, which it takes over. */
void rlx_api_invalid_all(struct rlx_request *req, json_t *errors);

/* ---- other ways to authenticate ---- */

#define RLX_API_KEY_PREFIX "rlx_"

/* api_keys.c. Finds the user of an API key, and its scopes on ctx, separated by spaces ("calls:read agents:write"; see
 * rlx_scope_allows). 0, RLX_EAUTH when it is none or was revoked, RLX_ESTORE. */
int rlx_api_key_check(struct rlx_api *api, TALLOC_CTX *ctx, const char *key, char user_id[37],
                      char **scopesp);
/* tickets.c. Takes a one-use ticket for a path (as it came, without the query). 0, RLX_EAUTH when it is none, was used, has expired or is for another path,
 * RLX_ESTORE. */
int rlx_ticket_take(struct rlx_api *api, const char *ticket, const char *path, char user_id[37]);
/* Whether scopes hold the wanted one: itself, its area's write for a read, "read" or "write" for every area, "*". */
bool rlx_scope_allows(const char *scopes, const char *wanted);

/* ---- live streams: a cap for each user, so that nobody takes all, and one for all of a process ---- */

/* Takes a place for a stream that is to begin, *placep; when there is none, 429 (the user has too many) or 503 was
 * answered and it is false. */
bool rlx_api_stream_open(struct rlx_request *req, struct rlx_api *api, char **placep);
/* Once for each that was opened. */
void rlx_api_stream_close(struct rlx_api *api, char *place);

/* ---- answers ---- */

/* Answers a list: the array, X-Total-Count, Link to the next page. */
void rlx_api_reply_list(struct rlx_request *req, const char *json, const char *next, int64_t total);
/* Answers a store's error in words of the resource ("agent", "call", …). */
void rlx_api_reply_store(struct rlx_request *req, int err, const char *what);
void rlx_api_reply_text(struct rlx_request *req, int status, const char *json);
/* {"detail", "code"} with a status and code of its own. */
void rlx_api_reply_code(struct rlx_request *req, int status, const char *code, const char *detail);
void rlx_api_reply_message(struct rlx_request *req, const char *message);

/* ---- tokens and passwords (tokens.c) ---- */

/* An access token (JWT, HS256) of the user, on ctx; NULL out of memory. */
char *rlx_access_token(TALLOC_CTX *ctx, const char *key, const char *user_id, int64_t now_s);
/* Checks one and gives its user: 0 or RLX_EAUTH. */
int rlx_access_check(const char *key, const char *token, int64_t now_s, char user_id[37]);
/* The successor of a refresh token: always the same for the same one. */
char *rlx_refresh_successor(TALLOC_CTX *ctx, const char *key, const char *token);
/* bcrypt, cost 12; as many at once as half the processors, others wait. 0, RLX_EINVAL for a password over 72 bytes, RLX_ELIMIT when
 * too many wait, RLX_EINTERNAL. */
int rlx_password_hash(char *hash, size_t size, const char *password);
/* The same for one to be compared: 0, RLX_EAUTH, RLX_ELIMIT, -ENOMEM. */
int rlx_password_check(const char *password, const char *hash);

/* ---- health (health.c) ---- */
struct rlx_health;
int rlx_health_create(struct rlx_health **healthp, struct rlx_api *api);

/* ---- files built in (assets made at build) ---- */
extern const unsigned char rlx_asset_openapi[], rlx_asset_page[], rlx_asset_prices[],
    rlx_asset_viewer_js[], rlx_asset_viewer_css[];
extern const size_t rlx_asset_openapi_length, rlx_asset_page_length, rlx_asset_prices_length,
    rlx_asset_viewer_js_length, rlx_asset_viewer_css_length;

#endif
