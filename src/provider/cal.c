#include "provider/cal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/http.h"

#define SLOTS_VERSION "2024-09-04"
#define BOOKINGS_VERSION "2024-08-13"
#define EVENT_TYPES_VERSION "2024-06-14"
#define TIMEOUT_MS 8000
#define LIST_MAX 100

static int fail(TALLOC_CTX *ctx, char **whyp, int err, const char *text)
{
    if (whyp)
        *whyp = talloc_strdup(ctx, text);
    return err;
}

/* ---- times ---- */

bool rlx_cal_utc(char utc[24], const char *text)
{
    struct tm tm = {0};
    int hours = 0, minutes = 0, n = 0;
    char sign = '+';

    const char *rest = text ? strptime(text, "%Y-%m-%d", &tm) : NULL;
    if (!rest || strlen(text) > 40)
        return false;
    if (*rest) {
        rest = *rest == 'T' || *rest == 't' ? strptime(rest + 1, "%H:%M:%S", &tm) : NULL;
        if (!rest)
            return false;
        if (*rest == '.')
            rest += 1 + strspn(rest + 1, "0123456789");
        if (strcmp(rest, "Z") != 0 && strcmp(rest, "z") != 0 &&
            (sscanf(rest, "%c%2d:%2d%n", &sign, &hours, &minutes, &n) != 3 || rest[n] ||
             (sign != '+' && sign != '-') || hours > 23 || minutes > 59))
            return false;
    }
    time_t at = timegm(&tm) - (sign == '-' ? -1L : 1L) * (hours * 3600L + minutes * 60L);
    return gmtime_r(&at, &tm) && strftime(utc, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

/* ---- one exchange ---- */

static const char *message_of(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(error, "message"));

    if (!text)
        text = json_string_value(json_object_get(answer, "message"));
    return text ? text : json_string_value(error);
}

static bool is_taken(const char *message)
{
    static const char *const words[] = {
        "already has booking", "not available", "no_available_users",
        "already booked",      "slot",          "is taken"};

    for (size_t i = 0; message && i < sizeof words / sizeof words[0]; i++) {
        if (strcasestr(message, words[i]))
            return true;
    }
    return false;
}

static int judge(TALLOC_CTX *ctx, long status, const json_t *answer, char **whyp)
{
    const char *message = message_of(answer);
    int err = status == 401 || status == 403  ? RLX_EAUTH
              : status == 404                 ? RLX_ENOTFOUND
              : status == 429                 ? RLX_ELIMIT
              : status >= 400 && status < 500 ? RLX_EINVAL
                                              : RLX_EPROVIDER;

    if (err == RLX_EAUTH)
        return fail(ctx, whyp, err, "Cal.com refused the key: make a new one in its settings");
    if (err == RLX_EINVAL && is_taken(message))
        err = RLX_ECONFLICT;
    if (whyp)
        *whyp = message ? talloc_asprintf(ctx, "Cal.com: %.300s", message)
                        : talloc_asprintf(ctx, "Cal.com answered HTTP %ld", status);
    return err;
}

static int read_answer(json_t **datap, TALLOC_CTX *ctx, const struct rlx_http_reply *reply,
                       char **whyp)
{
    json_t *answer = json_loadb(reply->body, reply->length, 0, NULL);
    const char *status = json_string_value(json_object_get(answer, "status"));
    json_t *data = json_object_get(answer, "data");
    int err = 0;

    if (reply->status < 200 || reply->status > 299)
        err = judge(ctx, reply->status, answer, whyp);
    else if (!data || (status && strcmp(status, "success") != 0))
        err = fail(ctx, whyp, RLX_EPROVIDER, "Cal.com's answer can't be read");
    if (!err)
        *datap = json_incref(data);
    json_decref(answer);
    return err;
}

/* `path` with its query; body NULL = GET. *datap: the answer's `data`. */
static int ask(json_t **datap, TALLOC_CTX *ctx, const struct rlx_config *config, const char *path,
               const char *version, json_t *body, char **whyp)
{
    const char *base = rlx_config_get(config, RLX_CFG_CAL_API_URL);
    const char *key = rlx_config_get(config, RLX_CFG_CAL_API_KEY);
    struct rlx_http_reply *reply = NULL;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, *why = NULL;
    TALLOC_CTX *tmp = talloc_new(ctx);
    size_t length = strlen(base);
    int err = -ENOMEM;

    *datap = NULL;
    if (!tmp || (body && !text))
        goto out;
    if (!*key) {
        err = fail(ctx, whyp, -ENOKEY,
                   "no calendar is connected: set CAL_API_KEY, or store your own cal_api_key");
        goto out;
    }
    while (length && base[length - 1] == '/')
        length--;
    const char *const headers[] = {talloc_asprintf(tmp, "Authorization: Bearer %s", key),
                                   talloc_asprintf(tmp, "cal-api-version: %s", version),
                                   "Accept: application/json",
                                   text ? "Content-Type: application/json" : NULL, NULL};
    char *url = talloc_asprintf(tmp, "%.*s%s", (int)length, base, path);
    if (!headers[0] || !headers[1] || !url)
        goto out;
    const struct rlx_http_request request = {
        .url = url, .headers = headers, .body = text, .timeout_ms = TIMEOUT_MS};
    err = rlx_http(&reply, tmp, &request, &why);
    if (err == RLX_ETOOBIG)
        err = RLX_EPROVIDER;
    if (err)
        fail(ctx, whyp, err,
             err == -ETIMEDOUT ? "Cal.com gave no answer in time" : "Cal.com can't be reached");
    else
        err = read_answer(datap, ctx, reply, whyp);
out:
    free(text);
    json_decref(body);
    talloc_free(tmp);
    return err;
}

/* A query value, percent-encoded. */
static char *encoded(TALLOC_CTX *ctx, const char *text)
{
    char *out = talloc_strdup(ctx, "");

    for (const char *p = text; out && *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        out = plain ? talloc_asprintf_append_buffer(out, "%c", *p)
                    : talloc_asprintf_append_buffer(out, "%%%02X", (unsigned char)*p);
    }
    return out;
}

static void add_query(char **pathp, const char *name, const char *value)
{
    char *text = value && *pathp ? encoded(NULL, value) : NULL;

    if (text)
        *pathp = talloc_asprintf_append_buffer(*pathp, "%c%s=%s", strchr(*pathp, '?') ? '&' : '?',
                                               name, text);
    talloc_free(text);
}

/* The event type that is asked for, or the account's first. */
static int event_type(int64_t *idp, TALLOC_CTX *ctx, const struct rlx_config *config, int64_t asked,
                      char **whyp)
{
    json_t *data;

    *idp = asked;
    if (asked)
        return 0;
    int err = ask(&data, ctx, config, "/v2/event-types", EVENT_TYPES_VERSION, NULL, whyp);
    if (err)
        return err;
    *idp = json_integer_value(json_object_get(json_array_get(data, 0), "id"));
    json_decref(data);
    return *idp ? 0
                : fail(ctx, whyp, RLX_EINVAL,
                       "the Cal.com account has no event type: make one, or name event_type_id");
}

/* ---- slots ---- */

static json_t *slots_of(const json_t *data)
{
    json_t *slots = json_object(), *list, *slot;
    const char *date;
    size_t i;

    json_object_foreach ((json_t *)data, date, list) {
        json_t *starts = json_array();
        json_array_foreach (list, i, slot) {
            json_t *start = json_is_string(slot) ? slot : json_object_get(slot, "start");
            if (json_is_string(start))
                json_array_append(starts, start);
        }
        json_object_set_new(slots, date, starts);
    }
    return slots;
}

int rlx_cal_slots(json_t **slotsp, TALLOC_CTX *ctx, const struct rlx_config *config,
                  int64_t event_type_id, const char *start, const char *end, const char *time_zone,
                  char **whyp)
{
    json_t *data;
    int64_t type;

    if (!slotsp || !config || !start || !end)
        return -EINVAL;
    int err = event_type(&type, ctx, config, event_type_id, whyp);
    if (err)
        return err;
    char *path = talloc_asprintf(ctx, "/v2/slots?eventTypeId=%lld", (long long)type);
    add_query(&path, "start", start);
    add_query(&path, "end", end);
    add_query(&path, "timeZone", time_zone ? time_zone : "UTC");
    err = path ? ask(&data, ctx, config, path, SLOTS_VERSION, NULL, whyp) : -ENOMEM;
    talloc_free(path);
    if (err)
        return err;
    *slotsp = json_is_object(data) ? slots_of(data) : NULL;
    json_decref(data);
    return *slotsp ? 0 : fail(ctx, whyp, RLX_EPROVIDER, "Cal.com's free times can't be read");
}

/* ---- bookings ---- */

static json_t *text_or_null(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    return json_is_string(value) ? json_incref(value) : json_null();
}

static json_t *event_of(const json_t *booking)
{
    json_t *attendees = json_array(), *attendee;
    json_t *url = text_or_null(booking, "meetingUrl");
    const char *place = json_string_value(json_object_get(booking, "location"));
    size_t i;

    if (!json_is_string(json_object_get(booking, "uid"))) {
        json_decref(attendees);
        json_decref(url);
        return NULL;
    }
    if (json_is_null(url) && place && !strncmp(place, "http", 4))
        url = json_string(place);
    json_array_foreach (json_object_get(booking, "attendees"), i, attendee)
        json_array_append_new(attendees,
                              json_pack("{s:o,s:o,s:o}", "name", text_or_null(attendee, "name"),
                                        "email", text_or_null(attendee, "email"), "time_zone",
                                        text_or_null(attendee, "timeZone")));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", text_or_null(booking, "uid"), "title",
                     text_or_null(booking, "title"), "start", text_or_null(booking, "start"), "end",
                     text_or_null(booking, "end"), "status", text_or_null(booking, "status"),
                     "attendees", attendees, "meeting_url", url);
}

