/* Validation, tokens, passwords, throttle, ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/phone_number.h"
#include "api/prices.h"
#include "api/private.h"
#include "api/range.h"
#include "api/token_cache.h"
#include "base/crypto.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define USER "0190a0b0-0000-7000-8000-000000000001"

static void possible_numbers(void **state)
{
    static const struct {
        const char *text;
        bool possible, valid;
    } rows[] = {
        {"+12025550123", true, true},    {"+442079460018", true, true}, {"+12000000000", true, false},
        {"+1202555012", false, false},   {"+120255501234", false, false},
        {"+9991234567890", false, false}, {"+2105551234", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = NULL;
        bool valid = true, possible = rlx_phone_possible(rows[i].text, &valid, &why);
        if (possible != rows[i].possible || valid != rows[i].valid)
            fail_msg("%s: possible %d, valid %d", rows[i].text, possible, valid);
        assert_true(possible || why);
    }
}

static void phones(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"+12025550123", true},
        {"+12345678", true},
        {"+1234567", false},
        {"+123456789012345", true},
        {"+1234567890123456", false},
        {"12025550123", false},
        {"+02025550123", false},
        {"+1 2025550123", false},
        {"+1202555012a", false},
        {"", false},
        {"+", false},
        {"+12025550123\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rlx_is_phone(rows[i].text), rows[i].good);
}

static void emails(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"a@b.co", true},
        {"test@relayx.ai", true},
        {"o'neil+x@mail.example.org", true},
        {"a@b", false},
        {"@b.co", false},
        {"a@@b.co", false},
        {"a b@c.de", false},
        {"a@b..de", false},
        {"a@.de", false},
        {"a@b.", false},
        {"", false},
        {"a@b.co\r\nX: y", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(rlx_is_email(rows[i].text), rows[i].good);
}

static void clipping(void **state)
{
    (void)state;
    assert_int_equal(rlx_utf8_clip("abc", 5), 3);
    assert_int_equal(rlx_utf8_clip("abc", 2), 2);
    assert_int_equal(rlx_utf8_clip("a\xc3\xa4", 2), 1);
    assert_int_equal(rlx_utf8_clip("a\xc3\xa4", 3), 3);
    assert_int_equal(rlx_utf8_length("a\xc3\xa4"), 2);
}

static void access_tokens(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    char user[37] = "";
    /* {"alg":"none"} and the same claims, unsigned */
    static const char none[] =
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
        "eyJzdWIiOiIwMTkwYTBiMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJ0eXBlIjoi"
        "YWNjZXNzIiwiZXhwIjo5OTk5OTk5OTk5fQ.";

    (void)state;
    char *token = rlx_access_token(ctx, KEY, USER, 1000);
    assert_non_null(token);
    assert_int_equal(rlx_access_check(KEY, token, 1001, user), 0);
    assert_string_equal(user, USER);
    assert_int_equal(rlx_access_check(KEY, token, 1000 + RLX_ACCESS_S - 1, user), 0);
    assert_int_equal(rlx_access_check(KEY, token, 1000 + RLX_ACCESS_S, user), RLX_EAUTH);
    assert_int_equal(rlx_access_check("another key of at least 32 bytes!!", token, 1001, user),
                     RLX_EAUTH);
    assert_int_equal(rlx_access_check(KEY, none, 1001, user), RLX_EAUTH);
    assert_int_equal(rlx_access_check(KEY, "", 1001, user), RLX_EAUTH);
    assert_int_equal(rlx_access_check(KEY, "a.b.c", 1001, user), RLX_EAUTH);
    size_t length = strlen(token);               /* the last character holds unused bits */
    for (size_t i = 0; i < length - 1; i += 7) { /* any changed character */
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(rlx_access_check(KEY, token, 1001, user), RLX_EAUTH);
        token[i] = was;
    }
    talloc_free(ctx);
}

