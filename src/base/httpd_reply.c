#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/err.h"
#include "base/httpd_private.h"
#include "base/log.h"
#include "base/ws.h"

#define STREAM_BLOCK 4096
#define SIZED_BLOCK 32768

bool rlx_socket_gone(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

void rlx_reply_header(struct rlx_request *req, const char *name, const char *value)
{
    for (struct rlx_field *old = req->headers; old; old = old->next)
        if (!strcasecmp(old->name, name)) {
            char *copy = talloc_strdup(old, value);
            old->value = copy ? copy : old->value;
            return;
        }
    struct rlx_field *header = talloc_zero(req, struct rlx_field);
    if (!header)
        return;
    header->name = talloc_strdup(header, name);
    header->value = talloc_strdup(header, value);
    if (!header->name || !header->value) {
        talloc_free(header);
        return;
    }
    header->next = req->headers;
    req->headers = header;
}

/* Takes the response over; the first reply of a request counts. */
static void choose(struct rlx_request *req, int status, const char *content_type,
                   struct MHD_Response *response)
{
    if (!response) {
        rlx_log(RLX_ERROR, "httpd.reply_failed", "path=%s", req->path);
        return;
    }
    if (req->response) {
        rlx_log(RLX_ERROR, "httpd.second_reply", "path=%s status=%d", req->path, status);
        MHD_destroy_response(response);
        return;
    }
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    req->response = response;
    req->status = status;
}

void rlx_reply(struct rlx_request *req, int status, const char *content_type, const void *body,
               size_t length)
{
    /* MHD only reads what it is told to copy. */
    choose(req, status, content_type,
           MHD_create_response_from_buffer(length, (void *)(uintptr_t)(body ? body : ""),
                                           MHD_RESPMEM_MUST_COPY));
}

void rlx_reply_text(struct rlx_request *req, int status, const char *content_type, const char *text)
{
    rlx_reply(req, status, content_type, text, strlen(text));
}

void rlx_reply_json(struct rlx_request *req, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(json);
    if (!text) {
        rlx_reply_error(req, -ENOMEM, NULL);
        return;
    }
    choose(req, status, "application/json",
           MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE));
}

void rlx_reply_error(struct rlx_request *req, int err, const char *detail)
{
    json_t *json = json_pack("{s:s, s:s}", "detail", detail ? detail : rlx_err_text(err), "code",
                             rlx_err_code(err));

    if (!json) /* a detail that is not UTF-8 */
        json = json_pack("{s:s, s:s}", "detail", rlx_err_text(err), "code", rlx_err_code(err));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    rlx_reply_text(req, rlx_err_http(err), "application/json",
                   text ? text : "{\"detail\":\"out of memory\",\"code\":\"internal_error\"}");
    free(text);
}

void rlx_reply_file(struct rlx_request *req, int status, const char *content_type, int fd,
                    uint64_t offset, uint64_t length)
{
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(length, fd, offset);

    if (!response)
        close(fd);
    choose(req, status, content_type, response);
}

ssize_t rlx_stream_pull(void *cls, uint64_t position, char *buffer, size_t size)
{
    struct rlx_stream *stream = cls;
    ssize_t n = stream->read(buffer, size, stream->arg);

    (void)position;
    if (n == RLX_STREAM_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    /* Nothing is written in this round, so a client that went away would not be noticed by writing.
     */
    if (n < 0 || (n == 0 && rlx_socket_gone(stream->fd)))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return n;
}

static void free_stream(void *cls)
{
    talloc_free(cls);
}

static void reply_stream(struct rlx_request *req, int status, const char *content_type,
                         uint64_t length, size_t block, const struct rlx_stream *how)
{
    /* It lives as long as MHD's response, which ends after the request: so it is nobody's child. */
    struct rlx_stream *stream = req->response ? NULL : talloc_zero(NULL, struct rlx_stream);
    struct MHD_Response *response = NULL;

    if (stream) {
        *stream = *how;
        response =
            MHD_create_response_from_callback(length, block, rlx_stream_pull, stream, free_stream);
    }
    if (!response) {
        talloc_free(stream);
        if (how->done)
            how->done(how->arg);
    } else {
        req->stream = stream;
    }
    choose(req, status, content_type, response);
}

void rlx_reply_stream(struct rlx_request *req, int status, const char *content_type,
                      rlx_stream_read_h *read, rlx_stream_done_h *done, void *arg)
{
    const struct rlx_stream how = {.read = read, .done = done, .arg = arg, .fd = req->fd};

    /* MHD would send the last chunk to HEAD all the same. */
    if (!req->response && !strcmp(req->method, "HEAD")) {
        if (done)
            done(arg);
        rlx_reply(req, status, content_type, "", 0);
        return;
    }
    reply_stream(req, status, content_type, MHD_SIZE_UNKNOWN, STREAM_BLOCK, &how);
}

void rlx_reply_stream_sized(struct rlx_request *req, int status, const char *content_type,
                            uint64_t length, rlx_stream_read_h *read, rlx_stream_done_h *done,
                            void *arg)
{
    const struct rlx_stream how = {.read = read, .done = done, .arg = arg, .fd = req->fd};

    reply_stream(req, status, content_type, length, SIZED_BLOCK, &how);
}

static void upgraded(void *cls, struct MHD_Connection *connection, void *con_cls, const char *extra,
                     size_t extra_length, MHD_socket socket,
                     struct MHD_UpgradeResponseHandle *handle)
{
    struct rlx_upgrade *upgrade = cls;
    int one = 1;
    int fd = fcntl(socket, F_DUPFD_CLOEXEC, 3);

    (void)connection, (void)con_cls;
    if (fd >= 0) {
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        upgrade->socket(fd, extra, extra_length, upgrade->arg);
    } else {
        rlx_log(RLX_ERROR, "httpd.upgrade_failed", "error=%s", strerrordesc_np(errno));
    }
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

/* True when the comma-separated list holds the word, whatever its case. */
static bool lists(const char *list, const char *word)
{
    size_t n = strlen(word);

    while (list && *list) {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ", \t");
        if (length == n && !strncasecmp(list, word, n))
            return true;
        list += length;
    }
    return false;
}

int rlx_reply_websocket(struct rlx_request *req, rlx_socket_h *socket, void *arg)
{
    const char *key = rlx_request_header(req, "Sec-WebSocket-Key");
    const char *version = rlx_request_header(req, "Sec-WebSocket-Version");
    char accept[RLX_WS_ACCEPT];
    uint8_t nonce[16];

    if (req->response || strcmp(req->method, "GET") != 0 || !version ||
        strcmp(version, "13") != 0 || !lists(rlx_request_header(req, "Upgrade"), "websocket") ||
        !lists(rlx_request_header(req, "Connection"), "upgrade") || !key || strlen(key) != 24 ||
        rlx_base64_decode(nonce, sizeof nonce, key, 24) != 16)
        return RLX_EPROTO;
    req->upgrade = (struct rlx_upgrade){.socket = socket, .arg = arg};
    struct MHD_Response *response = MHD_create_response_for_upgrade(upgraded, &req->upgrade);
    if (!response)
        return -ENOMEM;
    rlx_ws_accept(accept, key);
    MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
    choose(req, MHD_HTTP_SWITCHING_PROTOCOLS, NULL, response);
    return 0;
}

int rlx_reply_status(const struct rlx_request *req)
{
    return req->status;
}
