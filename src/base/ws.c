#include "base/ws.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/crypto.h"
#include "base/err.h"

#define OUT_FIRST 4096
#define OUT_MAX ((size_t)64 << 10) /* more than this goes out in several writes */
#define QUEUE_MAX ((size_t)4 << 20)

struct rlx_ws {
    wslay_event_context_ptr wslay;
    rlx_ws_message_h *message;
    rlx_ws_output_h *output;
    void *arg;
    const uint8_t *in;
    size_t in_length;
    uint8_t *out;
    size_t out_length;
    size_t out_capacity;
    bool too_big;
    size_t max_message;
};

static ssize_t read_cb(wslay_event_context_ptr wslay, uint8_t *buffer, size_t size, int flags,
                       void *arg)
{
    struct rlx_ws *ws = arg;
    size_t n = ws->in_length < size ? ws->in_length : size;

    (void)flags;
    if (!n) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(buffer, ws->in, n);
    ws->in += n;
    ws->in_length -= n;
    return (ssize_t)n;
}

static void put_out(struct rlx_ws *ws)
{
    size_t n = ws->out_length;

    ws->out_length = 0;
    if (n)
        ws->output(ws->out, n, ws->arg);
}

static bool make_room(struct rlx_ws *ws, size_t wanted)
{
    size_t capacity = ws->out_capacity ? ws->out_capacity : OUT_FIRST;

    while (capacity < wanted)
        capacity *= 2;
    if (capacity > ws->out_capacity) {
        uint8_t *out = talloc_realloc_size(ws, ws->out, capacity);
        if (!out)
            return false;
        ws->out = out;
        ws->out_capacity = capacity;
    }
    return true;
}

/* Takes everything, in pieces if need be: after a short write wslay would wait for the next round.
 */
static ssize_t write_cb(wslay_event_context_ptr wslay, const uint8_t *data, size_t length,
                        int flags, void *arg)
{
    struct rlx_ws *ws = arg;

    (void)flags;
    for (size_t at = 0, n; at < length; at += n) {
        if (ws->out_length == OUT_MAX)
            put_out(ws);
        n = length - at < OUT_MAX - ws->out_length ? length - at : OUT_MAX - ws->out_length;
        if (!make_room(ws, ws->out_length + n)) {
            wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
            return -1;
        }
        memcpy(ws->out + ws->out_length, data + at, n);
        ws->out_length += n;
    }
    return (ssize_t)length;
}

static int mask_cb(wslay_event_context_ptr wslay, uint8_t *mask, size_t length, void *arg)
{
    (void)wslay, (void)arg;
    rlx_random(mask, length);
    return 0;
}

static void message_cb(wslay_event_context_ptr wslay,
                       const struct wslay_event_on_msg_recv_arg *message, void *arg)
{
    struct rlx_ws *ws = arg;

    (void)wslay;
    if (message->opcode == WSLAY_TEXT_FRAME || message->opcode == WSLAY_BINARY_FRAME)
        ws->message(message->opcode == WSLAY_TEXT_FRAME, message->msg, message->msg_length,
                    ws->arg);
}

static const struct wslay_event_callbacks callbacks = {
    .recv_callback = read_cb,
    .send_callback = write_cb,
    .genmask_callback = mask_cb,
    .on_msg_recv_callback = message_cb,
};

static int drop(struct rlx_ws *ws)
{
    if (ws->wslay)
        wslay_event_context_free(ws->wslay);
    return 0;
}

int rlx_ws_create(struct rlx_ws **wsp, TALLOC_CTX *ctx, bool server, size_t max_message,
                  rlx_ws_message_h *message, rlx_ws_output_h *output, void *arg)
{
    struct rlx_ws *ws;

    if (!wsp || !message || !output || !max_message)
        return -EINVAL;
    ws = talloc_zero(ctx, struct rlx_ws);
    if (!ws)
        return -ENOMEM;
    ws->message = message;
    ws->output = output;
    ws->arg = arg;
    ws->max_message = max_message;
    talloc_set_destructor(ws, drop);
    if (server ? wslay_event_context_server_init(&ws->wslay, &callbacks, ws)
               : wslay_event_context_client_init(&ws->wslay, &callbacks, ws)) {
        ws->wslay = NULL;
        talloc_free(ws);
        return -ENOMEM;
    }
    wslay_event_config_set_max_recv_msg_length(ws->wslay, max_message);
    *wsp = ws;
    return 0;
}

