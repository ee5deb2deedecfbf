/* The server in this process, rlx_http and bare sockets as its clients. */
#include "../rlx_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/http.h"
#include "base/httpd.h"
#include "base/ws.h"

static sem_t entered, gone, stream_done, socket_came;
static bool gone_at_first;
static int socket_fd = -1;
static char socket_extra[64];

static void echo(struct rlx_request *req, void *arg)
{
    size_t length;
    const char *body = rlx_request_body(req, &length);
    const char *id = rlx_request_param(req, "id"), *part = rlx_request_param(req, "part"),
               *q = rlx_request_query(req, "q");

    (void)arg;
    assert_int_equal(strlen(body), length);
    rlx_reply_header(req, "X-Peer", rlx_request_peer(req));
    rlx_reply_json(req, 200,
                   json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "method",
                             rlx_request_method(req), "path", rlx_request_path(req), "query",
                             rlx_request_query_string(req), "id", id ? id : "-", "part",
                             part ? part : "-", "q", q ? q : "-", "length", (int)length));
}

static void json_back(struct rlx_request *req, void *arg)
{
    json_t *json;
    int err = rlx_request_json(req, &json);

    (void)arg;
    if (err)
        rlx_reply_error(req, err, NULL);
    else
        rlx_reply_json(req, 201, json_incref(json));
}

static void each(const char *name, const char *value, size_t length, void *arg)
{
    char **text = arg;

    *text = talloc_asprintf_append(*text, "%s=%s:%zu;", name, value, length);
}

static void form(struct rlx_request *req, void *arg)
{
    char *text = talloc_strdup(req, "");
    size_t length = 7;
    const char *file = rlx_request_filename(req, "file");

    (void)arg;
    rlx_request_each_field(req, each, &text);
    assert_null(rlx_request_field(req, "absent", &length));
    assert_int_equal(length, 0);
    rlx_reply_text(req, 200, "text/plain",
                   talloc_asprintf(req, "%s%s|%s", text, file ? file : "-",
                                   rlx_request_field(req, "a", &length)));
}

static void nothing(struct rlx_request *req, void *arg)
{
    (void)req, (void)arg;
}

static void twice(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_text(req, 200, NULL, "first");
    rlx_reply_text(req, 500, NULL, "second");
}

static void file_part(struct rlx_request *req, void *arg)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)arg;
    rlx_reply_file(req, 206, "application/octet-stream", fd, 1, 3);
}

static ssize_t count_down(void *buffer, size_t size, void *arg)
{
    int *left = arg;

    assert_true(size >= 16);
    if (*left < 0)
        return RLX_STREAM_END;
    if (*left % 2) { /* now and then there is nothing yet */
        --*left;
        return 0;
    }
    return snprintf(buffer, size, "%d,", (*left)--);
}

static void count_done(void *arg)
{
    (void)arg;
    sem_post(&stream_done);
}

static void stream(struct rlx_request *req, void *arg)
{
    int *left = talloc(req, int);

    (void)arg;
    *left = 9;
    rlx_reply_stream(req, 200, "text/event-stream", count_down, count_done, left);
}

static ssize_t give_ten(void *buffer, size_t size, void *arg)
{
    int *left = arg;

    if (!*left)
        return RLX_STREAM_END;
    size_t n = size < 4 ? size : 4;
    n = n < (size_t)*left ? n : (size_t)*left;
    memset(buffer, 'x', n);
    *left -= (int)n;
    return (ssize_t)n;
}

/* ?length=10 is what comes; more is promised than that and not kept. */
static void sized(struct rlx_request *req, void *arg)
{
    const char *length = rlx_request_query(req, "length");
    int *left = talloc(req, int);

    (void)arg;
    *left = 10;
    rlx_reply_stream_sized(req, 206, "audio/wav", strtoull(length, NULL, 10), give_ten, count_done,
                           left);
}

static ssize_t tick(void *buffer, size_t size, void *arg)
{
    (void)buffer, (void)size, (void)arg;
    poll(NULL, 0, 5);
    return 0;
}

static void endless(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_stream(req, 200, NULL, tick, count_done, NULL);
}

static void until_gone(struct rlx_request *req, void *arg)
{
    (void)arg;
    gone_at_first = rlx_request_client_gone(req);
    sem_post(&entered);
    rlx_reply_text(req, 200, NULL, "");
    while (!rlx_request_client_gone(req))
        poll(NULL, 0, 5);
    sem_post(&gone);
}

