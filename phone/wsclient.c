#include "wsclient.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/ws.h"

#define MESSAGE_MAX ((size_t)4 << 20)
#define HEAD_MAX 8192
#define SLOW_MS 2000
#define CLOSE_MS 300

struct rlx_wsclient {
    CURL *curl;
    struct rlx_ws *ws;
    curl_socket_t fd;
    int error; /* of writing, from inside the output handler */
    rlx_wsclient_message_h *message;
    void *arg;
};

static int client_destroy(struct rlx_wsclient *client)
{
    if (client->curl)
        curl_easy_cleanup(client->curl);
    return 0;
}

static bool wait_for(const struct rlx_wsclient *client, short events, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = events};

    return poll(&poll_fd, 1, timeout_ms) > 0;
}

static int write_all(struct rlx_wsclient *client, const void *data, size_t length)
{
    const char *bytes = data;
    uint64_t end_ms = rlx_now_ms() + SLOW_MS;

    while (length > 0) {
        size_t n = 0;
        CURLcode code = curl_easy_send(client->curl, bytes, length, &n);

        if (code == CURLE_AGAIN) {
            uint64_t now_ms = rlx_now_ms();

            if (now_ms >= end_ms)
                return -ETIMEDOUT;
            (void)wait_for(client, POLLOUT, (int)(end_ms - now_ms));
            continue;
        }
        if (code != CURLE_OK)
            return -EPIPE;
        bytes += n;
        length -= n;
    }
    return 0;
}

static void on_output(const void *data, size_t length, void *arg)
{
    struct rlx_wsclient *client = arg;

    if (!client->error)
        client->error = write_all(client, data, length);
}

static void on_message(bool text, const void *data, size_t length, void *arg)
{
    struct rlx_wsclient *client = arg;

    if (text)
        client->message(data, length, client->arg);
}

/* ---- connecting ---- */

struct address {
    char *http; /* what curl connects to */
    char *host; /* with the port, for the Host header */
    const char *path;
};

static int split_url(struct address *address, TALLOC_CTX *ctx, const char *url)
{
    bool secure = strncasecmp(url, "wss://", 6) == 0;
    const char *host = secure ? url + 6 : url + 5;
    const char *path = host + strcspn(host, "/?#");

    if (!secure && strncasecmp(url, "ws://", 5) != 0)
        return RLX_EINVAL;
    address->host = talloc_strndup(ctx, host, (size_t)(path - host));
    address->http = talloc_asprintf(ctx, "%s://%s", secure ? "https" : "http",
                                    address->host ? address->host : "");
    address->path = *path ? path : "/";
    return address->host && address->http ? 0 : -ENOMEM;
}

