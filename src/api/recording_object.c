/* A recording that is kept in S3: streamed through, never whole in memory. The store's addresses
 * and errors go to the log; who asks for the recording is told what it means for them. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "api/recording.h"
#include "base/log.h"
#include "provider/s3.h"

static ssize_t read_object(void *buffer, size_t size, void *arg)
{
    ssize_t n = rlx_s3_read(arg, buffer, size);

    if (n == RLX_S3_BROKEN)
        rlx_log(RLX_WARN, "recording.read", "error=%s", "the store went away in the middle");
    return n >= 0 ? n : n == RLX_S3_END ? RLX_STREAM_END : RLX_STREAM_ABORT;
}

static void reply_failure(struct rlx_request *req, int err, const char *url, const char *why)
{
    rlx_log(err == RLX_ENOTFOUND ? RLX_ERROR : RLX_WARN, "recording.read", "object=%s error=%s",
            url, why ? why : rlx_err_text(err));
    if (err == RLX_ENOTFOUND) {
        rlx_reply_error(req, err, "the recording is not in its store any more");
    } else if (err == -EHOSTUNREACH) {
        rlx_reply_header(req, "Retry-After", "10");
        rlx_api_reply_code(req, 503, "recordings_unavailable",
                           "the store of recordings can't be reached now: the recording is safe, "
                           "ask again later");
    } else {
        rlx_api_reply_code(req, 502, "recordings_refused",
                           "the store of recordings refuses to give it: the server's operator "
                           "finds the reason in the log and by `relayx doctor`");
    }
}

void rlx_api_send_object(struct rlx_request *req, struct rlx_api *api, const char *url)
{
    uint64_t size = 0, first, length;
    struct rlx_s3 *s3 = NULL;
    char *why = NULL;

    int err = rlx_s3_open(&s3, (TALLOC_CTX *)req, url,
                          rlx_config_get(api->config, RLX_CFG_AWS_ACCESS_KEY_ID),
                          rlx_config_get(api->config, RLX_CFG_AWS_SECRET_ACCESS_KEY), &why);
    if (!err)
        err = rlx_s3_head(s3, &size, &why);
    if (err) {
        reply_failure(req, err, url, why);
        return;
    }
    int status = rlx_api_range(req, size, &first, &length);
    if (status == 416)
        return;
    if (length && strcmp(rlx_request_method(req), "HEAD") != 0)
        err = rlx_s3_get(s3, first, length, &why);
    if (err)
        reply_failure(req, err, url, why);
    else
        rlx_reply_stream_sized(req, status, "audio/wav", length, read_object, NULL, s3);
}
