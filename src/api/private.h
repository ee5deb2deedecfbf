/* What the API's files share; nobody else includes it. */
#ifndef RLX_API_PRIVATE_H
#define RLX_API_PRIVATE_H

#include <jansson.h>
#include <stdatomic.h>
#include <talloc.h>

#include "api/api.h"
#include "api/throttle.h"
#include "api/validate.h"
#include "base/config.h"
#include "base/err.h"
#include "base/httpd.h"
#include "store/store.h"

#define RLX_ACCESS_S 3600
#define RLX_REFRESH_MS (30LL * 24 * 3600 * 1000)

struct rlx_api {
    struct rlx_config *config;
    struct rlx_store *store;
    struct rlx_httpd *httpd;
    struct rlx_throttle *throttle;
    const char *jwt_key;  /* owned by the configuration */
    char dummy_hash[128]; /* a bcrypt hash that nobody's password gives: unknown e-mails cost the
                             same time */
    char *csp;            /* Content-Security-Policy of the page */
    atomic_bool stopping;
    atomic_int streams; /* live event streams */
    struct rlx_health *health;
};

/* What a request carries along (rlx_request_data). */
struct rlx_api_call {
    char id[37];      /* request id */
    char user_id[37]; /* "" = not authenticated */
    uint64_t began_us;
};

/* ---- handlers, by resource ---- */
rlx_handler_h rlx_api_signup, rlx_api_login, rlx_api_refresh, rlx_api_logout, rlx_api_me;
rlx_handler_h rlx_api_agents_list, rlx_api_agent_create, rlx_api_agent_get, rlx_api_agent_update,
    rlx_api_agent_delete;
rlx_handler_h rlx_api_knowledge_list, rlx_api_knowledge_create, rlx_api_knowledge_delete;
rlx_handler_h rlx_api_call_outbound, rlx_api_calls_list, rlx_api_call_get, rlx_api_call_transcripts,
    rlx_api_call_analysis, rlx_api_call_recording, rlx_api_call_events, rlx_api_call_hangup;
rlx_handler_h rlx_api_health, rlx_api_ready, rlx_api_openapi, rlx_api_page;

/* ---- shared steps of handlers; each answers the request itself when it returns false or NULL ----
 */

/* The user's id, from a good access token; else 401 was answered. */
const char *rlx_api_user(struct rlx_request *req, struct rlx_api *api);
/* The body as a JSON object with only the fields of the rules, all valid; the caller drops it. */
json_t *rlx_api_body(struct rlx_request *req, const struct rlx_field_rule *rules, size_t count,
                     bool partial);
/* A path parameter that must be a UUID: anything else is the same 404 as an unknown one. */
const char *rlx_api_id(struct rlx_request *req, const char *name);
/* limit and cursor of a list. */
bool rlx_api_page_of(struct rlx_request *req, int *limitp, const char **cursorp);
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
/* bcrypt, cost 12. 0, RLX_EINVAL for a password over 72 bytes, RLX_EINTERNAL. */
int rlx_password_hash(char *hash, size_t size, const char *password);
bool rlx_password_check(const char *password, const char *hash);

/* ---- health (health.c) ---- */
struct rlx_health;
int rlx_health_create(struct rlx_health **healthp, struct rlx_api *api);

/* ---- files built in (assets made at build) ---- */
extern const unsigned char rlx_asset_openapi[], rlx_asset_page[];
extern const size_t rlx_asset_openapi_length, rlx_asset_page_length;

#endif
