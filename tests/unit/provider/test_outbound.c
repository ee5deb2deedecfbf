/* Requests to users' addresses: what is reached, what never is, and what is said of it. */
#include "../rlx_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"
#include "provider/outbound.h"

struct inside {
    struct rlx_httpd *server, *other; /* `other` never stands in the list */
    char allow[64], base[64];
    unsigned port, other_port, hits;
    char seen[4000];
};

static void note(struct inside *in, struct rlx_request *req, const char *header)
{
    const char *value = rlx_request_header(req, header);
    size_t used = strlen(in->seen);

    if (value)
        snprintf(in->seen + used, sizeof in->seen - used, "%s: %s\n", header, value);
}

static void echo(struct rlx_request *req, void *arg)
{
    struct inside *in = arg;
    size_t length;
    const char *body = rlx_request_body(req, &length);

    in->hits++;
    snprintf(in->seen, sizeof in->seen, "%s %s%s\n%.*s\n", rlx_request_method(req),
             rlx_request_path(req), rlx_request_query_string(req), (int)length, body);
    note(in, req, "Authorization");
    note(in, req, "X-Key");
    note(in, req, "X-RelayX-Signature");
    note(in, req, "Accept");
    note(in, req, "X-Empty");
    rlx_reply_text(req, 200, "text/plain; charset=utf-8", "hello");
}

static void redirect(struct rlx_request *req, void *arg)
{
    const char *status = rlx_request_query(req, "s"), *to = rlx_request_query(req, "to");
    (void)arg;

    rlx_reply_header(req, "Location", to);
    rlx_reply_text(req, status ? (int)strtol(status, NULL, 10) : 302, "text/plain",
                   "this way, please: a long text");
}

static void loop(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_header(req, "Location", "/loop");
    rlx_reply_text(req, 302, NULL, "");
}

static void big(struct rlx_request *req, void *arg)
{
    char *bytes = talloc_zero_array(req, char, 100000);
    (void)arg;

    memset(bytes, 'x', 100000);
    rlx_reply(req, 200, "text/plain", bytes, 100000);
}

/* 100,000 times '0', compressed by gzip. */
static void bomb(struct rlx_request *req, void *arg)
{
    static const unsigned char gz[133] = {
        0x1f, 0x8b,         0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31,
        0x01, 0x00,         0x00, 0x00, 0xc2, 0xa0, 0x4a, 0xeb, 0x9f, 0xce, 0x1a, 0x1e, 0x40,
        0x01, [123] = 0xaf, 0x06, 0x85, 0xc2, 0x4d, 0xc5, 0xa0, 0x86, 0x01, 0x00};
    (void)arg;

    rlx_reply_header(req, "Content-Encoding", "gzip");
    rlx_reply(req, 200, "text/plain", gz, sizeof gz);
}

static ssize_t drip(void *buffer, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000}, NULL);
    *(char *)buffer = '.';
    return 1;
}

static void slow(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_reply_stream(req, 200, "text/plain", drip, NULL, NULL);
}

static const struct rlx_route routes[] = {
    {"*", "/to", redirect, 0}, {"*", "/loop", loop, 0}, {"*", "/big", big, 0},
    {"*", "/bomb", bomb, 0},   {"*", "/slow", slow, 0}, {"*", "/*", echo, 0},
};

static int open_inside(void **state)
{
    struct inside *in = talloc_zero(NULL, struct inside);
    struct rlx_httpd_options options = {.routes = routes, .route_count = 6, .arg = in};

    rlx_log_setup(RLX_ERROR, false);
    assert_int_equal(rlx_httpd_start(&in->server, in, &options), 0);
    assert_int_equal(rlx_httpd_start(&in->other, in, &options), 0);
    in->port = rlx_httpd_port(in->server);
    in->other_port = rlx_httpd_port(in->other);
    snprintf(in->allow, sizeof in->allow, "example.test:1, 127.0.0.1:%u", in->port);
    snprintf(in->base, sizeof in->base, "http://127.0.0.1:%u", in->port);
    *state = in;
    return 0;
}

