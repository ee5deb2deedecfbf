#include "base/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/httpd_private.h"
#include "base/log.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_BYTES (1024u << 10) /* their frames are several times as large */
#else
#define STACK_BYTES (256u << 10)
#endif
#define LISTEN_BACKLOG 1024
#define LINGER_MS 5000

/* ---- routes ---- */

/* Matches the path against the pattern; parameters are noted (not decoded yet) in req when it is
 * given. */
static bool path_matches(const char *pattern, const char *path, struct rlx_request *req)
{
    size_t count = 0;

    while (*pattern) {
        if (*pattern == '*' && !pattern[1])
            break;
        if (*pattern == '{') {
            size_t name = strcspn(pattern, "}"), length = strcspn(path, "/");
            if (!length || count == RLX_HTTPD_MAX_PARAMS)
                return false;
            if (req)
                req->params[count] = (struct rlx_path_param){
                    .name = pattern + 1,
                    .name_length = name - 1,
                    .value = rlx_percent_decode(req, path, length, false, NULL),
                };
            count++;
            pattern += name + (pattern[name] == '}');
            path += length;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    if (!*pattern && *path)
        return false;
    if (req)
        req->param_count = count;
    return true;
}

static bool method_matches(const char *wanted, const char *method)
{
    return !strcmp(wanted, "*") || !strcmp(wanted, method) ||
           (!strcmp(method, "HEAD") && !strcmp(wanted, "GET"));
}

/* The first path that matches decides, with the methods that its rows have: those go to `allow`
 * when the request's is none of them. */
static const struct rlx_route *find_route(struct rlx_request *req, char **allowp)
{
    const struct rlx_httpd_options *options = &req->server->options;
    const char *path = NULL;

    for (size_t i = 0; i < options->route_count; i++) {
        const struct rlx_route *route = &options->routes[i];
        if (path ? strcmp(route->path, path) != 0 : !path_matches(route->path, req->path, NULL))
            continue;
        path = route->path;
        if (method_matches(route->method, req->method)) {
            path_matches(route->path, req->path, req);
            return route;
        }
        const char *name = !strcmp(route->method, "GET") ? "GET, HEAD" : route->method;
        *allowp =
            *allowp ? talloc_asprintf_append(*allowp, ", %s", name) : talloc_strdup(req, name);
    }
    return NULL;
}

/* ---- one request ---- */

/* True when a percent-encoded NUL stands in the text: no string of ours holds one, and none is to
 * be cut at it. */
static bool holds_nul(const char *text)
{
    return strstr(text, "%00") != NULL;
}

/* Whether the path and the query, decoded, are UTF-8. */
static bool is_utf8(struct rlx_request *req)
{
    char *path = strchr(req->path, '%')
                     ? rlx_percent_decode(req, req->path, strlen(req->path), false, NULL)
                     : req->path;
    bool good = path && rlx_utf8_valid(path);

    for (const struct rlx_field *field = req->query_fields; good && field; field = field->next)
        good = rlx_utf8_valid(field->name) && rlx_utf8_valid(field->value);
    return good;
}

static void call_hook(rlx_handler_h *hook, struct rlx_request *req)
{
    if (hook)
        hook(req, req->server->options.arg);
}

static void run_before(struct rlx_request *req)
{
    if (!req->hooked)
        call_hook(req->server->options.before, req);
    req->hooked = true;
}

/* Chooses the reply: the refusals that need no handler, else the handler. */
static void choose_reply(struct rlx_request *req)
{
    const struct rlx_httpd_options *options = &req->server->options;
    char *allow = NULL;

    run_before(req);
    if (req->response)
        return;
    if (holds_nul(req->path) || holds_nul(req->query)) {
        rlx_reply_error(req, RLX_EINVAL, "the URL holds U+0000");
        return;
    }
    if (!is_utf8(req)) {
        rlx_reply_error(req, RLX_EPROTO, "the URL is not valid UTF-8");
        return;
    }
    if (!req->route) {
        find_route(req, &allow);
        if (allow) {
            rlx_reply_header(req, "Allow", allow);
            rlx_reply_error(req, RLX_EMETHOD, NULL);
        } else if (options->unmatched) {
            call_hook(options->unmatched, req);
        } else {
            rlx_reply_error(req, RLX_ENOTFOUND, NULL);
        }
        return;
    }
    if (req->too_big) {
        char detail[80];
        snprintf(detail, sizeof detail, "the body is larger than the %zu bytes allowed here",
                 req->max_body);
        rlx_reply_error(req, RLX_ETOOBIG, detail);
        return;
    }
    req->route->handler(req, options->arg);
}

static enum MHD_Result answer(struct rlx_request *req)
{
    rlx_watch_limit(req->connection, 0);
    if (!req->response)
        choose_reply(req);
    if (!req->response) {
        rlx_log(RLX_ERROR, "httpd.no_reply", "method=%s path=%s", req->method, req->path);
        rlx_reply_error(req, RLX_EINTERNAL, NULL);
    }
    call_hook(req->server->options.after, req);
    if (!req->response)
        return MHD_NO;
    for (struct rlx_field *header = req->headers; header; header = header->next)
        MHD_add_response_header(req->response, header->name, header->value);
    if (req->too_big || req->unread || atomic_load(&req->server->quiet))
        MHD_add_response_header(req->response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result =
        MHD_queue_response(req->connection, (unsigned)req->status, req->response);
    if (!req->stream) { /* a stream's is kept until `completed`: MHD may drop its own before */
        MHD_destroy_response(req->response);
        req->response = NULL;
    }
    return result;
}

/* The headers are there: finds the route and refuses a body that says it is too long. */
static enum MHD_Result begin(struct rlx_request *req, const char *method, const char *version)
{
    char *allow = NULL;

    req->begun = true;
    req->method = talloc_strdup(req, method);
    if (!req->method)
        return MHD_NO;
    const char *fault = rlx_framing_fault(req->connection, version);
    if (fault) {
        run_before(req);
        if (!req->response)
            rlx_reply_error(req, RLX_EPROTO, fault);
        req->unread = true;
        return answer(req);
    }
    req->route = find_route(req, &allow);
    talloc_free(allow);
    req->max_body =
        req->route && req->route->max_body ? req->route->max_body : RLX_HTTPD_DEFAULT_BODY;
    const char *length = rlx_request_header(req, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t announced = length ? strtoull(length, NULL, 10) : 0;
    if (announced > req->max_body) {
        req->too_big = req->unread = true;
        return answer(req);
    }
    if (rlx_request_header(req, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        announced = req->max_body;
    rlx_watch_limit(req->connection, RLX_HTTPD_REQUEST_MS + announced / RLX_HTTPD_SLOWEST);
    if (announced > RLX_HTTPD_DEFAULT_BODY && req->route && req->server->options.early) {
        run_before(req);
        if (!req->response)
            call_hook(req->server->options.early, req);
        if (req->response) {
            req->unread = true;
            return answer(req);
        }
    }
    return MHD_YES;
}

/* A piece of the body. One that is too long in pieces is read on without being kept, so that the
 * client gets to see its 413, up to a limit. */
static enum MHD_Result take_body(struct rlx_request *req, const char *data, size_t length)
{
    if (req->too_big || length > req->max_body - req->length) {
        req->too_big = true;
        req->discarded += length;
        return req->discarded > RLX_HTTPD_DISCARD_MAX ? MHD_NO : MHD_YES;
    }
    if (req->spool || req->length + length > RLX_HTTPD_SPOOL) {
        int err = rlx_body_spool(req, data, length);
        if (err != -ENOTSUP)
            return err ? MHD_NO : MHD_YES;
    }
    if (req->length + length + 1 > req->capacity) {
        size_t capacity = req->capacity ? req->capacity * 2 : 4096;
        while (capacity < req->length + length + 1)
            capacity *= 2;
        if (capacity > req->max_body + 1)
            capacity = req->max_body + 1;
        char *body = talloc_realloc_size(req, req->body, capacity);
        if (!body)
            return MHD_NO;
        req->body = body;
        req->capacity = capacity;
    }
    memcpy(req->body + req->length, data, length);
    req->length += length;
    req->body[req->length] = '\0';
    return MHD_YES;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *lengthp, void **statep)
{
    struct rlx_request *req = *statep;
    enum MHD_Result result;

    (void)cls, (void)connection, (void)url;
    if (!req)
        return MHD_NO;
    if (!req->begun)
        return begin(req, method, version);
    if (*lengthp) {
        result = take_body(req, data, *lengthp);
        *lengthp = 0;
        return result;
    }
    if (rlx_body_map(req))
        return MHD_NO;
    return answer(req);
}

/* Called with the request target as it came, before anything else of a request. */
static void *target_came(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct rlx_request *req = talloc_zero(NULL, struct rlx_request);
    const union MHD_ConnectionInfo *info;

    if (!req)
        return NULL;
    req->server = cls;
    atomic_fetch_add(&req->server->active, 1);
    req->connection = connection;
    req->method = "";
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    req->fd = info ? info->connect_fd : -1;
    if (!strncasecmp(uri, "http://", 7)) { /* the absolute form, which a proxy's client may send */
        uri += 7;
        uri += strcspn(uri, "/?");
    }
    size_t length = strcspn(uri, "?#");
    req->path = length ? talloc_strndup(req, uri, length) : talloc_strdup(req, "/");
    req->query = uri[length] == '?' ? talloc_strdup(req, uri + length) : "";
    if (req->path && req->query && *req->query)
        req->query_fields = rlx_field_parse_urlencoded(req, req->query + 1, strlen(req->query + 1));
    if (!req->path || !req->query) {
        atomic_fetch_sub(&req->server->active, 1);
        talloc_free(req);
        return NULL;
    }
    return req;
}

/* The client may still be sending a body that nobody wants: closing now would reset the connection
 * and take the 413 away from it (RFC 9112 9.6). So what comes is read and dropped for a while. */
static void linger(int fd)
{
    char waste[4096];
    uint64_t end = rlx_now_ms() + LINGER_MS;
    size_t total = 0;

    shutdown(fd, SHUT_WR);
    for (uint64_t now; (now = rlx_now_ms()) < end && total < RLX_HTTPD_DISCARD_MAX;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)(end - now)) <= 0)
            break;
        ssize_t n = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
        if (n <= 0)
            break;
        total += (size_t)n;
    }
}

static unsigned timeout_s(const struct rlx_httpd_options *options)
{
    return options->timeout_s ? options->timeout_s : 60;
}

static void completed(void *cls, struct MHD_Connection *connection, void **statep,
                      enum MHD_RequestTerminationCode code)
{
    struct rlx_request *req = *statep;

    (void)cls;
    if (!req)
        return;
    *statep = NULL;
    if (req->stream && req->stream->done)
        req->stream->done(req->stream->arg);
    if (req->unread && code == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        linger(req->fd);
    if (req->response)
        MHD_destroy_response(req->response);
    json_decref(req->json);
    if (!req->upgrade.socket) /* MHD has nothing to do with the socket any more */
        rlx_watch_limit(connection,
                        RLX_HTTPD_REQUEST_MS + 1000ull * timeout_s(&req->server->options));
    atomic_fetch_sub(&req->server->active, 1);
    talloc_free(req);
}

/* ---- the server ---- */

static void log_mhd(void *cls, const char *format, va_list args)
{
    char text[512];

    (void)cls;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    rlx_log(RLX_DEBUG, "httpd.mhd", "message=%s", text);
}

/* A listening socket made here gives the exact error, which MHD would swallow. */
static int listen_on(int *fdp, uint16_t *portp, const struct rlx_httpd_options *options)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *address = NULL;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } bound = {.in6 = {0}};
    socklen_t bound_length = sizeof bound;
    char service[8];
    int one = 1, fd = -1, err = 0;

    snprintf(service, sizeof service, "%u", options->port);
    if (getaddrinfo(options->host ? options->host : "127.0.0.1", service, &hints, &address))
        return -EADDRNOTAVAIL;
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        (options->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one)) ||
        bind(fd, address->ai_addr, address->ai_addrlen) || listen(fd, LISTEN_BACKLOG) ||
        getsockname(fd, &bound.any, &bound_length)) {
        err = -errno;
        goto out;
    }
    *portp = ntohs(bound.any.sa_family == AF_INET6 ? bound.in6.sin6_port : bound.in.sin_port);
    *fdp = fd;
    fd = -1;
out:
    if (fd >= 0)
        close(fd);
    freeaddrinfo(address);
    return err;
}

