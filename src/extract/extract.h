/* From a file to its text: what people upload as knowledge, and web pages. Every input is held for hostile: sizes, time and
 * nesting are bounded, PDF is read by a child process without network. Blocking; any thread.
 *
 *     struct rlx_extracted *found;
 *     int err = rlx_extract_kind_of(&kind, "menu.docx", NULL, data, length);
 *     if (!err)
 *         err = rlx_extract(&found, ctx, kind, NULL, data, length, &why);
 */
#ifndef RLX_EXTRACT_EXTRACT_H
#define RLX_EXTRACT_EXTRACT_H

#include <stddef.h>
#include <talloc.h>

#define RLX_EXTRACT_FILE_MAX (20u << 20) /* bytes of a file */
#define RLX_EXTRACT_PAGE_MAX (5u << 20)  /* bytes of an HTML page */
#define RLX_EXTRACT_TEXT_MAX 1000000u    /* bytes of the text that comes out */
#define RLX_EXTRACT_TITLE_MAX 300u       /* bytes of a title */
#define RLX_EXTRACT_AT_ONCE 4            /* files that a process reads at a time; others wait */
#define RLX_EXTRACT_WAIT_S 20

enum rlx_extract_kind {
    RLX_EXTRACT_TEXT,
    RLX_EXTRACT_MARKDOWN,
    RLX_EXTRACT_HTML,
    RLX_EXTRACT_CSV,
    RLX_EXTRACT_DOCX,
    RLX_EXTRACT_PDF,
};

struct rlx_extracted {
    char *title; /* what the file calls itself, or NULL; one line */
    char *text;  /* UTF-8 without control characters but \n and \t; paragraphs are parted by an empty line; never empty */
};

/* What a file is, by its first bytes, its name's ending (may be NULL) and its media type (may be NULL). RLX_EMEDIA when it is
 * none of the kinds: then *whyp (optional) is a static sentence. */
int rlx_extract_kind_of(enum rlx_extract_kind *kindp, const char *name, const char *media_type,
                        const void *data, size_t length, const char **whyp)
    __attribute__((warn_unused_result));

/* Reads the text. `charset` (of a Content-Type header) may be NULL. *extractedp is on ctx. 0; RLX_EINVAL when the file is
 * broken, encrypted, too large or holds no text: *whyp on ctx is a sentence for whoever sent it; RLX_ECONFIG when this machine
 * lacks the reader of PDF; RLX_ELIMIT after waiting RLX_EXTRACT_WAIT_S for others; -ENOMEM. */
int rlx_extract(struct rlx_extracted **extractedp, TALLOC_CTX *ctx, enum rlx_extract_kind kind,
                const char *charset, const void *data, size_t length, char **whyp)
    __attribute__((warn_unused_result));

#endif
