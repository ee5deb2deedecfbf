/* Outgoing HTTP on the loop: every outcome, cancelling at any time, connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake.h"

#include "base/err.h"
#include "provider/net.h"

struct seen {
    struct bench *bench;
    struct rlx_net_request *request, *other;
    char body[8192], why[400];
    size_t length, pieces;
    int err;
    long status;
    bool got, done, cancel_in_data, release_in_data, cancel_other, start_in_done;
    struct seen *next;
};

static void on_done(int err, long status, const char *why, void *arg);
static void on_data(const void *data, size_t length, void *arg);

static char *url(struct bench *bench, const char *path)
{
    return talloc_asprintf(bench, "http://127.0.0.1:%u/v1/%s", fake_port(bench->a), path);
}

static struct rlx_net_options chat_options(struct bench *bench)
{
    return (struct rlx_net_options){.url = url(bench, "chat/completions"),
                                    .bearer = "test-key",
                                    .json = "{\"model\":\"m\",\"messages\":[{}],\"stream\":true,"
                                            "\"max_tokens\":1,\"temperature\":0}"};
}

static void start(struct seen *seen, const struct rlx_net_options *options)
{
    assert_int_equal(
        rlx_net_start(&seen->request, seen->bench->net, options, on_data, on_done, seen), 0);
    assert_false(seen->done);
}

static void on_data(const void *data, size_t length, void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    seen->got = true;
    seen->pieces++;
    assert_true(seen->length + length < sizeof seen->body);
    memcpy(seen->body + seen->length, data, length);
    seen->length += length;
    if (seen->cancel_in_data)
        rlx_net_cancel(seen->request);
    if (seen->release_in_data)
        rlx_net_release(seen->request);
    if (seen->cancel_other)
        rlx_net_cancel(seen->other);
    seen->other = NULL;
}

static void on_done(int err, long status, const char *why, void *arg)
{
    struct seen *seen = arg;
    assert_false(seen->done);
    seen->done = true;
    seen->err = err;
    seen->status = status;
    snprintf(seen->why, sizeof seen->why, "%s", why);
    rlx_net_cancel(seen->request); /* is over already: nothing happens */
    if (seen->start_in_done) {
        const struct rlx_net_options options = chat_options(seen->bench);
        start(seen->next, &options);
    }
}

static void run(struct seen *seen, const struct rlx_net_options *options)
{
    start(seen, options);
    bench_run(seen->bench, &seen->done);
}

static void good(void **state)
{
    struct seen seen = {.bench = *state};
    struct rlx_net_options options = chat_options(*state);
    run(&seen, &options);
    assert_int_equal(seen.err, 0);
    assert_int_equal(seen.status, 200);
    assert_non_null(strstr(seen.body, "data: [DONE]\n\n"));
    struct seen get = {.bench = *state};
    options = (struct rlx_net_options){.url = url(*state, "models")};
    run(&get, &options);
    assert_int_equal(get.err, 0);
    assert_string_equal(get.body, "{\"data\":[]}");
}

static void statuses(void **state)
{
    struct bench *bench = *state;
    static const int all[] = {401, 404, 429, 500, 503};
    struct rlx_net_options options = chat_options(bench);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct seen seen = {.bench = bench};
        char want[100];
        fake_set_status(bench->a, all[i]);
        run(&seen, &options);
        assert_int_equal(seen.err, RLX_EPROVIDER);
        assert_int_equal(seen.status, all[i]);
        assert_int_equal(seen.pieces, 0); /* an error's body is no data */
        snprintf(want, sizeof want, "127.0.0.1:%u answered HTTP %d: told to say %d",
                 fake_port(bench->a), all[i], all[i]);
        assert_string_equal(seen.why, want);
    }
}