int rlx_ws_feed(struct rlx_ws *ws, const void *data, size_t length)
{
    int err = 0;

    if (!ws || (!data && length))
        return -EINVAL;
    ws->in = data;
    ws->in_length = length;
    if (wslay_event_get_read_enabled(ws->wslay) && wslay_event_recv(ws->wslay))
        err = RLX_EPROTO;
    ws->in = NULL;
    ws->in_length = 0;
    /* wslay answers a broken rule with a close frame of its own and stops reading. */
    if (!err && !wslay_event_get_read_enabled(ws->wslay) &&
        !wslay_event_get_close_received(ws->wslay)) {
        rlx_ws_flush(ws);
        uint16_t code = wslay_event_get_status_code_sent(ws->wslay);
        return code == WSLAY_CODE_MESSAGE_TOO_BIG ? RLX_ETOOBIG : RLX_EPROTO;
    }
    rlx_ws_flush(ws);
    return err;
}

int rlx_ws_send(struct rlx_ws *ws, bool text, const void *data, size_t length)
{
    struct wslay_event_msg message = {
        .opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, .msg = data, .msg_length = length};

    if (!ws || (!data && length))
        return -EINVAL;
    if (rlx_ws_closed(ws))
        return -EPIPE;
    if (wslay_event_get_queued_msg_length(ws->wslay) + length > QUEUE_MAX)
        return -ENOBUFS;
    switch (wslay_event_queue_msg(ws->wslay, &message)) {
    case 0:
        return 0;
    case WSLAY_ERR_NO_MORE_MSG:
        return -EPIPE;
    default:
        return -ENOMEM;
    }
}

int rlx_ws_close(struct rlx_ws *ws, uint16_t code)
{
    int result = wslay_event_queue_close(ws->wslay, code, NULL, 0);

    return !result || result == WSLAY_ERR_NO_MORE_MSG ? 0
           : result == WSLAY_ERR_INVALID_ARGUMENT     ? -EINVAL
                                                      : -ENOMEM;
}

void rlx_ws_flush(struct rlx_ws *ws)
{
    if (wslay_event_want_write(ws->wslay))
        wslay_event_send(ws->wslay);
    put_out(ws);
}

bool rlx_ws_closed(const struct rlx_ws *ws)
{
    return wslay_event_get_close_received(ws->wslay) || wslay_event_get_close_sent(ws->wslay) ||
           !wslay_event_get_read_enabled(ws->wslay);
}

uint16_t rlx_ws_close_code(const struct rlx_ws *ws)
{
    uint16_t code = wslay_event_get_close_received(ws->wslay)
                        ? wslay_event_get_status_code_received(ws->wslay)
                        : 0;

    return code && code != WSLAY_CODE_NO_STATUS_RCVD ? code : WSLAY_CODE_ABNORMAL_CLOSURE;
}

char *rlx_ws_request(TALLOC_CTX *ctx, const char *host, const char *path, const char *extra,
                     char key[RLX_WS_KEY])
{
    uint8_t nonce[16];

    rlx_random(nonce, sizeof nonce);
    rlx_base64_encode(key, nonce, sizeof nonce);
    return talloc_asprintf(ctx,
                           "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                           "Sec-WebSocket-Version: 13\r\n%s%s\r\n",
                           path, host, key, extra ? extra : "", extra ? "\r\n" : "");
}

void rlx_ws_accept(char accept[RLX_WS_ACCEPT], const char *key)
{
    /* The GUID of RFC 6455 1.3. */
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[128];
    uint8_t digest[RLX_SHA1_BYTES];
    int n = snprintf(text, sizeof text, "%.64s%s", key, guid);

    rlx_sha1(digest, text, (size_t)n);
    rlx_base64_encode(accept, digest, sizeof digest);
}