static void take_socket(int fd, const void *extra, size_t length, void *arg)
{
    assert_string_equal(arg, "the server's");
    memcpy(socket_extra, extra, length);
    socket_fd = fd;
    sem_post(&socket_came);
}

static void websocket(struct rlx_request *req, void *arg)
{
    if (rlx_reply_websocket(req, take_socket, arg))
        rlx_reply_error(req, RLX_EPROTO, "no WebSocket handshake");
}

static void before(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_request_set_data(req, (void *)(uintptr_t) "mine");
    if (!strcmp(rlx_request_path(req), "/forbidden"))
        rlx_reply_error(req, RLX_EFORBIDDEN, NULL);
}

static void after(struct rlx_request *req, void *arg)
{
    char status[16];

    (void)arg;
    assert_string_equal(rlx_request_data(req), "mine");
    snprintf(status, sizeof status, "%d", rlx_reply_status(req));
    rlx_reply_header(req, "X-Status", status);
}

static const struct rlx_route routes[] = {
    {"GET", "/echo", echo, 0},
    {"POST", "/echo", echo, 1000},
    {"PUT", "/echo", echo, 100000},
    {"GET", "/items/{id}", echo, 0},
    {"GET", "/items/{id}/parts/{part}", echo, 0},
    {"GET", "/files/*", echo, 0},
    {"POST", "/json", json_back, 0},
    {"POST", "/form", form, 0},
    {"*", "/any", echo, 0},
    {"GET", "/nothing", nothing, 0},
    {"GET", "/twice", twice, 0},
    {"GET", "/file", file_part, 0},
    {"GET", "/stream", stream, 0},
    {"GET", "/sized", sized, 0},
    {"GET", "/endless", endless, 0},
    {"GET", "/until-gone", until_gone, 0},
    {"GET", "/ws", websocket, 0},
    {"GET", "/forbidden", echo, 0},
};

struct fixture {
    struct rlx_httpd *server;
    char *base;
    struct rlx_http_reply *reply;
};

static int set_up(void **state)
{
    struct fixture *fixture = talloc_zero(NULL, struct fixture);
    struct rlx_httpd_options options = {.routes = routes,
                                        .route_count = sizeof routes / sizeof routes[0],
                                        .before = before,
                                        .after = after,
                                        .arg = (void *)(uintptr_t) "the server's"};

    assert_int_equal(rlx_httpd_start(&fixture->server, fixture, &options), 0);
    assert_true(rlx_httpd_port(fixture->server) > 0);
    fixture->base =
        talloc_asprintf(fixture, "http://127.0.0.1:%u", rlx_httpd_port(fixture->server));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    return talloc_free(*state);
}

#define SERVER_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static long ask(struct fixture *fixture, const char *method, const char *path, const char *type,
                const char *body, size_t length)
{
    const char *headers[] = {
        type ? talloc_asprintf(fixture, "Content-Type: %s", type) : "X-None: 1", NULL};
    struct rlx_http_request request = {.method = method,
                                       .url = talloc_asprintf(fixture, "%s%s", fixture->base, path),
                                       .headers = headers,
                                       .body = body,
                                       .body_length = length};
    char *why = NULL;
    int err = rlx_http(&fixture->reply, fixture, &request, &why);

    if (err)
        print_message("%s: %d %s\n", path, err, why);
    assert_int_equal(err, 0);
    return fixture->reply->status;
}

static void expect_body(const struct fixture *fixture, const char *part)
{
    if (!strstr(fixture->reply->body, part))
        print_message("%s\n", fixture->reply->body);
    assert_non_null(strstr(fixture->reply->body, part));
}