/* A token that was found good is taken until it expires, and nothing else is. */
static void known_tokens(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_token_cache *cache = NULL;
    char user[37] = "";

    (void)state;
    assert_int_equal(rlx_token_cache_create(&cache, ctx), 0);
    char *token = rlx_access_token(ctx, KEY, USER, 1000);
    for (int i = 0; i < 3; i++) {
        memset(user, 0, sizeof user);
        assert_int_equal(rlx_token_cache_check(cache, KEY, token, 1001, user), 0);
        assert_string_equal(user, USER);
    }
    assert_int_equal(rlx_token_cache_check(cache, KEY, token, 1000 + RLX_ACCESS_S - 1, user), 0);
    assert_int_equal(rlx_token_cache_check(cache, KEY, token, 1000 + RLX_ACCESS_S, user), RLX_EAUTH);
    size_t length = strlen(token);
    for (size_t i = 0; i < length - 1; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(rlx_token_cache_check(cache, KEY, token, 1001, user), RLX_EAUTH);
        token[i] = was;
    }
    assert_int_equal(rlx_token_cache_check(cache, KEY, "", 1001, user), RLX_EAUTH);
    talloc_free(ctx);
}

static void successors(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);

    (void)state;
    char *a = rlx_refresh_successor(ctx, KEY, "t1"), *b = rlx_refresh_successor(ctx, KEY, "t1");
    char *c = rlx_refresh_successor(ctx, KEY, "t2");
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    assert_int_equal(strlen(a), 43);
    assert_int_equal(strcspn(a, "+/="), 43);
    talloc_free(ctx);
}

static void passwords(void **state)
{
    char hash[128], long_one[74];

    (void)state;
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[73] = '\0';
    assert_int_equal(rlx_password_hash(hash, sizeof hash, long_one), RLX_EINVAL);
    long_one[72] = '\0';
    assert_int_equal(rlx_password_hash(hash, sizeof hash, long_one), 0);
    assert_memory_equal(hash, "$2b$12$", 7);
    assert_int_equal(rlx_password_check(long_one, hash), 0);
    long_one[71] = 'y';
    assert_int_equal(rlx_password_check(long_one, hash), RLX_EAUTH);
    assert_int_equal(rlx_password_check("x", "no hash at all"), RLX_EAUTH);
}

static void throttle(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_throttle *t = NULL;
    char account[32];

    (void)state;
    assert_int_equal(rlx_throttle_create(&t, ctx), 0);
    for (int i = 0; i < RLX_THROTTLE_ACCOUNT; i++) {
        assert_int_equal(rlx_throttle_wait_s(t, "a@b.c", "1.1.1.1", 1000), 0);
        rlx_throttle_failed(t, "A@b.c", "1.1.1.1", 1000);
    }
    assert_int_equal(rlx_throttle_wait_s(t, "a@b.c", "1.1.1.1", 1000), 900);
    assert_int_equal(rlx_throttle_wait_s(t, "a@b.c", "2.2.2.2", 1000), 0);
    assert_int_equal(rlx_throttle_wait_s(t, "z@b.c", "1.1.1.1", 1000), 0);
    assert_int_equal(rlx_throttle_wait_s(t, "a@b.c", "1.1.1.1", 900999), 1);
    assert_int_equal(rlx_throttle_wait_s(t, "a@b.c", "1.1.1.1", 901000), 0);
    rlx_throttle_passed(t, "a@b.c", "1.1.1.1");
    assert_int_equal(rlx_throttle_wait_s(t, "a@b.c", "1.1.1.1", 1000), 0);
    for (int i = 0; i < RLX_THROTTLE_ADDRESS; i++) { /* many accounts from one address */
        snprintf(account, sizeof account, "u%d@b.c", i);
        rlx_throttle_failed(t, account, "3.3.3.3", 1000);
    }
    assert_true(rlx_throttle_wait_s(t, "fresh@b.c", "3.3.3.3", 1000) > 0);
    for (int i = 0; i < RLX_THROTTLE_ACCOUNT; i++) /* counted when it is tried */
        assert_int_equal(rlx_throttle_try_s(t, "d@b.c", "2001:db8::1", 1000), 0);
    assert_int_equal(rlx_throttle_try_s(t, "d@b.c", "2001:db8:0:0:5::7", 1000), 900);
    assert_int_equal(rlx_throttle_try_s(t, "d@b.c", "2001:db8:0:1::7", 1000), 0);
    rlx_throttle_undo(t, "d@b.c", "2001:db8::1");
    assert_int_equal(rlx_throttle_try_s(t, "d@b.c", "2001:db8::1", 1000), 0);
    for (int i = 0; i < RLX_THROTTLE_ANYWHERE; i++) { /* one account from many addresses */
        snprintf(account, sizeof account, "10.0.0.%d", i);
        assert_int_equal(rlx_throttle_try_s(t, "hunted@b.c", account, 1000), 0);
    }
    assert_int_equal(rlx_throttle_try_s(t, "hunted@b.c", "10.0.1.1", 1000), 900);
    talloc_free(ctx);
}

