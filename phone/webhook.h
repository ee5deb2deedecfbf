/* One signed webhook request, as Twilio makes it. Blocking; any thread. */
#ifndef RLX_PHONE_WEBHOOK_H
#define RLX_PHONE_WEBHOOK_H

#include <stddef.h>
#include <talloc.h>

#include "form.h"

struct rlx_webhook_reply {
    long status;
    char *body;
    size_t length;
};

/* method GET puts the parameters into the query, anything else posts them. A fragment (#rc=…) is
 * not sent. 15 s at most. 0 when an answer of any status came (reply on ctx), else a negative error
 * with a sentence in *whyp (on ctx). */
int rlx_webhook(struct rlx_webhook_reply **replyp, TALLOC_CTX *ctx, const char *token,
                const char *method, const char *url, const struct rlx_form *form, char **whyp)
    __attribute__((warn_unused_result));

/* Whether it is a URL that a webhook can go to: http or https with a host, at most 4000 characters.
 */
int rlx_webhook_url_ok(const char *url);

#endif
