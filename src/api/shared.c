/* Steps that handlers share. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/private.h"

const char *rlx_api_user(struct rlx_request *req)
{
    const struct rlx_api_call *call = rlx_request_data(req);

    return call && call->user_id[0] ? call->user_id : NULL;
}

json_t *rlx_api_body(struct rlx_request *req)
{
    const struct rlx_api_call *call = rlx_request_data(req);

    return call && call->body ? json_incref(call->body) : json_object();
}

const char *rlx_api_id(struct rlx_request *req, const char *name)
{
    return rlx_request_param(req, name);
}

void rlx_api_page_of(struct rlx_request *req, int *limitp, const char **cursorp)
{
    const char *text = rlx_request_query(req, "limit");

    *limitp = text ? (int)strtol(text, NULL, 10) : 200;
    *cursorp = rlx_request_query(req, "cursor");
}

void rlx_api_invalid_all(struct rlx_request *req, json_t *errors)
{
    const json_t *first = json_array_get(errors, 0);
    const char *field = json_string_value(json_object_get(first, "field"));
    const char *message = json_string_value(json_object_get(first, "message"));
    char *detail = talloc_asprintf((TALLOC_CTX *)req, "%s%s%s", field ? field : "",
                                   field && *field ? " " : "", message ? message : "not valid");

    rlx_reply_json(req, 422,
                   json_pack("{s:s,s:s,s:o}", "detail", detail ? detail : "not valid", "code",
                             "validation_error", "fields", errors));
}

void rlx_api_invalid(struct rlx_request *req, const char *field, const char *message)
{
    rlx_api_invalid_all(req, json_pack("[{s:s,s:s}]", "field", field, "message", message));
}

/* The query without limit and cursor comes back in the link, so that filters stay. */
static char *link_to(struct rlx_request *req, const char *next)
{
    const char *query = rlx_request_query_string(req);
    char *link = talloc_asprintf((TALLOC_CTX *)req, "<%s?cursor=%s", rlx_request_path(req), next);

    for (const char *p = *query ? query + 1 : query; link && *p;) {
        size_t n = strcspn(p, "&");
        if (n && strncmp(p, "cursor=", 7) != 0 && !memchr(p, '>', n) && !memchr(p, '"', n))
            link = talloc_asprintf_append_buffer(link, "&%.*s", (int)n, p);
        p += n + (p[n] == '&');
    }
    return link ? talloc_asprintf_append_buffer(link, ">; rel=\"next\"") : NULL;
}

void rlx_api_reply_list(struct rlx_request *req, const char *json, const char *next, int64_t total)
{
    char count[24];

    snprintf(count, sizeof count, "%lld", (long long)total);
    rlx_reply_header(req, "X-Total-Count", count);
    char *link = next ? link_to(req, next) : NULL;
    if (link)
        rlx_reply_header(req, "Link", link);
    rlx_api_reply_text(req, 200, json);
}

void rlx_api_reply_store(struct rlx_request *req, int err, const char *what)
{
    char *detail = NULL;

    if (err == RLX_ENOTFOUND)
        detail = talloc_asprintf((TALLOC_CTX *)req, "%s not found", what);
    if (err == RLX_ESTORE)
        rlx_reply_header(req, "Retry-After", "2");
    rlx_reply_error(req, err, detail);
}

void rlx_api_reply_text(struct rlx_request *req, int status, const char *json)
{
    rlx_reply_text(req, status, "application/json", json);
}

void rlx_api_reply_code(struct rlx_request *req, int status, const char *code, const char *detail)
{
    json_t *json = json_pack("{s:s,s:s}", "detail", detail, "code", code);

    if (!json) /* words of a carrier that are not UTF-8 */
        json = json_pack("{s:s,s:s}", "detail", code, "code", code);
    rlx_reply_json(req, status, json);
}

void rlx_api_reply_message(struct rlx_request *req, const char *message)
{
    rlx_reply_json(req, 200, json_pack("{s:s}", "message", message));
}

static pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;

/* A free place, NULL when there is none; *countp: how many the user has. */
static char *find_place(struct rlx_api *api, const char *user_id, int *countp)
{
    char *place = NULL;

    *countp = 0;
    for (size_t i = 0; i < RLX_STREAMS_MAX; i++) {
        if (!api->stream_users[i][0])
            place = api->stream_users[i];
        *countp += !strcmp(api->stream_users[i], user_id);
    }
    return place;
}

bool rlx_api_stream_open(struct rlx_request *req, struct rlx_api *api, char **placep)
{
    const char *user_id = rlx_api_user(req);
    int count;

    pthread_mutex_lock(&streams_lock);
    char *place = find_place(api, user_id, &count);
    bool free_one = place, allowed = count < RLX_STREAMS_OF_USER;
    if (free_one && allowed) {
        snprintf(place, sizeof api->stream_users[0], "%s", user_id);
        atomic_fetch_add(&api->streams, 1);
    }
    pthread_mutex_unlock(&streams_lock);
    if (free_one && allowed) {
        *placep = place;
        return true;
    }
    rlx_reply_header(req, "Retry-After", "5");
    if (allowed)
        rlx_api_reply_code(req, 503, "too_many_streams", "too many live streams are open");
    else
        rlx_api_reply_code(req, 429, "too_many_streams",
                           "16 live streams of yours are open: close one first");
    return false;
}

void rlx_api_stream_close(struct rlx_api *api, char *place)
{
    pthread_mutex_lock(&streams_lock);
    *place = '\0';
    atomic_fetch_sub(&api->streams, 1);
    pthread_mutex_unlock(&streams_lock);
}
