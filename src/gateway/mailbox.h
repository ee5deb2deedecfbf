/* From any thread to the loop: posted functions run on the loop's thread in order. */
#ifndef RLX_GATEWAY_MAILBOX_H
#define RLX_GATEWAY_MAILBOX_H

#include <talloc.h>
#include <uv.h>

struct rlx_mailbox;

typedef void rlx_mail_h(void *arg);

int rlx_mailbox_create(struct rlx_mailbox **mailboxp, TALLOC_CTX *ctx, uv_loop_t *loop)
    __attribute__((warn_unused_result));
/* Runs handler(arg) on the loop. What crosses is parentless and is the handler's to free. Any thread. -ENOMEM, or
 * -ECANCELED after rlx_mailbox_close: the handler will not run then. */
int rlx_mailbox_post(struct rlx_mailbox *mailbox, rlx_mail_h *handler, void *arg)
    __attribute__((warn_unused_result));
/* Closes the loop handle after what is queued has run. Loop thread. */
void rlx_mailbox_close(struct rlx_mailbox *mailbox);

#endif