static int close_inside(void **state)
{
    return talloc_free(*state);
}

#define INSIDE_TEST(function) cmocka_unit_test_setup_teardown(function, open_inside, close_inside)

static int fetch(struct inside *in, struct rlx_outbound_request *request, const char *url,
                 struct rlx_outbound_reply **replyp, char **whyp)
{
    request->url = url;
    if (!request->allow)
        request->allow = in->allow;
    *replyp = NULL;
    return rlx_outbound(replyp, in, request, whyp);
}

static char *at(struct inside *in, const char *path)
{
    return talloc_asprintf(in, "%s%s", in->base, path);
}

static void test_plain(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {0};
    struct rlx_outbound_reply *reply;
    char *why = NULL;

    assert_int_equal(fetch(in, &get, at(in, "/a?b=c#part"), &reply, &why), 0);
    assert_null(why);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body, "hello");
    assert_int_equal(reply->length, 5);
    assert_string_equal(reply->content_type, "text/plain; charset=utf-8");
    assert_string_equal(reply->url, at(in, "/a?b=c"));
    assert_int_equal(reply->redirects, 0);
    assert_non_null(strstr(in->seen, "GET /a?b=c\n"));

    const char *const headers[] = {"Authorization: Bearer k", "X-Empty:", "X-Key: 1", NULL};
    struct rlx_outbound_request post = {.headers = headers, .body = "{}"};
    assert_int_equal(fetch(in, &post, at(in, "/hook"), &reply, &why), 0);
    assert_non_null(strstr(in->seen, "POST /hook\n{}\n"));
    assert_non_null(strstr(in->seen, "Authorization: Bearer k\n"));
    assert_non_null(strstr(in->seen, "X-Empty: \n"));
    static const char *const methods[] = {"PUT", "PATCH", "DELETE"};
    for (int i = 0; i < 3; i++) {
        post.method = methods[i];
        assert_int_equal(fetch(in, &post, at(in, "/m"), &reply, &why), 0);
        assert_int_equal(strncmp(in->seen, methods[i], strlen(methods[i])), 0);
    }
    struct rlx_outbound_request head = {.method = "HEAD"};
    assert_int_equal(fetch(in, &head, at(in, "/m"), &reply, &why), 0);
    assert_int_equal(reply->length, 0);
}

/* Every spelling of an inside address, with nothing allowed: nobody is reached, and the words are
 * the same for all. */
static void test_spellings(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7F.1",
        "0177.0.0.1",
        "017700000001",
        "0177.0x0.1",
        "127.0.0.1.",
        "127.255.255.254",
        "0",
        "0.0.0.0",
        "0x0",
        "00000000000",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:7f00:1::1]",
        "[2001::1]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[2606:4700::5efe:7f00:1]",
        "localhost",
        "LocalHost",
        "localhost.",
        "a.localhost",
        "ip6-localhost",
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "[::ffff:a9fe:a9fe]",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "%31%32%37.0.0.1",
        "127%2e0%2e0%2e1",
        "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", /* full-width digits */
        "127\xe3\x80\x82"
        "0\xe3\x80\x82"
        "0\xe3\x80\x82"
        "1", /* ideographic full stops */
        "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.\xe2\x93\xaa.\xe2\x93\xaa.\xe2\x91\xa0", /* circled */
        "127.0.0.1%00.example.com",
        "nowhere.invalid",
        "a..b",
        "-",
    };
    struct inside *in = *state;
    struct rlx_outbound_request get = {.allow = "", .timeout_ms = 4000};
    struct rlx_outbound_reply *reply;

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char *why = NULL, *url = talloc_asprintf(in, "http://%s:%u/secret", hosts[i], in->port);
        int err = fetch(in, &get, url, &reply, &why);
        if (err != RLX_EFORBIDDEN && err != RLX_EINVAL)
            fail_msg("%s gave %d: %s", url, err, why ? why : "");
        assert_non_null(why);
        if (err == RLX_EFORBIDDEN && !strstr(why, "has no public address"))
            fail_msg("%s is told by: %s", url, why);
    }
    assert_int_equal(in->hits, 0);
    talloc_free(reply);
}

