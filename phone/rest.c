/* Twilio's REST API, as far as calls go. */
#include "rest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/err.h"
#include "webhook.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX 1000
#define TWIML_MAX 4000u
#define EVENTS_TEXT_MAX 256u

/* ---- answers ---- */

static void refuse(struct rlx_request *req, int status, int code, const char *message)
{
    char info[64];

    (void)snprintf(info, sizeof(info), "https://www.twilio.com/docs/errors/%d", code);
    rlx_reply_json(req, status,
                   json_pack("{s:i,s:s,s:s,s:i}", "code", code, "message", message, "more_info",
                             info, "status", status));
}

static void not_found(struct rlx_request *req)
{
    refuse(req, 404, 20404,
           talloc_asprintf(req, "The requested resource %s was not found", rlx_request_path(req)));
}

/* True when the request may go on; else it was answered. */
static bool authorized(struct rlx_request *req, const struct rlx_exchange *exchange)
{
    const char *header = rlx_request_header(req, "Authorization");
    char wanted[256], given[256];
    ptrdiff_t n = -1;

    (void)snprintf(wanted, sizeof(wanted), "%.100s:%.100s", exchange->account, exchange->token);
    if (header && strncasecmp(header, "Basic ", 6) == 0)
        n = rlx_base64_decode(given, sizeof(given) - 1, header + 6, strlen(header + 6));
    if (n >= 0) {
        given[n] = '\0';
        if (rlx_equal(given, wanted) &&
            rlx_equal(rlx_request_param(req, "account"), exchange->account))
            return true;
    }
    rlx_reply_header(req, "WWW-Authenticate", "Basic realm=\"Twilio API\"");
    refuse(req, 401, 20003, "Authenticate");
    return false;
}

/* ---- POST Calls.json ---- */

static const char *field(struct rlx_request *req, const char *name)
{
    const char *value = rlx_request_field(req, name, NULL);

    return value && *value ? value : NULL;
}

static bool number_ok(const char *number)
{
    size_t digits = strspn(number + (*number == '+'), "0123456789");

    return *number == '+' && digits >= 7 && digits <= 15 && number[1] != '0' && !number[1 + digits];
}

/* A caller may also be a client or SIP address. */
static bool caller_ok(const char *from)
{
    return number_ok(from) || strncmp(from, "client:", 7) == 0 || strncmp(from, "sip:", 4) == 0;
}

static unsigned event_bit(const char *name, size_t length)
{
    static const struct {
        const char *name;
        unsigned bit;
    } events[] = {{"initiated", RLX_ON_INITIATED},
                  {"ringing", RLX_ON_RINGING},
                  {"answered", RLX_ON_ANSWERED},
                  {"completed", RLX_ON_COMPLETED}};

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (strlen(events[i].name) == length && strncmp(events[i].name, name, length) == 0)
            return events[i].bit;
    return 0;
}

/* StatusCallbackEvent may come several times, each with one or more words. */
static void add_events(const char *name, const char *value, size_t length, void *arg)
{
    unsigned *events = arg;

    if (strcmp(name, "StatusCallbackEvent") != 0)
        return;
    for (size_t at = 0; at < length;) {
        size_t word = strcspn(value + at, " ,");

        *events |= event_bit(value + at, word);
        at += word + 1;
    }
}

static uint32_t seconds(struct rlx_request *req, const char *name, uint32_t fallback, uint32_t most)
{
    const char *text = field(req, name);
    long value = text ? strtol(text, NULL, 10) : 0;

    if (value <= 0)
        return fallback;
    return value > (long)most ? most : (uint32_t)value;
}

/* Twilio's code for what is wrong with the request, 0 when it is fine. */
static int check(const struct rlx_call_request *request, const char **messagep)
{
    if (!request->to) {
        *messagep = "No 'To' number is specified";
        return 21201;
    }
    if (!number_ok(request->to)) {
        *messagep = "Invalid 'To' Phone Number: give it as E.164, e.g. +12025550123";
        return 21211;
    }
    if (!request->from) {
        *messagep = "No 'From' number is specified";
        return 21213;
    }
    if (!caller_ok(request->from)) {
        *messagep = "Invalid 'From' Phone Number: give it as E.164, e.g. +12025550123";
        return 21212;
    }
    if (!request->url && !request->twiml) {
        *messagep = "Url parameter is required";
        return 21205;
    }
    if (request->url && !rlx_webhook_url_ok(request->url)) {
        *messagep = "Url is not a valid URL";
        return 21205;
    }
    if (!request->url && strlen(request->twiml) > TWIML_MAX) {
        *messagep = "Twiml is longer than 4000 characters";
        return 21205;
    }
    if (request->status_url && !rlx_webhook_url_ok(request->status_url)) {
        *messagep = "StatusCallback is not a valid URL";
        return 21609;
    }
    return 0;
}

