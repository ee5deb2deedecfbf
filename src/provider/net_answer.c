/* How an exchange ended, in words. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "provider/net_private.h"
#include "provider/openai.h"

char *rlx_net_host(TALLOC_CTX *ctx, const char *url)
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    size_t length = strcspn(at, "/?#");
    const char *user = memchr(at, '@', length);
    if (user) {
        length -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    return talloc_strndup(ctx, at, length);
}

static const char *late(struct rlx_net_request *r)
{
    switch (r->limit) {
    case RLX_NET_STALL:
        return talloc_asprintf(r, "%s stalled in mid-answer for %u ms", r->host, r->stall_ms);
    case RLX_NET_TOTAL:
        return talloc_asprintf(r, "%s was not done within %u ms", r->host, r->total_ms);
    case RLX_NET_EXPECT:
        return talloc_asprintf(r, "%s gave no result within %u ms", r->host, r->expect_ms);
    default:
        return talloc_asprintf(r, "%s gave no answer within %u ms", r->host, r->first_byte_ms);
    }
}

static const char *refused(struct rlx_net_request *r)
{
    char *message = rlx_provider_message(r, r->error_body, r->error_length);
    if (message)
        return talloc_asprintf(r, "%s answered HTTP %ld: %s", r->host, r->status, message);
    return talloc_asprintf(r, "%s answered HTTP %ld", r->host, r->status);
}

int rlx_net_judge(struct rlx_net_request *r, const char **whyp)
{
    int err = RLX_EPROVIDER;
    const char *why;
    const char *text = r->error_text[0] ? r->error_text : curl_easy_strerror(r->result);

    if (r->limit != RLX_NET_IN_TIME) {
        err = -ETIMEDOUT;
        why = late(r);
    } else if (r->overflow) {
        why = talloc_asprintf(r, "%s sent more than is taken at once", r->host);
    } else if (r->status >= 300 || (r->result == CURLE_OK && r->status < 200)) {
        why = refused(r);
    } else if (r->result == CURLE_OK) {
        err = 0;
        why = "";
    } else if (r->result == CURLE_OPERATION_TIMEDOUT) {
        err = -ETIMEDOUT;
        why = talloc_asprintf(r, "no connection to %s in time", r->host);
    } else if (r->result == CURLE_COULDNT_CONNECT) {
        why = talloc_asprintf(r, "can't connect to %s: %s", r->host, text);
    } else {
        why = talloc_asprintf(r, "the exchange with %s failed: %s", r->host, text);
    }
    *whyp = why ? why : "out of memory";
    return err;
}
