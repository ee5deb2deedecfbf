#include "webhook.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/http.h"

#define CONNECT_MS 5000
#define TOTAL_MS 15000
#define URL_MAX 4000u

int rlx_webhook_url_ok(const char *url)
{
    const char *host = NULL;

    if (!url || strlen(url) > URL_MAX)
        return 0;
    if (strncasecmp(url, "http://", 7) == 0)
        host = url + 7;
    else if (strncasecmp(url, "https://", 8) == 0)
        host = url + 8;
    if (!host || !isalnum((unsigned char)*host))
        return host && *host == '[';
    for (; *url; url++)
        if ((unsigned char)*url <= ' ')
            return 0;
    return 1;
}

int rlx_webhook(struct rlx_webhook_reply **replyp, TALLOC_CTX *ctx, const char *token,
                const char *method, const char *url, const struct rlx_form *form, char **whyp)
{
    TALLOC_CTX *work = talloc_new(ctx);
    int get = method && strcasecmp(method, "GET") == 0, err = -ENOMEM;
    struct rlx_http_request request = {.timeout_ms = TOTAL_MS, .connect_timeout_ms = CONNECT_MS};
    struct rlx_http_reply *reply = NULL;
    struct rlx_webhook_reply *result = NULL;
    char *body, *full, *signature, *line = NULL, *why = NULL;
    const char *headers[4] = {"Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
                              "User-Agent: TwilioProxy/1.1", NULL, NULL};

    body = rlx_form_encode(work, form);
    full = talloc_strndup(work, url, strcspn(url, "#"));
    if (get && full && body)
        full = talloc_asprintf(work, "%s%c%s", full, strchr(full, '?') ? '&' : '?', body);
    signature = full ? rlx_form_sign(work, token, full, get ? NULL : form) : NULL;
    if (signature)
        line = talloc_asprintf(work, "X-Twilio-Signature: %s", signature);
    if (body && line) {
        headers[2] = line;
        request.url = full;
        request.headers = headers;
        request.method = get ? "GET" : "POST";
        request.body = get ? NULL : body;
        err = rlx_http(&reply, work, &request, &why);
    }
    if (!err) {
        result = talloc_zero(ctx, struct rlx_webhook_reply);
        err = result ? 0 : -ENOMEM;
    }
    if (!err) {
        result->status = reply->status;
        result->body = talloc_steal(result, reply->body);
        result->length = reply->length;
        *replyp = result;
    } else if (whyp) {
        *whyp = talloc_strdup(ctx, why ? why : rlx_err_text(err));
    }
    talloc_free(work);
    return err;
}
