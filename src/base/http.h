/* Blocking HTTP client on libcurl, for the worker, the command line and the phone simulator (never on the loop). */
#ifndef RLX_BASE_HTTP_H
#define RLX_BASE_HTTP_H

#include <jansson.h>
#include <stddef.h>
#include <talloc.h>

struct rlx_http_request {
    const char *method;         /* NULL = GET, or POST when there is a body */
    const char *url;
    const char *const *headers; /* "Name: value" lines, NULL-terminated, may be NULL */
    const char *basic_auth;     /* "user:password" or NULL */
    const char *body;
    size_t body_length;         /* 0 = strlen(body) */
    long timeout_ms;            /* whole exchange; 0 = 10 s */
    long connect_timeout_ms;    /* 0 = 3 s */
    size_t max_reply;           /* bytes; 0 = 4 MiB; a longer reply fails with RLX_ETOOBIG */
};

struct rlx_http_reply {
    long status;
    char *body; /* NUL-terminated */
    size_t length;
    char *content_type; /* may be NULL */
};

/* Does one exchange. 0 when an HTTP answer of any status came (reply on ctx), else RLX_EPROVIDER, RLX_ETOOBIG, -ENOMEM,
 * -ETIMEDOUT or -ECONNREFUSED; `*whyp` (optional) then holds a sentence on ctx. Connections are kept alive per thread. */
int rlx_http(struct rlx_http_reply **replyp, TALLOC_CTX *ctx, const struct rlx_http_request *request,
             char **whyp) __attribute__((warn_unused_result));

/* The same with a JSON body (may be NULL) and a bearer token (may be NULL); *jsonp (optional) gets the parsed reply:
 * the caller's reference, NULL when the reply is empty or no JSON. 0 when an answer of any status came (see *statusp). */
int rlx_http_json(long *statusp, json_t **jsonp, const char *method, const char *url,
                  const char *bearer, const json_t *body, long timeout_ms)
    __attribute__((warn_unused_result));

#endif
