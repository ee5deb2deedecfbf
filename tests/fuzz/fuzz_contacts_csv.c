/* Fuzz target: a CSV file of contacts, and that what is written is read as it was. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/contact_import.h"
#include "api/csv.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_contacts(const json_t *contacts, void *arg)
{
    size_t *count = arg, i;
    const json_t *contact;

    json_array_foreach ((json_t *)contacts, i, contact) {
        const char *number = json_string_value(json_object_get(contact, "phone_number"));
        if (!number || number[0] != '+' || strspn(number + 1, "0123456789") != strlen(number + 1))
            abort();
    }
    *count += json_array_size(contacts);
    return 0;
}

struct written {
    char *text;
    size_t rows;
};

static int take_row(size_t line, const char *const *fields, size_t count, void *arg)
{
    struct written *w = arg;
    char *row = NULL;

    if (!line)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (!rlx_csv_add(w->text, &row, fields[i]))
            abort();
    }
    w->text = talloc_asprintf_append_buffer(w->text, "%s\r\n", row ? row : "");
    w->rows++;
    return 0;
}

static int count_row(size_t line, const char *const *fields, size_t count, void *arg)
{
    size_t *rows = arg;
    (void)line;

    for (size_t i = 0; i < count; i++)
        rlx_csv_bare(fields[i]);
    ++*rows;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rlx_import_options options = {.region = "US"};
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct written w = {.text = talloc_strdup(ctx, "")};
    struct rlx_import *import = NULL;
    const char *text, *encoding, *why = NULL;
    size_t length, line, taken = 0, rows = 0;
    char *reason = NULL;

    int err = rlx_import_read(&import, ctx, (const char *)data, size, &options, take_contacts,
                              &taken, &reason);
    if (err && (err != RLX_EINVAL || !reason))
        abort();
    if (!err && import->rows != import->good + import->duplicates + import->failed)
        abort();
    if (!rlx_csv_text(ctx, (const char *)data, size, &text, &length, &encoding, &why) &&
        !rlx_csv_read(text, length, rlx_csv_delimiter(text, length), take_row, &w, &line, &why)) {
        /* quotes and guards make rows longer, so that one may not be taken again */
        if (!rlx_csv_read(w.text, strlen(w.text), ',', count_row, &rows, &line, &why) &&
            rows != w.rows)
            abort();
    }
    talloc_free(ctx);
    return 0;
}
