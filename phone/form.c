#include "form.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define FORM_MAX 128

struct form_field {
    const char *name, *value;
};

struct rlx_form {
    struct form_field fields[FORM_MAX];
    size_t count;
    bool failed;
};

struct rlx_form *rlx_form_create(TALLOC_CTX *ctx)
{
    return talloc_zero(ctx, struct rlx_form);
}

void rlx_form_add(struct rlx_form *form, const char *name, const char *value)
{
    struct form_field *field;

    if (form->count == FORM_MAX) {
        form->failed = true;
        return;
    }
    field = &form->fields[form->count];
    field->name = talloc_strdup(form, name);
    field->value = talloc_strdup(form, value);
    if (!field->name || !field->value)
        form->failed = true;
    else
        form->count++;
}

void rlx_form_addf(struct rlx_form *form, const char *name, const char *format, ...)
{
    va_list args;
    char *value;

    va_start(args, format);
    value = talloc_vasprintf(form, format, args);
    va_end(args);
    if (value)
        rlx_form_add(form, name, value);
    else
        form->failed = true;
    talloc_free(value);
}

/* Appends `text`, percent-encoded as forms are; returns the new end. `out` has room for three bytes
 * a character. */
static char *put_encoded(char *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._*", c)) {
            *out++ = (char)c;
        } else if (c == ' ') {
            *out++ = '+';
        } else {
            *out++ = '%';
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
        }
    }
    return out;
}

char *rlx_form_encode(TALLOC_CTX *ctx, const struct rlx_form *form)
{
    size_t size = 1;
    char *text, *out;

    if (form->failed)
        return NULL;
    for (size_t i = 0; i < form->count; i++)
        size += 3 * (strlen(form->fields[i].name) + strlen(form->fields[i].value)) + 2;
    text = out = talloc_size(ctx, size);
    if (!text)
        return NULL;
    talloc_set_name_const(text, "form");
    for (size_t i = 0; i < form->count; i++) {
        if (i > 0)
            *out++ = '&';
        out = put_encoded(out, form->fields[i].name);
        *out++ = '=';
        out = put_encoded(out, form->fields[i].value);
    }
    *out = '\0';
    return text;
}

static int by_name(const void *a, const void *b)
{
    const struct form_field *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : strcmp(x->value, y->value);
}

char *rlx_form_sign(TALLOC_CTX *ctx, const char *token, const char *url,
                    const struct rlx_form *form)
{
    struct form_field sorted[FORM_MAX];
    size_t count = form ? form->count : 0;
    uint8_t mac[RLX_SHA1_BYTES];
    char *text, *signature;

    if (form && form->failed)
        return NULL;
    if (count > 0) {
        memcpy(sorted, form->fields, count * sizeof(sorted[0]));
        qsort(sorted, count, sizeof(sorted[0]), by_name);
    }
    text = talloc_strdup(ctx, url);
    for (size_t i = 0; i < count && text; i++)
        text = talloc_asprintf_append_buffer(text, "%s%s", sorted[i].name, sorted[i].value);
    signature = talloc_array(ctx, char, RLX_BASE64_SIZE(RLX_SHA1_BYTES));
    if (text && signature) {
        rlx_hmac_sha1(mac, token, text, strlen(text));
        (void)rlx_base64_encode(signature, mac, sizeof(mac));
    } else {
        talloc_free(signature);
        signature = NULL;
    }
    talloc_free(text);
    return signature;
}
