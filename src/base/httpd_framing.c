#include <string.h>

#include "base/httpd_private.h"

#define TOKEN_SIGNS "!#$%&'*+-.^_`|~" /* RFC 9110 5.6.2, besides letters and digits */

struct framing {
    unsigned hosts, lengths, encodings;
    bool chunked, odd_name;
};

static bool is_token(const char *name)
{
    if (!*name)
        return false;
    for (; *name; name++)
        if (!(*name >= 'a' && *name <= 'z') && !(*name >= 'A' && *name <= 'Z') &&
            !(*name >= '0' && *name <= '9') && !strchr(TOKEN_SIGNS, *name))
            return false;
    return true;
}

static enum MHD_Result look(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *f = cls;

    (void)kind;
    if (!is_token(name))
        f->odd_name = true;
    f->hosts += !strcasecmp(name, MHD_HTTP_HEADER_HOST);
    f->lengths += !strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
        f->encodings++;
        f->chunked = value && !strcasecmp(value, "chunked");
    }
    return MHD_YES;
}

const char *rlx_framing_fault(struct MHD_Connection *connection, const char *version)
{
    struct framing f = {.hosts = 0};
    bool newest = !strcmp(version, MHD_HTTP_VERSION_1_1);

    MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &f);
    if (f.odd_name)
        return "a header's name is empty or holds a character that none may hold";
    if (f.hosts > 1 || (newest && !f.hosts))
        return "exactly one Host header is needed";
    if (f.lengths > 1)
        return "there is more than one Content-Length header";
    if (f.lengths && f.encodings)
        return "Content-Length and Transfer-Encoding exclude each other";
    if (f.encodings > 1 || (f.encodings && (!f.chunked || !newest)))
        return "the only Transfer-Encoding known here is chunked, once, in HTTP/1.1";
    return NULL;
}
