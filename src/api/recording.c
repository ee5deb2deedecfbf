/* A call's recording, whole or by Range (RFC 9110 14), and hanging up. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/private.h"
#include "api/range.h"
#include "api/recording.h"
#include "base/clock.h"
#include "base/control.h"
#include "base/http.h"
#include "base/log.h"
#include "provider/carrier.h"
#include "provider/recordings.h"
#include "store/calls.h"
#include "store/secrets.h"

enum rlx_range rlx_range_parse(const char *header, uint64_t size, uint64_t *firstp,
                               uint64_t *lengthp)
{
    char *end;

    *firstp = 0;
    *lengthp = size;
    /* Several ranges, or another unit, may be answered with the whole. */
    if (!header || strncmp(header, "bytes=", 6) != 0 || strchr(header, ','))
        return RLX_RANGE_WHOLE;
    const char *p = header + 6;
    if (*p == '-') {
        if (p[1] < '0' || p[1] > '9')
            return RLX_RANGE_WHOLE;
        uint64_t last = strtoull(p + 1, &end, 10);
        if (*end)
            return RLX_RANGE_WHOLE;
        if (!last || !size)
            return RLX_RANGE_BAD;
        *lengthp = last < size ? last : size;
        *firstp = size - *lengthp;
        return RLX_RANGE_PART;
    }
    if (*p < '0' || *p > '9')
        return RLX_RANGE_WHOLE;
    uint64_t first = strtoull(p, &end, 10), last = size ? size - 1 : 0;
    if (*end++ != '-')
        return RLX_RANGE_WHOLE;
    if (*end) {
        if (*end < '0' || *end > '9')
            return RLX_RANGE_WHOLE;
        uint64_t wanted = strtoull(end, &end, 10);
        if (*end || wanted < first)
            return RLX_RANGE_WHOLE;
        last = wanted < last ? wanted : last;
    }
    if (first >= size)
        return RLX_RANGE_BAD;
    *firstp = first;
    *lengthp = last - first + 1;
    return RLX_RANGE_PART;
}

int rlx_api_range(struct rlx_request *req, uint64_t size, uint64_t *firstp, uint64_t *lengthp)
{
    enum rlx_range range = rlx_range_parse(rlx_request_header(req, "Range"), size, firstp, lengthp);
    char text[80];

    if (range == RLX_RANGE_BAD)
        snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)size);
    else
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)*firstp,
                 (unsigned long long)(*firstp + *lengthp - 1), (unsigned long long)size);
    rlx_reply_header(req, "Accept-Ranges", "bytes");
    rlx_reply_header(req, "Cache-Control", "private, no-store");
    if (range != RLX_RANGE_WHOLE)
        rlx_reply_header(req, "Content-Range", text);
    if (range != RLX_RANGE_BAD)
        return range == RLX_RANGE_PART ? 206 : 200;
    rlx_api_reply_code(req, 416, "range_not_satisfiable", "the range lies behind the end");
    return 416;
}

static void send_file(struct rlx_request *req, int fd, uint64_t size)
{
    uint64_t first, length;
    int status = rlx_api_range(req, size, &first, &length);

    if (status == 416)
        close(fd);
    else
        rlx_reply_file(req, status, "audio/wav", fd, first, length);
}

