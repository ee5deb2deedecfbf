/* What the readers share; nobody else includes it. */
#ifndef RLX_EXTRACT_PRIVATE_H
#define RLX_EXTRACT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extract/extract.h"

/* A text that grows up to RLX_EXTRACT_TEXT_MAX; on its context. */
struct rlx_sink {
    TALLOC_CTX *ctx;
    char *text;
    size_t length, capacity;
    bool full;   /* more was offered than fits */
    bool failed; /* no memory */
};
void rlx_sink_add(struct rlx_sink *sink, const char *text, size_t length);
void rlx_sink_text(struct rlx_sink *sink, const char *text);
/* Adds the words of text with single spaces between them and what stands before. */
void rlx_sink_words(struct rlx_sink *sink, const char *text, size_t length);
/* Ends the line (1) or the paragraph (2): as many line breaks as are still missing. */
void rlx_sink_break(struct rlx_sink *sink, unsigned count);

/* Each reader: `text` is UTF-8 with a NUL behind it. */
typedef int rlx_reader_h(struct rlx_extracted *out, const char *text, size_t length, char **whyp);
rlx_reader_h rlx_extract_markdown, rlx_extract_html, rlx_extract_csv;
/* These read the bytes of the file. */
rlx_reader_h rlx_extract_docx, rlx_extract_pdf;
/* The document.xml of a DOCX. */
rlx_reader_h rlx_extract_docx_xml;

/* The bytes as UTF-8 with \n as line break: by byte order mark, `charset`, or what they look like (UTF-8, UTF-16, else
 * Windows-1252, which holds Latin-1). RLX_EINVAL when they are no text. */
int rlx_extract_decode(char **textp, size_t *lengthp, TALLOC_CTX *ctx, const char *charset,
                       const void *data, size_t length, char **whyp);
/* The charset that an HTML page names in its first kilobyte, on ctx, or NULL. */
char *rlx_extract_html_charset(TALLOC_CTX *ctx, const void *data, size_t length);
/* Tidies in place: no control characters, no blanks at line ends, at most one empty line in a row, none at the edges. */
void rlx_extract_tidy(char *text);
/* One line of at most RLX_EXTRACT_TITLE_MAX bytes on ctx; NULL when nothing is left. */
char *rlx_extract_title(TALLOC_CTX *ctx, const char *text, size_t length);

#endif
