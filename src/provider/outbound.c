#include "provider/outbound.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "provider/outbound_private.h"

#define DEFAULT_TIMEOUT_MS 10000L
#define DEFAULT_CONNECT_MS 3000L
#define DEFAULT_MAX_REPLY ((size_t)1 << 20)
#define HEADERS_MAX 32
#define REPLY_HEADERS_MAX 65536

/* One request with all its hops. */
struct flight {
    TALLOC_CTX *ctx; /* for *whyp */
    const struct rlx_outbound_request *request;
    const char *method;
    CURL *curl;
    CURLU *url;
    char *host; /* as in the URL, on the reply */
    unsigned port;
    bool allowed;  /* host:port stands in the list */
    bool foreign;  /* a redirect led to another origin */
    bool blocked;  /* an address of the host was refused */
    bool too_much; /* of headers or body */
    uint64_t start_ms, until_ms;
    struct rlx_outbound_reply *reply;
    size_t capacity, max, header_bytes;
    char error[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- the connection ---- */

/* True when the address itself stands in the list. */
static bool address_allowed(const struct flight *f, const struct curl_sockaddr *address)
{
    char ip[INET6_ADDRSTRLEN + 2], host[INET6_ADDRSTRLEN + 4], port[8];

    if (getnameinfo(&address->addr, address->addrlen, ip, sizeof ip, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return false;
    snprintf(host, sizeof host, address->family == AF_INET6 ? "[%s]" : "%s", ip);
    return rlx_allow_has(f->request->allow, host, f->port);
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct flight *f = arg;

    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!f->allowed && !address_allowed(f, address) &&
        (!rlx_address_is_public(&address->addr) || rlx_address_is_own(&address->addr))) {
        f->blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct flight *f = arg;
    struct rlx_outbound_reply *reply = f->reply;
    size_t n = size * count, room = f->max - reply->length;
    bool over = n > room;

    if (over && !f->request->cut_reply) {
        f->too_much = true;
        return 0;
    }
    if (over)
        n = room;
    if (reply->length + n + 1 > f->capacity) {
        size_t capacity = f->capacity ? f->capacity * 2 : 4096;
        while (capacity < reply->length + n + 1)
            capacity *= 2;
        char *body = talloc_realloc_size(reply, reply->body, capacity);
        if (!body)
            return 0;
        reply->body = body;
        f->capacity = capacity;
    }
    memcpy(reply->body + reply->length, bytes, n);
    reply->length += n;
    reply->body[reply->length] = '\0';
    reply->cut = over;
    return over ? 0 : n;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct flight *f = arg;
    (void)bytes;

    f->header_bytes += size * count;
    f->too_much = f->header_bytes > REPLY_HEADERS_MAX;
    return f->too_much ? 0 : size * count;
}

static int add_header(struct curl_slist **listp, const char *line)
{
    size_t n = strcspn(line, ":");
    char empty[RLX_OUTBOUND_HEADER_MAX + 2];

    if (!line[n + 1 + strspn(line + n + 1, " \t")]) { /* libcurl takes "Name:" for "without Name" */
        snprintf(empty, sizeof empty, "%.*s;", (int)n, line);
        line = empty;
    }
    struct curl_slist *longer = curl_slist_append(*listp, line);
    if (!longer)
        return -ENOMEM;
    *listp = longer;
    return 0;
}

static int header_list(struct curl_slist **listp, struct flight *f)
{
    static const char *const harmless[] = {"Accept", "Accept-Language", "Content-Type",
                                           "User-Agent", NULL};
    const char *const *headers = f->request->headers;

    *listp = curl_slist_append(NULL, "Expect:");
    int err = *listp ? 0 : -ENOMEM;
    for (int i = 0; !err && headers && headers[i]; i++) {
        size_t n = strcspn(headers[i], ":");
        if (f->foreign && !rlx_outbound_is_named(headers[i], n, harmless) &&
            strncasecmp(headers[i], "X-RelayX-", 9) != 0)
            continue;
        err = add_header(listp, headers[i]);
    }
    return err;
}

static void set_method(struct flight *f)
{
    const struct rlx_outbound_request *r = f->request;
    bool plain = !strcmp(f->method, "GET");

    if (!strcmp(f->method, "HEAD")) {
        curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (!plain || r->body) {
        size_t length = r->body && !r->body_length ? strlen(r->body) : r->body_length;
        curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, r->body ? r->body : "");
        curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    }
    curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, f->method);
}

/* A setting that is not taken (a libcurl built without it) must not pass for one that is. */
static int set_guards(struct flight *f)
{
    CURL *c = f->curl;

    if (curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") ||
        curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) ||
        curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f) || curl_easy_setopt(c, CURLOPT_PROXY, "") ||
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) ||
        curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ||
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) ||
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) ||
        curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
        curl_easy_setopt(c, CURLOPT_CURLU, f->url))
        return RLX_EINTERNAL;
    return 0;
}

