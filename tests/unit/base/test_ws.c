/* Both roles talk to each other through two byte queues. */
#include "../rlx_test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/ws.h"

#define MAX_MESSAGE 70000

struct side {
    struct rlx_ws *ws;
    uint8_t out[1 << 18];
    size_t out_length;
    int writes;
    uint8_t message[MAX_MESSAGE];
    size_t length;
    bool text;
    int messages;
};

struct pair {
    struct side server, client;
};

static void on_message(bool text, const void *data, size_t length, void *arg)
{
    struct side *side = arg;

    assert_true(length <= sizeof side->message);
    if (length)
        memcpy(side->message, data, length);
    side->length = length;
    side->text = text;
    side->messages++;
}

static void on_output(const void *data, size_t length, void *arg)
{
    struct side *side = arg;

    assert_true(side->out_length + length <= sizeof side->out);
    memcpy(side->out + side->out_length, data, length);
    side->out_length += length;
    side->writes++;
}

static struct pair *make_pair(void *ctx)
{
    struct pair *pair = talloc_zero(ctx, struct pair);

    assert_int_equal(rlx_ws_create(&pair->server.ws, pair, true, MAX_MESSAGE, on_message, on_output,
                                   &pair->server),
                     0);
    assert_int_equal(rlx_ws_create(&pair->client.ws, pair, false, MAX_MESSAGE, on_message,
                                   on_output, &pair->client),
                     0);
    return pair;
}

/* Moves what one side put out to the other, `step` bytes at a time. */
static int move(struct side *from, struct side *to, size_t step)
{
    size_t length = from->out_length;
    uint8_t *bytes = malloc(length + 1);
    int err = 0;

    memcpy(bytes, from->out, length);
    from->out_length = 0;
    for (size_t at = 0; at < length && !err; at += step)
        err = rlx_ws_feed(to->ws, bytes + at, length - at < step ? length - at : step);
    free(bytes);
    return err;
}

static void messages_both_ways(void **state)
{
    struct pair *pair = make_pair(*state);
    uint8_t *large = malloc(MAX_MESSAGE);

    for (int i = 0; i < MAX_MESSAGE; i++)
        large[i] = (uint8_t)(i * 7);
    assert_int_equal(rlx_ws_send(pair->client.ws, true, "hello", 5), 0);
    assert_int_equal(pair->client.out_length, 0);
    rlx_ws_flush(pair->client.ws);
    assert_true(pair->client.out[1] & 0x80); /* a client masks */
    assert_null(memmem(pair->client.out, pair->client.out_length, "hello", 5));
    assert_int_equal(move(&pair->client, &pair->server, 1), 0);
    assert_int_equal(pair->server.messages, 1);
    assert_true(pair->server.text);
    assert_memory_equal(pair->server.message, "hello", 5);
    assert_int_equal(rlx_ws_send(pair->server.ws, false, large, MAX_MESSAGE), 0);
    rlx_ws_flush(pair->server.ws);
    assert_false(pair->server.out[1] & 0x80);
    assert_int_equal(move(&pair->server, &pair->client, 1000), 0);
    assert_false(pair->client.text);
    assert_int_equal(pair->client.length, MAX_MESSAGE);
    assert_memory_equal(pair->client.message, large, MAX_MESSAGE);
    free(large);
}

static void frames_of_one_round_make_one_write(void **state)
{
    struct pair *pair = make_pair(*state);

    for (int i = 0; i < 50; i++)
        assert_int_equal(rlx_ws_send(pair->server.ws, true, "x", 1), 0);
    rlx_ws_flush(pair->server.ws);
    assert_int_equal(pair->server.writes, 1);
    assert_int_equal(move(&pair->server, &pair->client, 4096), 0);
    assert_int_equal(pair->client.messages, 50);
}

static void fragments_and_a_ping_between_them(void **state)
{
    static const uint8_t frames[] = {0x01, 0x02, 'a', 'b',  0x89, 0x01, 'p',
                                     0x00, 0x01, 'c', 0x80, 0x01, 'd'};
    struct pair *pair = make_pair(*state);

    assert_int_equal(rlx_ws_feed(pair->client.ws, frames, sizeof frames), 0);
    assert_int_equal(pair->client.messages, 1);
    assert_int_equal(pair->client.length, 4);
    assert_memory_equal(pair->client.message, "abcd", 4);
    assert_int_equal(pair->client.out[0], 0x8a); /* the pong went out without a flush of ours */
    assert_int_equal(pair->client.out[1], 0x81);
}