static uint16_t closed_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void refused(void **state)
{
    struct seen seen = {.bench = *state};
    const struct rlx_net_options options = {
        .url = talloc_asprintf(*state, "http://u:p@127.0.0.1:%u/x", closed_port())};
    run(&seen, &options);
    assert_int_equal(seen.err, RLX_EPROVIDER);
    assert_non_null(strstr(seen.why, "can't connect to 127.0.0.1:"));
    assert_null(strstr(seen.why, "u:p"));
}

static void limits(void **state)
{
    struct bench *bench = *state;
    struct rlx_net_options options = chat_options(bench);
    static const struct {
        enum fake_mode mode;
        uint32_t first_byte_ms, stall_ms, total_ms;
        const char *why;
    } cases[] = {
        {FAKE_SLOW, 30, 0, 0, "gave no answer within 30 ms"},
        {FAKE_STALL, 0, 30, 0, "stalled in mid-answer for 30 ms"},
        {FAKE_SLOW, 0, 0, 30, "was not done within 30 ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {.bench = bench};
        fake_set(bench->a, cases[i].mode);
        options.first_byte_ms = cases[i].first_byte_ms;
        options.stall_ms = cases[i].stall_ms;
        options.total_ms = cases[i].total_ms;
        uint64_t start_ms = uv_now(&bench->loop);
        run(&seen, &options);
        assert_in_range(uv_now(&bench->loop) - start_ms, 29, 3000);
        assert_int_equal(seen.err, -ETIMEDOUT);
        assert_non_null(strstr(seen.why, cases[i].why));
        fake_free_waiting(bench->a);
    }
    struct seen seen = {.bench = bench};
    options = chat_options(bench);
    fake_set(bench->a, FAKE_STALL);
    start(&seen, &options);
    rlx_net_expect(seen.request, 30);
    bench_run(bench, &seen.done);
    assert_int_equal(seen.err, -ETIMEDOUT);
    assert_non_null(strstr(seen.why, "gave no result within 30 ms"));
    struct seen lifted = {.bench = bench};
    fake_set(bench->a, FAKE_SLOW);
    start(&lifted, &options);
    rlx_net_expect(lifted.request, 5);
    rlx_net_expect(lifted.request, 0);
    bench_idle(bench, 10);
    assert_false(lifted.done);
    fake_free_waiting(bench->a);
    bench_run(bench, &lifted.done);
    assert_int_equal(lifted.err, 0);
}

static void broken_off(void **state)
{
    struct bench *bench = *state;
    struct seen seen = {.bench = bench};
    const struct rlx_net_options options = chat_options(bench);
    fake_set(bench->a, FAKE_ABORT);
    run(&seen, &options);
    assert_int_equal(seen.err, RLX_EPROVIDER);
    assert_true(seen.got);
}

static void cancelled_at_any_time(void **state)
{
    struct bench *bench = *state;
    struct rlx_net_options options = chat_options(bench);
    options.warm_url = url(bench, "models");
    rlx_net_cancel(NULL);
    for (int turns = 0; turns < 40; turns++) { /* ever later in the exchange */
        struct seen seen = {.bench = bench};
        fake_set(bench->a, turns % 2 ? FAKE_STALL : FAKE_BYTES);
        start(&seen, &options);
        for (int i = 0; i < turns && !seen.done; i++)
            uv_run(&bench->loop, UV_RUN_NOWAIT);
        bool done = seen.done;
        if (!done)
            rlx_net_cancel(seen.request);
        bench_idle(bench, 1);
        assert_int_equal(seen.done, done);
        fake_free_waiting(bench->a);
    }
}

static void cancelled_in_handlers(void **state)
{
    struct bench *bench = *state;
    const struct rlx_net_options options = chat_options(bench);
    struct seen self = {.bench = bench, .cancel_in_data = true};
    start(&self, &options);
    bench_run(bench, &self.got);
    bench_idle(bench, 5);
    assert_false(self.done);
    assert_int_equal(self.pieces, 1);

    struct seen victim = {.bench = bench}, killer = {.bench = bench, .cancel_other = true};
    fake_set(bench->a, FAKE_SLOW);
    start(&victim, &options);
    bench_idle(bench, 5);
    killer.other = victim.request;
    struct rlx_net_options models = {.url = url(bench, "models")};
    run(&killer, &models);
    assert_int_equal(killer.err, 0);
    fake_free_waiting(bench->a);
    bench_idle(bench, 5);
    assert_false(victim.done);

    struct seen first = {.bench = bench, .start_in_done = true}, second = {.bench = bench};
    first.next = &second;
    run(&first, &options);
    bench_run(bench, &second.done);
    assert_int_equal(second.err, 0);
}

static void many_at_once(void **state)
{
    struct bench *bench = *state;
    const struct rlx_net_options options = chat_options(bench);
    enum { MANY = 64 };
    struct seen *all = talloc_zero_array(bench, struct seen, MANY);
    for (int i = 0; i < MANY; i++) {
        all[i].bench = bench;
        start(&all[i], &options);
    }
    for (int i = 1; i < MANY; i += 4)
        rlx_net_cancel(all[i].request);
    for (int i = 0; i < MANY; i++) {
        if (i % 4 != 1)
            bench_run(bench, &all[i].done);
        assert_int_equal(all[i].err, 0);
        assert_int_equal(all[i].done, i % 4 != 1);
    }
}

static void bad_arguments(void **state)
{
    struct bench *bench = *state;
    struct rlx_net_request *request;
    struct rlx_net_options options = {.url = "ftp://127.0.0.1/"};
    struct seen seen = {.bench = bench};
    run(&seen, &options); /* libcurl finds a foreign scheme only when it starts */
    assert_int_equal(seen.err, RLX_EPROVIDER);
    options.url = NULL;
    assert_int_equal(rlx_net_start(&request, bench->net, &options, NULL, on_done, NULL), -EINVAL);
    options.url = "http://127.0.0.1:1";
    assert_int_equal(rlx_net_start(&request, bench->net, &options, NULL, NULL, NULL), -EINVAL);
    options.part_count = 1;
    assert_int_equal(rlx_net_start(&request, bench->net, &options, NULL, on_done, NULL), -EINVAL);
}

static void closed_in_mid_flight(void **state)
{
    struct bench *bench = *state;
    const struct rlx_net_options options = chat_options(bench);
    static struct seen seen[3];
    fake_set(bench->a, FAKE_STALL);
    for (int i = 0; i < 3; i++) {
        seen[i].bench = bench;
        start(&seen[i], &options);
        bench_idle(bench, 2);
    }
    rlx_net_close(bench->net); /* the tear-down closes once more */
    for (int i = 0; i < 3; i++)
        assert_false(seen[i].done);
}

/* ---- connections, against a server on the same loop that counts them ---- */

struct counter {
    uv_tcp_t listener;
    uv_tcp_t clients[16];
    unsigned connections, requests, warm;
    uint16_t port;
    bool hold; /* gives only half an answer */
};

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char bytes[65536];
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_read(uv_stream_t *client, ssize_t count, const uv_buf_t *buffer)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
    struct counter *counter = client->data;
    if (count < 0) {
        if (!uv_is_closing((uv_handle_t *)client))
            uv_close((uv_handle_t *)client, NULL);
        return;
    }
    counter->requests++;
    if (!strncmp(buffer->base, "GET /warm", 9))
        counter->warm++;
    bool half = counter->hold && strncmp(buffer->base, "GET /warm", 9);
    uv_buf_t out =
        uv_buf_init((char *)(uintptr_t)answer, (unsigned)(sizeof answer - 1 - (half ? 2 : 0)));
    assert_true(uv_try_write(client, &out, 1) > 0);
}

