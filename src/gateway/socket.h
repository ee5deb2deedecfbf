/* A WebSocket on the loop, its handshake done elsewhere: text messages in, text messages out, all frames of one wake-up merged
 * into one write. Loop thread only. */
#ifndef RLX_GATEWAY_SOCKET_H
#define RLX_GATEWAY_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <uv.h>

struct rlx_socket;

struct rlx_socket_handlers {
    /* A text message; binary ones end the connection. */
    void (*message)(const char *text, size_t length, void *arg);
    /* Exactly once, the last call: the connection is over. `why` is static. The socket frees itself after it. */
    void (*closed)(const char *why, void *arg);
};

/* Takes over the fd (closed on failure too; `closed` does not come then). `extra` are bytes that came behind the handshake. Messages over 64 KiB end it. */
int rlx_socket_open(struct rlx_socket **socketp, uv_loop_t *loop, int fd, const void *extra,
                    size_t extra_length, const struct rlx_socket_handlers *handlers, void *arg)
    __attribute__((warn_unused_result));
/* Changes who is told. */
void rlx_socket_handlers(struct rlx_socket *socket, const struct rlx_socket_handlers *handlers,
                         void *arg);
/* Stops / goes on reading (the kernel buffers meanwhile). */
void rlx_socket_hold(struct rlx_socket *socket, int hold);
/* Queues a message; it leaves at the end of this wake-up or with rlx_socket_flush. A peer that does not read for more than
 * 1 MiB is closed. */
void rlx_socket_send(struct rlx_socket *socket, const char *text, size_t length);
void rlx_socket_flush(struct rlx_socket *socket);
/* Sends a close frame and ends it; `closed` comes later with `why`. */
void rlx_socket_close(struct rlx_socket *socket, uint16_t code, const char *why);

#endif