static void closing(void **state)
{
    struct pair *pair = make_pair(*state);

    assert_false(rlx_ws_closed(pair->server.ws));
    assert_int_equal(rlx_ws_close_code(pair->server.ws), 1006);
    assert_int_equal(rlx_ws_close(pair->client.ws, 1001), 0);
    rlx_ws_flush(pair->client.ws);
    assert_int_equal(move(&pair->client, &pair->server, 100), 0);
    assert_true(rlx_ws_closed(pair->server.ws));
    assert_int_equal(rlx_ws_close_code(pair->server.ws), 1001);
    assert_int_equal(move(&pair->server, &pair->client, 100), 0);
    assert_true(rlx_ws_closed(pair->client.ws));
    assert_int_equal(rlx_ws_send(pair->server.ws, true, "x", 1), -EPIPE);
    assert_int_equal(rlx_ws_send(pair->client.ws, true, "x", 1), -EPIPE);
    assert_int_equal(rlx_ws_close(pair->client.ws, 1000), 0);
    static const uint8_t bare[] = {0x88, 0x00};
    pair = make_pair(*state);
    assert_int_equal(rlx_ws_feed(pair->client.ws, bare, sizeof bare), 0);
    assert_int_equal(rlx_ws_close_code(pair->client.ws), 1006);
}

/* The code of the close frame that a server put out, 0 when it names none. */
static unsigned code_out(const struct side *side)
{
    assert_int_equal(side->out[0], 0x88);
    if (!side->out[1])
        return 0;
    return (unsigned)side->out[2] << 8 | side->out[3];
}

static void broken_rules(void **state)
{
    static const uint8_t unmasked[] = {0x81, 0x01, 'a'};
    static const uint8_t reserved[] = {0xc1, 0x80, 0, 0, 0, 0};
    static const uint8_t long_ping[] = {0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0};
    static const uint8_t not_utf8[] = {0x81, 0x81, 0, 0, 0, 0, 0xff};
    static const uint8_t huge[] = {0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0};
    static const struct {
        const uint8_t *bytes;
        size_t length;
        int err;
        unsigned code;
    } rows[] = {
        {unmasked, sizeof unmasked, RLX_EPROTO, 1002},
        {reserved, sizeof reserved, RLX_EPROTO, 1002},
        {long_ping, sizeof long_ping, RLX_EPROTO, 1002},
        {not_utf8, sizeof not_utf8, RLX_EPROTO, 1007},
        {huge, sizeof huge, RLX_ETOOBIG, 1009},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair *pair = make_pair(*state);
        assert_int_equal(rlx_ws_feed(pair->server.ws, rows[i].bytes, rows[i].length), rows[i].err);
        unsigned code = code_out(&pair->server);
        assert_true(code == rows[i].code || (code == 0 && rows[i].code == 1002));
        assert_int_equal(pair->server.messages, 0);
        assert_true(rlx_ws_closed(pair->server.ws));
        talloc_free(pair);
    }
}

static void too_large_in_fragments(void **state)
{
    struct pair *pair = make_pair(*state);
    uint8_t frame[8 + 60000] = {0x02, 0xfe, 60000 >> 8, 60000 & 255};

    assert_int_equal(rlx_ws_feed(pair->server.ws, frame, sizeof frame), 0);
    frame[0] = 0x80;
    assert_int_equal(rlx_ws_feed(pair->server.ws, frame, sizeof frame), RLX_ETOOBIG);
    assert_int_equal(code_out(&pair->server), 1009);
}

static void queue_has_a_cap(void **state)
{
    struct pair *pair = make_pair(*state);
    char *block = calloc(1, 1 << 20);

    for (int i = 0; i < 4; i++)
        assert_int_equal(rlx_ws_send(pair->server.ws, false, block, 1 << 20), 0);
    assert_int_equal(rlx_ws_send(pair->server.ws, false, block, 1 << 20), -ENOBUFS);
    free(block);
}

static void handshake_pieces(void **state)
{
    char accept[RLX_WS_ACCEPT], key[RLX_WS_KEY];

    rlx_ws_accept(accept, "dGhlIHNhbXBsZSBub25jZQ=="); /* RFC 6455 1.3 */
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    char *request = rlx_ws_request(*state, "h:80", "/p?q", "X-A: b", key);
    assert_int_equal(strlen(key), 24);
    assert_non_null(strstr(request, "GET /p?q HTTP/1.1\r\nHost: h:80\r\n"));
    assert_non_null(strstr(request, key));
    assert_non_null(strstr(request, "\r\nX-A: b\r\n\r\n"));
    request = rlx_ws_request(*state, "h", "/", NULL, key);
    assert_string_equal(request + strlen(request) - 8, ": 13\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RLX_TEST(messages_both_ways),
        RLX_TEST(frames_of_one_round_make_one_write),
        RLX_TEST(fragments_and_a_ping_between_them),
        RLX_TEST(closing),
        RLX_TEST(broken_rules),
        RLX_TEST(too_large_in_fragments),
        RLX_TEST(queue_has_a_cap),
        RLX_TEST(handshake_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
