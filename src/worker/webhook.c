/* Sends a delivery of a webhook: signed, to an address that a user gave. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "provider/outbound.h"
#include "store/webhooks.h"
#include "worker/tasks.h"

#define TIMEOUT_MS 10000
#define EXCERPT_MAX 1024

/* After the n-th attempt; none after the last. */
static const int64_t waits_ms[] = {10000, 60000, 300000, 1800000, 7200000, 21600000};
#define ATTEMPTS ((int)(sizeof waits_ms / sizeof waits_ms[0]) + 1)

char *rlx_webhook_signature(TALLOC_CTX *ctx, const char *secret, int64_t at_s, const char *body)
{
    uint8_t mac[RLX_SHA256_BYTES];
    char hex[2 * RLX_SHA256_BYTES + 1];

    char *text = talloc_asprintf(ctx, "%lld.%s", (long long)at_s, body);
    if (!text)
        return NULL;
    rlx_hmac_sha256(mac, secret, strlen(secret), text, strlen(text));
    talloc_free(text);
    for (size_t i = 0; i < sizeof mac; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    return talloc_asprintf(ctx, "t=%lld,v1=%s", (long long)at_s, hex);
}

int64_t rlx_webhook_wait_ms(int attempts)
{
    return attempts >= 1 && attempts < ATTEMPTS ? waits_ms[attempts - 1] : 0;
}

/* What is kept of the answer: UTF-8 without controls. */
static char *excerpt_of(TALLOC_CTX *ctx, const struct rlx_outbound_reply *reply)
{
    size_t n = reply->length < EXCERPT_MAX ? reply->length : EXCERPT_MAX;
    char *text = talloc_strndup(ctx, reply->body, n);

    for (char *p = text; p && *p; p++) {
        unsigned char c = (unsigned char)*p;
        if ((c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f)
            *p = c >= 0x80 ? '?' : ' ';
    }
    return text;
}

static int send_it(struct rlx_outbound_reply **replyp, TALLOC_CTX *ctx, const struct rlx_task *task,
                   const struct rlx_delivery *d, const char *id, char **whyp)
{
    char *secret = NULL;
    int err = rlx_webhook_unseal(&secret, ctx, task->config, d->user_id, d->kept);
    if (err) {
        *whyp = talloc_strdup(
            ctx, "the secret can't be read: SECRETS_KEY has changed; make a new secret");
        return err;
    }
    char *signature = rlx_webhook_signature(ctx, secret, rlx_wall_ms() / 1000, d->payload);
    char *signed_by = signature ? talloc_asprintf(ctx, "X-RelayX-Signature: %s", signature) : NULL;
    char *event = talloc_asprintf(ctx, "X-RelayX-Event: %s", d->event);
    char *delivery = talloc_asprintf(ctx, "X-RelayX-Delivery: %s", id);
    if (!signed_by || !event || !delivery)
        return -ENOMEM;
    const char *const headers[] = {"Content-Type: application/json", signed_by, event, delivery,
                                   NULL};
    const struct rlx_outbound_request request = {
        .method = "POST",
        .url = d->url,
        .headers = headers,
        .body = d->payload,
        .allow = rlx_config_get(task->config, RLX_CFG_OUTBOUND_ALLOW),
        .timeout_ms = TIMEOUT_MS,
        .max_reply = EXCERPT_MAX,
        .cut_reply = true,
    };
    return rlx_outbound(replyp, ctx, &request, whyp);
}

static void finish(const struct rlx_task *task, const char *id, struct rlx_delivery_result *result)
{
    int64_t wait_ms = rlx_webhook_wait_ms(task->job->attempts);
    bool delivered = !strcmp(result->status, "delivered");

    if (!delivered && strcmp(result->status, "dead") != 0) {
        result->status = wait_ms ? "pending" : "dead";
        result->next_ms = wait_ms ? rlx_wall_ms() + wait_ms : 0;
    }
    result->attempts = task->job->attempts;
    int err = rlx_delivery_result(task->store, id, result);
    if (err && err != RLX_ENOTFOUND) { /* the job's lease brings it up again */
        rlx_log(RLX_WARN, "webhook.result", "delivery_id=%s error=%s", id, rlx_err_text(err));
        return;
    }
    if (delivered || err == RLX_ENOTFOUND)
        rlx_task_done(task);
    else if (result->next_ms)
        rlx_task_again(task, result->error ? result->error : "refused", wait_ms);
    else
        rlx_task_dead(task, result->error ? result->error : "refused");
}

static void attempt(const struct rlx_task *task, TALLOC_CTX *ctx, const char *id,
                    const struct rlx_delivery *d)
{
    struct rlx_delivery_result result = {.status = "pending"};
    struct rlx_outbound_reply *reply = NULL;
    char *why = NULL;

    int err = send_it(&reply, ctx, task, d, id, &why);
    if (err) {
        result.error = why ? why : rlx_err_text(err);
    } else {
        result.code = reply->status;
        result.took_ms = reply->took_ms;
        result.excerpt = excerpt_of(ctx, reply);
        if (reply->status >= 200 && reply->status < 300)
            result.status = "delivered";
        else
            result.error = talloc_asprintf(ctx, "the answer was HTTP %ld", reply->status);
        if (reply->status == 410) /* Gone: whoever it was does not want it any more */
            result.status = "dead";
    }
    finish(task, id, &result);
}

void rlx_task_webhook(const struct rlx_task *task)
{
    const char *id = json_string_value(json_object_get(task->job->payload, "delivery_id"));
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_delivery *d = NULL;

    int err = id ? rlx_delivery_load(task->store, ctx, id, &d) : RLX_ENOTFOUND;
    if (err == RLX_ENOTFOUND || (!err && !strcmp(d->status, "delivered"))) {
        rlx_task_done(task); /* deleted with its webhook, or sent already */
    } else if (err) {
        rlx_task_again(task, rlx_err_text(err), 5000);
    } else if (!d->active && strcmp(d->event, "webhook.test") != 0) {
        struct rlx_delivery_result off = {.status = "dead", .error = "the webhook is switched off"};
        finish(task, id, &off);
    } else {
        attempt(task, ctx, id, d);
    }
    talloc_free(ctx);
}
