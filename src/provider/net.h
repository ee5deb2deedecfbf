/* Outgoing HTTP on the loop: libcurl multi-socket on libuv. One net per loop; connections are kept alive and shared by all
 * its users. Every request has exactly one `done`, never from inside the starting call; after rlx_net_cancel there is none.
 */
#ifndef RLX_PROVIDER_NET_H
#define RLX_PROVIDER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <uv.h>

struct rlx_net;
struct rlx_net_request;

int rlx_net_create(struct rlx_net **netp, TALLOC_CTX *ctx, uv_loop_t *loop)
    __attribute__((warn_unused_result));
/* Closes the loop handles; cancels what runs (not from inside a handler of the net, and after its users are gone, who hold
 * requests). Free the net only after the loop has run once more. */
void rlx_net_close(struct rlx_net *net);

/* Bytes of the answer's body, only while its status is 2xx (an error body is collected for `done`). */
typedef void rlx_net_data_h(const void *data, size_t length, void *arg);
/* err 0 (status 2xx), RLX_EPROVIDER (another status, or the transport failed), -ETIMEDOUT. `why` is a sentence with the
 * provider's own message when there is one; borrowed. */
typedef void rlx_net_done_h(int err, long status, const char *why, void *arg);

struct rlx_net_part { /* a multipart/form-data field */
    const char *name;
    const void *data;
    size_t length;
    const char *filename;     /* NULL = a plain field */
    const char *content_type; /* NULL = none */
};

/* What the answers' headers tell of a provider. Zeroed to begin with. */
struct rlx_net_hints {
    uint64_t low_until_ms; /* its rate limit is nearly used up (or 429 came): believed until then (monotonic) */
    uint32_t queue_ms;     /* how long the newest request waited there before work on it began; 0 = unknown */
};

struct rlx_net_options {
    const char *url;
    const char *bearer;              /* NULL = no Authorization */
    const char *json;                /* a JSON body, or */
    const struct rlx_net_part *parts; /* a multipart body, or neither: GET */
    size_t part_count;
    uint32_t connect_ms;    /* 0 = 2000 */
    uint32_t first_byte_ms; /* until the first body byte; 0 = 8000 */
    uint32_t stall_ms;      /* between body bytes; 0 = 5000 */
    uint32_t total_ms;      /* 0 = 30000 */
    struct rlx_net_hints *hints; /* filled in; must live until `done`, cancel or release; may be NULL */
    const char *warm_url;   /* fetched in the background after a cancel that cost the connection; NULL = nothing */
};

/* Starts a request (all of options is copied). */
int rlx_net_start(struct rlx_net_request **requestp, struct rlx_net *net,
                  const struct rlx_net_options *options, rlx_net_data_h *data, rlx_net_done_h *done,
                  void *arg) __attribute__((warn_unused_result));
/* Ends it at once, without `done`. NULL is fine. Not from inside its own handlers of another request is fine; from inside
 * its own `data` it is allowed too. After `done` the pointer is dead. */
void rlx_net_cancel(struct rlx_net_request *request);

/* Fails the request with -ETIMEDOUT unless this is called again within `ms`; 0 lifts it. For limits that bytes alone do not
 * meet (a model's first token behind keep-alive comments). */
void rlx_net_expect(struct rlx_net_request *request, uint32_t ms);
/* The user has what it wants: no handler is called any more, and the rest of the answer is read away for at most half a
 * second, so that the connection can be used again. The pointer is dead. Allowed where rlx_net_cancel is. */
void rlx_net_release(struct rlx_net_request *request);

/* Opens a connection to the URL's host and leaves it in the pool. */
void rlx_net_warm(struct rlx_net *net, const char *url, const char *bearer);

#endif
