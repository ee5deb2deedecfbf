#include "gateway/tap.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SIZE ((size_t)131072) /* 4 s of 8 kHz stereo 16-bit: a power of two */

struct rlx_tap {
    atomic_int state, halves;
    atomic_bool left;
    atomic_size_t put, taken; /* bytes in all; each written by its own side */
    int wake;
    uint8_t ring[SIZE];
};

int rlx_tap_create(struct rlx_tap **tapp)
{
    struct rlx_tap *tap = calloc(1, sizeof *tap);

    if (!tap)
        return -ENOMEM;
    tap->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (tap->wake < 0) {
        int err = -errno;
        free(tap);
        return err;
    }
    atomic_store(&tap->halves, 2);
    *tapp = tap;
    return 0;
}

static void drop(struct rlx_tap *tap)
{
    if (atomic_fetch_sub(&tap->halves, 1) > 1)
        return;
    close(tap->wake);
    free(tap);
}

static void wake(struct rlx_tap *tap)
{
    ssize_t n = write(tap->wake, &(uint64_t){1}, sizeof(uint64_t));

    (void)n; /* EAGAIN: it is awake anyway */
}

void rlx_tap_set(struct rlx_tap *tap, enum rlx_tap_state state)
{
    atomic_store(&tap->state, (int)state);
    wake(tap);
}

void rlx_tap_put(struct rlx_tap *tap, const void *bytes, size_t length)
{
    size_t put = atomic_load_explicit(&tap->put, memory_order_relaxed);
    size_t taken = atomic_load_explicit(&tap->taken, memory_order_acquire);

    if (length > SIZE - (put - taken))
        return;
    size_t at = put % SIZE, first = length < SIZE - at ? length : SIZE - at;
    memcpy(tap->ring + at, bytes, first);
    memcpy(tap->ring, (const uint8_t *)bytes + first, length - first);
    atomic_store_explicit(&tap->put, put + length, memory_order_release);
    wake(tap);
}

bool rlx_tap_left(const struct rlx_tap *tap)
{
    return atomic_load(&tap->left);
}

void rlx_tap_drop_call(struct rlx_tap *tap)
{
    rlx_tap_set(tap, atomic_load(&tap->state) == RLX_TAP_OPEN ? RLX_TAP_ENDED
                                                             : atomic_load(&tap->state));
    drop(tap);
}

enum rlx_tap_state rlx_tap_state(const struct rlx_tap *tap)
{
    return (enum rlx_tap_state)atomic_load(&tap->state);
}

void rlx_tap_wait(struct rlx_tap *tap, int ms)
{
    struct pollfd poll_fd = {.fd = tap->wake, .events = POLLIN};
    uint64_t count;

    if (poll(&poll_fd, 1, ms) > 0) {
        ssize_t n = read(tap->wake, &count, sizeof count);
        (void)n; /* EAGAIN can't hurt: the state is looked at again */
    }
}

size_t rlx_tap_take(struct rlx_tap *tap, void *bytes, size_t size)
{
    size_t taken = atomic_load_explicit(&tap->taken, memory_order_relaxed);
    size_t put = atomic_load_explicit(&tap->put, memory_order_acquire);
    size_t length = put - taken < size ? put - taken : size;
    size_t at = taken % SIZE, first = length < SIZE - at ? length : SIZE - at;

    memcpy(bytes, tap->ring + at, first);
    memcpy((uint8_t *)bytes + first, tap->ring, length - first);
    atomic_store_explicit(&tap->taken, taken + length, memory_order_release);
    return length;
}

void rlx_tap_drop_listener(struct rlx_tap *tap)
{
    atomic_store(&tap->left, true);
    drop(tap);
}