void rlx_api_send_recording(struct rlx_request *req, struct rlx_api *api, const char *where)
{
    struct stat st;

    if (rlx_recording_is_object(where)) {
        rlx_api_send_object(req, api, where);
        return;
    }
    int fd = open(where, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int err = fd < 0 ? errno : 0;
    /* The file goes only when its object is there. */
    char *object =
        err == ENOENT ? rlx_recordings_object((TALLOC_CTX *)req, api->config, where) : NULL;
    if (object) {
        rlx_api_send_object(req, api, object);
        return;
    }
    if (!err && (fstat(fd, &st) || !S_ISREG(st.st_mode)))
        err = EINVAL;
    if (err) {
        rlx_log(RLX_ERROR, "recording.open", "path=%s error=%s", where, strerrordesc_np(err));
        if (fd >= 0)
            close(fd);
        rlx_reply_error(req, RLX_ENOTFOUND, "the recording's file is not there any more");
        return;
    }
    send_file(req, fd, (uint64_t)st.st_size);
}

void rlx_api_call_recording(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *where = NULL;
    int err =
        rlx_call_recording(api->store, req, rlx_api_user(req), rlx_api_id(req, "call_id"), &where);

    if (err)
        rlx_api_reply_store(req, err, "recording");
    else
        rlx_api_send_recording(req, api, where);
}

/* A file goes at once; should that fail, the worker's job does it, as it does with an object. */
void rlx_api_call_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *path = NULL;
    int err =
        rlx_call_delete(api->store, req, rlx_api_user(req), rlx_api_id(req, "call_id"), &path);

    if (err == RLX_ECONFLICT) {
        rlx_api_reply_code(req, 409, "call_is_live", "the call is not over: hang up first");
    } else if (err) {
        rlx_api_reply_store(req, err, "call");
    } else {
        if (path && !rlx_recording_is_object(path) && unlink(path) && errno != ENOENT)
            rlx_log(RLX_WARN, "recording.erase", "path=%s error=%s", path, strerrordesc_np(errno));
        rlx_api_reply_message(req, "Call deleted");
    }
}

/* ---- hanging up ---- */

/* Asks the gateway that holds the call. */
static int ask_gateway(struct rlx_request *req, struct rlx_api *api, const char *control_url,
                       const char *call_id)
{
    struct rlx_http_reply *reply = NULL;
    char *path = talloc_asprintf((TALLOC_CTX *)req, "/control/calls/%s/hangup", call_id);
    char *url = path ? talloc_asprintf((TALLOC_CTX *)req, "%s%s", control_url, path) : NULL;
    char *sign = path ? rlx_control_sign(req, api->jwt_key, "POST", path, rlx_wall_ms()) : NULL;
    char *header =
        sign ? talloc_asprintf((TALLOC_CTX *)req, RLX_CONTROL_HEADER ": %s", sign) : NULL;

    if (!url || !header)
        return -ENOMEM;
    const char *const headers[] = {header, NULL};
    const struct rlx_http_request request = {.method = "POST",
                                             .url = url,
                                             .headers = headers,
                                             .body = "",
                                             .timeout_ms = 2000,
                                             .connect_timeout_ms = 1000};
    int err = rlx_http(&reply, req, &request, NULL);
    return err ? err : reply->status / 100 == 2 ? 0 : RLX_EPROVIDER;
}

/* A call that nobody answered yet has no gateway to end it. */
static int cancel(struct rlx_api *api, const char *call_id)
{
    const struct rlx_call_end end = {
        .status = "canceled", .reason = "hangup_by_user", .ended_ms = rlx_wall_ms()};

    return rlx_call_end(api->store, call_id, &end);
}

static int hang_up(struct rlx_request *req, struct rlx_api *api, const char *call_id,
                   const char *status, const char *sid, const char *control_url)
{
    const struct rlx_config *config = NULL;
    bool live = !strcmp(status, "in-progress");
    int err = 0;

    if (live && *control_url && !ask_gateway(req, api, control_url, call_id))
        return 0;
    if (!live) /* first in the store, so that a dial that is under way sees it */
        err = cancel(api, call_id);
    if (!err && *sid)
        err = rlx_call_config(api->store, api->config, req, call_id, &config);
    if (!err && *sid)
        err = rlx_carrier_hangup(config, sid);
    return err;
}

void rlx_api_call_hangup(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "call_id"), *user = rlx_api_user(req);
    char *status = NULL, *sid = NULL, *control_url = NULL;

    int err = rlx_call_control(api->store, req, user, id, &status, &sid, &control_url);
    if (err) {
        rlx_api_reply_store(req, err, "call");
        return;
    }
    if (rlx_call_is_over(status)) {
        rlx_api_reply_message(req, "The call is over already");
        return;
    }
    err = hang_up(req, api, id, status, sid, control_url);
    if (err == RLX_ESTORE)
        rlx_api_reply_store(req, err, "call");
    else if (err)
        rlx_api_reply_code(req, 502, "carrier_unreachable",
                           "neither the gateway nor the carrier could be told to hang up");
    else
        rlx_api_reply_message(req, "Hanging up");
}