static void paths_params_and_queries(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "GET", "/items/a%20b%2Fc/parts/7?q=x+y%26z&r", NULL, NULL, 0), 200);
    assert_string_equal(f->reply->content_type, "application/json");
    expect_body(f, "\"id\":\"a b/c\"");
    expect_body(f, "\"part\":\"7\"");
    expect_body(f, "\"q\":\"x y&z\"");
    expect_body(f, "\"query\":\"?q=x+y%26z&r\"");
    expect_body(f, "\"path\":\"/items/a%20b%2Fc/parts/7\"");
    assert_int_equal(ask(f, "GET", "/items/1", NULL, NULL, 0), 200);
    expect_body(f, "\"part\":\"-\"");
    assert_int_equal(ask(f, "GET", "/files/a/b/c", NULL, NULL, 0), 200);
    assert_int_equal(ask(f, "GET", "/items/", NULL, NULL, 0), 404);
    assert_int_equal(ask(f, "GET", "/items/1/", NULL, NULL, 0), 404);
    assert_int_equal(ask(f, "GET", "/nowhere", NULL, NULL, 0), 404);
    expect_body(f, "\"code\":\"not_found\"");
    assert_int_equal(ask(f, "GET", "/items/a%00b", NULL, NULL, 0), 422);
    assert_int_equal(ask(f, "GET", "/echo?q=%00", NULL, NULL, 0), 422);
    assert_int_equal(ask(f, "GET", "/forbidden", NULL, NULL, 0), 403);
}

static void methods(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "DELETE", "/echo", NULL, NULL, 0), 405);
    assert_int_equal(ask(f, "HEAD", "/echo", NULL, NULL, 0), 200);
    assert_int_equal(f->reply->length, 0);
    assert_int_equal(ask(f, "HEAD", "/stream", NULL, NULL, 0), 200);
    sem_wait(&stream_done);
    assert_int_equal(ask(f, "PATCH", "/any", NULL, NULL, 0), 200);
    expect_body(f, "PATCH");
    assert_int_equal(ask(f, "GET", "/nothing", NULL, NULL, 0), 500);
    assert_int_equal(ask(f, "GET", "/twice", NULL, NULL, 0), 200);
    assert_string_equal(f->reply->body, "first");
    assert_int_equal(ask(f, "GET", "/file", NULL, NULL, 0), 206);
    assert_memory_equal(f->reply->body, "ELF", 4);
}

static void bodies_up_to_the_cap(void **state)
{
    struct fixture *f = *state;
    char *body = calloc(1, 8 << 20);

    memset(body, 'x', 8 << 20);
    assert_int_equal(ask(f, "POST", "/echo", "text/plain", body, 1000), 200);
    expect_body(f, "\"length\":1000");
    assert_int_equal(ask(f, "POST", "/echo", "text/plain", body, 1001), 413);
    expect_body(f, "\"code\":\"too_large\"");
    expect_body(f, "1000 bytes");
    assert_int_equal(ask(f, "PUT", "/echo", "text/plain", body, 100000), 200);
    expect_body(f, "\"length\":100000");
    /* far too long, and the client sends it all before it looks */
    assert_int_equal(ask(f, "POST", "/echo", "text/plain", body, 8 << 20), 413);
    free(body);
}