static int set_up(struct flight *f, struct curl_slist **headersp, long left_ms)
{
    const struct rlx_outbound_request *r = f->request;
    CURL *c = f->curl;

    curl_easy_reset(c);
    f->error[0] = '\0';
    int err = set_guards(f);
    if (!err)
        err = header_list(headersp, f);
    if (err)
        return err;
    set_method(f);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, *headersp);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "RelayX/" RLX_VERSION);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, r->body ? NULL : "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left_ms);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                     r->connect_timeout_ms ? r->connect_timeout_ms : DEFAULT_CONNECT_MS);
    return 0;
}

static int judge(struct flight *f, CURLcode code, char **whyp)
{
    TALLOC_CTX *ctx = f->ctx;

    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && f->reply->cut))
        return 0;
    if (f->too_much)
        return rlx_outbound_fail(ctx, whyp, RLX_ETOOBIG, "%s sent more than %zu bytes", f->host,
                                 f->max);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_URL_MALFORMAT: /* a name that can't be one */
        return rlx_outbound_no_address(ctx, whyp, f->host);
    case CURLE_COULDNT_CONNECT:
        if (f->blocked)
            return rlx_outbound_no_address(ctx, whyp, f->host);
        return rlx_outbound_fail(ctx, whyp, RLX_EPROVIDER, "no connection to %s could be made",
                                 f->host);
    case CURLE_OPERATION_TIMEDOUT:
        return rlx_outbound_fail(ctx, whyp, -ETIMEDOUT, "%s gave no answer in time", f->host);
    case CURLE_PEER_FAILED_VERIFICATION:
        return rlx_outbound_fail(ctx, whyp, RLX_EPROVIDER, "the TLS certificate of %s is not valid",
                                 f->host);
    case CURLE_SSL_CONNECT_ERROR:
        return rlx_outbound_fail(ctx, whyp, RLX_EPROVIDER, "no TLS connection to %s could be made",
                                 f->host);
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    default:
        return rlx_outbound_fail(ctx, whyp, RLX_EPROVIDER, "the exchange with %s failed: %s",
                                 f->host, curl_easy_strerror(code));
    }
}

/* ---- hops ---- */

/* One request and its answer, at the URL that f->url holds. */
static int hop(struct flight *f, char **whyp)
{
    struct curl_slist *headers = NULL;
    const char *type = NULL;
    uint64_t now_ms = rlx_now_ms();

    int err = rlx_outbound_host_of(&f->host, &f->port, f->reply, f->url);
    if (err)
        return err;
    f->allowed = rlx_allow_has(f->request->allow, f->host, f->port);
    f->blocked = f->too_much = false;
    f->header_bytes = 0;
    err = rlx_outbound_check_place(f->ctx, f->host, f->port, f->request->allow, whyp);
    if (!err && now_ms >= f->until_ms)
        err = judge(f, CURLE_OPERATION_TIMEDOUT, whyp);
    if (!err)
        err = set_up(f, &headers, (long)(f->until_ms - now_ms));
    if (!err)
        err = judge(f, curl_easy_perform(f->curl), whyp);
    if (!err) {
        curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &f->reply->status);
        curl_easy_getinfo(f->curl, CURLINFO_CONTENT_TYPE, &type);
        f->reply->content_type = type ? talloc_strdup(f->reply, type) : NULL;
    }
    curl_slist_free_all(headers);
    return err;
}

static bool is_redirect(const struct flight *f)
{
    long status = f->reply->status;
    bool safe = !strcmp(f->method, "GET") || !strcmp(f->method, "HEAD");

    if (f->request->stay)
        return false;
    return status == 307 || status == 308 ||
           (safe && (status == 301 || status == 302 || status == 303));
}

/* The Location of the last answer, as it came; NULL when there is none. */
static char *location_of(const struct flight *f)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(f->curl, "Location", 0, CURLH_HEADER, -1, &header))
        return NULL;
    return talloc_strdup(f->reply, header->value);
}

