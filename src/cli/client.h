/* The REST API's client: what `relayx call` and `relayx demo` ask of it. Blocking. */
#ifndef RLX_CLI_CLIENT_H
#define RLX_CLI_CLIENT_H

#include <jansson.h>
#include <talloc.h>

#include "base/config.h"

struct rlx_client;

/* A client of the API at `url` (no trailing slash). token may be NULL until rlx_client_login. On ctx. */
struct rlx_client *rlx_client_create(TALLOC_CTX *ctx, const char *url, const char *token);
/* Logs in; the tokens are kept in the client. *whyp on the client. */
int rlx_client_login(struct rlx_client *client, const char *email, const char *password,
                     char **whyp) __attribute__((warn_unused_result));
const char *rlx_client_url(const struct rlx_client *client);

/* One request. 0 for an answer below 400, with its JSON in *jsonp (the caller's reference; NULL when it has none); else
 * RLX_EAUTH (401), RLX_ENOTFOUND (404), RLX_EINVAL (422), RLX_EPROVIDER (other), or the error of rlx_http_json; *whyp then
 * holds a sentence on the client. An access token that has expired is renewed once. */
int rlx_client_ask(struct rlx_client *client, json_t **jsonp, const char *method, const char *path,
                   const json_t *body, char **whyp) __attribute__((warn_unused_result));

/* The login that `relayx login` keeps in the user's configuration folder (mode 0600). */
int rlx_client_save(struct rlx_client *client, char **whyp)
    __attribute__((warn_unused_result));
/* The kept login: for this API, or for the one that was logged in to last when url is NULL. NULL when there is none. */
struct rlx_client *rlx_client_load(TALLOC_CTX *ctx, const char *url);
/* The API on this machine that the configuration names. On ctx. */
char *rlx_client_default_url(const struct rlx_config *config, TALLOC_CTX *ctx);

#endif
