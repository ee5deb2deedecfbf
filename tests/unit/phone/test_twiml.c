#include "../rlx_test.h"

#include <stdio.h>

#include "base/err.h"
#include "phone/twiml.h"

static struct rlx_twiml *parse(TALLOC_CTX *ctx, const char *xml)
{
    struct rlx_twiml *twiml = NULL;
    char *why = NULL;
    int err = rlx_twiml_parse(&twiml, ctx, xml, strlen(xml), &why);

    if (err)
        print_error("%s\n", why);
    assert_int_equal(err, 0);
    return twiml;
}

static void refuse(TALLOC_CTX *ctx, const char *xml, const char *part)
{
    struct rlx_twiml *twiml = NULL;
    char *why = NULL;

    assert_int_equal(rlx_twiml_parse(&twiml, ctx, xml, strlen(xml), &why), RLX_EINVAL);
    assert_null(twiml);
    assert_non_null(why);
    assert_non_null(strstr(why, part));
}

static void connect_stream(void **state)
{
    struct rlx_twiml *twiml =
        parse(*state, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>\n"
                      "  <!-- hello --><Connect><Stream url=\"wss://a.example/media\" "
                      "statusCallback='http://b/'>\n"
                      "    <Parameter name=\"token\" value=\"a &amp; &lt;b&gt; &#34;c&#34;\"/>\n"
                      "    <Parameter name=\"call_id\" value=\"\"></Parameter>\n"
                      "  </Stream></Connect>\n  <Hangup/>\n</Response>");

    assert_int_equal(twiml->count, 2);
    assert_int_equal(twiml->warning_count, 0);
    assert_int_equal(twiml->steps[0].verb, RLX_TWIML_STREAM);
    assert_string_equal(twiml->steps[0].url, "wss://a.example/media");
    assert_string_equal(twiml->steps[0].text, "http://b/");
    assert_int_equal(twiml->steps[0].parameter_count, 2);
    assert_string_equal(twiml->steps[0].parameters[0].name, "token");
    assert_string_equal(twiml->steps[0].parameters[0].value, "a & <b> \"c\"");
    assert_string_equal(twiml->steps[0].parameters[1].value, "");
    assert_int_equal(twiml->steps[1].verb, RLX_TWIML_HANGUP);
}

static void other_verbs(void **state)
{
    struct rlx_twiml *twiml = parse(
        *state, "<Response><Say voice='x'> Hello &amp;\n bye </Say><Pause/><Pause length='2.5'/>"
                "<Play digits='1w2#'/><Play>http://a/b.mp3</Play><Reject reason='busy'/>"
                "<Redirect method='GET'> http://c/d?e=1&amp;f=2 </Redirect>"
                "<Dial action='/done' timeout='25'>+12025550123</Dial>"
                "<Dial><Number url='/w'>+12025550124</Number></Dial></Response>");

    assert_int_equal(twiml->count, 9);
    assert_string_equal(twiml->steps[0].text, "Hello &\n bye");
    assert_float_equal(twiml->steps[1].seconds, 1, 0.001);
    assert_float_equal(twiml->steps[2].seconds, 2.5, 0.001);
    assert_string_equal(twiml->steps[3].digits, "1w2#");
    assert_string_equal(twiml->steps[4].url, "http://a/b.mp3");
    assert_string_equal(twiml->steps[5].text, "busy");
    assert_string_equal(twiml->steps[6].url, "http://c/d?e=1&f=2");
    assert_string_equal(twiml->steps[6].method, "GET");
    assert_string_equal(twiml->steps[7].text, "+12025550123");
    assert_string_equal(twiml->steps[7].url, "/done");
    assert_float_equal(twiml->steps[7].seconds, 25, 0.001);
    assert_string_equal(twiml->steps[8].text, "+12025550124");
}

static void what_is_unknown_is_skipped_with_a_warning(void **state)
{
    struct rlx_twiml *twiml =
        parse(*state, "<Response><Gather><Say>x</Say></Gather><Connect><Room/>"
                      "</Connect><Hangup/></Response>");

    assert_int_equal(twiml->count, 1);
    assert_int_equal(twiml->steps[0].verb, RLX_TWIML_HANGUP);
    assert_int_equal(twiml->warning_count, 2);
    assert_non_null(strstr(twiml->warnings[0], "<Gather>"));
    assert_int_equal(parse(*state, "<Response/>")->count, 0);
}

static void bad_documents(void **state)
{
    char long_one[1200];

    refuse(*state, "", "12100");
    refuse(*state, "hello", "12100");
    refuse(*state, "<Response><Hangup></Response>", "12100");
    refuse(*state, "<html/>", "Response");
    refuse(*state, "<Response><Connect><Stream/></Connect></Response>", "31920");
    refuse(*state, "<Response><Connect><Stream url='http://a'/></Connect></Response>", "wss://");
    refuse(*state, "<Response><Connect><Stream url='wss://a?b=c'/></Connect></Response>", "query");
    refuse(*state, "<!DOCTYPE Response [<!ENTITY a 'b'>]><Response>&a;</Response>",
           "document type");
    (void)snprintf(long_one, sizeof(long_one),
                   "<Response><Connect><Stream url='wss://a'><Parameter name='n' value='%0500d'/>"
                   "</Stream></Connect></Response>",
                   7);
    refuse(*state, long_one, "500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(connect_stream),
        RLX_TEST(other_verbs),
        RLX_TEST(what_is_unknown_is_skipped_with_a_warning),
        RLX_TEST(bad_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
