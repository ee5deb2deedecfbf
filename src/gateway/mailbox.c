#include "gateway/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct mail {
    struct mail *next;
    rlx_mail_h *handler;
    void *arg;
};

struct rlx_mailbox {
    uv_async_t wake;
    pthread_mutex_t lock;
    struct mail *first, **last;
    bool closed;
};

static void deliver(uv_async_t *wake)
{
    struct rlx_mailbox *box = wake->data;

    pthread_mutex_lock(&box->lock);
    struct mail *mail = box->first;
    box->first = NULL;
    box->last = &box->first;
    pthread_mutex_unlock(&box->lock);
    while (mail) {
        struct mail *next = mail->next;
        mail->handler(mail->arg);
        free(mail);
        mail = next;
    }
}

int rlx_mailbox_create(struct rlx_mailbox **mailboxp, TALLOC_CTX *ctx, uv_loop_t *loop)
{
    struct rlx_mailbox *box = talloc_zero(ctx, struct rlx_mailbox);

    if (!box)
        return -ENOMEM;
    box->last = &box->first;
    pthread_mutex_init(&box->lock, NULL);
    box->wake.data = box;
    int err = uv_async_init(loop, &box->wake, deliver);
    if (err) {
        talloc_free(box);
        return err;
    }
    *mailboxp = box;
    return 0;
}

int rlx_mailbox_post(struct rlx_mailbox *box, rlx_mail_h *handler, void *arg)
{
    /* malloc, not talloc: contexts are not shared between threads */
    struct mail *mail = malloc(sizeof *mail);

    if (!mail)
        return -ENOMEM;
    *mail = (struct mail){.handler = handler, .arg = arg};
    pthread_mutex_lock(&box->lock);
    bool closed = box->closed;
    if (!closed) {
        *box->last = mail;
        box->last = &mail->next;
        uv_async_send(&box->wake); /* inside: the handle is closed only after the flag is set */
    }
    pthread_mutex_unlock(&box->lock);
    if (closed)
        free(mail);
    return closed ? -ECANCELED : 0;
}

void rlx_mailbox_close(struct rlx_mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    box->closed = true;
    pthread_mutex_unlock(&box->lock);
    deliver(&box->wake);
    uv_close((uv_handle_t *)&box->wake, NULL);
}
