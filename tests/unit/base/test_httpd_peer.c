/* Who a request comes from, directly and behind proxies. */
#include "../rlx_test.h"

#include "base/http.h"
#include "base/httpd.h"

static void tell(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_text(req, 200, "text/plain", rlx_request_peer(req));
}

static const struct rlx_route routes[] = {{"GET", "/", tell, 0}};

/* Behind a proxy that is trusted the peer is who it says; what a client claims itself does not
 * count. */
static void peers(void **state)
{
    static const struct {
        const char *trusted, *headers[3], *peer;
    } rows[] = {
        {NULL, {"X-Forwarded-For: 1.2.3.4"}, "127.0.0.1"},
        {"10.0.0.1", {"X-Forwarded-For: 1.2.3.4"}, "127.0.0.1"},
        {"127.0.0.1", {"X-Forwarded-For: 1.2.3.4"}, "1.2.3.4"},
        {"10.0.0.9, 127.0.0.1", {"X-Forwarded-For: 6.6.6.6, 1.2.3.4,10.0.0.9"}, "1.2.3.4"},
        {"127.0.0.1", {"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.2.3.4"}, "1.2.3.4"},
        {"127.0.0.1", {"X-Forwarded-For: 2001:db8::1"}, "2001:db8::1"},
        {"127.0.0.1", {"X-Forwarded-For: no address"}, "127.0.0.1"},
        {"127.0.0.1", {"X-Forwarded-For: 1.2.3.4, 127.0.0.1, 127.0.0.1"}, "1.2.3.4"},
        {"127.0.0.1", {NULL}, "127.0.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TALLOC_CTX *ctx = talloc_new(NULL);
        struct rlx_httpd *server = NULL;
        struct rlx_http_reply *reply = NULL;
        const struct rlx_httpd_options options = {
            .routes = routes, .route_count = 1, .trusted_proxies = rows[i].trusted};
        assert_int_equal(rlx_httpd_start(&server, ctx, &options), 0);
        const struct rlx_http_request request = {
            .url = talloc_asprintf(ctx, "http://127.0.0.1:%u/", rlx_httpd_port(server)),
            .headers = rows[i].headers};
        assert_int_equal(rlx_http(&reply, ctx, &request, NULL), 0);
        assert_string_equal(reply->body, rows[i].peer);
        talloc_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(peers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
