#include "api/query_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* "Z" or "+02:00": seconds to the east of UTC; false when it is neither. */
static bool read_zone(const char *text, int *secondsp)
{
    int hours, minutes, used = 0;

    *secondsp = 0;
    if (!strcmp(text, "Z") || !strcmp(text, "z"))
        return true;
    if ((*text != '+' && *text != '-') ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || text[1 + used])
        return false;
    *secondsp = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
    return true;
}

bool rlx_time_parse(const char *text, int64_t *msp)
{
    struct tm day = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &day);
    int zone = 0, ms = 0;

    if (!rest || rest - text != 10)
        return false;
    if (*rest) {
        if (*rest != 'T' && *rest != 't' && *rest != ' ')
            return false;
        rest = strptime(rest + 1, "%H:%M:%S", &day);
        if (!rest)
            return false;
        if (*rest == '.') {
            int digit = 100;
            for (rest++; *rest >= '0' && *rest <= '9'; rest++, digit /= 10)
                ms += (*rest - '0') * digit;
        }
        if (!read_zone(rest, &zone))
            return false;
    }
    *msp = ((int64_t)timegm(&day) - zone) * 1000 + ms;
    return true;
}

bool rlx_api_time_of(struct rlx_request *req, const char *name, char text[RLX_TIME_TEXT])
{
    const char *given = rlx_request_query(req, name);
    int64_t ms;

    if (!given || !rlx_time_parse(given, &ms))
        return false;
    rlx_time_text(text, ms);
    return true;
}
