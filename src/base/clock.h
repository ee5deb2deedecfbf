/* Time: the two clocks, and RFC 3339 text. */
#ifndef RLX_BASE_CLOCK_H
#define RLX_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Monotonic milliseconds / microseconds since an arbitrary start. Any thread. */
uint64_t rlx_now_ms(void);
uint64_t rlx_now_us(void);

/* Wall clock: milliseconds since 1970-01-01 UTC. */
int64_t rlx_wall_ms(void);

/* "2026-01-31T12:34:56.789Z": 24 characters. */
#define RLX_TIME_TEXT 25
void rlx_time_text(char text[RLX_TIME_TEXT], int64_t wall_ms);

#endif