static int one_event(json_t **eventp, TALLOC_CTX *ctx, json_t *data, char **whyp)
{
    json_t *event = event_of(json_is_array(data) ? json_array_get(data, 0) : data);

    json_decref(data);
    if (!event)
        return fail(ctx, whyp, RLX_EPROVIDER, "Cal.com's booking can't be read");
    if (eventp)
        *eventp = event;
    else
        json_decref(event);
    return 0;
}

int rlx_cal_events(json_t **eventsp, TALLOC_CTX *ctx, const struct rlx_config *config,
                   const struct rlx_cal_query *query, char **whyp)
{
    json_t *data, *booking, *events;
    size_t i;

    if (!eventsp || !config || !query)
        return -EINVAL;
    int limit = query->limit > 0 && query->limit < LIST_MAX ? query->limit : LIST_MAX;
    char *path = talloc_asprintf(ctx, "/v2/bookings?take=%d&sortStart=asc", limit);
    add_query(&path, "afterStart", query->start);
    add_query(&path, "beforeEnd", query->end);
    add_query(&path, "status", query->status);
    int err = path ? ask(&data, ctx, config, path, BOOKINGS_VERSION, NULL, whyp) : -ENOMEM;
    talloc_free(path);
    if (err)
        return err;
    events = json_array();
    json_array_foreach (data, i, booking) {
        json_t *event = event_of(booking);
        if (event)
            json_array_append_new(events, event);
    }
    json_decref(data);
    *eventsp = events;
    return events ? 0 : -ENOMEM;
}

