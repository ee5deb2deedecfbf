/* Errors, clock, hashes, base64, identifiers. */
#include "../rlx_test.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"

static void errors_have_text_code_and_status(void **state)
{
    (void)state;
    assert_string_equal(rlx_err_text(RLX_ETOOBIG), "the body is too large");
    assert_string_equal(rlx_err_code(RLX_ETOOBIG), "too_large");
    assert_int_equal(rlx_err_http(RLX_ETOOBIG), 413);
    assert_string_equal(rlx_err_text(-ENOENT), "No such file or directory");
    assert_string_equal(rlx_err_code(-ENOENT), "internal_error");
    assert_int_equal(rlx_err_http(-ENOENT), 500);
    assert_int_equal(rlx_err_http(0), 200);
    assert_string_equal(rlx_err_text(0), "ok");
    assert_string_equal(rlx_err_text(-3999), "unknown error");
    assert_string_equal(rlx_err_text(77), "unknown error");
}

static void time_text(void **state)
{
    char text[RLX_TIME_TEXT];

    (void)state;
    rlx_time_text(text, 1769862896789);
    assert_string_equal(text, "2026-01-31T12:34:56.789Z");
    rlx_time_text(text, -62135596799999);
    assert_string_equal(text, "0001-01-01T00:00:00.001Z");
    rlx_time_text(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    assert_true(rlx_now_ms() <= rlx_now_us() / 1000);
}

static void hex(char *out, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void hashes(void **state)
{
    uint8_t digest[RLX_SHA1_BYTES], mac[RLX_SHA256_BYTES];
    char text[RLX_SHA256_HEX];

    (void)state;
    rlx_sha1(digest, "abc", 3); /* FIPS 180 */
    hex(text, digest, sizeof digest);
    assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
    rlx_sha256_hex(text, "abc", 3);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* RFC 2202, case 2; RFC 4231, case 2. */
    rlx_hmac_sha1(digest, "Jefe", "what do ya want for nothing?", 28);
    hex(text, digest, sizeof digest);
    assert_string_equal(text, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    rlx_hmac_sha256(mac, "Jefe", 4, "what do ya want for nothing?", 28);
    hex(text, mac, sizeof mac);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_true(rlx_equal("abc", "abc"));
    assert_false(rlx_equal("abc", "abd"));
    assert_false(rlx_equal("abc", "ab"));
}

static void base64_both_ways(void **state)
{
    /* RFC 4648 10 */
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char text[32];
    uint8_t bytes[32];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i][0]);
        assert_int_equal(rlx_base64_encode(text, rows[i][0], n), strlen(rows[i][1]));
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(rlx_base64_decode(bytes, sizeof bytes, text, strlen(text)), n);
        assert_memory_equal(bytes, rows[i][0], n);
        /* without its padding, and into exactly as much room as it needs */
        assert_int_equal(rlx_base64_decode(bytes, n, text, strcspn(text, "=")), n);
        if (n)
            assert_int_equal(rlx_base64_decode(bytes, n - 1, text, strlen(text)), -1);
    }
    assert_int_equal(rlx_base64_decode(bytes, sizeof bytes, "Zg=", 3), -1);
    assert_int_equal(rlx_base64_decode(bytes, sizeof bytes, "Z", 1), -1);
    assert_int_equal(rlx_base64_decode(bytes, sizeof bytes, "Zm9 ", 4), -1);
    assert_int_equal(rlx_base64_decode(bytes, sizeof bytes, "Z===", 4), -1);
    assert_int_equal(rlx_base64_decode(bytes, sizeof bytes, "====", 4), -1);
}

static void identifiers(void **state)
{
    char a[RLX_UUID_TEXT], b[RLX_UUID_TEXT];

    rlx_uuid(a);
    uint64_t now = (uint64_t)rlx_wall_ms();
    while ((uint64_t)rlx_wall_ms() == now)
        ;
    rlx_uuid(b);
    assert_true(rlx_uuid_valid(a));
    assert_int_equal(a[14], '7');
    assert_non_null(strchr("89ab", a[19]));
    assert_true(strcmp(a, b) < 0);
    assert_false(rlx_uuid_valid(""));
    assert_false(rlx_uuid_valid("0190163d-8694-739b-aea5-966c26f8ad9"));
    assert_false(rlx_uuid_valid("0190163d-8694-739b-aea5-966c26f8ad911"));
    assert_false(rlx_uuid_valid("0190163d+8694-739b-aea5-966c26f8ad91"));
    assert_false(rlx_uuid_valid("0190163d-8694-739b-aea5-966c26f8ad9g"));
    char *token = rlx_random_token(*state, 32), *other = rlx_random_token(*state, 32);
    assert_int_equal(strlen(token), 43);
    assert_string_not_equal(token, other);
    assert_int_equal(
        strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
}

static void log_levels(void **state)
{
    enum rlx_log_level level;

    (void)state;
    assert_int_equal(rlx_log_level_parse(&level, "warn"), 0);
    assert_int_equal(level, RLX_WARN);
    assert_int_equal(rlx_log_level_parse(&level, "loud"), RLX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(errors_have_text_code_and_status),
        RLX_TEST(time_text),
        RLX_TEST(hashes),
        RLX_TEST(base64_both_ways),
        RLX_TEST(identifiers),
        RLX_TEST(log_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
