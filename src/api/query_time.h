/* Times in queries. */
#ifndef RLX_API_QUERY_TIME_H
#define RLX_API_QUERY_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/httpd.h"

/* An RFC 3339 date-time, or a date (its midnight in UTC), to milliseconds since 1970; false when it is none. Pure. */
bool rlx_time_parse(const char *text, int64_t *msp);
/* A query parameter as the text that the store compares with; false when it is absent. */
bool rlx_api_time_of(struct rlx_request *req, const char *name, char text[RLX_TIME_TEXT]);

#endif
