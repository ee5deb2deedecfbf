/* Stream tokens, TwiML, control signatures: what lets a caller in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/control.h"
#include "gateway/token.h"
#include "gateway/twiml.h"

#define CALL "01920000-0000-7000-8000-000000000001"

static struct rlx_config *config_with(TALLOC_CTX *ctx, const char *token)
{
    struct rlx_config *config;
    char *why = NULL;

    assert_int_equal(rlx_config_load(&config, ctx, 0, NULL, &why), 0);
    assert_int_equal(rlx_config_set(config, RLX_CFG_TWILIO_AUTH_TOKEN, token), 0);
    return config;
}

static void a_token_is_good_for_its_own_call_only(void **state)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_config *config = config_with(ctx, "secret");
    char call_id[37];
    char *token = rlx_stream_token(ctx, config, CALL, "CA1");

    (void)state;
    assert_string_equal(token, rlx_stream_token(ctx, config, CALL, "CA1"));
    assert_true(rlx_stream_token_check(config, token, "CA1", call_id));
    assert_string_equal(call_id, CALL);
    assert_false(rlx_stream_token_check(config, token, "CA2", call_id));
    token[strlen(token) - 1] ^= 1;
    assert_false(rlx_stream_token_check(config, token, "CA1", call_id));
    assert_false(rlx_stream_token_check(config, "", "CA1", call_id));
    assert_false(rlx_stream_token_check(config, CALL ".", "CA1", call_id));
    token = rlx_stream_token(ctx, config, CALL, "CA1");
    config = config_with(ctx, "another secret");
    assert_false(rlx_stream_token_check(config, token, "CA1", call_id));
    talloc_free(ctx);
}

static void twiml_is_escaped_and_hangs_up_at_its_end(void **state)
{
    char *twiml = rlx_twiml_stream(NULL, "wss://a.example/m?x=1&y=\"<>", "t&1");

    (void)state;
    assert_non_null(strstr(twiml, "url=\"wss://a.example/m?x=1&amp;y=&quot;&lt;&gt;\""));
    assert_non_null(strstr(twiml, "<Parameter name=\"token\" value=\"t&amp;1\"/>"));
    assert_non_null(strstr(twiml, "</Connect><Hangup/></Response>"));
    talloc_free(twiml);
}

static void control_is_signed_fresh_and_for_one_path(void **state)
{
    char *value = rlx_control_sign(NULL, "key", "POST", "/control/a", 1000000);

    (void)state;
    assert_true(rlx_control_check(value, "key", "POST", "/control/a", 1000000));
    assert_true(rlx_control_check(value, "key", "POST", "/control/a", 1029000));
    assert_false(rlx_control_check(value, "key", "POST", "/control/a", 1032000));
    assert_false(rlx_control_check(value, "key", "POST", "/control/b", 1000000));
    assert_false(rlx_control_check(value, "key", "GET", "/control/a", 1000000));
    assert_false(rlx_control_check(value, "yek", "POST", "/control/a", 1000000));
    assert_false(rlx_control_check(NULL, "key", "POST", "/control/a", 1000000));
    assert_false(rlx_control_check("x", "key", "POST", "/control/a", 1000000));
    talloc_free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_for_its_own_call_only),
        cmocka_unit_test(twiml_is_escaped_and_hangs_up_at_its_end),
        cmocka_unit_test(control_is_signed_fresh_and_for_one_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
