/* A strict fake of OpenAI's API on a free port of this machine: it checks every request and
 * misbehaves on demand. */
#ifndef RLX_TESTS_PROVIDER_FAKE_H
#define RLX_TESTS_PROVIDER_FAKE_H

#include <uv.h>

#include "../rlx_test.h"

#include "base/config.h"
#include "provider/providers.h"

enum fake_mode {
    FAKE_GOOD,
    FAKE_SLOW,       /* no answer until fake_free_waiting */
    FAKE_STALL,      /* half an answer, the rest after fake_free_waiting */
    FAKE_ABORT,      /* half an answer, then the connection is closed */
    FAKE_LATE_ABORT, /* the same at three quarters */
    FAKE_GARBAGE,    /* 200 with bytes that mean nothing */
    FAKE_EMPTY,      /* 200 with nothing in it */
    FAKE_STATUS,     /* fake_set_status */
    FAKE_BYTES,      /* good, every byte in a write of its own */
    FAKE_TOOLS,      /* chat: text and two tool calls */
    FAKE_WAV,        /* speech: with a WAV header */
};

struct fake;

struct fake *fake_open(TALLOC_CTX *ctx);
uint16_t fake_port(const struct fake *fake);
void fake_set(struct fake *fake, enum fake_mode mode);
/* Two headers of good answers from now on: name, value, name, value; NULL = none. Static. */
void fake_set_headers(struct fake *fake, const char *const headers[4]);
void fake_set_status(struct fake *fake, int status);
/* Lets those that wait (slow, stall) go on; later ones don't wait either until fake_set. */
void fake_free_waiting(struct fake *fake);
/* Requests so far whose path ends in `path`, and those that were found wrong (with the reason
 * printed). */
unsigned fake_count(struct fake *fake, const char *path);
unsigned fake_wrong(struct fake *fake);

/* The bench that the tests of one stage share: loop, net, two fakes (a = openai, b = groq's place
 * or local), providers. */
struct bench {
    TALLOC_CTX *ctx;
    uv_loop_t loop;
    uv_timer_t guard;
    struct rlx_net *net;
    struct fake *a, *b;
    struct rlx_config *config;
    struct rlx_providers *providers;
    unsigned ticks;
    bool late;
};

int bench_open(void **state);
int bench_close(void **state);
/* Makes the providers: `flags` are settings, NULL-terminated; "%a" and "%b" become the fakes'
 * ports. */
void bench_configure(struct bench *bench, const char *const *flags);
/* Runs the loop until *flag; fails the test after ten seconds. */
void bench_run(struct bench *bench, const bool *flag);
/* Runs the loop for some milliseconds. */
void bench_idle(struct bench *bench, unsigned ms);

#define BENCH_TEST(function) cmocka_unit_test_setup_teardown(function, bench_open, bench_close)

#endif