static void read_amd(struct rlx_request *req, struct rlx_call_request *request)
{
    const char *mode = field(req, "MachineDetection"), *async = field(req, "AsyncAmd");

    /* SendDigits switches detection off, as at Twilio. */
    if (mode && !field(req, "SendDigits"))
        request->amd = strcasecmp(mode, "DetectMessageEnd") == 0 ? RLX_AMD_MESSAGE_END
                       : strcasecmp(mode, "Enable") == 0         ? RLX_AMD_ENABLE
                                                                 : RLX_AMD_OFF;
    request->amd_async = async && strcasecmp(async, "true") == 0;
    request->amd_url = field(req, "AsyncAmdStatusCallback");
    request->amd_method = field(req, "AsyncAmdStatusCallbackMethod");
}

void rlx_rest_calls_create(struct rlx_request *req, void *arg)
{
    struct rlx_exchange *exchange = arg;
    struct rlx_call_request request = {0};
    struct rlx_call *call = NULL;
    const char *message = NULL;
    int code, err;

    if (!authorized(req, exchange))
        return;
    request.to = field(req, "To");
    request.from = field(req, "From");
    request.url = field(req, "Url");
    request.method = field(req, "Method");
    request.twiml = field(req, "Twiml");
    request.fallback_url = field(req, "FallbackUrl");
    request.status_url = field(req, "StatusCallback");
    request.status_method = field(req, "StatusCallbackMethod");
    rlx_request_each_field(req, add_events, &request.events);
    if (request.events == 0)
        request.events = RLX_ON_COMPLETED;
    request.timeout_s = seconds(req, "Timeout", 60, 600);
    request.limit_s = seconds(req, "TimeLimit", 14400, 86400);
    read_amd(req, &request);
    code = check(&request, &message);
    if (code) {
        refuse(req, 400, code, message);
        return;
    }
    err = rlx_call_start(&call, exchange, &request);
    if (err == RLX_ELIMIT) {
        refuse(req, 429, 20429, "Too Many Requests: the simulator has as many calls as it takes");
    } else if (err) {
        refuse(req, 500, 20500, rlx_err_text(err));
    } else {
        rlx_reply_json(req, 201, rlx_call_object(call));
        rlx_call_put(call);
    }
}

/* ---- Calls/{sid}.json ---- */

static struct rlx_call *find(struct rlx_request *req, struct rlx_exchange *exchange)
{
    const char *name = rlx_request_param(req, "sid");
    size_t length = name ? strlen(name) : 0;
    struct rlx_call *call = NULL;

    if (length > 5 && strcmp(name + length - 5, ".json") == 0)
        call = rlx_call_find(exchange, talloc_strndup(req, name, length - 5));
    if (!call)
        not_found(req);
    return call;
}

void rlx_rest_call_get(struct rlx_request *req, void *arg)
{
    struct rlx_call *call = authorized(req, arg) ? find(req, arg) : NULL;

    if (!call)
        return;
    rlx_reply_json(req, 200, rlx_call_object(call));
    rlx_call_put(call);
}

static void update(struct rlx_request *req, struct rlx_call *call)
{
    const char *status = field(req, "Status"), *url = field(req, "Url"),
               *twiml = field(req, "Twiml");

    if (status && strcasecmp(status, "completed") != 0 && strcasecmp(status, "canceled") != 0) {
        refuse(req, 400, 20001, "Status must be completed or canceled");
    } else if (status) {
        bool cancel = strcasecmp(status, "canceled") == 0;
        bool done = true;

        /* Canceling touches only calls that have not been answered. */
        pthread_mutex_lock(&call->lock);
        if (cancel && call->answer_ms)
            cancel = false, done = strcmp(call->state, "ended") != 0, status = NULL;
        pthread_mutex_unlock(&call->lock);
        if (status)
            done = rlx_call_give_order(call, cancel ? RLX_ORDER_CANCEL : RLX_ORDER_END, NULL, NULL,
                                       NULL);
        if (done)
            rlx_reply_json(req, 200, rlx_call_object(call));
        else
            not_found(req);
    } else if (!url && !twiml) {
        refuse(req, 400, 20001, "Give Status, Url or Twiml");
    } else if (url && !rlx_webhook_url_ok(url)) {
        refuse(req, 400, 21205, "Url is not a valid URL");
    } else if (rlx_call_give_order(call, RLX_ORDER_REPLACE, url, field(req, "Method"),
                                   url ? NULL : twiml)) {
        rlx_reply_json(req, 200, rlx_call_object(call));
    } else {
        refuse(req, 400, 21220, "Call is not in-progress. Cannot redirect.");
    }
}