int rlx_cal_book(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config,
                 const struct rlx_cal_booking *b, char **whyp)
{
    char start[24];
    int64_t type;
    json_t *data;

    if (!eventp || !config || !b || !b->name || !b->email)
        return -EINVAL;
    if (!rlx_cal_utc(start, b->start))
        return fail(ctx, whyp, RLX_EINVAL, "the start is no time");
    int err = event_type(&type, ctx, config, b->event_type_id, whyp);
    if (err)
        return err;
    json_t *body =
        json_pack("{s:I,s:s,s:{s:s,s:s,s:s,s:s*},s:{s:s*,s:s*}}", "eventTypeId", (json_int_t)type,
                  "start", start, "attendee", "name", b->name, "email", b->email, "timeZone",
                  b->time_zone ? b->time_zone : "UTC", "phoneNumber", b->phone_number, "metadata",
                  "title", b->title, "call_id", b->call_id);
    err = body ? ask(&data, ctx, config, "/v2/bookings", BOOKINGS_VERSION, body, whyp) : -ENOMEM;
    return err ? err : one_event(eventp, ctx, data, whyp);
}

static int change(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config, const char *id,
                  const char *verb, json_t *body, char **whyp)
{
    char *uid = encoded(ctx, id);
    char *path = uid ? talloc_asprintf(ctx, "/v2/bookings/%s/%s", uid, verb) : NULL;
    json_t *data;

    if (!body || !path) {
        json_decref(body);
        return -ENOMEM;
    }
    int err = ask(&data, ctx, config, path, BOOKINGS_VERSION, body, whyp);
    talloc_free(path);
    talloc_free(uid);
    return err ? err : one_event(eventp, ctx, data, whyp);
}

int rlx_cal_cancel(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config,
                   const char *id, const char *reason, char **whyp)
{
    if (!config || !id)
        return -EINVAL;
    return change(eventp, ctx, config, id, "cancel",
                  json_pack("{s:s}", "cancellationReason", reason ? reason : "canceled by phone"),
                  whyp);
}

int rlx_cal_reschedule(json_t **eventp, TALLOC_CTX *ctx, const struct rlx_config *config,
                       const char *id, const char *start, const char *reason, char **whyp)
{
    char utc[24];

    if (!eventp || !config || !id)
        return -EINVAL;
    if (!rlx_cal_utc(utc, start))
        return fail(ctx, whyp, RLX_EINVAL, "the start is no time");
    return change(eventp, ctx, config, id, "reschedule",
                  json_pack("{s:s,s:s*}", "start", utc, "reschedulingReason", reason), whyp);
}
