/* Requests whose end, or whose host, two servers in a row could read differently: refused, and the
 * connection closed. */
#include "../rlx_test.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/httpd.h"

static unsigned handled;

static void tell(struct rlx_request *req, void *arg)
{
    size_t length;

    (void)arg;
    handled++;
    rlx_request_body(req, &length);
    rlx_reply_json(req, 200, json_pack("{s:i}", "length", (int)length));
}

static void named(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_header(req, "X-Request-Id", "one");
}

static const struct rlx_route routes[] = {{"GET", "/", tell, 0}, {"POST", "/", tell, 0}};

/* What comes to one connection after the text, until the server closes. */
static char *told(TALLOC_CTX *ctx, struct rlx_httpd *server, const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rlx_httpd_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *answer = talloc_zero_size(ctx, 16384);
    size_t length = 0;
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    while ((n = recv(fd, answer + length, 16383 - length, 0)) > 0)
        length += (size_t)n;
    assert_int_equal(n, 0);
    close(fd);
    return answer;
}

#define LAST "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static const struct {
    const char *request;
    unsigned handled; /* 0: refused with 400, and what follows on the connection is not read */
    bool by_mhd;      /* not as JSON */
} rows[] = {
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" LAST, 2, false},
    {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nX-!#$%&'*+-.^_`|~9: y\r\n\r\nhi" LAST, 2,
     false},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" LAST, 2,
     false},
    {"GET / HTTP/1.0\r\n\r\n", 1, false},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 50\r\n\r\nhi" LAST, 0,
     false},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\nContent-Length: 2\r\n\r\nhi" LAST, 0,
     false},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nhi" LAST, 0,
     false},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2\r\nhi\r\n0\r\n\r\n" LAST,
     0, false},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
     "2\r\nhi\r\n0\r\n\r\n" LAST,
     0, false},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" LAST, 0,
     false},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n" LAST, 0, false},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n"
     "0\r\n\r\n" LAST,
     0, false},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" LAST, 0, false},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\nhi" LAST, 0, true},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length\t: 2\r\n\r\nhi" LAST, 0, true},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\nhi" LAST, 0, true},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nhi" LAST, 0, true},
    {"POST / HTTP/1.1\r\nHost: x\r\nX(y): 2\r\n\r\n" LAST, 0, false},
    {"GET / HTTP/1.1\r\n\r\n" LAST, 0, true},
    {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" LAST, 0, false},
};

static void framing(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_httpd *server = NULL;
    const struct rlx_httpd_options options = {.routes = routes, .route_count = 2, .before = named};

    (void)state;
    assert_int_equal(rlx_httpd_start(&server, ctx, &options), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        handled = 0;
        const char *answer = told(ctx, server, rows[i].request);
        unsigned expected = rows[i].handled;
        bool refused = strstr(answer, " 400 ") && strstr(answer, "Connection: close\r\n") &&
                       !strstr(answer, " 200 ") &&
                       (rows[i].by_mhd ||
                        (strstr(answer, "\"detail\":") && strstr(answer, "X-Request-Id: one\r\n")));
        if (handled != expected || refused != !expected)
            fail_msg("%s\nhandled %u times, answered:\n%s", rows[i].request, handled, answer);
    }
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(framing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
