/* Cal.com's API v2 (https://cal.com/docs/api-reference/v2): free times, bookings, cancelling and moving them. Blocking; any thread,
 * never on a loop. The address is CAL_API_URL, the key CAL_API_KEY of the configuration that is given (the user's own: see
 * rlx_user_config). Each endpoint's shape is chosen by the header cal-api-version, which every request carries.
 *
 * All return 0 or
 * -ENOKEY        CAL_API_KEY is not set,
 * RLX_EAUTH      Cal.com refused the key,
 * RLX_ECONFLICT  the time is taken (usual in a conversation: offer another),
 * RLX_EINVAL     Cal.com does not take a value, RLX_ENOTFOUND, RLX_ELIMIT (too many requests),
 * RLX_EPROVIDER  it failed or its answer means nothing, -ETIMEDOUT, -ECONNREFUSED, -ENOMEM;
 * *whyp (optional, on ctx) is then a sentence. Results are the caller's references.
 *
 * An event is {id, title, start, end, status: accepted|pending|cancelled|rejected, attendees[{name, email, time_zone}],
 * meeting_url}; the id is Cal.com's uid. Times are text as Cal.com gives it (RFC 3339). */
#ifndef RLX_PROVIDER_CAL_H
#define RLX_PROVIDER_CAL_H

#include <jansson.h>
#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

/* {"2026-01-31": ["2026-01-31T09:00:00.000+01:00", …]}. start, end: dates or times; event_type_id 0 = the account's first;
 * time_zone NULL = UTC. */
int rlx_cal_slots(json_t **slotsp, TALLOC_CTX *ctx, const struct rlx_config *config,
                  int64_t event_type_id, const char *start, const char *end, const char *time_zone,
                  char **whyp) __attribute__((warn_unused_result));

struct rlx_cal_query {
    const char *start, *end; /* that begin after, end before; NULL = open */
    const char *status;      /* upcoming, past, cancelled, unconfirmed, recurring; NULL = all */
    int limit;               /* 1…100; 0 = 100 */
};
/* An array of events, by their start. */
int rlx_cal_events(json_t **eventsp, TALLOC_CTX *ctx, const struct rlx_config *config,
                   const struct rlx_cal_query *query, char **whyp)
    __attribute__((warn_unused_result));

struct rlx_cal_booking {
    int64_t event_type_id;   /* 0 = the account's first */
    const char *start;       /* RFC 3339, any offset */
    const char *name, *email; /* of who comes */
    const char *time_zone;   /* his; NULL = UTC */
    const char *phone_number; /* E.164, or NULL */
    const char *title;       /* kept in the booking's metadata; NULL = none */
    const char *call_id;     /* likewise */
};
int rlx_cal_book(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config,
                 const struct rlx_cal_booking *booking, char **whyp)
    __attribute__((warn_unused_result));
/* *eventp (may be NULL): the event as it is then. */
int rlx_cal_cancel(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config, const char *id,
                   const char *reason, char **whyp) __attribute__((warn_unused_result));
/* The moved event has a new id. */
int rlx_cal_reschedule(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config,
                       const char *id, const char *start, const char *reason, char **whyp)
    __attribute__((warn_unused_result));

/* RFC 3339 time of any offset (or a date: its midnight) to "2026-01-31T12:34:56Z" (21 bytes); false when it is none. */
bool rlx_cal_utc(char utc[24], const char *text);

#endif
