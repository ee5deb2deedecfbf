/* Fuzz target: a webhook's form, as it goes into the signature. The first line is the URL, the rest the body. */
#include <stdlib.h>
#include <string.h>

#include "base/httpd_private.h"
#include "provider/carrier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARAMS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const char *text = (const char *)data;
    const char *eol = size ? memchr(text, '\n', size) : NULL;
    size_t head = eol ? (size_t)(eol - text) : size;
    char *url = talloc_strndup(ctx, text, head);
    size_t length = eol ? size - head - 1 : 0, count = 0;
    struct rlx_param params[PARAMS_MAX];

    /* An exact copy, so that the sanitizer sees a read past the end. */
    char *body = malloc(length ? length : 1);
    if (length)
        memcpy(body, eol + 1, length);
    for (struct rlx_field *field = rlx_field_parse_urlencoded(ctx, body, length);
         field && count < PARAMS_MAX; field = field->next)
        params[count++] = (struct rlx_param){field->name, field->value};
    char *first = rlx_twilio_signature(ctx, "secret", url, params, count);
    for (size_t i = 0; i < count / 2; i++) { /* the order in which they came changes nothing */
        struct rlx_param other = params[i];
        params[i] = params[count - 1 - i];
        params[count - 1 - i] = other;
    }
    char *second = rlx_twilio_signature(ctx, "secret", url, params, count);
    if (!first || !second || strlen(first) != 28 || strcmp(first, second))
        abort();
    free(body);
    talloc_free(ctx);
    return 0;
}
