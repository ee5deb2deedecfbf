#include "base/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define DEFAULT_TIMEOUT_MS 10000L
#define DEFAULT_CONNECT_MS 3000L
#define DEFAULT_MAX_REPLY ((size_t)4 << 20)
#define HEADERS_MAX 64

/* One handle a thread: its connections stay open between exchanges. The key exists for its
 * destructor. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;

static void drop_handle(void *handle)
{
    curl_easy_cleanup(handle);
}

static void set_up(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    key_made = pthread_key_create(&key, drop_handle) == 0;
}

/* The main thread's handle: its key destructor does not run when main returns. */
__attribute__((destructor)) static void drop_last_handle(void)
{
    if (key_made) {
        curl_easy_cleanup(pthread_getspecific(key));
        pthread_setspecific(key, NULL);
    }
}

static CURL *thread_handle(void)
{
    CURL *handle;

    pthread_once(&once, set_up);
    if (!key_made)
        return NULL;
    handle = pthread_getspecific(key);
    if (handle) {
        curl_easy_reset(handle);
        return handle;
    }
    handle = curl_easy_init();
    if (handle && pthread_setspecific(key, handle)) {
        curl_easy_cleanup(handle);
        handle = NULL;
    }
    return handle;
}

struct sink {
    TALLOC_CTX *ctx;
    char *body;
    size_t length;
    size_t capacity;
    size_t max;
    int err;
};

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct sink *sink = arg;
    size_t n = size * count;

    if (n > sink->max - sink->length) {
        sink->err = RLX_ETOOBIG;
        return 0;
    }
    if (sink->length + n + 1 > sink->capacity) {
        size_t capacity = sink->capacity ? sink->capacity * 2 : 4096;
        while (capacity < sink->length + n + 1)
            capacity *= 2;
        char *body = talloc_realloc_size(sink->ctx, sink->body, capacity);
        if (!body) {
            sink->err = -ENOMEM;
            return 0;
        }
        sink->body = body;
        sink->capacity = capacity;
    }
    memcpy(sink->body + sink->length, data, n);
    sink->length += n;
    sink->body[sink->length] = '\0';
    return n;
}

static int header_list(struct curl_slist **listp, const struct rlx_http_request *request)
{
    /* Without this curl waits up to a second for "100 Continue" before it sends a large body. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (int i = 0; list && request->headers && request->headers[i] && i < HEADERS_MAX; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);
        if (!longer) {
            curl_slist_free_all(list);
            list = NULL;
        } else {
            list = longer;
        }
    }
    *listp = list;
    return list ? 0 : -ENOMEM;
}

static void set_method(CURL *curl, const struct rlx_http_request *request)
{
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";
    size_t length = request->body_length;

    if (request->body && !length)
        length = strlen(request->body);
    if (!strcmp(method, "HEAD")) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body || !strcmp(method, "POST") || !strcmp(method, "PUT")) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static int error_of(CURLcode code, const struct sink *sink)
{
    if (sink->err)
        return sink->err;
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_CONNECT:
        return -ECONNREFUSED;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return RLX_EPROVIDER;
    }
}

int rlx_http(struct rlx_http_reply **replyp, TALLOC_CTX *ctx,
             const struct rlx_http_request *request, char **whyp)
{
    struct curl_slist *headers = NULL;
    struct rlx_http_reply *reply = NULL;
    char text[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_OK;
    int err;

    if (!replyp || !request || !request->url)
        return -EINVAL;
    CURL *curl = thread_handle();
    reply = talloc_zero(ctx, struct rlx_http_reply);
    struct sink sink = {.ctx = reply,
                        .max = request->max_reply ? request->max_reply : DEFAULT_MAX_REPLY};
    err = curl && reply ? header_list(&headers, request) : -ENOMEM;
    if (err)
        goto out;
    set_method(curl, request);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "RelayX/" RLX_VERSION);
    curl_easy_setopt(curl, CURLOPT_USERPWD, request->basic_auth);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     request->connect_timeout_ms ? request->connect_timeout_ms
                                                 : DEFAULT_CONNECT_MS);
    code = curl_easy_perform(curl);
    err = error_of(code, &sink);
    if (err)
        goto out;
    const char *type = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    reply->content_type = type ? talloc_strdup(reply, type) : NULL;
    reply->body = sink.body ? sink.body : talloc_strdup(reply, "");
    reply->length = sink.length;
    err = reply->body ? 0 : -ENOMEM;
out:
    /* The handle outlives this frame. */
    if (curl)
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    if (err && whyp)
        *whyp = talloc_asprintf(ctx, "%s: %s", request->url,
                                err == RLX_ETOOBIG ? "the reply is too large"
                                : *text            ? text
                                : code             ? curl_easy_strerror(code)
                                                   : rlx_err_text(err));
    if (err)
        talloc_free(reply);
    else
        *replyp = reply;
    return err;
}

int rlx_http_json(long *statusp, json_t **jsonp, const char *method, const char *url,
                  const char *bearer, const json_t *body, long timeout_ms)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const char *headers[] = {"Accept: application/json", NULL, NULL, NULL};
    struct rlx_http_reply *reply;
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    int n = 1, err = -ENOMEM;

    if (jsonp)
        *jsonp = NULL;
    if (!ctx || (body && !text))
        goto out;
    if (body)
        headers[n++] = "Content-Type: application/json";
    if (bearer && !(headers[n++] = talloc_asprintf(ctx, "Authorization: Bearer %s", bearer)))
        goto out;
    struct rlx_http_request request = {
        .method = method, .url = url, .headers = headers, .body = text, .timeout_ms = timeout_ms};
    err = rlx_http(&reply, ctx, &request, NULL);
    if (err)
        goto out;
    if (statusp)
        *statusp = reply->status;
    if (jsonp)
        *jsonp = json_loadb(reply->body, reply->length, JSON_DECODE_ANY, NULL);
out:
    free(text);
    talloc_free(ctx);
    return err;
}