static void on_client(uv_stream_t *listener, int status)
{
    struct counter *counter = listener->data;
    assert_int_equal(status, 0);
    uv_tcp_t *client = &counter->clients[counter->connections++];
    assert_int_equal(uv_tcp_init(listener->loop, client), 0);
    client->data = counter;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)client), 0);
    uv_read_start((uv_stream_t *)client, on_alloc, on_read);
}

static struct counter *open_counter(struct bench *bench)
{
    struct sockaddr_in address;
    int length = sizeof address;
    struct counter *counter = talloc_zero(bench, struct counter);
    uv_tcp_init(&bench->loop, &counter->listener);
    counter->listener.data = counter;
    uv_ip4_addr("127.0.0.1", 0, &address);
    assert_int_equal(uv_tcp_bind(&counter->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&counter->listener, 8, on_client), 0);
    uv_tcp_getsockname(&counter->listener, (struct sockaddr *)&address, &length);
    counter->port = ntohs(address.sin_port);
    return counter;
}

static void close_counter(struct counter *counter)
{
    uv_close((uv_handle_t *)&counter->listener, NULL);
    for (unsigned i = 0; i < counter->connections; i++) {
        if (!uv_is_closing((uv_handle_t *)&counter->clients[i]))
            uv_close((uv_handle_t *)&counter->clients[i], NULL);
    }
}

