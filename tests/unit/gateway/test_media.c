/* The reader and writer of Media Streams messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "gateway/media.h"

static int read_text(struct rlx_media_message *m, const char *text)
{
    const char *why = NULL;
    int err = rlx_media_read(m, text, strlen(text), &why);

    if (err)
        assert_non_null(why);
    return err;
}

static void audio_as_twilio_sends_it(void **state)
{
    struct rlx_media_message m;

    (void)state;
    assert_int_equal(
        read_text(&m, "{\"event\":\"media\",\"sequenceNumber\":\"3\",\"media\":{\"track\":\"inbound\","
                      "\"chunk\":\"1\",\"timestamp\":\"5020\",\"payload\":\"/38A\"},"
                      "\"streamSid\":\"MZ1\"}"),
        0);
    assert_int_equal(m.kind, RLX_MEDIA_AUDIO);
    assert_int_equal(m.timestamp_ms, 5020);
    assert_int_equal(m.audio_length, 3);
    assert_int_equal(m.audio[0], 0xff);
    assert_int_equal(m.audio[1], 0x7f);
    assert_int_equal(m.audio[2], 0x00);
}

static void audio_as_others_send_it(void **state)
{
    struct rlx_media_message m;

    (void)state; /* spaces, bare numbers, other order, escaped slash, unknown members */
    assert_int_equal(read_text(&m, " { \"streamSid\" : \"MZ1\", \"x\": [1, {\"y\": null}], \"media\" : "
                                   "{ \"payload\" : \"\\/38A\", \"timestamp\" : 40 } , \"event\" : "
                                   "\"media\" } "),
                     0);
    assert_int_equal(m.kind, RLX_MEDIA_AUDIO);
    assert_int_equal(m.timestamp_ms, 40);
    assert_int_equal(m.audio_length, 3);
    assert_int_equal(m.audio[0], 0xff);
}

static void our_own_track_is_ignored(void **state)
{
    struct rlx_media_message m;

    (void)state;
    assert_int_equal(read_text(&m, "{\"event\":\"media\",\"media\":{\"track\":\"outbound\","
                                   "\"timestamp\":\"1\",\"payload\":\"//8=\"}}"),
                     0);
    assert_int_equal(m.kind, RLX_MEDIA_OTHER);
}

static void start_carries_what_a_call_needs(void **state)
{
    struct rlx_media_message m;

    (void)state;
    assert_int_equal(
        read_text(&m, "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"streamSid\":\"MZa1\",\"start\":{"
                      "\"streamSid\":\"MZa1\",\"accountSid\":\"AC1\",\"callSid\":\"CA1\",\"tracks\":["
                      "\"inbound\"],\"customParameters\":{\"token\":\"t.1\"},\"mediaFormat\":{"
                      "\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1}}}"),
        0);
    assert_int_equal(m.kind, RLX_MEDIA_START);
    assert_string_equal(m.stream_sid, "MZa1");
    assert_string_equal(m.call_sid, "CA1");
    assert_string_equal(m.token, "t.1");
}

static void the_small_events(void **state)
{
    struct rlx_media_message m;

    (void)state;
    assert_int_equal(read_text(&m, "{\"event\":\"connected\",\"protocol\":\"Call\"}"), 0);
    assert_int_equal(m.kind, RLX_MEDIA_CONNECTED);
    assert_int_equal(read_text(&m, "{\"event\":\"mark\",\"mark\":{\"name\":\"1.2.3\"}}"), 0);
    assert_int_equal(m.kind, RLX_MEDIA_MARK);
    assert_string_equal(m.mark, "1.2.3");
    assert_int_equal(read_text(&m, "{\"event\":\"dtmf\",\"dtmf\":{\"track\":\"inbound_track\","
                                   "\"digit\":\"#\"}}"),
                     0);
    assert_int_equal(m.kind, RLX_MEDIA_DTMF);
    assert_int_equal(m.digit, '#');
    assert_int_equal(read_text(&m, "{\"event\":\"stop\",\"stop\":{\"callSid\":\"CA1\"}}"), 0);
    assert_int_equal(m.kind, RLX_MEDIA_STOP);
    assert_int_equal(read_text(&m, "{\"event\":\"news\"}"), 0);
    assert_int_equal(m.kind, RLX_MEDIA_OTHER);
}

