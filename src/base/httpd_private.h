/* What httpd.c, httpd_reply.c and httpd_body.c share; nobody else includes it. */
#ifndef RLX_BASE_HTTPD_PRIVATE_H
#define RLX_BASE_HTTPD_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "base/httpd.h"

#define RLX_HTTPD_MAX_PARAMS 8
#define RLX_HTTPD_DEFAULT_BODY (64u << 10)
#define RLX_HTTPD_DISCARD_MAX (64u << 20)
#define RLX_HTTPD_DEPTH_MAX 64 /* of JSON */
#define RLX_HTTPD_REQUEST_MS 30000u
#define RLX_HTTPD_SLOWEST 32 /* bytes of a body that must come in a millisecond */

struct rlx_watch;

struct rlx_httpd {
    struct rlx_httpd_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct rlx_watch *watch;
    atomic_bool quiet;
    atomic_uint active;
};

/* A decoded name and value: of the query, or of a form body. */
struct rlx_field {
    char *name;
    char *value;
    size_t length;
    char *filename;
    struct rlx_field *next;
};

struct rlx_path_param {
    const char *name;
    size_t name_length;
    char *value;
};

struct rlx_stream {
    rlx_stream_read_h *read;
    rlx_stream_done_h *done;
    void *arg;
    int fd; /* the connection's, to see that the client has gone */
};

struct rlx_upgrade {
    rlx_socket_h *socket;
    void *arg;
};

struct rlx_request {
    struct rlx_httpd *server;
    struct MHD_Connection *connection;
    const char *method;
    char *path;         /* as it came, without the query */
    const char *query;  /* with its '?', or "" */
    struct rlx_field *query_fields;
    char peer[64];
    int fd;

    const struct rlx_route *route;
    struct rlx_path_param params[RLX_HTTPD_MAX_PARAMS];
    size_t param_count;
    bool begun;      /* the headers were seen */
    bool too_big;    /* the body is longer than the route takes */
    bool unread;     /* answered before the body was read: linger */
    bool hooked;     /* `before` has run */
    size_t max_body;

    char *body;
    size_t length;
    size_t capacity;
    struct rlx_spool *spool; /* NULL: the body is in memory */
    size_t discarded;
    json_t *json;
    bool form_parsed;
    struct rlx_field *fields;

    void *data;
    int status;
    struct MHD_Response *response;
    struct rlx_field *headers; /* newest first */
    struct rlx_stream *stream;
    struct rlx_upgrade upgrade;
};

/* Splits "a=1&b=2" into decoded fields in their order; children of ctx. NULL when there is none or no memory. */
struct rlx_field *rlx_field_parse_urlencoded(TALLOC_CTX *ctx, const char *text, size_t length);
/* Splits a multipart/form-data body (RFC 7578). `content_type` holds the boundary. Parts without a name and a last part
 * without its end are left out. A value of more than RLX_FIELD_COPY bytes is not copied: it stands in `body`, without a NUL. */
#define RLX_FIELD_COPY (64u << 10)
struct rlx_field *rlx_field_parse_multipart(TALLOC_CTX *ctx, const char *content_type,
                                            const char *body, size_t length);
const struct rlx_field *rlx_field_find(const struct rlx_field *fields, const char *name);
/* Percent-decodes; `plus` makes '+' a space. The length of the result goes to *lengthp. */
char *rlx_percent_decode(TALLOC_CTX *ctx, const char *text, size_t length, bool plus,
                         size_t *lengthp);

/* Strict: no overlong forms, no surrogates. */
bool rlx_utf8_valid(const char *text);

/* What is wrong with the headers that say where a request ends and whom it is for, or NULL (a constant text). Two servers
 * in a row must not read them differently (RFC 9112 3.2, 5.1, 6.1, 6.3). After an answer to it the connection is closed. */
const char *rlx_framing_fault(struct MHD_Connection *connection, const char *version);

/* ---- time limits: a connection that sends its request too slowly is closed ---- */
int rlx_watch_create(struct rlx_watch **watchp, TALLOC_CTX *ctx);
/* For MHD_OPTION_NOTIFY_CONNECTION. */
void rlx_watch_connection(void *cls, struct MHD_Connection *connection, void **contextp,
                          enum MHD_ConnectionNotificationCode code);
/* The request must have come after so many ms; 0 = no limit any more. */
void rlx_watch_limit(struct MHD_Connection *connection, uint64_t ms);

/* Adds to a body that is longer than RLX_HTTPD_SPOOL, in a file without a name; what is in memory goes there first.
 * -ENOTSUP when no file can be made: the body stays in memory. Another error: the disk is full. */
#define RLX_HTTPD_SPOOL (1u << 20)
int rlx_body_spool(struct rlx_request *req, const char *data, size_t length)
    __attribute__((warn_unused_result));
/* Makes req->body of the file, when the body is whole. */
int rlx_body_map(struct rlx_request *req) __attribute__((warn_unused_result));

/* The reader of a stream's response, and what frees it. */
ssize_t rlx_stream_pull(void *cls, uint64_t position, char *buffer, size_t size);
/* True when the peer of the socket has closed or reset. */
bool rlx_socket_gone(int fd);

#endif
