/* An outgoing WebSocket (ws or wss): connected by libcurl, framed by base/ws.h. One thread. */
#ifndef RLX_PHONE_WSCLIENT_H
#define RLX_PHONE_WSCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct rlx_wsclient;

/* A whole text message came; the bytes live until the handler returns. Called from inside read. */
typedef void rlx_wsclient_message_h(const char *text, size_t length, void *arg);

/* Connects and shakes hands within timeout_ms (blocking). `header` is one more header line without
 * CRLF. Freeing closes. RLX_EPROVIDER, -ETIMEDOUT or -ENOMEM with a sentence in *whyp (on ctx). */
int rlx_wsclient_connect(struct rlx_wsclient **clientp, TALLOC_CTX *ctx, const char *url,
                         const char *header, bool insecure, long timeout_ms,
                         rlx_wsclient_message_h *message, void *arg, char **whyp)
    __attribute__((warn_unused_result));

/* The socket, to poll for reading. */
int rlx_wsclient_fd(const struct rlx_wsclient *client);
/* Takes what has come, without blocking. -EPIPE when the peer has closed, RLX_EPROTO or RLX_ETOOBIG
 * when it broke the rules. */
int rlx_wsclient_read(struct rlx_wsclient *client) __attribute__((warn_unused_result));
/* Queues a text message; it goes out with flush. */
int rlx_wsclient_send(struct rlx_wsclient *client, const char *text, size_t length)
    __attribute__((warn_unused_result));
/* Writes what is queued; waits at most 2 s for a slow peer. -EPIPE when it is gone. */
int rlx_wsclient_flush(struct rlx_wsclient *client) __attribute__((warn_unused_result));
/* Sends a close frame and waits at most 300 ms for the peer's. */
void rlx_wsclient_close(struct rlx_wsclient *client);

#endif
