/* The parameters of a webhook: in order, form-encoded, and signed as Twilio does. One thread. */
#ifndef RLX_PHONE_FORM_H
#define RLX_PHONE_FORM_H

#include <stddef.h>
#include <talloc.h>

struct rlx_form;

/* An empty form, talloc child of ctx; NULL out of memory. */
struct rlx_form *rlx_form_create(TALLOC_CTX *ctx);

/* Adds a parameter (copied). Running out of memory is remembered: encode and sign then give NULL.
 */
void rlx_form_add(struct rlx_form *form, const char *name, const char *value);
void rlx_form_addf(struct rlx_form *form, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* application/x-www-form-urlencoded, on ctx; NULL out of memory. */
char *rlx_form_encode(TALLOC_CTX *ctx, const struct rlx_form *form);

/* The X-Twilio-Signature: base64(HMAC-SHA1(token, url + each name and value, sorted by name)); form
 * may be NULL. On ctx. */
char *rlx_form_sign(TALLOC_CTX *ctx, const char *token, const char *url,
                    const struct rlx_form *form);

#endif