/* Addresses that are no http URL of a plain host. */
static void test_not_urls(void **state)
{
    static const char *const urls[] = {
        "",
        "http://",
        "http:///",
        "//127.0.0.1/",
        "/etc/passwd",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/_",
        "ftp://example.com/",
        "dict://127.0.0.1/",
        "ldap://a/",
        "ws://a/",
        "javascript:alert(1)",
        "data:text/plain,a",
        "http://user@example.com/",
        "http://user:word@example.com/",
        "http://example.com@127.0.0.1/",
        "http://:@example.com/",
        "http://127.0.0.1\\@example.com/",
        "http://exa mple.com/",
        "http://example.com/a b",
        "http://example.com/\r\nHost: a",
        "http://example.com/\x7f",
        " http://example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:x/",
        "http://[::1/",
        "http://[/",
        "http://ex\tample.com/",
        "example.com",
    };
    struct inside *in = *state;
    struct rlx_outbound_request get = {0};
    struct rlx_outbound_reply *reply;
    char *why, *longest = talloc_zero_array(in, char, RLX_OUTBOUND_URL_MAX + 2);

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        why = NULL;
        int err = fetch(in, &get, urls[i], &reply, &why);
        if ((err != RLX_EINVAL && err != RLX_EFORBIDDEN) || !why)
            fail_msg("%s gave %d: %s", urls[i], err, why ? why : "");
        int saved = rlx_outbound_check_url(in, urls[i], in->allow, &why);
        if (saved != RLX_EINVAL && saved != RLX_EFORBIDDEN)
            fail_msg("%s would be saved: %d", urls[i], saved);
    }
    memset(longest, 'a', RLX_OUTBOUND_URL_MAX + 1);
    memcpy(longest, "http://", 7);
    assert_int_equal(fetch(in, &get, longest, &reply, &why), RLX_EINVAL);
    assert_int_equal(in->hits, 0);
}

static void test_allow(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_reply *reply;
    struct rlx_outbound_request get = {0};
    char *why, *url = talloc_asprintf(in, "http://localhost:%u/", in->port);

    /* by the address that is connected to, and by name */
    assert_int_equal(fetch(in, &get, url, &reply, &why), 0);
    get.allow = talloc_asprintf(in, "LOCALHOST:%u", in->port);
    assert_int_equal(fetch(in, &get, url, &reply, &why), 0);
    /* a name opens the name alone, a port that port alone */
    assert_int_equal(fetch(in, &get, at(in, "/"), &reply, &why), RLX_EFORBIDDEN);
    url = talloc_asprintf(in, "http://localhost:%u/", in->other_port);
    assert_int_equal(fetch(in, &get, url, &reply, &why), RLX_EFORBIDDEN);
}

static char *leading(struct inside *in, int status, const char *to)
{
    return talloc_asprintf(in, "%s/to?s=%d&to=%s", in->base, status, to);
}

static void test_redirects(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {0};
    struct rlx_outbound_reply *reply;
    char *why = NULL;
    static const int codes[] = {301, 302, 303, 307, 308};

    for (int i = 0; i < 5; i++) {
        assert_int_equal(fetch(in, &get, leading(in, codes[i], "/there%3Fx=1"), &reply, &why), 0);
        assert_string_equal(reply->url, at(in, "/there?x=1"));
        assert_string_equal(reply->body, "hello");
        assert_int_equal(reply->redirects, 1);
    }
    assert_int_equal(fetch(in, &get, leading(in, 300, "/there"), &reply, &why), 0);
    assert_int_equal(reply->status, 300);
    assert_int_equal(fetch(in, &get, at(in, "/loop"), &reply, &why), RLX_EPROVIDER);
    assert_non_null(strstr(why, "more than 5 times"));
    get.stay = true;
    assert_int_equal(fetch(in, &get, at(in, "/loop"), &reply, &why), 0);
    assert_int_equal(reply->status, 302);
}

