/* Blocking HTTP(S) to addresses that users give: webhooks, pages to read, tools. Whoever may write a URL must not reach
 * through this server what only this server can reach (server-side request forgery), so:
 *
 * - http and https only; no user and password in the URL; TLS is verified (1.2 at least);
 * - the address is judged when the socket is opened, on the sockaddr that is connected to: a name that answers twice
 *   (DNS rebinding), an odd spelling (0x7f.1, ::ffff:127.0.0.1, full-width digits) and a redirect all end there;
 *   only public addresses pass, and none that this machine has itself; and no port of another protocol (a mail server …);
 * - the exception is OUTBOUND_ALLOW: `host:port,…` (`[::1]:8080` for IPv6). An entry matches the URL's host as it is
 *   written there, or, when the entry is an IP address, the address that is connected to;
 * - redirects are followed here, at most five, each judged alike, never from https to http; a GET or HEAD follows 301,
 *   302, 303, 307, 308; any other method only 307 and 308, method and body unchanged (another redirect is the answer). To
 *   another origin go only the headers Accept, Accept-Language, Content-Type, User-Agent and X-RelayX-*;
 * - proxies of the environment, .netrc, cookies and kept connections are not used;
 * - the answer is bounded while it comes (also after decompression), and so is the time of the whole.
 *
 * Any thread; never on a loop.
 */
#ifndef RLX_PROVIDER_OUTBOUND_H
#define RLX_PROVIDER_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <talloc.h>

#define RLX_OUTBOUND_URL_MAX 2048 /* bytes of a URL */
#define RLX_OUTBOUND_REDIRECTS 5

struct rlx_outbound_request {
    const char *method;         /* NULL = GET, or POST when there is a body; GET HEAD POST PUT PATCH DELETE */
    const char *url;
    const char *const *headers; /* "Name: value" lines, NULL-terminated, at most 32, may be NULL. Refused: line ends and
                                   other controls, and what belongs to the connection (Host, Content-Length, …) */
    const char *body;           /* may be NULL */
    size_t body_length;         /* 0 = strlen(body) */
    const char *allow;          /* the text of OUTBOUND_ALLOW; NULL or "" = none */
    long timeout_ms;            /* the whole, redirects included; 0 = 10 s */
    long connect_timeout_ms;    /* per connection; 0 = 3 s */
    size_t max_reply;           /* bytes of the body; 0 = 1 MiB */
    bool cut_reply;             /* a longer body is cut there (reply->cut) instead of failing with RLX_ETOOBIG */
    bool stay;                  /* redirects are the answer, not followed */
};

struct rlx_outbound_reply {
    long status;
    char *body; /* NUL-terminated; decompressed */
    size_t length;
    bool cut;
    char *content_type; /* NULL when none came */
    char *url;          /* the last one, after redirects */
    long took_ms;
    int redirects;
};

/* Does one exchange. 0 when an HTTP answer of any status came (reply on ctx). Else
 * RLX_EINVAL     the URL, the method or a header is not valid,
 * RLX_EFORBIDDEN the host has no public address (or no address at all: the two are not told apart), or the port,
 * RLX_EPROVIDER  no connection, bad TLS, a broken answer, too many redirects, from https to http,
 * RLX_ETOOBIG, -ETIMEDOUT, -ENOMEM;
 * *whyp (optional, on ctx) is then a sentence that may be shown to the user: it names the URL's host and never an address,
 * nor anything else of the inside. */
int rlx_outbound(struct rlx_outbound_reply **replyp, TALLOC_CTX *ctx,
                 const struct rlx_outbound_request *request, char **whyp)
    __attribute__((warn_unused_result));

/* What can be said of a URL without a look at DNS, for the time when a user saves it: 0, RLX_EINVAL (no http(s) URL, user
 * and password, too long) or RLX_EFORBIDDEN (an IP address that is not public, or localhost). *whyp as above. */
int rlx_outbound_check_url(TALLOC_CTX *ctx, const char *url, const char *allow, char **whyp)
    __attribute__((warn_unused_result));

/* The same for one header line. */
int rlx_outbound_check_header(TALLOC_CTX *ctx, const char *line, char **whyp)
    __attribute__((warn_unused_result));

/* True for an address of the public internet: IPv4 and IPv6 outside the ranges of the IANA special-purpose registries
 * (RFC 6890 and later), of multicast, of the forms that carry an IPv4 address (mapped, 6to4, Teredo, NAT64, ISATAP), and
 * of the clouds' metadata services. Says nothing of this machine's own addresses. */
bool rlx_address_is_public(const struct sockaddr *address);
/* True when an interface of this machine has the address. */
bool rlx_address_is_own(const struct sockaddr *address);
/* True for a port that other protocols own and that no browser would connect to (the Fetch standard's "bad ports"). */
bool rlx_port_is_bad(unsigned port);

/* True when host:port stands in the list (`host` as in a URL, so IPv6 in brackets). */
bool rlx_allow_has(const char *allow, const char *host, unsigned port);

#endif