static int connect_socket(struct rlx_wsclient *client, const struct address *address, bool insecure,
                          long timeout_ms, TALLOC_CTX *ctx, char **whyp)
{
    CURLcode code;

    client->curl = curl_easy_init();
    if (!client->curl)
        return -ENOMEM;
    curl_easy_setopt(client->curl, CURLOPT_URL, address->http);
    curl_easy_setopt(client->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(client->curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (insecure) {
        curl_easy_setopt(client->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(client->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    code = curl_easy_perform(client->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(client->curl, CURLINFO_ACTIVESOCKET, &client->fd);
    if (code == CURLE_OK && client->fd != CURL_SOCKET_BAD)
        return 0;
    if (whyp)
        *whyp = talloc_asprintf(ctx, "31920: can't connect to %s: %s", address->http,
                                curl_easy_strerror(code));
    return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : RLX_EPROVIDER;
}

/* Reads the handshake's answer; bytes behind it go to *extrap. */
static int read_head(struct rlx_wsclient *client, char *head, size_t *lengthp, const char **extrap,
                     uint64_t end_ms)
{
    size_t length = 0;
    char *end = NULL;

    while (!end) {
        size_t n = 0;
        CURLcode code = curl_easy_recv(client->curl, head + length, HEAD_MAX - 1 - length, &n);
        uint64_t now_ms = rlx_now_ms();

        if (code == CURLE_AGAIN) {
            if (now_ms >= end_ms)
                return -ETIMEDOUT;
            (void)wait_for(client, POLLIN, (int)(end_ms - now_ms));
            continue;
        }
        if (code != CURLE_OK || n == 0)
            return -EPIPE;
        length += n;
        head[length] = '\0';
        end = strstr(head, "\r\n\r\n");
        if (!end && length == HEAD_MAX - 1)
            return RLX_EPROTO;
    }
    end[2] = '\0';
    *extrap = end + 4;
    *lengthp = length;
    return 0;
}

static bool has_accept(const char *head, const char *accept)
{
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        const char *value = line + 2;

        if (strncasecmp(value, "sec-websocket-accept:", 21) != 0)
            continue;
        value += 21;
        value += strspn(value, " \t");
        return strncmp(value, accept, strlen(accept)) == 0;
    }
    return false;
}

static int shake_hands(struct rlx_wsclient *client, const struct address *address,
                       const char *header, long timeout_ms, TALLOC_CTX *ctx, char **whyp)
{
    char key[RLX_WS_KEY], accept[RLX_WS_ACCEPT], head[HEAD_MAX];
    char *request = rlx_ws_request(client, address->host, address->path, header, key);
    const char *extra = NULL;
    size_t length = 0;
    int err;

    if (!request)
        return -ENOMEM;
    err = write_all(client, request, strlen(request));
    if (!err)
        err = read_head(client, head, &length, &extra, rlx_now_ms() + (uint64_t)timeout_ms);
    talloc_free(request);
    if (err) {
        if (whyp)
            *whyp = talloc_strdup(ctx, "31920: the WebSocket handshake got no answer");
        return err;
    }
    rlx_ws_accept(accept, key);
    if (strncmp(head, "HTTP/1.1 101", 12) != 0 || !has_accept(head, accept)) {
        if (whyp)
            *whyp = talloc_asprintf(ctx, "31920: the WebSocket handshake was refused: %.*s",
                                    (int)strcspn(head, "\r\n"), head);
        return RLX_EPROVIDER;
    }
    return rlx_ws_feed(client->ws, extra, length - (size_t)(extra - head));
}

int rlx_wsclient_connect(struct rlx_wsclient **clientp, TALLOC_CTX *ctx, const char *url,
                         const char *header, bool insecure, long timeout_ms,
                         rlx_wsclient_message_h *message, void *arg, char **whyp)
{
    struct rlx_wsclient *client;
    struct address address = {0};
    int err;

    if (!clientp || !url || !message)
        return RLX_EINVAL;
    client = talloc_zero(ctx, struct rlx_wsclient);
    if (!client)
        return -ENOMEM;
    talloc_set_destructor(client, client_destroy);
    client->message = message;
    client->arg = arg;
    client->fd = CURL_SOCKET_BAD;
    err = split_url(&address, client, url);
    if (!err)
        err = rlx_ws_create(&client->ws, client, false, MESSAGE_MAX, on_message, on_output, client);
    if (!err)
        err = connect_socket(client, &address, insecure, timeout_ms, ctx, whyp);
    if (!err)
        err = shake_hands(client, &address, header, timeout_ms, ctx, whyp);
    if (err)
        talloc_free(client);
    else
        *clientp = client;
    return err;
}

/* ---- talking ---- */

int rlx_wsclient_fd(const struct rlx_wsclient *client)
{
    return (int)client->fd;
}

int rlx_wsclient_read(struct rlx_wsclient *client)
{
    char bytes[16384];

    for (;;) {
        size_t n = 0;
        CURLcode code = curl_easy_recv(client->curl, bytes, sizeof(bytes), &n);
        int err;

        if (code == CURLE_AGAIN)
            return rlx_ws_closed(client->ws) ? -EPIPE : 0;
        if (code != CURLE_OK || n == 0)
            return -EPIPE;
        err = rlx_ws_feed(client->ws, bytes, n);
        rlx_ws_flush(client->ws); /* pongs and the answer to a close */
        if (err)
            return err;
    }
}

int rlx_wsclient_send(struct rlx_wsclient *client, const char *text, size_t length)
{
    return rlx_ws_send(client->ws, true, text, length);
}

int rlx_wsclient_flush(struct rlx_wsclient *client)
{
    rlx_ws_flush(client->ws);
    return client->error;
}

void rlx_wsclient_close(struct rlx_wsclient *client)
{
    if (rlx_ws_closed(client->ws) || client->error || rlx_ws_close(client->ws, 1000) != 0)
        return;
    rlx_ws_flush(client->ws);
    if (!client->error)
        (void)wait_for(client, POLLIN, CLOSE_MS);
}