static void broken_messages_are_refused(void **state)
{
    static const char *const broken[] = {
        "",
        "hello",
        "[]",
        "{",
        "{\"event\":\"media\"",
        "{\"event\":\"media\"}",
        "{\"event\":\"media\",\"media\":{}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"!!!!\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AAAAA\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AAAA\",\"timestamp\":\"soon\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AAAA\",\"timestamp\":-1}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AAAA\"}} trailing",
        "{\"media\":{\"payload\":\"AAAA\"}}",
        "{\"event\":\"start\",\"start\":{\"callSid\":\"CA1\"}}",
        "{\"event\":\"start\",\"start\":{\"streamSid\":\"MZ1\"}}",
        "{\"event\":\"start\",\"start\":{\"streamSid\":\"MZ\\\"1\",\"callSid\":\"CA1\"}}",
        "{\"event\":\"start\",\"start\":{\"streamSid\":\"MZ1\",\"callSid\":\"CA1\",\"mediaFormat\":{"
        "\"encoding\":\"audio/L16\"}}}",
        "{\"event\":\"start\",\"start\":{\"streamSid\":\"MZ1\",\"callSid\":\"CA1\",\"mediaFormat\":{"
        "\"sampleRate\":16000}}}",
        "{\"event\":\"mark\"}",
        "{\"event\":\"dtmf\",\"dtmf\":{\"digit\":\"11\"}}",
        "{\"event\":\"dtmf\",\"dtmf\":{\"digit\":\"x\"}}",
        "{\"event\":\"stop\",\"x\":tru}",
        "{\"event\":\"media\",\"a\":[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]}",
    };
    struct rlx_media_message m;

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        if (read_text(&m, broken[i]) != RLX_EPROTO)
            fail_msg("taken: %s", broken[i]);
}

static void too_much_audio_is_refused(void **state)
{
    char text[8192] = "{\"event\":\"media\",\"media\":{\"payload\":\"";
    struct rlx_media_message m;
    size_t n = strlen(text);

    (void)state;
    memset(text + n, 'A', 6000);
    memcpy(text + n + 6000, "\"}}", 4);
    assert_int_equal(read_text(&m, text), RLX_EPROTO);
}

static void what_is_written_can_be_read(void **state)
{
    struct rlx_media_message m;
    const uint8_t ulaw[] = {1, 2, 3, 4, 5};
    char text[256];
    size_t n = rlx_media_write_audio(text, sizeof text, "MZ9", ulaw, sizeof ulaw);
    const char *why;

    (void)state;
    assert_true(n > 0);
    assert_int_equal(rlx_media_read(&m, text, n, &why), 0);
    assert_int_equal(m.audio_length, 5);
    assert_memory_equal(m.audio, ulaw, 5);
    n = rlx_media_write_mark(text, sizeof text, "MZ9", "3.1.4");
    assert_int_equal(rlx_media_read(&m, text, n, &why), 0);
    assert_string_equal(m.mark, "3.1.4");
    n = rlx_media_write_clear(text, sizeof text, "MZ9");
    assert_memory_equal(text, "{\"event\":\"clear\",\"streamSid\":\"MZ9\"}", n);
    assert_int_equal(rlx_media_write_audio(text, 40, "MZ9", ulaw, sizeof ulaw), 0);
    assert_int_equal(rlx_media_write_clear(text, 10, "MZ9"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_as_twilio_sends_it),  cmocka_unit_test(audio_as_others_send_it),
        cmocka_unit_test(our_own_track_is_ignored),  cmocka_unit_test(start_carries_what_a_call_needs),
        cmocka_unit_test(the_small_events),          cmocka_unit_test(broken_messages_are_refused),
        cmocka_unit_test(too_much_audio_is_refused), cmocka_unit_test(what_is_written_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