static void connections_are_kept(void **state)
{
    struct bench *bench = *state;
    struct counter *counter = open_counter(bench);
    struct rlx_net_options options = {
        .url = talloc_asprintf(bench, "http://127.0.0.1:%u/x", counter->port)};
    rlx_net_warm(bench->net, options.url, NULL);
    rlx_net_warm(bench->net, options.url, NULL); /* one is under way already */
    bench_idle(bench, 20);
    assert_int_equal(counter->requests, 1);
    for (int i = 0; i < 5; i++) {
        struct seen seen = {.bench = bench};
        run(&seen, &options);
        assert_string_equal(seen.body, "body");
    }
    assert_int_equal(counter->requests, 6);
    assert_int_equal(counter->connections, 1);
    close_counter(counter);
}

static void a_cancel_opens_a_spare(void **state)
{
    struct bench *bench = *state;
    struct counter *counter = open_counter(bench);
    const struct rlx_net_options options = {
        .url = talloc_asprintf(bench, "http://127.0.0.1:%u/x", counter->port),
        .warm_url = talloc_asprintf(bench, "http://127.0.0.1:%u/warm", counter->port)};
    struct seen seen = {.bench = bench}, after = {.bench = bench};
    counter->hold = true;
    start(&seen, &options);
    bench_run(bench, &seen.got);
    rlx_net_cancel(seen.request);
    for (int i = 0; i < 200 && !counter->warm; i++)
        bench_idle(bench, 2);
    bench_idle(bench, 5);
    assert_int_equal(counter->warm, 1);
    assert_int_equal(counter->connections, 2);
    counter->hold = false;
    run(&after, &options);
    assert_int_equal(counter->connections, 2); /* the spare is used */
    assert_false(seen.done);
    close_counter(counter);
}

static void a_released_one_is_read_away(void **state)
{
    struct bench *bench = *state;
    struct counter *counter = open_counter(bench);
    const struct rlx_net_options options = {
        .url = talloc_asprintf(bench, "http://127.0.0.1:%u/x", counter->port)};
    struct seen seen = {.bench = bench, .release_in_data = true}, after = {.bench = bench};
    start(&seen, &options);
    bench_run(bench, &seen.got);
    bench_idle(bench, 5);
    run(&after, &options);
    assert_false(seen.done);
    assert_int_equal(counter->connections, 1);
    close_counter(counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(good),
        BENCH_TEST(statuses),
        BENCH_TEST(refused),
        BENCH_TEST(limits),
        BENCH_TEST(broken_off),
        BENCH_TEST(cancelled_at_any_time),
        BENCH_TEST(cancelled_in_handlers),
        BENCH_TEST(many_at_once),
        BENCH_TEST(bad_arguments),
        BENCH_TEST(closed_in_mid_flight),
        BENCH_TEST(connections_are_kept),
        BENCH_TEST(a_cancel_opens_a_spare),
        BENCH_TEST(a_released_one_is_read_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
