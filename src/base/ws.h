/* WebSocket frames (RFC 6455) for either role, on wslay, without any I/O: bytes in, messages out, bytes to send out. */
#ifndef RLX_BASE_WS_H
#define RLX_BASE_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_ws;

/* A whole message came. `text` is false for binary ones. The bytes live until the handler returns. */
typedef void rlx_ws_message_h(bool text, const void *data, size_t length, void *arg);
/* Bytes must go to the peer; the handler copies or writes them. All frames queued since the last call are merged. */
typedef void rlx_ws_output_h(const void *data, size_t length, void *arg);

/* A session whose handshake is over. `max_message` caps a message (a longer one fails rlx_ws_feed with RLX_ETOOBIG and
 * sends close 1009). The talloc child of ctx must not be freed inside its own handlers. */
int rlx_ws_create(struct rlx_ws **wsp, TALLOC_CTX *ctx, bool server, size_t max_message,
                  rlx_ws_message_h *message, rlx_ws_output_h *output, void *arg)
    __attribute__((warn_unused_result));

/* Bytes from the peer; ends with a flush, so what its messages' handlers queued (and pongs) goes out in one write. 0, or RLX_EPROTO / RLX_ETOOBIG: close the socket then (a close frame was put out). */
int rlx_ws_feed(struct rlx_ws *ws, const void *data, size_t length)
    __attribute__((warn_unused_result));

/* Queues a message; nothing goes out before rlx_ws_flush or the end of rlx_ws_feed, so that many frames make one write.
 * -EPIPE after a close, -ENOBUFS when more than 4 MiB are queued. */
int rlx_ws_send(struct rlx_ws *ws, bool text, const void *data, size_t length)
    __attribute__((warn_unused_result));
int rlx_ws_close(struct rlx_ws *ws, uint16_t code); /* queues a close frame */
void rlx_ws_flush(struct rlx_ws *ws);

/* True when a close frame went or came: no more messages. */
bool rlx_ws_closed(const struct rlx_ws *ws);
/* The peer's close code (1006 when it gave none). */
uint16_t rlx_ws_close_code(const struct rlx_ws *ws);

/* Handshake pieces: a client's request to path on host (with up to one extra header line, may be NULL, no CRLF) and the
 * key that it holds; the Sec-WebSocket-Accept value for a key (RFC 6455 4.2.2). */
#define RLX_WS_KEY 25
#define RLX_WS_ACCEPT 29
char *rlx_ws_request(TALLOC_CTX *ctx, const char *host, const char *path, const char *extra,
                     char key[RLX_WS_KEY]);
void rlx_ws_accept(char accept[RLX_WS_ACCEPT], const char *key);

#endif
