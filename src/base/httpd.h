/* HTTP server: libmicrohttpd behind a route table.
 *
 * A thread per connection, so a handler is plain blocking code. Bodies are read whole up to the route's cap (a larger one
 * is answered 413 and never cut), multipart bodies are offered as parts. Keep-alive, HEAD and 405 are handled here.
 *
 *     static const struct rlx_route routes[] = {
 *         {"GET", "/health", health, 0},
 *         {"GET", "/agents/{id}", agent_get, 0},
 *         {"POST", "/upload", upload, 20 << 20},
 *     };
 */
#ifndef RLX_BASE_HTTPD_H
#define RLX_BASE_HTTPD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <talloc.h>

struct rlx_httpd;
struct rlx_request;

/* Answers one request with exactly one of the rlx_reply_* calls (none = 500). Runs on the connection's own thread.
 * `arg` is the server's. Everything allocated on `req` (a talloc context) dies with the request. */
typedef void rlx_handler_h(struct rlx_request *req, void *arg);

struct rlx_route {
    const char *method;      /* "GET", "POST", … or "*" for any */
    const char *path;        /* "/a/{name}/b"; a {name} matches one segment; a last "*" matches the rest; the first path that matches wins */
    rlx_handler_h *handler;
    size_t max_body;         /* bytes; 0 = 64 KiB */
};

struct rlx_httpd_options {
    const char *host;              /* address to bind, NULL = 127.0.0.1 */
    uint16_t port;                 /* 0 = any free port */
    bool reuse_port;               /* several processes on one port (SO_REUSEPORT) */
    unsigned max_connections;      /* 0 = 1024 */
    unsigned max_per_address;      /* connections from one address; 0 = no limit of its own */
    unsigned timeout_s;            /* idle connection; 0 = 60 */
    const char *trusted_proxies;   /* addresses, separated by commas, whose X-Forwarded-For names the peer; NULL = none */
    const struct rlx_route *routes;
    size_t route_count;
    rlx_handler_h *before;         /* optional: runs first, when the body is there (or was refused); if it replies, the
                                      route is not called */
    rlx_handler_h *early;          /* optional: runs after `before` when a body of more than 64 KiB is announced, before it is
                                      read; if it replies, it is not */
    rlx_handler_h *after;          /* optional: runs after the reply was chosen (access log, metrics) */
    rlx_handler_h *unmatched;      /* optional: 404s (static files) */
    void *arg;
};

/* Starts serving. The server is a talloc child of ctx; freeing it stops it and waits for running handlers.
 * -EADDRINUSE and the like when the port can't be had. `routes` and strings must outlive it. */
int rlx_httpd_start(struct rlx_httpd **serverp, TALLOC_CTX *ctx,
                    const struct rlx_httpd_options *options) __attribute__((warn_unused_result));

/* The port that is served. */
uint16_t rlx_httpd_port(const struct rlx_httpd *server);

/* Stops accepting; what runs goes on, and answers close their connections. */
void rlx_httpd_quiesce(struct rlx_httpd *server);
/* Waits until no request is under way, at most for timeout_ms. The number that still is. */
unsigned rlx_httpd_drain(struct rlx_httpd *server, unsigned timeout_ms);
/* Requests and connections that are there now. */
unsigned rlx_httpd_active(const struct rlx_httpd *server);
unsigned rlx_httpd_connections(const struct rlx_httpd *server);

/* ---- the request ---- */

const char *rlx_request_method(const struct rlx_request *req);
/* The path as it came: not decoded, without the query. */
const char *rlx_request_path(const struct rlx_request *req);
/* The route that matched, one of the server's; NULL when none did. */
const struct rlx_route *rlx_request_route(const struct rlx_request *req);
/* A {name} of the matched route, percent-decoded; NULL when the route has none. */
const char *rlx_request_param(const struct rlx_request *req, const char *name);
/* Gives a {name} of the matched route another value, which is copied. */
void rlx_request_set_param(struct rlx_request *req, const char *name, const char *value);
/* A query parameter, decoded; NULL when absent. */
const char *rlx_request_query(const struct rlx_request *req, const char *name);
/* The query parameter's values in their order: 0 is the first; NULL behind the last. Their length goes to *lengthp. */
const char *rlx_request_query_at(const struct rlx_request *req, const char *name, size_t index,
                                 size_t *lengthp);
