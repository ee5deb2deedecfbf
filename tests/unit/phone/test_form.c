#include "../rlx_test.h"

#include "phone/form.h"
#include "phone/webhook.h"

/* The example of Twilio's documentation ("Validating requests"), in its two published variants. */
static void twilio_signatures(void **state)
{
    static const struct {
        const char *number, *signature;
    } known[] = {{"+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
                 {"+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}};

    for (size_t i = 0; i < 2; i++) {
        struct rlx_form *form = rlx_form_create(*state);

        rlx_form_add(form, "To", "+18005551212");
        rlx_form_add(form, "CallSid", "CA1234567890ABCDE");
        rlx_form_add(form, "Digits", "1234");
        rlx_form_add(form, "From", known[i].number);
        rlx_form_add(form, "Caller", known[i].number);
        assert_string_equal(
            rlx_form_sign(*state, "12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form),
            known[i].signature);
    }
}

static void a_url_alone_is_signed(void **state)
{
    /* printf 'wss://example.com/media' | openssl dgst -sha1 -hmac key -binary | base64 */
    assert_string_equal(rlx_form_sign(*state, "key", "wss://example.com/media", NULL),
                        "KQU4EGG7uwFDxf5rb1qtmMDHOHM=");
    assert_string_equal(
        rlx_form_sign(*state, "key", "wss://example.com/media", NULL),
        rlx_form_sign(*state, "key", "wss://example.com/media", rlx_form_create(*state)));
    assert_string_not_equal(rlx_form_sign(*state, "key", "wss://example.com/media", NULL),
                            rlx_form_sign(*state, "key", "wss://example.com/media/", NULL));
}

static void encoding(void **state)
{
    struct rlx_form *form = rlx_form_create(*state);

    assert_string_equal(rlx_form_encode(*state, form), "");
    rlx_form_add(form, "To", "+1 202");
    rlx_form_addf(form, "N", "%d%%", 5);
    rlx_form_add(form, "Empty", "");
    rlx_form_add(form, "Ünï", "a&b=c");
    assert_string_equal(rlx_form_encode(*state, form),
                        "To=%2B1+202&N=5%25&Empty=&%C3%9Cn%C3%AF=a%26b%3Dc");
}

static void too_many_parameters_are_an_error(void **state)
{
    struct rlx_form *form = rlx_form_create(*state);

    for (int i = 0; i < 200; i++)
        rlx_form_add(form, "a", "b");
    assert_null(rlx_form_encode(*state, form));
    assert_null(rlx_form_sign(*state, "key", "http://x", form));
}

static void webhook_urls(void **state)
{
    (void)state;
    assert_true(rlx_webhook_url_ok("http://127.0.0.1:8001/twilio/voice/1"));
    assert_true(rlx_webhook_url_ok("https://example.com/a?b=c#rc=2"));
    assert_true(rlx_webhook_url_ok("http://[::1]/"));
    assert_false(rlx_webhook_url_ok(NULL));
    assert_false(rlx_webhook_url_ok(""));
    assert_false(rlx_webhook_url_ok("ftp://example.com"));
    assert_false(rlx_webhook_url_ok("http://"));
    assert_false(rlx_webhook_url_ok("http://a b"));
    assert_false(rlx_webhook_url_ok("http://a\r\nX: y"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(twilio_signatures), RLX_TEST(a_url_alone_is_signed),
        RLX_TEST(encoding),          RLX_TEST(too_many_parameters_are_an_error),
        RLX_TEST(webhook_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
