#include "base/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t rlx_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t rlx_now_ms(void)
{
    return rlx_now_us() / 1000;
}

int64_t rlx_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rlx_time_text(char text[RLX_TIME_TEXT], int64_t wall_ms)
{
    int64_t rest_ms = (wall_ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((wall_ms - rest_ms) / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    /* %Y has no leading zeros, which RFC 3339 wants of years before 1000. */
    snprintf(text, RLX_TIME_TEXT, "%04u", (unsigned)(utc.tm_year + 1900) % 10000u);
    size_t n = 4 + strftime(text + 4, RLX_TIME_TEXT - 4, "-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, RLX_TIME_TEXT - n, ".%03dZ", (int)rest_ms);
}