static int stop(struct rlx_httpd *server)
{
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    return 0;
}

int rlx_httpd_start(struct rlx_httpd **serverp, TALLOC_CTX *ctx,
                    const struct rlx_httpd_options *options)
{
    struct rlx_httpd *server;
    int fd = -1, err;

    if (!serverp || !options || (options->route_count && !options->routes))
        return -EINVAL;
    server = talloc_zero(ctx, struct rlx_httpd);
    if (!server)
        return -ENOMEM;
    server->options = *options;
    err = listen_on(&fd, &server->port, options);
    if (err)
        goto out;
    err = rlx_watch_create(&server->watch, server);
    if (err)
        goto out;
    talloc_set_destructor(server, stop);
    server->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_ALLOW_UPGRADE |
            MHD_USE_ITC | MHD_USE_ERROR_LOG,
        server->port, NULL, NULL, handle, server, MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, target_came, server,
        MHD_OPTION_NOTIFY_COMPLETED, completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        rlx_watch_connection, server, MHD_OPTION_CONNECTION_LIMIT,
        options->max_connections ? options->max_connections : 1024u,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->max_per_address, MHD_OPTION_CONNECTION_TIMEOUT,
        timeout_s(options), MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!server->daemon) {
        err = -ENOMEM; /* the socket is fine: threads or memory are missing */
        goto out;
    }
    fd = -1;
    *serverp = server;
