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
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    size_t n = strftime(text, RLX_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, RLX_TIME_TEXT - n, ".%03dZ", (int)(wall_ms % 1000));
}
