/* The carrier's REST API against a strict double. */
#include "../rlx_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"
#include "provider/carrier.h"

struct carrier {
    struct rlx_httpd *server;
    struct rlx_config *config;
    int status;
    const char *answer;
    char seen[2000], query[300];
};

static void see_field(const char *name, const char *value, size_t length, void *arg)
{
    struct carrier *carrier = arg;
    size_t used = strlen(carrier->seen);
    snprintf(carrier->seen + used, sizeof carrier->seen - used, "%s=%.*s\n", name, (int)length,
             value);
}

static void handle(struct rlx_request *req, void *arg)
{
    struct carrier *carrier = arg;
    const char *auth = rlx_request_header(req, "Authorization");
    carrier->seen[0] = '\0';
    snprintf(carrier->query, sizeof carrier->query, "%s %s", rlx_request_method(req),
             rlx_request_query_string(req));
    rlx_request_each_field(req, see_field, carrier);
    /* AC1:secret */
    if (!auth || strcmp(auth, "Basic QUMxOnNlY3JldA=="))
        rlx_reply_text(req, 401, "application/json",
                       "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}");
    else
        rlx_reply_text(req, carrier->status, "application/json", carrier->answer);
}

static const struct rlx_route routes[] = {
    {"POST", "/2010-04-01/Accounts/AC1/Calls.json", handle, 0},
    {"GET", "/2010-04-01/Accounts/AC1/Calls.json", handle, 0},
    {"*", "/2010-04-01/Accounts/AC1/Calls/{sid}", handle, 0},
};

static void configure(struct carrier *carrier, const char *token, unsigned port)
{
    char *why = NULL,
         *argv[] = {talloc_strdup(carrier, "--twilio-account-sid=AC1"),
                    talloc_asprintf(carrier, "--twilio-auth-token=%s", token),
                    talloc_asprintf(carrier, "--twilio-api-url=http://127.0.0.1:%u/", port), NULL};
    talloc_free(carrier->config);
    assert_int_equal(rlx_config_load(&carrier->config, carrier, 3, argv, &why), 0);
}

static int open_carrier(void **state)
{
    struct carrier *carrier = talloc_zero(NULL, struct carrier);
    const struct rlx_httpd_options options = {.routes = routes, .route_count = 3, .arg = carrier};
    rlx_log_setup(RLX_ERROR, false);
    for (int i = 0; i < RLX_CFG_COUNT; i++)
        unsetenv(rlx_config_name((enum rlx_setting)i));
    assert_int_equal(rlx_httpd_start(&carrier->server, carrier, &options), 0);
    configure(carrier, "secret", rlx_httpd_port(carrier->server));
    *state = carrier;
    return 0;
}

static int close_carrier(void **state)
{
    return talloc_free(*state);
}

static const struct rlx_dial dial = {.to = "+12025550123",
                                     .from = "+12025550100",
                                     .answer_url = "https://g.test/v?a=1&b=2",
                                     .status_url = "https://g.test/s",
                                     .amd_url = "https://g.test/amd",
                                     .amd_message_end = true,
                                     .max_duration_s = 600};

static void dials(void **state)
{
    struct carrier *c = *state;
    char *sid = NULL, *why = NULL;
    int code = 7;
    c->status = 201;
    c->answer = "{\"sid\":\"CA1\",\"status\":\"queued\"}";
    assert_int_equal(rlx_carrier_dial(&sid, c, c->config, &dial, &code, &why), 0);
    assert_string_equal(sid, "CA1");
    assert_int_equal(code, 0);
    assert_string_equal(
        c->seen, "To=+12025550123\nFrom=+12025550100\nUrl=https://g.test/v?a=1&b=2\nMethod=POST\n"
                 "StatusCallback=https://g.test/s\nStatusCallbackMethod=POST\n"
                 "StatusCallbackEvent=initiated\nStatusCallbackEvent=ringing\n"
                 "StatusCallbackEvent=answered\nStatusCallbackEvent=completed\nTimeout=30\n"
                 "TimeLimit=600\nMachineDetection=DetectMessageEnd\nAsyncAmd=true\n"
                 "AsyncAmdStatusCallback=https://g.test/amd\nAsyncAmdStatusCallbackMethod=POST\n");
}

