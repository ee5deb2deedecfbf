/* Fuzz target: form bodies of both kinds. The first line is the content type, the rest the body. */
#include <stdlib.h>
#include <string.h>

#include "base/httpd_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct rlx_field *field)
{
    for (; field; field = field->next)
        if (!field->name || field->value[field->length])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const char *text = (const char *)data;
    const char *eol = memchr(text, '\n', size);
    size_t head = eol ? (size_t)(eol - text) : size;
    char *type = talloc_strndup(ctx, text, head);
    size_t length = eol ? size - head - 1 : 0;

    /* An exact copy, so that the sanitizer sees a read past the end. */
    char *body = malloc(length ? length : 1);
    memcpy(body, eol ? eol + 1 : text, length);
    check(rlx_field_parse_multipart(ctx, type, body, length));
    check(rlx_field_parse_urlencoded(ctx, body, length));
    free(body);
    talloc_free(ctx);
    return 0;
}
