/* Live audio from the loop to one listener on another thread: a bounded ring without a lock. What does not fit is dropped; the call
 * never waits. Two owners, the call's side and the listener's; each gives its half up once.
 */
#ifndef RLX_GATEWAY_TAP_H
#define RLX_GATEWAY_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rlx_tap;

enum rlx_tap_state {
    RLX_TAP_ASKED,   /* the loop has not looked yet */
    RLX_TAP_OPEN,
    RLX_TAP_NO_CALL, /* there is no such live call here */
    RLX_TAP_FULL,    /* too many listen already */
    RLX_TAP_ENDED    /* the call is over: what is left can still be read */
};

/* Both halves are held. -ENOMEM, or -errno when no descriptor is left. */
int rlx_tap_create(struct rlx_tap **tapp) __attribute__((warn_unused_result));

/* ---- the call's side (loop thread) ---- */
void rlx_tap_set(struct rlx_tap *tap, enum rlx_tap_state state);
/* All or nothing. */
void rlx_tap_put(struct rlx_tap *tap, const void *bytes, size_t length);
/* Nobody reads any more. */
bool rlx_tap_left(const struct rlx_tap *tap);
void rlx_tap_drop_call(struct rlx_tap *tap);

/* ---- the listener's side ---- */
enum rlx_tap_state rlx_tap_state(const struct rlx_tap *tap);
/* Waits until something has come or changed, at most for ms. */
void rlx_tap_wait(struct rlx_tap *tap, int ms);
size_t rlx_tap_take(struct rlx_tap *tap, void *bytes, size_t size);
void rlx_tap_drop_listener(struct rlx_tap *tap);

#endif