static int follow(struct flight *f, const char *location, char **whyp)
{
    char *host = f->host, *before = NULL, *after = NULL, *next = NULL;
    unsigned port = f->port;

    if (++f->reply->redirects > RLX_OUTBOUND_REDIRECTS)
        return rlx_outbound_fail(f->ctx, whyp, RLX_EPROVIDER, "%s leads on more than %d times",
                                 f->host, RLX_OUTBOUND_REDIRECTS);
    curl_url_get(f->url, CURLUPART_SCHEME, &before, 0);
    int err = rlx_outbound_set_url(f->ctx, f->url, location, NULL);
    if (err == RLX_EINVAL)
        err =
            rlx_outbound_fail(f->ctx, whyp, RLX_EPROVIDER,
                              "%s leads on to something that is not a plain http(s) URL", f->host);
    if (!err)
        err = rlx_outbound_host_of(&next, &port, f->reply, f->url);
    curl_url_get(f->url, CURLUPART_SCHEME, &after, 0);
    if (!err && (!before || !after))
        err = -ENOMEM;
    if (!err && !strcmp(before, "https") && strcmp(after, "https") != 0)
        err = rlx_outbound_fail(f->ctx, whyp, RLX_EPROVIDER, "%s leads on from https to http",
                                f->host);
    if (!err && (strcmp(before, after) != 0 || strcasecmp(host, next) != 0 || port != f->port))
        f->foreign = true;
    f->reply->length = 0;
    f->reply->cut = false;
    curl_free(before);
    curl_free(after);
    return err;
}

static int fly(struct flight *f, char **whyp)
{
    for (;;) {
        int err = hop(f, whyp);
        char *location = !err && is_redirect(f) ? location_of(f) : NULL;
        if (err || !location)
            return err;
        err = follow(f, location, whyp);
        if (err)
            return err;
    }
}

static int check_request(TALLOC_CTX *ctx, const struct rlx_outbound_request *r,
                         const char **methodp, char **whyp)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
    const char *method = r->method ? r->method : r->body ? "POST" : "GET";
    int err = 0;

    *methodp = NULL;
    for (int i = 0; methods[i]; i++) {
        if (!strcmp(method, methods[i]))
            *methodp = methods[i];
    }
    if (!*methodp)
        return rlx_outbound_fail(ctx, whyp, RLX_EINVAL,
                                 "the method is one of GET HEAD POST PUT PATCH DELETE");
    for (int i = 0; !err && r->headers && r->headers[i]; i++) {
        if (i == HEADERS_MAX)
            return rlx_outbound_fail(ctx, whyp, RLX_EINVAL, "there are more than %d headers",
                                     HEADERS_MAX);
        err = rlx_outbound_check_header(ctx, r->headers[i], whyp);
    }
    return err;
}

static int finish(struct flight *f)
{
    struct rlx_outbound_reply *reply = f->reply;
    char *url = NULL;

    if (curl_url_get(f->url, CURLUPART_URL, &url, 0))
        return -ENOMEM;
    reply->url = talloc_strdup(reply, url);
    curl_free(url);
    if (!reply->body)
        reply->body = talloc_strdup(reply, "");
    if (!reply->url || !reply->body)
        return -ENOMEM;
    reply->body[reply->length] = '\0'; /* a redirect's longer body may stand behind it */
    reply->took_ms = (long)(rlx_now_ms() - f->start_ms);
    return 0;
}

int rlx_outbound(struct rlx_outbound_reply **replyp, TALLOC_CTX *ctx,
                 const struct rlx_outbound_request *request, char **whyp)
{
    struct flight f = {.ctx = ctx, .request = request};

    if (!replyp || !request || !request->url || request->timeout_ms < 0)
        return -EINVAL;
    if (whyp)
        *whyp = NULL;
    pthread_once(&once, set_up_curl);
    f.start_ms = rlx_now_ms();
    f.until_ms =
        f.start_ms + (uint64_t)(request->timeout_ms ? request->timeout_ms : DEFAULT_TIMEOUT_MS);
    f.max = request->max_reply ? request->max_reply : DEFAULT_MAX_REPLY;
    int err = check_request(ctx, request, &f.method, whyp);
    if (err)
        return err;
    f.reply = talloc_zero(ctx, struct rlx_outbound_reply);
    f.curl = curl_easy_init();
    f.url = curl_url();
    err =
        f.reply && f.curl && f.url ? rlx_outbound_set_url(ctx, f.url, request->url, whyp) : -ENOMEM;
    if (!err)
        err = fly(&f, whyp);
    if (!err)
        err = finish(&f);
    curl_easy_cleanup(f.curl); /* before the URL, which it borrows */
    curl_url_cleanup(f.url);
    if (err && whyp && !*whyp)
        *whyp = talloc_strdup(ctx, rlx_err_text(err));
    if (err)
        talloc_free(f.reply);
    else
        *replyp = f.reply;
    return err;
}
