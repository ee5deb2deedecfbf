/* Which addresses may be reached on behalf of a user. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "provider/outbound.h"

struct range4 {
    uint32_t first;
    unsigned bits;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* IANA IPv4 Special-Purpose Address Registry, multicast, and one metadata service that stands in a
 * public range. */
static const struct range4 closed4[] = {
    {V4(0, 0, 0, 0), 8},        {V4(10, 0, 0, 0), 8},     {V4(100, 64, 0, 0), 10},
    {V4(127, 0, 0, 0), 8},      {V4(169, 254, 0, 0), 16}, {V4(172, 16, 0, 0), 12},
    {V4(192, 0, 0, 0), 24},     {V4(192, 0, 2, 0), 24},   {V4(192, 31, 196, 0), 24},
    {V4(192, 52, 193, 0), 24},  {V4(192, 88, 99, 0), 24}, {V4(192, 168, 0, 0), 16},
    {V4(192, 175, 48, 0), 24},  {V4(198, 18, 0, 0), 15},  {V4(198, 51, 100, 0), 24},
    {V4(203, 0, 113, 0), 24},   {V4(224, 0, 0, 0), 4},    {V4(240, 0, 0, 0), 4},
    {V4(168, 63, 129, 16), 32},
};

/* Inside 2000::/3, the only range of global unicast addresses: protocol assignments (Teredo,
 * ORCHID, …), documentation (two), 6to4. */
static const struct {
    uint8_t bytes[4];
    unsigned bits;
} closed6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x20, 0x02, 0x00, 0x00}, 16},
    {{0x3f, 0xff, 0x00, 0x00}, 20},
};

static bool is_public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof closed4 / sizeof closed4[0]; i++) {
        unsigned shift = 32 - closed4[i].bits;
        if (address >> shift == closed4[i].first >> shift)
            return false;
    }
    return true;
}

static bool starts_with_bits(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++) {
        unsigned mask = 0x80u >> (i % 8);
        if ((address[i / 8] ^ prefix[i / 8]) & mask)
            return false;
    }
    return true;
}

static bool is_public6(const uint8_t *address)
{
    static const uint8_t isatap[3] = {0x00, 0x5e, 0xfe}; /* RFC 5214 6.1, after 0x00 or 0x02 */

    if ((address[0] & 0xe0) != 0x20)
        return false;
    for (size_t i = 0; i < sizeof closed6 / sizeof closed6[0]; i++) {
        if (starts_with_bits(address, closed6[i].bytes, closed6[i].bits))
            return false;
    }
    return !((address[8] & ~0x02u) == 0 && memcmp(address + 9, isatap, sizeof isatap) == 0);
}

bool rlx_address_is_public(const struct sockaddr *address)
{
    if (!address)
        return false;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET) {
        struct sockaddr_in x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return x.sin_addr.s_addr == y.sin_addr.s_addr;
    }
    if (a->sa_family == AF_INET6) {
        struct sockaddr_in6 x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return !memcmp(&x.sin6_addr, &y.sin6_addr, sizeof x.sin6_addr);
    }
    return false;
}

bool rlx_address_is_own(const struct sockaddr *address)
{
    struct ifaddrs *list, *each;
    bool own = false;

    if (!address || getifaddrs(&list))
        return false;
    for (each = list; each && !own; each = each->ifa_next)
        own = each->ifa_addr && same_address(each->ifa_addr, address);
    freeifaddrs(list);
    return own;
}

bool rlx_port_is_bad(unsigned port)
{
    /* https://fetch.spec.whatwg.org/#port-blocking */
    static const uint16_t bad[] = {
        1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,    25,   37,
        42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,   109,  110,
        111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,   389,  427,
        465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,   556,  563,
        587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659,  4045, 4190,
        5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    };

    if (!port || port > UINT16_MAX)
        return true;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (bad[i] == port)
            return true;
    }
    return false;
}

bool rlx_allow_has(const char *allow, const char *host, unsigned port)
{
    char wanted[16];

    if (!allow || !host)
        return false;
    size_t host_length = strlen(host);
    size_t port_length = (size_t)snprintf(wanted, sizeof wanted, ":%u", port);
    for (const char *p = allow; *p;) {
        p += strspn(p, " ,\t");
        size_t n = strcspn(p, " ,\t");
        if (n == host_length + port_length && !strncasecmp(p, host, host_length) &&
            !strncmp(p + host_length, wanted, port_length))
            return true;
        p += n;
    }
    return false;
}