static void prices(void **state)
{
    static const char table[] = "{\"currency\": \"EUR\", \"limits\": {\"groq\": 10}, \"prices\": ["
                                "{\"provider\": \"groq\", \"stage\": \"llm\", \"per_million_in\": 3}]}";
    static const char wrong[] = "{\"currency\": \"EUR\", \"prices\": [{\"provider\": \"groq\", "
                                "\"stage\": \"llm\", \"per_minute\": -1}]}";
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_prices *made = NULL;
    char path[] = "/tmp/relayx-prices-XXXXXX", *why = NULL;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(rlx_prices_create(&made, ctx, "", &why), 0);
    assert_string_equal(rlx_prices_currency(made), "USD");
    assert_int_equal(rlx_prices_create(&made, ctx, "/nowhere/prices.json", &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "/nowhere/prices.json"));
    assert_int_equal(write(fd, wrong, sizeof wrong - 1), sizeof wrong - 1);
    assert_int_equal(rlx_prices_create(&made, ctx, path, &why), RLX_ECONFIG);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, table, sizeof table - 1, 0), sizeof table - 1);
    assert_int_equal(rlx_prices_create(&made, ctx, path, &why), 0);
    json_t *sums = json_pack("[{s:s,s:s,s:s,s:s,s:b,s:i,s:i}]", "day", "2026-01-02", "stage", "llm",
                             "provider", "groq", "model", "m", "own", 0, "requests", 2, "tokens_in",
                             500000);
    json_t *report = rlx_prices_report(made, sums, "2026-01-01", true);
    char *text = json_dumps(report, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"providers\":{\"groq\":{\"cost\":1.5,\"limit\":10,\"llm_tokens_in\":"
                              "500000,\"remaining\":8.5,\"requests\":2}},\"total_cost\":1.5}");
    free(text);
    json_decref(report);
    report = rlx_prices_report(made, sums, "2026-01-03", false);
    assert_int_equal(json_object_size(json_object_get(report, "providers")), 0);
    json_decref(report);
    json_decref(sums);
    close(fd);
    unlink(path);
    talloc_free(ctx);
}

static void ranges(void **state)
{
    static const struct {
        const char *header;
        uint64_t size;
        enum rlx_range kind;
        uint64_t first, length;
    } rows[] = {
        {NULL, 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=0-9", 100, RLX_RANGE_PART, 0, 10},
        {"bytes=90-", 100, RLX_RANGE_PART, 90, 10},
        {"bytes=90-500", 100, RLX_RANGE_PART, 90, 10},
        {"bytes=-5", 100, RLX_RANGE_PART, 95, 5},
        {"bytes=-500", 100, RLX_RANGE_PART, 0, 100},
        {"bytes=100-", 100, RLX_RANGE_BAD, 0, 0},
        {"bytes=-0", 100, RLX_RANGE_BAD, 0, 0},
        {"bytes=0-", 0, RLX_RANGE_BAD, 0, 0},
        {"bytes=9-3", 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=0-1,5-6", 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=a-b", 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=--5", 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=1--5", 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=", 100, RLX_RANGE_WHOLE, 0, 100},
        {"lines=1-2", 100, RLX_RANGE_WHOLE, 0, 100},
        {"bytes=99999999999999999999999-", 100, RLX_RANGE_BAD, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t first = 0, length = 0;
        assert_int_equal(rlx_range_parse(rows[i].header, rows[i].size, &first, &length),
                         rows[i].kind);
        if (rows[i].kind != RLX_RANGE_BAD) {
            assert_int_equal(first, rows[i].first);
            assert_int_equal(length, rows[i].length);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones),        cmocka_unit_test(emails),   
        cmocka_unit_test(access_tokens), cmocka_unit_test(clipping), cmocka_unit_test(known_tokens), cmocka_unit_test(successors),
        cmocka_unit_test(passwords),     cmocka_unit_test(prices), cmocka_unit_test(throttle), cmocka_unit_test(ranges),
        cmocka_unit_test(possible_numbers),
    };
    return cmocka_run_group_tests_name("api_parts", tests, NULL, NULL);
}