static int connect_to(const struct fixture *f)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rlx_httpd_port(f->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until the text holds `end`, or the peer closes. */
static const char *receive(struct fixture *f, int fd, const char *end)
{
    char *text = talloc_zero_size(f, 65536);
    size_t length = 0;

    while (length < 65535 && (!end || !strstr(text, end))) {
        ssize_t n = recv(fd, text + length, 65535 - length, 0);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    return text;
}

static void chunked_bodies(void **state)
{
    struct fixture *f = *state;
    const char *head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    char chunk[1100];
    int fd = connect_to(f);

    memset(chunk, 'y', sizeof chunk);
    memcpy(chunk, "3e8\r\n", 5);
    memcpy(chunk + 1005, "\r\n0\r\n\r\n", 8);
    send_text(fd, head);
    send_text(fd, chunk);
    const char *answer = receive(f, fd, "}");
    assert_non_null(strstr(answer, " 200 "));
    assert_non_null(strstr(answer, "\"length\":1000"));
    /* One byte more, in a second chunk: 413, not a cut body. */
    memcpy(chunk + 1005, "\r\n1\r\nz\r\n0\r\n\r\n", 14);
    send_text(fd, head);
    send_text(fd, chunk);
    assert_non_null(strstr(receive(f, fd, NULL), " 413 "));
    close(fd);
}

static void refusal_before_the_body(void **state)
{
    struct fixture *f = *state;
    int fd = connect_to(f);

    send_text(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nabc");
    const char *answer = receive(f, fd, NULL);
    assert_non_null(strstr(answer, " 413 "));
    assert_non_null(strstr(answer, "Connection: close"));
    close(fd);
    fd = connect_to(f);
    send_text(fd, "DELETE /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    answer = receive(f, fd, NULL);
    assert_non_null(strstr(answer, "Allow: GET, HEAD, POST, PUT\r\n"));
    assert_non_null(strstr(answer, "X-Status: 405\r\n"));
    close(fd);
    fd = connect_to(f);
    send_text(fd, "GET http://other/echo?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    answer = receive(f, fd, NULL);
    assert_non_null(strstr(answer, "\"path\":\"/echo\""));
    assert_non_null(strstr(answer, "X-Peer: 127.0.0.1\r\n"));
    close(fd);
}

static void json_bodies(void **state)
{
    struct fixture *f = *state;
    const char *type = "application/json; charset=utf-8";

    assert_int_equal(ask(f, "POST", "/json", type, "{\"a\":[1,2]}", 0), 201);
    assert_string_equal(f->reply->body, "{\"a\":[1,2]}");
    assert_int_equal(ask(f, "POST", "/json", "application/merge-patch+json", "7", 0), 201);
    assert_int_equal(ask(f, "POST", "/json", type, "{\"a\":", 0), 400);
    expect_body(f, "malformed_json");
    assert_int_equal(ask(f, "POST", "/json", type, "", 0), 400);
    assert_int_equal(ask(f, "POST", "/json", type, "{} x", 0), 400);
    assert_int_equal(ask(f, "POST", "/json", type, "\"\xff\"", 0), 400);
    assert_int_equal(ask(f, "POST", "/json", type, "{\"a\":\"x\\u0000\"}", 0), 422);
    assert_int_equal(ask(f, "POST", "/json", type, "{\"a\\u0000\":1}", 0), 422);
    assert_int_equal(ask(f, "POST", "/json", "text/plain", "{}", 0), 415);
    assert_int_equal(ask(f, "POST", "/json", type, "12345678901234567890123", 0), 201);
    char *deep = talloc_zero_size(f, 60001);
    memset(deep, '[', 60000); /* parsers recurse: refused before */
    assert_int_equal(ask(f, "POST", "/json", type, deep, 0), 400);
    assert_int_equal(ask(f, "POST", "/json", type, "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[\"", 0), 201);
    long status;
    json_t *json;
    json_t *body = json_pack("{s:i}", "n", 1);
    char *url = talloc_asprintf(f, "%s/json", f->base);
    assert_int_equal(rlx_http_json(&status, &json, "POST", url, "token", body, 0), 0);
    assert_int_equal(status, 201);
    assert_true(json_equal(json, body));
    json_decref(json);
    json_decref(body);
    assert_int_equal(rlx_http_json(&status, &json, "GET", url, NULL, NULL, 0), 0);
    assert_int_equal(status, 405);
    json_decref(json);
}

static void urls_of_utf8(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "GET", "/items/%c3%a4?q=%E2%82%AC", NULL, NULL, 0), 200);
    assert_int_equal(ask(f, "GET", "/items/%c3", NULL, NULL, 0), 400);
    assert_int_equal(ask(f, "GET", "/items/a?q=%ff", NULL, NULL, 0), 400);
    assert_int_equal(ask(f, "GET", "/items/a?q=%ed%a0%80", NULL, NULL, 0), 400);
}

/* What runs when the server goes quiet is answered, and its connection ends with it. */
static void draining(void **state)
{
    struct fixture *f = *state;
    int fd = connect_to(f);

    send_text(fd, "POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{");
    while (!rlx_httpd_active(f->server))
        poll(NULL, 0, 1);
    rlx_httpd_quiesce(f->server);
    assert_int_equal(rlx_httpd_drain(f->server, 1), 1);
    send_text(fd, "}");
    const char *head = receive(f, fd, "\r\n\r\n");
    assert_non_null(strstr(head, " 201 "));
    assert_non_null(strcasestr(head, "connection: close"));
    assert_int_equal(rlx_httpd_drain(f->server, 5000), 0);
    close(fd);
}

static void form_bodies(void **state)
{
    struct fixture *f = *state;
    static const char multipart[] =
        "--b0\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b0\r\n"
        "content-disposition: form-data; filename=\"x \\\"y\\\".txt\"; name=\"file\"\r\n"
        "Content-Type: text/plain\r\n\r\nline\r\n--b\r\nend\r\n--b0\r\n"
        "Content-Disposition: attachment\r\n\r\nnameless\r\n--b0--\r\n";

    assert_int_equal(
        ask(f, "POST", "/form", "application/x-www-form-urlencoded", "a=1&b=%C3%A4+x&a=2&c", 0),
        200);
    assert_string_equal(f->reply->body, "a=1:1;b=\xc3\xa4 x:4;a=2:1;c=:0;-|1");
    assert_int_equal(ask(f, "POST", "/form", "multipart/form-data; boundary=b0", multipart, 0),
                     200);
    assert_string_equal(f->reply->body, "a=1:1;file=line\r\n--b\r\nend:14;x \"y\".txt|1");
    assert_int_equal(ask(f, "POST", "/form", "multipart/form-data; boundary=\"b0\"",
                         "pre\r\n--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b0--",
                         0),
                     200);
    assert_string_equal(f->reply->body, "a=:0;-|");
    assert_int_equal(ask(f, "POST", "/form", "multipart/form-data", multipart, 0), 200);
    assert_string_equal(f->reply->body, "-|(null)");
}

static void streams(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(ask(f, "GET", "/stream", NULL, NULL, 0), 200);
    assert_string_equal(f->reply->body, "8,6,4,2,0,");
    sem_wait(&stream_done);
    assert_int_equal(ask(f, "GET", "/sized?length=10", NULL, NULL, 0), 206);
    assert_string_equal(f->reply->body, "xxxxxxxxxx");
    sem_wait(&stream_done);
    assert_int_equal(ask(f, "HEAD", "/sized?length=10", NULL, NULL, 0), 206);
    sem_wait(&stream_done);
    int fd = connect_to(f);
    send_text(fd, "GET /sized?length=20 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(receive(f, fd, "xxxxxxxxxx"), "Content-Length: 20\r\n"));
    sem_wait(&stream_done); /* it is closed, and not kept waiting for the rest */
    close(fd);
    fd = connect_to(f);
    send_text(fd, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    receive(f, fd, "\r\n\r\n");
    close(fd);
    sem_wait(&stream_done);
}

static void clients_that_go(void **state)
{
    struct fixture *f = *state;
    int fd = connect_to(f);

    send_text(fd, "GET /until-gone HTTP/1.1\r\nHost: x\r\n\r\n");
    sem_wait(&entered);
    assert_false(gone_at_first);
    close(fd);
    sem_wait(&gone);
}

static void websockets(void **state)
{
    struct fixture *f = *state;
    char key[RLX_WS_KEY], accept[RLX_WS_ACCEPT], byte;
    int fd = connect_to(f);
    char *request = rlx_ws_request(f, "x", "/ws", "X-Extra: 1", key);

    send_text(fd, talloc_asprintf(f, "%sabc", request)); /* a frame may come right behind */
    sem_wait(&socket_came);
    const char *answer = receive(f, fd, "\r\n\r\n");
    rlx_ws_accept(accept, key);
    assert_non_null(strstr(answer, " 101 "));
    assert_non_null(strstr(answer, accept));
    assert_true(fcntl(socket_fd, F_GETFL) & O_NONBLOCK);
    size_t early = strlen(socket_extra);
    struct pollfd p = {.fd = socket_fd, .events = POLLIN};
    while (early < 3 && poll(&p, 1, 5000) > 0 && recv(socket_fd, &byte, 1, 0) == 1)
        socket_extra[early++] = byte;
    assert_string_equal(socket_extra, "abc");
    /* The socket lives on, both ways, without the server. */
    assert_int_equal(send(socket_fd, "pong", 4, 0), 4);
    assert_string_equal(receive(f, fd, "pong"), "pong");
    send_text(fd, "x");
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_int_equal(recv(socket_fd, &byte, 1, 0), 1);
    close(socket_fd);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    assert_int_equal(ask(f, "GET", "/ws", NULL, NULL, 0), 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(paths_params_and_queries),
        SERVER_TEST(methods),
        SERVER_TEST(bodies_up_to_the_cap),
        SERVER_TEST(chunked_bodies),
        SERVER_TEST(refusal_before_the_body),
        SERVER_TEST(json_bodies),
        SERVER_TEST(urls_of_utf8),
        SERVER_TEST(draining),
        SERVER_TEST(form_bodies),
        SERVER_TEST(streams),
        SERVER_TEST(clients_that_go),
        SERVER_TEST(websockets),
    };

    sem_init(&entered, 0, 0);
    sem_init(&gone, 0, 0);
    sem_init(&stream_done, 0, 0);
    sem_init(&socket_came, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
