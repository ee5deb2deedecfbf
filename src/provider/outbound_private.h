/* What the outbound_*.c files share. */
#ifndef RLX_PROVIDER_OUTBOUND_PRIVATE_H
#define RLX_PROVIDER_OUTBOUND_PRIVATE_H

#include <curl/curl.h>

#include "provider/outbound.h"

#define RLX_OUTBOUND_HEADER_MAX 8192 /* bytes of a header line */

/* Puts a sentence into *whyp (may be NULL) and returns err. */
int rlx_outbound_fail(TALLOC_CTX *ctx, char **whyp, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* RLX_EFORBIDDEN in the one wording for every host without an address that may be reached. */
int rlx_outbound_no_address(TALLOC_CTX *ctx, char **whyp, const char *host);

/* True when the header line's name (of `length` bytes) is one of the NULL-terminated list. */
bool rlx_outbound_is_named(const char *line, size_t length, const char *const *names);

/* Parses the text into `url`, or resolves it against what `url` holds already; drops the fragment. */
int rlx_outbound_set_url(TALLOC_CTX *ctx, CURLU *url, const char *text, char **whyp);
/* The URL's host as it stands there (IPv6 in brackets, IPv4 as four decimals), on ctx, and its port. */
int rlx_outbound_host_of(char **hostp, unsigned *portp, TALLOC_CTX *ctx, CURLU *url);
/* What can be said of host and port without DNS. */
int rlx_outbound_check_place(TALLOC_CTX *ctx, const char *host, unsigned port, const char *allow,
                             char **whyp);

#endif
