/* Small shell children; each tells what it does through files in a folder of its own. */
#include "../rlx_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/supervisor.h"

static char folder[] = "/tmp/rlx-supervisor-XXXXXX";
static int saved_stderr = -1;

/* The children's output goes to a file, which a test may read. */
static int open_quiet(void **state)
{
    int fd = open("output", O_CREAT | O_TRUNC | O_RDWR | O_APPEND, 0600);

    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    unlink("trace");
    return rlx_test_open(state);
}

static int close_quiet(void **state)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    unlink("trace");
    unlink("output");
    return rlx_test_close(state);
}

#define QUIET_TEST(function) cmocka_unit_test_setup_teardown(function, open_quiet, close_quiet)

static const char *contents(void *ctx, const char *name)
{
    FILE *file = fopen(name, "r");
    char *text = talloc_zero_size(ctx, 65536);

    if (file) {
        text[fread(text, 1, 65535, file)] = '\0';
        fclose(file);
    }
    return text;
}

static int add(struct rlx_supervisor *supervisor, const char *name, const char *script,
               struct rlx_child child)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};

    child.name = name;
    child.argv = argv;
    return rlx_supervisor_add(supervisor, &child);
}

static void stop_now(void *arg)
{
    rlx_supervisor_stop(arg);
}

/* A child that writes its name to "trace" at its start and at its end. */
#define TRACER(name)                                                                               \
    "trap 'echo end-" name " >>trace; exit 0' TERM; echo " name                                    \
    " >>trace; while :; do sleep 0.02; done"

