/* Which addresses, ports and URLs are refused before anything is sent. */
#include "../rlx_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"
#include "provider/outbound.h"

static bool public_text(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return rlx_address_is_public((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return rlx_address_is_public((struct sockaddr *)&in6);
}

static void test_addresses(void **state)
{
    static const char *const open[] = {"1.1.1.1",
                                       "8.8.8.8",
                                       "9.255.255.255",
                                       "11.0.0.0",
                                       "100.63.255.255",
                                       "100.128.0.0",
                                       "126.255.255.255",
                                       "128.0.0.0",
                                       "169.253.255.255",
                                       "169.255.0.0",
                                       "172.15.255.255",
                                       "172.32.0.0",
                                       "192.167.255.255",
                                       "192.169.0.0",
                                       "198.17.255.255",
                                       "198.20.0.0",
                                       "223.255.255.255",
                                       "168.63.129.15",
                                       "2606:4700:4700::1111",
                                       "2001:4860:4860::8888",
                                       "2001:200::1",
                                       "2a00::1",
                                       "3ffe::1",
                                       "2003::1"};
    static const char *const closed[] = {"0.0.0.0",
                                         "0.255.255.255",
                                         "10.0.0.0",
                                         "10.255.255.255",
                                         "100.64.0.0",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "127.255.255.255",
                                         "169.254.0.0",
                                         "169.254.255.255",
                                         "172.16.0.0",
                                         "172.31.255.255",
                                         "192.0.0.1",
                                         "192.0.2.255",
                                         "192.88.99.1",
                                         "192.168.0.0",
                                         "192.168.255.255",
                                         "198.18.0.0",
                                         "198.19.255.255",
                                         "198.51.100.1",
                                         "203.0.113.1",
                                         "224.0.0.0",
                                         "239.255.255.255",
                                         "240.0.0.0",
                                         "255.255.255.255",
                                         "168.63.129.16",
                                         "::",
                                         "::1",
                                         "::ffff:8.8.8.8",
                                         "::8.8.8.8",
                                         "64:ff9b::8.8.8.8",
                                         "64:ff9b:1::1",
                                         "100::1",
                                         "2001::1",
                                         "2001:1ff:ffff::1",
                                         "2001:db8::1",
                                         "2001:db8:ffff::",
                                         "2002:808:808::1",
                                         "3fff::1",
                                         "3fff:fff::1",
                                         "4000::1",
                                         "5f00::1",
                                         "fc00::1",
                                         "fdff::1",
                                         "fe80::1",
                                         "febf::1",
                                         "fec0::1",
                                         "ff00::1",
                                         "ff0e::1",
                                         "2606:4700::5efe:808:808",
                                         "2606:4700::200:5efe:808:808",
                                         "fd00:ec2::254"};
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};
    (void)state;

    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        if (!public_text(open[i]))
            fail_msg("%s is public", open[i]);
    }
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        if (public_text(closed[i]))
            fail_msg("%s is not public", closed[i]);
    }
    assert_false(rlx_address_is_public(NULL));
    assert_false(rlx_address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
    assert_true(rlx_address_is_own((struct sockaddr *)&local));
    assert_false(rlx_address_is_own((struct sockaddr *)&far));
    assert_false(rlx_port_is_bad(80) || rlx_port_is_bad(443) || rlx_port_is_bad(8080));
    assert_true(rlx_port_is_bad(25) && rlx_port_is_bad(6667) && rlx_port_is_bad(0));
}

static void test_check_url(void **state)
{
    TALLOC_CTX *ctx = *state;
    char *why = NULL;

    assert_int_equal(rlx_outbound_check_url(ctx, "https://example.com/hook?x=1", "", &why), 0);
    assert_int_equal(rlx_outbound_check_url(ctx, "http://example.com:8080/", "", &why), 0);
    assert_int_equal(rlx_outbound_check_url(ctx, "https://[2606:4700::1111]/", "", &why), 0);
    assert_int_equal(rlx_outbound_check_url(ctx, "https://m\xc3\xbcnchen.de/\xc3\xbc", "", &why),
                     0);
    assert_null(why);
    assert_int_equal(rlx_outbound_check_url(ctx, "http://example.com:25/", "", &why),
                     RLX_EFORBIDDEN);
    assert_int_equal(rlx_outbound_check_url(ctx, "http://example.com:25/", "EXAMPLE.com:25", &why),
                     0);
    assert_int_equal(rlx_outbound_check_url(ctx, "http://0x7f.1:8000/", "", &why), RLX_EFORBIDDEN);
    assert_string_equal(why, "127.0.0.1 has no public address");
    assert_int_equal(rlx_outbound_check_url(ctx, "http://127.0.0.1:8000/", "127.0.0.1:8000", &why),
                     0);
    assert_int_equal(rlx_outbound_check_url(ctx, "http://a:b@example.com/", "", &why), RLX_EINVAL);
    assert_non_null(strstr(why, "Authorization"));
    assert_int_equal(rlx_outbound_check_url(ctx, NULL, "", &why), -EINVAL);
}

static void test_list(void **state)
{
    (void)state;
    assert_true(rlx_allow_has("a.b:1,[::1]:2 c:3", "[::1]", 2));
    assert_true(rlx_allow_has("a.b:1,[::1]:2 c:3", "C", 3));
    assert_false(rlx_allow_has("a.b:1,[::1]:2 c:3", "b", 1));
    assert_false(rlx_allow_has("a.b:12", "a.b", 1));
    assert_false(rlx_allow_has("a.b:1", "a.b", 12));
    assert_false(rlx_allow_has("", "", 0));
    assert_false(rlx_allow_has(NULL, "a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(test_addresses),
        RLX_TEST(test_check_url),
        RLX_TEST(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