/* True when the body's content type is this one, parameters aside. */
bool rlx_request_is(const struct rlx_request *req, const char *content_type);
/* The raw query string with its '?', or "". */
const char *rlx_request_query_string(const struct rlx_request *req);
const char *rlx_request_header(const struct rlx_request *req, const char *name);
/* The peer's IP address as text: behind a trusted proxy, the address that it names. */
const char *rlx_request_peer(const struct rlx_request *req);
/* The body, always NUL-terminated; length in *lengthp. */
const char *rlx_request_body(const struct rlx_request *req, size_t *lengthp);
/* The body as JSON (borrowed, freed with the request): 0, RLX_EJSON (also when it is nested deeper than 64), RLX_EINVAL when a string holds U+0000,
 * or RLX_EMEDIA when the content type is another (none at all is taken as JSON). Any JSON value may come, not only an object. */
int rlx_request_json(struct rlx_request *req, json_t **jsonp) __attribute__((warn_unused_result));
/* A field of a form body (application/x-www-form-urlencoded or multipart/form-data); NULL when absent. */
const char *rlx_request_field(struct rlx_request *req, const char *name, size_t *lengthp);
/* The file name that came with a multipart field, or NULL. */
const char *rlx_request_filename(struct rlx_request *req, const char *name);
/* Calls `each` for every form field in the order that they came (for signatures over all parameters). */
typedef void rlx_field_h(const char *name, const char *value, size_t length, void *arg);
void rlx_request_each_field(struct rlx_request *req, rlx_field_h *each, void *arg);
/* True when the client has closed its side: work for it may stop. Cheap (one poll). */
bool rlx_request_client_gone(const struct rlx_request *req);
/* A slot for the application's own per-request data (e.g. the authenticated user). */
void rlx_request_set_data(struct rlx_request *req, void *data);
void *rlx_request_data(const struct rlx_request *req);

/* ---- the reply ---- */

/* Sets a header of the reply that follows; the last value of a name counts. */
void rlx_reply_header(struct rlx_request *req, const char *name, const char *value);
/* Sends bytes (copied). content_type may be NULL. */
void rlx_reply(struct rlx_request *req, int status, const char *content_type, const void *body,
               size_t length);
void rlx_reply_text(struct rlx_request *req, int status, const char *content_type,
                    const char *text);
/* Sends JSON and drops the reference. */
void rlx_reply_json(struct rlx_request *req, int status, json_t *json);
/* {"detail": …, "code": …} with the status of err; detail NULL = the error's own text. */
void rlx_reply_error(struct rlx_request *req, int err, const char *detail);
/* Sends a file from offset, length bytes (fd is closed by the server afterwards). */
void rlx_reply_file(struct rlx_request *req, int status, const char *content_type, int fd,
                    uint64_t offset, uint64_t length);

/* Streams a chunked body: `read` is called on the connection's thread, may block, writes at most `size` bytes and
 * returns their number, 0 = nothing yet (it is called again at once), RLX_STREAM_END at the end, or RLX_STREAM_ABORT.
 * `done` is called once when the stream is over for whatever reason, also when the client went away; what hangs on the
 * request still lives then. A reader that has nothing waits inside (a condition, a poll), or the thread would spin; it
 * should come back at least every second or so, since only then a client that has gone and a server that stops are
 * noticed, and must send something within the server's timeout_s. */
#define RLX_STREAM_END (-1)
#define RLX_STREAM_ABORT (-2)
typedef ssize_t rlx_stream_read_h(void *buffer, size_t size, void *arg);
typedef void rlx_stream_done_h(void *arg);
void rlx_reply_stream(struct rlx_request *req, int status, const char *content_type,
                      rlx_stream_read_h *read, rlx_stream_done_h *done, void *arg);
/* The same of a body whose length is known (Content-Length; to HEAD `read` is not called): a reader that ends early or aborts closes the connection. */
void rlx_reply_stream_sized(struct rlx_request *req, int status, const char *content_type,
                            uint64_t length, rlx_stream_read_h *read, rlx_stream_done_h *done,
                            void *arg);

/* Answers a WebSocket handshake (RFC 6455 4.2) with 101 and hands the socket over: `socket` is called with a duplicated,
 * non-blocking fd (the receiver owns it) and bytes that came behind the request; it is not called when the client goes before the 101 is
 * sent, so `arg` is the server's or on the request. RLX_EPROTO when the request is no
 * WebSocket upgrade (nothing is sent then). */
typedef void rlx_socket_h(int fd, const void *extra, size_t extra_length, void *arg);
int rlx_reply_websocket(struct rlx_request *req, rlx_socket_h *socket, void *arg)
    __attribute__((warn_unused_result));
/* The status that was chosen, 0 when none yet. */
int rlx_reply_status(const struct rlx_request *req);

#endif