static void test_redirects_inside(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {0};
    struct rlx_outbound_reply *reply;
    char *why = NULL;

    const char *to[] = {talloc_asprintf(in, "http://127.0.0.1:%u/secret", in->other_port),
                        talloc_asprintf(in, "http://localhost:%u/secret", in->other_port),
                        talloc_asprintf(in, "http://[::ffff:7f00:1]:%u/", in->other_port),
                        talloc_asprintf(in, "//0:%u/", in->other_port),
                        "http://169.254.169.254/latest/meta-data/"};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fetch(in, &get, leading(in, 302, to[i]), &reply, &why), RLX_EFORBIDDEN);
        assert_non_null(strstr(why, "has no public address"));
    }
    assert_int_equal(in->hits, 0);
    static const char *const odd[] = {"file:///etc/passwd", "gopher://127.0.0.1/",
                                      "http://a:b@127.0.0.1/", "http://[::1/"};
    for (int i = 0; i < 4; i++) {
        if (!fetch(in, &get, leading(in, 302, odd[i]), &reply, &why))
            fail_msg("%s was followed to %s", odd[i], reply->url);
    }
    assert_int_equal(in->hits, 0);
}

/* A body goes on only where method and body stay the same; secrets stay with their origin. */
static void test_redirect_body(void **state)
{
    struct inside *in = *state;
    const char *const headers[] = {"Authorization: Bearer k", "X-Key: 1", "X-RelayX-Signature: s",
                                   "Accept: a/b", NULL};
    struct rlx_outbound_request post = {.headers = headers, .body = "data"};
    struct rlx_outbound_reply *reply;
    char *why = NULL;

    for (int code = 301; code <= 303; code++) {
        assert_int_equal(fetch(in, &post, leading(in, code, "/x"), &reply, &why), 0);
        assert_int_equal(reply->status, code);
    }
    assert_int_equal(in->hits, 0);
    assert_int_equal(fetch(in, &post, leading(in, 307, "/x"), &reply, &why), 0);
    assert_non_null(strstr(in->seen, "POST /x\ndata\n"));
    assert_non_null(strstr(in->seen, "Authorization"));

    post.allow = talloc_asprintf(in, "%s,127.0.0.1:%u", in->allow, in->other_port);
    char *to = talloc_asprintf(in, "http://127.0.0.1:%u/y", in->other_port);
    assert_int_equal(fetch(in, &post, leading(in, 308, to), &reply, &why), 0);
    assert_non_null(strstr(in->seen, "POST /y\ndata\n"));
    assert_null(strstr(in->seen, "Authorization"));
    assert_null(strstr(in->seen, "X-Key"));
    assert_non_null(strstr(in->seen, "X-RelayX-Signature: s\n"));
    assert_non_null(strstr(in->seen, "Accept: a/b\n"));
}

static void test_bounds(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {.max_reply = 1000};
    struct rlx_outbound_reply *reply;
    char *why = NULL;

    assert_int_equal(fetch(in, &get, at(in, "/big"), &reply, &why), RLX_ETOOBIG);
    assert_non_null(strstr(why, "more than 1000 bytes"));
    get.cut_reply = true;
    assert_int_equal(fetch(in, &get, at(in, "/big"), &reply, &why), 0);
    assert_int_equal(reply->length, 1000);
    assert_true(reply->cut);
    assert_int_equal(reply->status, 200);
    get.max_reply = 100000;
    assert_int_equal(fetch(in, &get, at(in, "/big"), &reply, &why), 0);
    assert_int_equal(reply->length, 100000);
    assert_false(reply->cut);
    get.timeout_ms = 100;
    assert_int_equal(fetch(in, &get, at(in, "/slow"), &reply, &why), -ETIMEDOUT);
    assert_non_null(strstr(why, "in time"));
}

