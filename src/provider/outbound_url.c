/* What a user may write: URLs and headers. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "provider/outbound_private.h"

int rlx_outbound_fail(TALLOC_CTX *ctx, char **whyp, int err, const char *format, ...)
{
    va_list arguments;

    if (whyp) {
        va_start(arguments, format);
        *whyp = talloc_vasprintf(ctx, format, arguments);
        va_end(arguments);
    }
    return err;
}

/* ---- what a user may write ---- */

static bool is_token(const char *text, size_t length)
{
    static const char others[] = "!#$%&'*+-.^_`|~"; /* RFC 9110 5.6.2 */

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (!c || !strchr(others, c)))
            return false;
    }
    return length > 0;
}

/* True when the line's name is one of the list. */
bool rlx_outbound_is_named(const char *line, size_t length, const char *const *names)
{
    for (; *names; names++) {
        if (strlen(*names) == length && !strncasecmp(line, *names, length))
            return true;
    }
    return false;
}

int rlx_outbound_check_header(TALLOC_CTX *ctx, const char *line, char **whyp)
{
    static const char *const ours[] = {"Host",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       "Connection",
                                       "Keep-Alive",
                                       "Expect",
                                       "TE",
                                       "Trailer",
                                       "Upgrade",
                                       "Via",
                                       "Proxy-Connection",
                                       "Proxy-Authorization",
                                       "HTTP2-Settings",
                                       "Accept-Encoding",
                                       NULL};

    if (!line)
        return -EINVAL;
    size_t n = strcspn(line, ":");
    if (!line[n] || !is_token(line, n))
        return rlx_outbound_fail(ctx, whyp, RLX_EINVAL, "a header is written \"Name: value\"");
    if (strlen(line) > RLX_OUTBOUND_HEADER_MAX)
        return rlx_outbound_fail(ctx, whyp, RLX_EINVAL, "the header %.*s is longer than %d bytes",
                                 (int)n, line, RLX_OUTBOUND_HEADER_MAX);
    for (const char *p = line + n + 1; *p; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return rlx_outbound_fail(ctx, whyp, RLX_EINVAL,
                                     "the header %.*s holds a control character", (int)n, line);
    }
    if (rlx_outbound_is_named(line, n, ours))
        return rlx_outbound_fail(ctx, whyp, RLX_EINVAL, "the header %.*s is set by the server",
                                 (int)n, line);
    return 0;
}

static int url_error(TALLOC_CTX *ctx, char **whyp, CURLUcode code)
{
    if (code == CURLUE_OUT_OF_MEMORY)
        return -ENOMEM;
    if (code == CURLUE_USER_NOT_ALLOWED)
        return rlx_outbound_fail(
            ctx, whyp, RLX_EINVAL,
            "the URL holds a user or password: send them as an Authorization header");
    if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
        return rlx_outbound_fail(ctx, whyp, RLX_EINVAL,
                                 "only http:// and https:// URLs are allowed");
    return rlx_outbound_fail(ctx, whyp, RLX_EINVAL,
                             "the URL is not valid: write it as https://host/path");
}

/* Parses, or resolves against what *url holds already. */
int rlx_outbound_set_url(TALLOC_CTX *ctx, CURLU *url, const char *text, char **whyp)
{
    char *scheme = NULL;

    if (strlen(text) > RLX_OUTBOUND_URL_MAX)
        return rlx_outbound_fail(ctx, whyp, RLX_EINVAL, "the URL is longer than %d bytes",
                                 RLX_OUTBOUND_URL_MAX);
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '\\')
            return url_error(ctx, whyp, CURLUE_MALFORMED_INPUT);
    }
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_URLENCODE);
    if (!code)
        code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (!code && strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        code = CURLUE_UNSUPPORTED_SCHEME;
    if (!code)
        code = curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    curl_free(scheme);
    return code ? url_error(ctx, whyp, code) : 0;
}

int rlx_outbound_host_of(char **hostp, unsigned *portp, TALLOC_CTX *ctx, CURLU *url)
{
    char *host = NULL, *port = NULL;

    CURLUcode code = curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (!code)
        code = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (!code) {
        *hostp = talloc_strdup(ctx, host);
        *portp = (unsigned)strtoul(port, NULL, 10);
    }
    curl_free(host);
    curl_free(port);
    return code || !*hostp ? -ENOMEM : 0;
}

int rlx_outbound_no_address(TALLOC_CTX *ctx, char **whyp, const char *host)
{
    return rlx_outbound_fail(ctx, whyp, RLX_EFORBIDDEN, "%s has no public address", host);
}

static bool is_localhost(const char *name, size_t length)
{
    static const char local[] = "localhost";
    size_t n = sizeof local - 1;

    return length >= n && !strncasecmp(name + length - n, local, n) &&
           (length == n || name[length - n - 1] == '.');
}

/* What is closed without asking DNS. */
static bool is_closed(const char *host, unsigned port, const char *allow)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char name[256];
    size_t length = strlen(host);

    if (length > 1 && host[0] == '[') {
        snprintf(name, sizeof name, "%.*s", (int)(length - 2), host + 1);
        return inet_pton(AF_INET6, name, &in6.sin6_addr) != 1 ||
               !rlx_address_is_public((struct sockaddr *)&in6);
    }
    while (length && host[length - 1] == '.')
        length--;
    snprintf(name, sizeof name, "%.*s", (int)length, host);
    if (inet_pton(AF_INET, name, &in.sin_addr) == 1)
        return !rlx_address_is_public((struct sockaddr *)&in);
    if (is_localhost(host, length))
        return !rlx_allow_has(allow, "127.0.0.1", port) && !rlx_allow_has(allow, "[::1]", port);
    return !length;
}

int rlx_outbound_check_place(TALLOC_CTX *ctx, const char *host, unsigned port, const char *allow,
                             char **whyp)
{
    if (rlx_allow_has(allow, host, port))
        return 0;
    if (is_closed(host, port, allow))
        return rlx_outbound_no_address(ctx, whyp, host);
    if (rlx_port_is_bad(port))
        return rlx_outbound_fail(ctx, whyp, RLX_EFORBIDDEN, "port %u is not one of web servers",
                                 port);
    return 0;
}

int rlx_outbound_check_url(TALLOC_CTX *ctx, const char *text, const char *allow, char **whyp)
{
    char *host = NULL;
    unsigned port = 0;

    if (!text)
        return -EINVAL;
    CURLU *url = curl_url();
    int err = url ? rlx_outbound_set_url(ctx, url, text, whyp) : -ENOMEM;
    if (!err)
        err = rlx_outbound_host_of(&host, &port, ctx, url);
    if (!err)
        err = rlx_outbound_check_place(ctx, host, port, allow, whyp);
    talloc_free(host);
    curl_url_cleanup(url);
    return err;
}
