/* Listening in: the audio of a live call, passed on from the gateway that holds it. */
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/log.h"
#include "store/calls.h"

#define CONNECT_MS 1000
#define ANSWER_MS 3000 /* until the gateway's first bytes */
#define WAIT_MS 300
#define HELD_MAX                                                                                   \
    65536 /* bytes that wait for the client: a listener who is slower is cut off by the gateway's  \
             own limit */

struct tap {
    struct rlx_api *api;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    char held[HELD_MAX];
    size_t length, offset;
    bool paused, ended;
    char *place; /* among the live streams; NULL = none yet */
    long status;
};

/* What does not fit waits in the socket. */
static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct tap *tap = arg;
    size_t n = size * count;

    if (tap->offset == tap->length)
        tap->offset = tap->length = 0;
    if (tap->length + n > HELD_MAX) {
        tap->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    memcpy(tap->held + tap->length, data, n);
    tap->length += n;
    return n;
}

static void drive(struct tap *tap, int wait_ms)
{
    int running = 0, left;

    if (tap->paused && tap->offset == tap->length) {
        tap->paused = false;
        curl_easy_pause(tap->easy, CURLPAUSE_CONT);
    }
    curl_multi_perform(tap->multi, &running);
    if (running && tap->offset == tap->length && wait_ms) {
        curl_multi_poll(tap->multi, NULL, 0, wait_ms, NULL);
        curl_multi_perform(tap->multi, &running);
    }
    for (CURLMsg *message; (message = curl_multi_info_read(tap->multi, &left));)
        tap->ended |= message->msg == CURLMSG_DONE;
    curl_easy_getinfo(tap->easy, CURLINFO_RESPONSE_CODE, &tap->status);
}

static int tap_end(struct tap *tap)
{
    if (tap->multi && tap->easy)
        curl_multi_remove_handle(tap->multi, tap->easy);
    if (tap->easy)
        curl_easy_cleanup(tap->easy);
    if (tap->multi)
        curl_multi_cleanup(tap->multi);
    curl_slist_free_all(tap->headers);
    if (tap->place)
        rlx_api_stream_close(tap->api, tap->place);
    return 0;
}

/* Asks the gateway, and waits for how it answers: tap->status, 0 = it can't be reached. */
static int begin(struct tap *tap, const char *control_url, const char *call_id)
{
    char *path = talloc_asprintf(tap, "/control/listen/%s", call_id);
    char *url = path ? talloc_asprintf(tap, "%s%s", control_url, path) : NULL;
    char *sign = path ? rlx_control_sign(tap, tap->api->jwt_key, "GET", path, rlx_wall_ms()) : NULL;
    char *header = sign ? talloc_asprintf(tap, RLX_CONTROL_HEADER ": %s", sign) : NULL;
    uint64_t until_ms = rlx_now_ms() + ANSWER_MS;

    tap->multi = curl_multi_init();
    tap->easy = curl_easy_init();
    if (!url || !header || !tap->multi || !tap->easy)
        return -ENOMEM;
    tap->headers = curl_slist_append(NULL, header);
    curl_easy_setopt(tap->easy, CURLOPT_URL, url);
    curl_easy_setopt(tap->easy, CURLOPT_HTTPHEADER, tap->headers);
    curl_easy_setopt(tap->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(tap->easy, CURLOPT_NOPROXY, "*"); /* our own processes */
    curl_easy_setopt(tap->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(tap->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(tap->easy, CURLOPT_WRITEDATA, tap);
    curl_multi_add_handle(tap->multi, tap->easy);
    while (!tap->ended && !(tap->status && tap->length) && rlx_now_ms() < until_ms &&
           !atomic_load(&tap->api->stopping))
        drive(tap, WAIT_MS);
    return 0;
}

static ssize_t tap_read(void *buffer, size_t size, void *arg)
{
    struct tap *tap = arg;

    if (tap->offset == tap->length) {
        if (tap->ended || atomic_load(&tap->api->stopping))
            return RLX_STREAM_END;
        drive(tap, WAIT_MS);
    }
    size_t n = tap->length - tap->offset;
    n = n < size ? n : size;
    memcpy(buffer, tap->held + tap->offset, n);
    tap->offset += n;
    return (ssize_t)n;
}

static void tap_done(void *arg)
{
    talloc_free(arg);
}

/* The stream, when the gateway gives one. */
static void pass_on(struct rlx_request *req, struct tap *tap, const char *control_url)
{
    int err = begin(tap, control_url, rlx_api_id(req, "call_id"));

    if (!err && tap->status == 200) {
        rlx_reply_header(req, "Cache-Control", "no-store");
        rlx_reply_header(req, "X-Accel-Buffering", "no");
        rlx_reply_stream(req, 200, "audio/wav", tap_read, tap_done, tap);
        return;
    }
    if (err)
        rlx_reply_error(req, err, NULL);
    else if (tap->status == 404)
        rlx_api_reply_code(req, 409, "call_not_live", "nobody is speaking on this call now");
    else if (tap->status == 409)
        rlx_api_reply_code(req, 409, "too_many_listeners", "as many listen to this call as may");
    else
        rlx_api_reply_code(req, 502, "gateway_unreachable",
                           "the gateway that holds the call can't be reached");
    talloc_free(tap);
}

void rlx_api_call_listen(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *status = NULL, *sid = NULL, *control_url = NULL;
    int err = rlx_call_control(api->store, req, rlx_api_user(req), rlx_api_id(req, "call_id"),
                               &status, &sid, &control_url);

    if (err) {
        rlx_api_reply_store(req, err, "call");
        return;
    }
    if (strcmp(status, "in-progress") != 0 || !*control_url) {
        rlx_api_reply_code(req, 409, "call_not_live", "nobody is speaking on this call now");
        return;
    }
    struct tap *tap = talloc_zero(NULL, struct tap); /* outlives the request */
    if (!tap) {
        rlx_reply_error(req, -ENOMEM, NULL);
        return;
    }
    talloc_set_destructor(tap, tap_end);
    tap->api = api;
    if (rlx_api_stream_open(req, api, &tap->place))
        pass_on(req, tap, control_url);
    else
        talloc_free(tap);
}
