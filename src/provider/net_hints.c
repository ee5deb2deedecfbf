/* What a provider's headers say about how busy it is. OpenAI and its relatives: x-ratelimit-{limit,remaining}-{requests,tokens}
 * (https://platform.openai.com/docs/guides/rate-limits); relayx-speech: x-queue-ms. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "provider/net_private.h"

#define LOW_MS 10000 /* believed for so long */
#define FEW 5        /* requests, when the limit is not told */

static bool take(const char *line, size_t length, const char *name, long *numberp)
{
    size_t head = strlen(name);
    char text[24] = "";

    if (length <= head || strncasecmp(line, name, head) != 0 || line[head] != ':')
        return false;
    line += head + 1;
    length -= head + 1;
    while (length && (*line == ' ' || *line == '\t'))
        line++, length--;
    memcpy(text, line, length < sizeof text - 1 ? length : sizeof text - 1);
    if (*text < '0' || *text > '9')
        return false;
    *numberp = strtol(text, NULL, 10);
    return true;
}

void rlx_net_see_header(struct rlx_net_request *r, const char *line, size_t length)
{
    static const char *const LIMIT[] = {"x-ratelimit-limit-requests", "x-ratelimit-limit-tokens"};
    static const char *const LEFT[] = {"x-ratelimit-remaining-requests",
                                       "x-ratelimit-remaining-tokens"};
    long number;

    if (!r->hints)
        return;
    for (int i = 0; i < 2; i++) {
        if (take(line, length, LIMIT[i], &number))
            r->rate_limit[i] = number + 1;
        if (take(line, length, LEFT[i], &number))
            r->rate_left[i] = number + 1;
    }
    if (take(line, length, "x-queue-ms", &number))
        r->hints->queue_ms = number < 1000000 ? (uint32_t)number : 1000000;
}

/* Less than a tenth is left, or next to nothing. */
static bool is_low(const struct rlx_net_request *r, int i)
{
    if (!r->rate_left[i])
        return false;
    long left = r->rate_left[i] - 1;
    return r->rate_limit[i] ? left * 10 < r->rate_limit[i] - 1 : i == 0 && left < FEW;
}

void rlx_net_see_answer(struct rlx_net_request *r)
{
    if (r->hints && (r->status == 429 || is_low(r, 0) || is_low(r, 1)))
        r->hints->low_until_ms = rlx_now_ms() + LOW_MS;
}