static void refusals(void **state)
{
    struct carrier *c = *state;
    static const struct {
        int status;
        const char *answer;
        int err, code;
        const char *why;
    } cases[] = {
        {400, "{\"code\":21211,\"message\":\"The 'To' number is not valid\",\"status\":400}",
         RLX_EPROVIDER, 21211,
         "the number to call is not valid (the carrier's words: The 'To' number is not valid)"},
        {400, "{\"code\":99999,\"message\":\"Something new\"}", RLX_EPROVIDER, 99999,
         "Something new"},
        {429, "{}", RLX_EPROVIDER, 0, "too many requests at once"},
        {403, "<html>", RLX_EPROVIDER, 0, "the carrier answered HTTP 403"},
        {503, "{\"code\":20503,\"message\":\"Later\"}", -EIO, 20503,
         "Later"}, /* may have been placed */
        {201, "{\"status\":\"queued\"}", -EIO, 0, "the carrier's answer holds no call sid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *sid = NULL, *why = NULL;
        int code = 7;
        c->status = cases[i].status;
        c->answer = cases[i].answer;
        assert_int_equal(rlx_carrier_dial(&sid, c, c->config, &dial, &code, &why), cases[i].err);
        assert_int_equal(code, cases[i].code);
        assert_string_equal(why, cases[i].why);
    }
    char *sid = NULL, *why = NULL;
    configure(c, "wrong", rlx_httpd_port(c->server));
    assert_int_equal(rlx_carrier_dial(&sid, c, c->config, &dial, NULL, &why), RLX_EPROVIDER);
    assert_non_null(strstr(why, "check TWILIO_ACCOUNT_SID"));
    configure(c, "", 1);
    assert_int_equal(rlx_carrier_dial(&sid, c, c->config, &dial, NULL, &why), RLX_ECONFIG);
    configure(c, "secret", 1); /* nobody listens there: surely not placed */
    assert_int_equal(rlx_carrier_dial(&sid, c, c->config, &dial, NULL, &why), RLX_EPROVIDER);
    assert_non_null(strstr(why, "can't be reached"));
}

static void hangs_up(void **state)
{
    struct carrier *c = *state;
    c->status = 200;
    c->answer = "{\"sid\":\"CA1\",\"status\":\"completed\"}";
    assert_int_equal(rlx_carrier_hangup(c->config, "CA1"), 0);
    assert_string_equal(c->seen, "Status=completed\n");
    c->status = 404;
    c->answer = "{\"code\":20404}";
    assert_int_equal(rlx_carrier_hangup(c->config, "CA1"), 0);
    c->status = 400;
    c->answer = "{\"code\":21220,\"message\":\"Call is not in-progress\"}";
    assert_int_equal(rlx_carrier_hangup(c->config, "CA1"), 0);
    c->answer = "{\"code\":20001}";
    assert_int_equal(rlx_carrier_hangup(c->config, "CA1"), RLX_EPROVIDER);
    assert_int_equal(rlx_carrier_hangup(c->config, "../x"), -EINVAL);
    assert_int_equal(rlx_carrier_hangup(c->config, ""), -EINVAL);
}

static void tells_status(void **state)
{
    struct carrier *c = *state;
    char *status = NULL;
    c->status = 200;
    c->answer = "{\"sid\":\"CA1\",\"status\":\"in-progress\"}";
    assert_int_equal(rlx_carrier_status(&status, c, c->config, "CA1"), 0);
    assert_string_equal(status, "in-progress");
    c->status = 404;
    assert_int_equal(rlx_carrier_status(&status, c, c->config, "CA1"), RLX_ENOTFOUND);
    c->status = 500;
    assert_int_equal(rlx_carrier_status(&status, c, c->config, "CA1"), RLX_EPROVIDER);
}

static void finds_a_lost_call(void **state)
{
    struct carrier *c = *state;
    char *sid = NULL;
    c->status = 200;
    c->answer = "{\"calls\":["
                "{\"sid\":\"CA2\",\"status\":\"queued\",\"start_time\":null,\"date_created\":\"Tue,"
                " 31 Aug 2010 20:36:28 +0000\"},"
                "{\"sid\":\"CA3\",\"date_created\":\"2010-08-31T22:36:30+02:00\"},"
                "{\"sid\":\"CA1\",\"date_created\":\"Tue, 31 Aug 2010 20:36:20 "
                "+0000\"},{\"sid\":\"CA0\"}]}";
    int64_t at_ms = INT64_C(1283286988) * 1000; /* 20:36:28 */
    assert_int_equal(rlx_carrier_find(&sid, c, c->config, dial.to, dial.from, at_ms + 999), 0);
    assert_string_equal(sid, "CA3");
    assert_string_equal(c->query, "GET ?To=%2B12025550123&From=%2B12025550100&PageSize=50");
    assert_int_equal(rlx_carrier_find(&sid, c, c->config, dial.to, dial.from, at_ms + 3000),
                     RLX_ENOTFOUND);
    c->answer =
        "{\"calls\":[{\"sid\":\"CA2\",\"date_created\":\"Tue, 31 Aug 2010 20:36:28 +0000\"}]}";
    assert_int_equal(rlx_carrier_find(&sid, c, c->config, dial.to, dial.from, at_ms + 999), 0);
    assert_string_equal(sid, "CA2");
    assert_int_equal(rlx_carrier_find(&sid, c, c->config, dial.to, dial.from, at_ms + 1000),
                     RLX_ENOTFOUND);
    c->status = 500;
    assert_int_equal(rlx_carrier_find(&sid, c, c->config, dial.to, dial.from, at_ms),
                     RLX_EPROVIDER);
}

/* The example of Twilio's documentation of request validation. */
static void signs(void **state)
{
    struct rlx_param params[] = {{"Digits", "1234"},
                                 {"To", "+18005551212"},
                                 {"From", "+14158675309"},
                                 {"CallSid", "CA1234567890ABCDE"},
                                 {"Caller", "+14158675309"}};
    char *signature = rlx_twilio_signature(
        *state, "12345", "https://mycompany.com/myapp.php?foo=1&bar=2", params, 5);
    assert_string_equal(signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    struct rlx_param twice[] = {{"b", "2"}, {"a", "1"}, {"b", "2"}},
                     once[] = {{"a", "1"}, {"b", "2"}};
    char *first = rlx_twilio_signature(*state, "t", "u", twice, 3);
    char *second = rlx_twilio_signature(*state, "t", "u", once, 2);
    assert_string_equal(first, second);
    assert_non_null(rlx_twilio_signature(*state, "t", "wss://g/media", NULL, 0));
}

#define CARRIER_TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, open_carrier, close_carrier)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARRIER_TEST(dials),        CARRIER_TEST(refusals),          CARRIER_TEST(hangs_up),
        CARRIER_TEST(tells_status), CARRIER_TEST(finds_a_lost_call), CARRIER_TEST(signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
