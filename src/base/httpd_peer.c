/* Who a request comes from. */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/httpd_private.h"

/* Whether a list "10.0.0.1, ::1" names the address. */
static bool is_trusted(const char *list, const char *address)
{
    size_t length = strlen(address);

    for (const char *p = list ? list : ""; *p;) {
        p += strspn(p, ", ");
        size_t n = strcspn(p, ", ");
        if (n && n == length && !memcmp(p, address, n))
            return true;
        p += n;
    }
    return false;
}

/* Some proxies add a line of their own behind the client's: the last one counts. */
static enum MHD_Result last_line(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    const char **lastp = cls;

    (void)kind;
    if (value && !strcasecmp(name, "X-Forwarded-For"))
        *lastp = value;
    return MHD_YES;
}

/* The last address of X-Forwarded-For that no trusted proxy has: what stands before it is only
 * what the client says. */
static void follow_proxies(struct rlx_request *req, const char *list)
{
    const char *header = NULL;
    unsigned char binary[sizeof(struct in6_addr)];
    char address[sizeof req->peer];

    MHD_get_connection_values(req->connection, MHD_HEADER_KIND, last_line, &header);
    size_t end = header ? strlen(header) : 0;
    while (end && is_trusted(list, req->peer)) {
        while (end && strchr(", ", header[end - 1]))
            end--;
        size_t begin = end;
        while (begin && !strchr(", ", header[begin - 1]))
            begin--;
        size_t length = end - begin;
        if (!length || length >= sizeof address)
            return;
        memcpy(address, header + begin, length);
        address[length] = '\0';
        if (inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, binary) != 1)
            return;
        memcpy(req->peer, address, length + 1);
        end = begin;
    }
}

const char *rlx_request_peer(const struct rlx_request *req)
{
    struct rlx_request *own = (struct rlx_request *)(uintptr_t)req; /* fills its own cache */
    const union MHD_ConnectionInfo *info;

    if (*req->peer)
        return req->peer;
    info = MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr)
        getnameinfo(info->client_addr,
                    info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                             : sizeof(struct sockaddr_in),
                    own->peer, sizeof own->peer, NULL, 0, NI_NUMERICHOST);
    if (!strncmp(req->peer, "::ffff:", 7))
        memmove(own->peer, own->peer + 7, strlen(own->peer + 7) + 1);
    if (req->server->options.trusted_proxies)
        follow_proxies(own, req->server->options.trusted_proxies);
    return req->peer;
}
