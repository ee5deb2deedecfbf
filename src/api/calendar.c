/* The user's calendar at Cal.com. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/phone_number.h"
#include "api/private.h"
#include "provider/cal.h"
#include "store/secrets.h"

/* The configuration with the user's own key in it, when he has one; NULL when the store is away
 * (answered). */
static const struct rlx_config *config_of(struct rlx_request *req, struct rlx_api *api)
{
    const struct rlx_config *config = NULL;
    int err =
        rlx_user_config(api->store, api->config, (TALLOC_CTX *)req, rlx_api_user(req), &config);

    if (!err)
        return config;
    rlx_api_reply_store(req, err, "calendar");
    return NULL;
}

static void reply_error(struct rlx_request *req, int err, const char *why)
{
    const char *detail = why ? why : rlx_err_text(err);

    switch (err) {
    case -ENOKEY:
        rlx_api_reply_code(req, 424, "calendar_not_configured", detail);
        return;
    case RLX_EAUTH:
        rlx_api_reply_code(req, 424, "calendar_key_refused", detail);
        return;
    case RLX_ECONFLICT:
        rlx_api_reply_code(req, 409, "slot_taken", detail);
        return;
    case RLX_EINVAL:
        rlx_api_invalid(req, "", detail);
        return;
    case RLX_ENOTFOUND:
        rlx_api_reply_store(req, err, "event");
        return;
    case RLX_ELIMIT:
    case -ETIMEDOUT:
    case -ECONNREFUSED:
        rlx_reply_header(req, "Retry-After", "5");
        rlx_api_reply_code(req, 503, "calendar_unavailable", detail);
        return;
    default:
        rlx_reply_error(req, err, detail);
    }
}

static void reply(struct rlx_request *req, int err, const char *why, int status, json_t *json)
{
    if (err)
        reply_error(req, err, why);
    else
        rlx_reply_json(req, status, json);
}

/* A query parameter that is a date or a time; false when it is neither (answered). */
static bool time_of(struct rlx_request *req, const char *name, const char **textp)
{
    const char *text = rlx_request_query(req, name);

    *textp = text && *text ? text : NULL;
    if (!*textp || rlx_is_date(text) || rlx_is_date_time(text))
        return true;
    rlx_api_invalid(req, name, "must be a date or a time such as 2026-01-31T09:00:00Z");
    return false;
}

void rlx_api_cal_events_list(struct rlx_request *req, void *arg)
{
    const char *limit = rlx_request_query(req, "limit"), *status = rlx_request_query(req, "status");
    struct rlx_cal_query query = {.status = status && *status ? status : NULL,
                                  .limit = limit ? (int)strtol(limit, NULL, 10) : 0};
    json_t *events = NULL;
    char *why = NULL;

    if (!time_of(req, "start", &query.start) || !time_of(req, "end", &query.end))
        return;
    const struct rlx_config *config = config_of(req, arg);
    if (!config)
        return;
    int err = rlx_cal_events(&events, (TALLOC_CTX *)req, config, &query, &why);
    reply(req, err, why, 200, events);
}

void rlx_api_cal_availability(struct rlx_request *req, void *arg)
{
    const char *type = rlx_request_query(req, "event_type_id");
    const char *zone = rlx_request_query(req, "time_zone"), *start, *end;
    json_t *slots = NULL;
    char *why = NULL;

    if (!time_of(req, "start", &start) || !time_of(req, "end", &end))
        return;
    const struct rlx_config *config = config_of(req, arg);
    if (!config)
        return;
    int err = rlx_cal_slots(&slots, (TALLOC_CTX *)req, config, type ? strtol(type, NULL, 10) : 0,
                            start, end, zone && *zone ? zone : NULL, &why);
    reply(req, err, why, 200, slots);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

void rlx_api_cal_event_create(struct rlx_request *req, void *arg)
{
    const struct rlx_config *config = config_of(req, arg);
    json_t *body = rlx_api_body(req), *event = NULL;
    const json_t *attendee = json_object_get(body, "attendee");
    const struct rlx_cal_booking booking = {
        .event_type_id = json_integer_value(json_object_get(body, "event_type_id")),
        .start = text_of(body, "start"),
        .name = text_of(attendee, "name"),
        .email = text_of(attendee, "email"),
        .time_zone = text_of(attendee, "time_zone"),
        .phone_number = text_of(attendee, "phone_number"),
        .title = text_of(body, "title"),
    };
    char *why = NULL;

    if (config) {
        int err = rlx_cal_book(&event, (TALLOC_CTX *)req, config, &booking, &why);
        reply(req, err, why, 201, event);
    }
    json_decref(body);
}

void rlx_api_cal_event_cancel(struct rlx_request *req, void *arg)
{
    const struct rlx_config *config = config_of(req, arg);
    json_t *body = rlx_api_body(req), *event = NULL;
    char *why = NULL;

    if (config) {
        int err = rlx_cal_cancel(&event, (TALLOC_CTX *)req, config, rlx_api_id(req, "uid"),
                                 text_of(body, "reason"), &why);
        reply(req, err, why, 200, event);
    }
    json_decref(body);
}

void rlx_api_cal_event_reschedule(struct rlx_request *req, void *arg)
{
    const struct rlx_config *config = config_of(req, arg);
    json_t *body = rlx_api_body(req), *event = NULL;
    char *why = NULL;

    if (config) {
        int err = rlx_cal_reschedule(&event, (TALLOC_CTX *)req, config, rlx_api_id(req, "uid"),
                                     text_of(body, "start"), text_of(body, "reason"), &why);
        reply(req, err, why, 200, event);
    }
    json_decref(body);
}