static void test_requests(void **state)
{
    static const char *const bad[] = {"Host: a",
                                      "content-length: 3",
                                      "X:a\r\nHost: b",
                                      "X:a\nb",
                                      "no colon",
                                      ": a",
                                      "a b: c",
                                      "X\x01: a",
                                      "Transfer-Encoding: chunked",
                                      "proxy-authorization: x",
                                      "X: \x7f",
                                      "Expect: 100-continue"};
    struct inside *in = *state;
    struct rlx_outbound_reply *reply;
    char *why;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const headers[] = {bad[i], NULL};
        struct rlx_outbound_request get = {.headers = headers};
        assert_int_equal(fetch(in, &get, at(in, "/"), &reply, &why), RLX_EINVAL);
    }
    struct rlx_outbound_request odd = {.method = "CONNECT"};
    assert_int_equal(fetch(in, &odd, at(in, "/"), &reply, &why), RLX_EINVAL);
    odd.method = "GET / HTTP/1.1\r\nX: y\r\n\r\n";
    assert_int_equal(fetch(in, &odd, at(in, "/"), &reply, &why), RLX_EINVAL);
    assert_int_equal(rlx_outbound(NULL, in, &odd, NULL), -EINVAL);
    assert_int_equal(in->hits, 0);
}

/* Proxies of the environment would connect in our place. */
static void test_no_proxy(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {0};
    struct rlx_outbound_reply *reply;
    char *why, *proxy = talloc_asprintf(in, "http://127.0.0.1:%u", in->other_port);

    setenv("http_proxy", proxy, 1);
    setenv("ALL_PROXY", proxy, 1);
    assert_int_equal(fetch(in, &get, at(in, "/direct"), &reply, &why), 0);
    assert_non_null(strstr(in->seen, "GET /direct\n"));
    assert_int_equal(fetch(in, &get, "http://nowhere.invalid/", &reply, &why), RLX_EFORBIDDEN);
    assert_int_equal(in->hits, 1);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void test_refused(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {0};
    struct rlx_outbound_reply *reply;
    char *why;

    talloc_free(in->other);
    get.allow = talloc_asprintf(in, "127.0.0.1:%u", in->other_port);
    char *url = talloc_asprintf(in, "http://127.0.0.1:%u/", in->other_port);
    assert_int_equal(fetch(in, &get, url, &reply, &why), RLX_EPROVIDER);
    assert_string_equal(why, "no connection to 127.0.0.1 could be made");
    get.allow = in->allow;
    url = talloc_asprintf(in, "https://127.0.0.1:%u/", in->port);
    assert_int_equal(fetch(in, &get, url, &reply, &why), RLX_EPROVIDER);
    assert_string_equal(why, "no TLS connection to 127.0.0.1 could be made");
}

static void test_compressed(void **state)
{
    struct inside *in = *state;
    struct rlx_outbound_request get = {.max_reply = 1000};
    struct rlx_outbound_reply *reply;
    char *why;

    /* what it unpacks to counts */
    assert_int_equal(fetch(in, &get, at(in, "/bomb"), &reply, &why), RLX_ETOOBIG);
    get.max_reply = 100000;
    assert_int_equal(fetch(in, &get, at(in, "/bomb"), &reply, &why), 0);
    assert_int_equal(reply->length, 100000);
    assert_int_equal(reply->body[99999], '0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INSIDE_TEST(test_plain),     INSIDE_TEST(test_spellings),
        INSIDE_TEST(test_not_urls),  INSIDE_TEST(test_allow),
        INSIDE_TEST(test_redirects), INSIDE_TEST(test_redirects_inside),
        INSIDE_TEST(test_requests),  INSIDE_TEST(test_redirect_body),
        INSIDE_TEST(test_no_proxy),  INSIDE_TEST(test_refused),
        INSIDE_TEST(test_bounds),    INSIDE_TEST(test_compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
