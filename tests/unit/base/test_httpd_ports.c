/* Ports that are taken, shared and given up; a client's limits. */
#include "../rlx_test.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/err.h"
#include "base/http.h"
#include "base/httpd.h"

static void long_text(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_text(req, 200, "text/plain", "longer than ten bytes");
}

/* Has nothing to say, ever. */
static ssize_t wait_a_little(void *buffer, size_t size, void *arg)
{
    (void)buffer;
    (void)size;
    (void)arg;
    poll(NULL, 0, 20);
    return 0;
}

static void endless(struct rlx_request *req, void *arg)
{
    rlx_reply_stream(req, 200, "text/plain", wait_a_little, NULL, arg);
}

static const struct rlx_route routes[] = {{"GET", "/long", long_text, 0},
                                          {"GET", "/endless", endless, 0}};

static struct rlx_httpd *serve(TALLOC_CTX *ctx, uint16_t port, bool shared)
{
    const struct rlx_httpd_options options = {
        .routes = routes, .route_count = 2, .port = port, .reuse_port = shared};
    struct rlx_httpd *server = NULL;

    assert_int_equal(rlx_httpd_start(&server, ctx, &options), 0);
    return server;
}

static void ports(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const struct rlx_httpd_options taken = {.port = rlx_httpd_port(serve(ctx, 0, false))};
    struct rlx_httpd *other = NULL, *first = serve(ctx, 0, true);
    struct rlx_http_reply *reply = NULL;
    char *why = NULL;

    (void)state;
    assert_int_equal(rlx_httpd_start(&other, ctx, &taken), -EADDRINUSE);
    talloc_free(serve(ctx, rlx_httpd_port(first), true));
    rlx_httpd_quiesce(first);
    char *url = talloc_asprintf(ctx, "http://127.0.0.1:%u/", rlx_httpd_port(first));
    const struct rlx_http_request request = {.url = url};
    assert_int_equal(rlx_http(&reply, ctx, &request, &why), -ECONNREFUSED);
    assert_non_null(strstr(why, url));
    talloc_free(ctx);
}

static void limits_of_a_client(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    unsigned port = rlx_httpd_port(serve(ctx, 0, false));
    struct rlx_http_reply *reply = NULL;
    const struct rlx_http_request rows[] = {
        {.url = talloc_asprintf(ctx, "http://127.0.0.1:%u/long", port), .max_reply = 10},
        {.url = talloc_asprintf(ctx, "http://127.0.0.1:%u/endless", port), .timeout_ms = 50},
        {.url = "ftp://127.0.0.1/"},
    };
    const int wanted[] = {RLX_ETOOBIG, -ETIMEDOUT, RLX_EPROVIDER};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rlx_http(&reply, ctx, &rows[i], NULL), wanted[i]);
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ports),
                                       cmocka_unit_test(limits_of_a_client)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
