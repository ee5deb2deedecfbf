#include "gateway/socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/ws.h"

#define MAX_MESSAGE (64 << 10)
#define MAX_UNSENT (1 << 20)

struct rlx_socket {
    uv_tcp_t tcp;
    struct rlx_ws *ws;
    struct rlx_socket_handlers handlers;
    void *arg;
    const char *why;
    bool held, closing, in_feed;
};

struct pending_write {
    uv_write_t request;
    char data[];
};

static char scratch[64 << 10]; /* the loop reads one socket at a time */

static void never_opened(uv_handle_t *handle)
{
    talloc_free(handle->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct rlx_socket *socket = handle->data;

    socket->handlers.closed(socket->why, socket->arg);
    talloc_free(socket);
}

static void end(struct rlx_socket *socket, const char *why)
{
    if (socket->closing)
        return;
    socket->closing = true;
    socket->why = why;
    uv_close((uv_handle_t *)&socket->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    struct rlx_socket *socket = request->data;

    if (status < 0 && status != UV_ECANCELED)
        end(socket, "the peer is gone");
    free(request);
}

static void output(const void *data, size_t length, void *arg)
{
    struct rlx_socket *socket = arg;
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data, (unsigned)length);

    if (socket->closing)
        return;
    int written = uv_stream_get_write_queue_size((uv_stream_t *)&socket->tcp)
                      ? UV_EAGAIN
                      : uv_try_write((uv_stream_t *)&socket->tcp, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN) {
        end(socket, "the peer is gone");
        return;
    }
    size_t done = written > 0 ? (size_t)written : 0;
    if (done == length)
        return;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&socket->tcp) > MAX_UNSENT) {
        end(socket, "the peer does not read");
        return;
    }
    struct pending_write *rest = malloc(sizeof *rest + length - done);
    if (!rest) {
        end(socket, "out of memory");
        return;
    }
    memcpy(rest->data, (const char *)data + done, length - done);
    rest->request.data = socket;
    buffer = uv_buf_init(rest->data, (unsigned)(length - done));
    if (uv_write(&rest->request, (uv_stream_t *)&socket->tcp, &buffer, 1, on_written)) {
        free(rest);
        end(socket, "the peer is gone");
    }
}

static void message(bool text, const void *data, size_t length, void *arg)
{
    struct rlx_socket *socket = arg;

    if (socket->closing)
        return;
    if (text)
        socket->handlers.message(data, length, socket->arg);
    else
        rlx_socket_close(socket, 1003, "a binary message");
}

static void feed(struct rlx_socket *socket, const void *data, size_t length)
{
    socket->in_feed = true;
    int err = rlx_ws_feed(socket->ws, data, length);
    socket->in_feed = false;
    if (socket->closing)
        return;
    rlx_ws_flush(socket->ws);
    if (err)
        end(socket, err == RLX_ETOOBIG ? "a message is too large" : "broken WebSocket framing");
    else if (rlx_ws_closed(socket->ws))
        end(socket, "closed by the peer");
}

static void on_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    (void)handle;
    (void)size;
    *buffer = uv_buf_init(scratch, sizeof scratch);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct rlx_socket *socket = stream->data;

    if (length < 0)
        end(socket, length == UV_EOF ? "the peer hung up" : "the connection broke");
    else if (length > 0)
        feed(socket, buffer->base, (size_t)length);
}

int rlx_socket_open(struct rlx_socket **socketp, uv_loop_t *loop, int fd, const void *extra,
                    size_t extra_length, const struct rlx_socket_handlers *handlers, void *arg)
{
    struct rlx_socket *socket = talloc_zero(NULL, struct rlx_socket);
    int err = -ENOMEM;

    if (!socket)
        goto out;
    socket->handlers = *handlers;
    socket->arg = arg;
    err = rlx_ws_create(&socket->ws, socket, true, MAX_MESSAGE, message, output, socket);
    if (err)
        goto out;
    err = uv_tcp_init(loop, &socket->tcp);
    if (err)
        goto out;
    socket->tcp.data = socket;
    err = uv_tcp_open(&socket->tcp, fd);
    if (err) {
        close(fd);
        uv_close((uv_handle_t *)&socket->tcp, never_opened);
        return err;
    }
    uv_tcp_nodelay(&socket->tcp, 1);
    uv_read_start((uv_stream_t *)&socket->tcp, on_buffer, on_read);
    *socketp = socket;
    if (extra_length)
        feed(socket, extra, extra_length);
    return 0;
out:
    close(fd);
    talloc_free(socket);
    return err;
}

void rlx_socket_handlers(struct rlx_socket *socket, const struct rlx_socket_handlers *handlers,
                         void *arg)
{
    socket->handlers = *handlers;
    socket->arg = arg;
}

void rlx_socket_hold(struct rlx_socket *socket, int hold)
{
    if (socket->closing || socket->held == (hold != 0))
        return;
    socket->held = hold != 0;
    if (hold)
        uv_read_stop((uv_stream_t *)&socket->tcp);
    else
        uv_read_start((uv_stream_t *)&socket->tcp, on_buffer, on_read);
}

void rlx_socket_send(struct rlx_socket *socket, const char *text, size_t length)
{
    if (!socket->closing && rlx_ws_send(socket->ws, true, text, length))
        end(socket, "a message can't be queued");
}

void rlx_socket_flush(struct rlx_socket *socket)
{
    if (!socket->closing && !socket->in_feed) /* feed flushes when it is done */
        rlx_ws_flush(socket->ws);
}

void rlx_socket_close(struct rlx_socket *socket, uint16_t code, const char *why)
{
    if (socket->closing)
        return;
    if (!rlx_ws_close(socket->ws, code))
        rlx_ws_flush(socket->ws);
    end(socket, why);
}