static void starts_in_order_stops_in_reverse(void **state)
{
    struct rlx_supervisor *supervisor;

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(add(supervisor, "one", TRACER("one"), (struct rlx_child){0}), 0);
    assert_int_equal(add(supervisor, "two", TRACER("two"), (struct rlx_child){0}), 0);
    assert_int_equal(add(supervisor, "last",
                         "while ! [ -e trace ] || [ $(wc -l <trace) -lt 2 ]; do sleep 0.02; done; "
                         "kill -TERM $PPID; sleep 9",
                         (struct rlx_child){0}),
                     0);
    assert_int_equal(rlx_supervisor_run(supervisor, NULL, NULL, NULL), 0);
    const char *trace = contents(*state, "trace");
    assert_non_null(strstr(trace, "end-two\nend-one\n"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
}

static void labels_output(void **state)
{
    struct rlx_supervisor *supervisor;

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(add(supervisor, "talk",
                         "echo out; echo err >&2; echo '{\"a\":1}'; printf unended; kill $PPID; "
                         "sleep 0.1",
                         (struct rlx_child){0}),
                     0);
    assert_int_equal(
        add(supervisor, "mute", "echo hidden; sleep 9", (struct rlx_child){.quiet = true}), 0);
    assert_int_equal(rlx_supervisor_run(supervisor, NULL, NULL, NULL), 0);
    const char *output = contents(*state, "output");
    assert_non_null(strstr(output, "talk    | out\n"));
    assert_non_null(strstr(output, "talk    | err\n"));
    assert_non_null(strstr(output, "{\"process\":\"talk\",\"a\":1}\n"));
    assert_null(strstr(output, "hidden"));
}

static void passes_environment(void **state)
{
    const char *env[] = {"RLX_TEST_A=1 2", "RLX_TEST_B=", NULL};
    struct rlx_supervisor *supervisor;

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(add(supervisor, "env",
                         "echo \"<$RLX_TEST_A><${RLX_TEST_B-unset}>\"; kill $PPID; sleep 9",
                         (struct rlx_child){.env = env}),
                     0);
    assert_int_equal(rlx_supervisor_run(supervisor, NULL, NULL, NULL), 0);
    assert_non_null(strstr(contents(*state, "output"), "env     | <1 2><>\n"));
}

/* The first restart comes at once. */
static void restarts_a_child_that_dies(void **state)
{
    struct rlx_supervisor *supervisor;
    uint64_t start = rlx_now_ms();

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(
        add(supervisor, "phoenix",
            "if [ -e trace ]; then kill $PPID; sleep 9; else echo x >trace; kill -9 $$; fi",
            (struct rlx_child){0}),
        0);
    assert_int_equal(rlx_supervisor_run(supervisor, NULL, NULL, NULL), 0);
    assert_in_range(rlx_now_ms() - start, 0, 2000);
    assert_non_null(strstr(contents(*state, "output"), "signal=9"));
}

static void kills_one_that_will_not_end(void **state)
{
    struct rlx_supervisor *supervisor;

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(add(supervisor, "deaf",
                         "trap '' TERM; kill $PPID; while :; do sleep 0.05; done",
                         (struct rlx_child){.grace_ms = 100}),
                     0);
    assert_int_equal(rlx_supervisor_run(supervisor, NULL, NULL, NULL), 0);
    assert_non_null(strstr(contents(*state, "output"), "child.killed"));
}

static void gives_up_one_that_never_answers(void **state)
{
    struct rlx_supervisor *supervisor;
    const char *name = NULL;
    const char *argv[] = {"/nonexistent/program", NULL};
    struct rlx_child child = {.name = "broken", .argv = argv, .ready_port = 1};

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    rlx_supervisor_set_backoff(supervisor, 1, 2);
    assert_int_equal(rlx_supervisor_add(supervisor, &child), 0);
    assert_int_equal(rlx_supervisor_run(supervisor, NULL, NULL, &name), RLX_ECONFIG);
    assert_string_equal(name, "broken");
    assert_non_null(strstr(contents(*state, "output"), "can't be started: No such file"));
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* A server of five lines stands in for a role; the one after it starts only when it answers. */
static void waits_for_readiness(void **state)
{
    struct rlx_supervisor *supervisor;
    char script[1024];
    uint16_t port = free_port();

    snprintf(script, sizeof script,
             "exec python3 -c '\n"
             "import http.server, os\n"
             "class H(http.server.BaseHTTPRequestHandler):\n"
             "    def do_GET(self):\n"
             "        with open(\"trace\", \"a\") as trace: trace.write(\"asked\\n\")\n"
             "        self.send_response(200 if self.path == \"/health\" else 404)\n"
             "        self.end_headers()\n"
             "http.server.HTTPServer((\"127.0.0.1\", %u), H).serve_forever()'",
             port);
    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(add(supervisor, "server", script,
                         (struct rlx_child){.ready_host = "127.0.0.1",
                                            .ready_port = port,
                                            .ready_path = "/health"}),
                     0);
    assert_int_equal(add(supervisor, "client", "echo client >>trace; sleep 9",
                         (struct rlx_child){.after = "server"}),
                     0);
    assert_int_equal(rlx_supervisor_run(supervisor, stop_now, supervisor, NULL), 0);
    const char *trace = contents(*state, "trace");
    assert_memory_equal(trace, "asked", 5);
}

static void refuses_nonsense(void **state)
{
    struct rlx_supervisor *supervisor;

    assert_int_equal(rlx_supervisor_create(&supervisor, *state), 0);
    assert_int_equal(add(supervisor, "a", "x", (struct rlx_child){.after = "b"}), -EINVAL);
    assert_int_equal(add(supervisor, "a", "x", (struct rlx_child){0}), 0);
    assert_int_equal(add(supervisor, "a", "x", (struct rlx_child){0}), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET_TEST(starts_in_order_stops_in_reverse),
        QUIET_TEST(labels_output),
        QUIET_TEST(passes_environment),
        QUIET_TEST(restarts_a_child_that_dies),
        QUIET_TEST(kills_one_that_will_not_end),
        QUIET_TEST(gives_up_one_that_never_answers),
        QUIET_TEST(waits_for_readiness),
        QUIET_TEST(refuses_nonsense),
    };

    if (!mkdtemp(folder) || chdir(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") || rmdir(folder) ? 1 : failed;
}
