/* CSV as spreadsheets write it, row by row (RFC 4180 and its usual variations), on libcsv. Pure; any thread. */
#ifndef RLX_API_CSV_H
#define RLX_API_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/* The file's text as UTF-8 without a byte order mark: what is no UTF-8 is taken for Windows-1252 (a superset of Latin-1).
 * *textp is inside of data or on ctx; *encodingp is "utf-8" or "windows-1252". RLX_EINVAL with *whyp (static) for UTF-16 and
 * for text with NUL bytes. */
int rlx_csv_text(TALLOC_CTX *ctx, const char *data, size_t length, const char **textp,
                 size_t *lengthp, const char **encodingp, const char **whyp)
    __attribute__((warn_unused_result));

/* The character that parts the fields of the first row: , ; tab or |. */
char rlx_csv_delimiter(const char *text, size_t length);

/* A row; borrowed. Fields are NUL-terminated UTF-8, blanks around unquoted ones are taken off. `line` counts from 1 and is
 * where the row begins (quoted fields may hold line ends). Rows without any text are passed over. Not 0 ends the reading. */
typedef int rlx_csv_row_h(size_t line, const char *const *fields, size_t count, void *arg);

#define RLX_CSV_FIELDS_MAX 500
#define RLX_CSV_ROW_MAX 65536 /* bytes of a row's fields */

/* Reads all rows. 0, what `each` gave, -ENOMEM, or RLX_EINVAL: *linep is then the line of the row that can't be read, *whyp
 * (static) why: a quote that never closes, too many fields, too long a row. */
int rlx_csv_read(const char *text, size_t length, char delimiter, rlx_csv_row_h *each, void *arg,
                 size_t *linep, const char **whyp) __attribute__((warn_unused_result));

/* Adds a field to a row that is written: quoted when needed, and kept from being taken for a formula by a spreadsheet (an
 * apostrophe before = + - @ and controls; a plain telephone number stays as it is). *rowp is on ctx; false out of memory. */
bool rlx_csv_add(TALLOC_CTX *ctx, char **rowp, const char *field);
/* What rlx_csv_add put before a formula is not part of the value: the field without it. */
const char *rlx_csv_bare(const char *field);

#endif
