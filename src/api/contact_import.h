/* Rows of a CSV file as contacts: which column is what, and what is wrong with a row. Pure; any thread. */
#ifndef RLX_API_CONTACT_IMPORT_H
#define RLX_API_CONTACT_IMPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

#define RLX_IMPORT_ERRORS 100     /* that are told one by one */
#define RLX_IMPORT_BATCH 1000     /* contacts in one call of `batch` */
#define RLX_IMPORT_ROWS 250000    /* of one file */

/* Takes up to RLX_IMPORT_BATCH contacts {phone_number, name?, email?, time_zone?, tags[]?, custom_fields{}?}, each number once;
 * borrowed. Not 0 ends the import and becomes its result. */
typedef int rlx_import_batch_h(const json_t *contacts, void *arg);

struct rlx_import_options {
    const char *region;    /* whose national numbers are meant; NULL = only numbers with a country code */
    const json_t *mapping; /* {"Column": "phone_number" | "name" | "first_name" | "last_name" | "email" | "time_zone" | "tags" |
                              "custom:NAME" | ""}; a column that is not named goes by its header; NULL = all go by it */
    const json_t *tags;    /* array of strings that every contact gets; may be NULL */
    bool numbers_only;     /* nothing but phone_number is read (do-not-call) */
};

struct rlx_import {
    size_t rows, good, duplicates, failed; /* duplicates: further rows of a number, merged into the first */
    json_t *errors;                        /* [{line, column, message}], the first RLX_IMPORT_ERRORS */
    json_t *columns;                       /* [{column, field}] */
    const char *encoding;                  /* static */
};

/* Reads a file. 0 (rows that are wrong are counted and told, the others go to `batch`), what `batch` gave, -ENOMEM, or
 * RLX_EINVAL with *whyp (on the import) for a file that can't be read at all: then nothing was or little was taken in.
 * *importp is on ctx, also after an error of the file. */
int rlx_import_read(struct rlx_import **importp, TALLOC_CTX *ctx, const char *data, size_t length,
                    const struct rlx_import_options *options, rlx_import_batch_h *batch, void *arg,
                    char **whyp) __attribute__((warn_unused_result));

#endif