out:
    if (fd >= 0)
        close(fd);
    if (err)
        talloc_free(server);
    return err;
}

uint16_t rlx_httpd_port(const struct rlx_httpd *server)
{
    return server->port;
}

void rlx_httpd_quiesce(struct rlx_httpd *server)
{
    atomic_store(&server->quiet, true);
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);

    if (fd != MHD_INVALID_SOCKET) {
        shutdown(fd, SHUT_RD); /* MHD's thread may still be polling it, which keeps it open */
        close(fd);
    }
}

unsigned rlx_httpd_active(const struct rlx_httpd *server)
{
    return atomic_load(&server->active);
}

unsigned rlx_httpd_connections(const struct rlx_httpd *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info ? info->num_connections : 0;
}

unsigned rlx_httpd_drain(struct rlx_httpd *server, unsigned timeout_ms)
{
    static const struct timespec pause = {.tv_nsec = 10 * 1000000L};
    uint64_t end_ms = rlx_now_ms() + timeout_ms;

    while (rlx_httpd_active(server) && rlx_now_ms() < end_ms)
        nanosleep(&pause, NULL);
    return rlx_httpd_active(server);
}

/* ---- what the header promises about requests ---- */

const char *rlx_request_method(const struct rlx_request *req)
{
    return req->method;
}