void rlx_rest_call_update(struct rlx_request *req, void *arg)
{
    struct rlx_call *call = authorized(req, arg) ? find(req, arg) : NULL;

    if (!call)
        return;
    update(req, call);
    rlx_call_put(call);
}

/* ---- GET Calls.json ---- */

struct listing {
    const char *to, *from, *status;
    long skip, left;
    bool more;
    json_t *calls;
};

static bool list_one(struct rlx_call *call, void *arg)
{
    struct listing *listing = arg;
    json_t *object;
    const char *status;

    if ((listing->to && strcmp(listing->to, call->request.to) != 0) ||
        (listing->from && strcmp(listing->from, call->request.from) != 0))
        return true;
    object = rlx_call_object(call);
    status = json_string_value(json_object_get(object, "status"));
    if (listing->status && (!status || strcmp(listing->status, status) != 0)) {
        json_decref(object);
    } else if (listing->skip > 0) {
        listing->skip--;
        json_decref(object);
    } else if (listing->left == 0) {
        listing->more = true;
        json_decref(object);
        return false;
    } else {
        listing->left--;
        json_array_append_new(listing->calls, object);
    }
    return true;
}

static long query_number(struct rlx_request *req, const char *name, long fallback, long most)
{
    const char *text = rlx_request_query(req, name);
    long value = text ? strtol(text, NULL, 10) : fallback;

    return value < 0 ? 0 : value > most ? most : value;
}

void rlx_rest_calls_list(struct rlx_request *req, void *arg)
{
    struct rlx_exchange *exchange = arg;
    long page = query_number(req, "Page", 0, 1000000),
         size = query_number(req, "PageSize", PAGE_DEFAULT, PAGE_MAX);
    struct listing listing = {.to = rlx_request_query(req, "To"),
                              .from = rlx_request_query(req, "From"),
                              .status = rlx_request_query(req, "Status")};
    json_t *body;
    char *path;

    if (!authorized(req, exchange))
        return;
    if (size == 0)
        size = PAGE_DEFAULT;
    listing.skip = page * size;
    listing.left = size;
    listing.calls = json_array();
    rlx_call_each(exchange, list_one, &listing);
    path = talloc_asprintf(req, "%s?PageSize=%ld&Page=", rlx_request_path(req), size);
    body =
        json_pack("{s:o,s:i,s:i,s:s,s:i}", "calls", listing.calls, "page", (int)page, "page_size",
                  (int)size, "uri", rlx_request_path(req), "start", (int)(page * size));
    json_object_set_new(body, "first_page_uri", json_string(talloc_asprintf(req, "%s0", path)));
    json_object_set_new(body, "next_page_uri",
                        listing.more ? json_string(talloc_asprintf(req, "%s%ld", path, page + 1))
                                     : json_null());
    json_object_set_new(body, "previous_page_uri",
                        page > 0 ? json_string(talloc_asprintf(req, "%s%ld", path, page - 1))
                                 : json_null());
    rlx_reply_json(req, 200, body);
}

/* ---- the route table ---- */

#define ACCOUNT "/2010-04-01/Accounts/{account}"

static const struct rlx_route routes[] = {
    {"GET", "/health", rlx_sim_health, 0},
    {"POST", ACCOUNT "/Calls.json", rlx_rest_calls_create, 0},
    {"GET", ACCOUNT "/Calls.json", rlx_rest_calls_list, 0},
    {"GET", ACCOUNT "/Calls/{sid}", rlx_rest_call_get, 0},
    {"POST", ACCOUNT "/Calls/{sid}", rlx_rest_call_update, 0},
    {"POST", "/sim/callees", rlx_sim_callees_add, 32 << 20},
    {"GET", "/sim/callees", rlx_sim_callees_list, 0},
    {"DELETE", "/sim/callees", rlx_sim_callees_forget, 0},
    {"GET", "/sim/calls", rlx_sim_calls, 0},
    {"GET", "/sim/calls/{sid}", rlx_sim_call, 0},
    {"POST", "/sim/calls/{sid}/hangup", rlx_sim_call_hangup, 0},
    {"GET", "/sim/calls/{sid}/heard.wav", rlx_sim_call_heard, 0},
    {"GET", "/sim/calls/{sid}/said.wav", rlx_sim_call_said, 0},
};

static void unmatched(struct rlx_request *req, void *arg)
{
    (void)arg;
    not_found(req);
}

int rlx_rest_start(struct rlx_httpd **serverp, TALLOC_CTX *ctx, struct rlx_exchange *exchange,
                   const char *host, uint16_t port)
{
    const struct rlx_httpd_options options = {.host = host,
                                              .port = port,
                                              .max_connections = 2048,
                                              .routes = routes,
                                              .route_count = sizeof(routes) / sizeof(routes[0]),
                                              .unmatched = unmatched,
                                              .arg = exchange};

    return rlx_httpd_start(serverp, ctx, &options);
}
