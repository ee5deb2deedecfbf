/* Posts status callbacks in the background, so that no call's clock waits for a web server. Any
 * thread. */
#ifndef RLX_PHONE_NOTIFY_H
#define RLX_PHONE_NOTIFY_H

#include <talloc.h>

#include "form.h"

struct rlx_notifier;

/* Starts its threads. NULL when it can't. Freeing waits until all that was queued is posted (each
 * at most 15 s). */
struct rlx_notifier *rlx_notifier_create(TALLOC_CTX *ctx, const char *token);

/* Queues a webhook: those with the same `lane` go out in order. The notifier takes the form over.
 * When 10000 wait, it is dropped and logged. */
void rlx_notifier_post(struct rlx_notifier *notifier, unsigned lane, const char *method,
                       const char *url, struct rlx_form *form);

#endif