const char *rlx_request_path(const struct rlx_request *req)
{
    return req->path;
}

const char *rlx_request_param(const struct rlx_request *req, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < req->param_count; i++)
        if (req->params[i].name_length == length && !memcmp(req->params[i].name, name, length))
            return req->params[i].value;
    return NULL;
}

const struct rlx_route *rlx_request_route(const struct rlx_request *req)
{
    return req->route;
}

void rlx_request_set_param(struct rlx_request *req, const char *name, const char *value)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < req->param_count; i++)
        if (req->params[i].name_length == length && !memcmp(req->params[i].name, name, length))
            req->params[i].value = talloc_strdup(req, value);
}

const char *rlx_request_query(const struct rlx_request *req, const char *name)
{
    const struct rlx_field *field = rlx_field_find(req->query_fields, name);

    return field ? field->value : NULL;
}

const char *rlx_request_query_at(const struct rlx_request *req, const char *name, size_t index,
                                 size_t *lengthp)
{
    for (const struct rlx_field *field = req->query_fields; field; field = field->next)
        if (!strcmp(field->name, name) && !index--) {
            *lengthp = field->length;
            return field->value;
        }
    return NULL;
}

const char *rlx_request_query_string(const struct rlx_request *req)
{
    return req->query;
}

const char *rlx_request_header(const struct rlx_request *req, const char *name)
{
    return MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
}

bool rlx_request_client_gone(const struct rlx_request *req)
{
    return rlx_socket_gone(req->fd);
}

void rlx_request_set_data(struct rlx_request *req, void *data)
{
    req->data = data;
}

void *rlx_request_data(const struct rlx_request *req)
{
    return req->data;
}
