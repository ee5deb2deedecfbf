/* Server-sent events (WHATWG HTML 9.2.6): bytes in, the `data` of each event out. No I/O; one
 * thread per object. */
#ifndef RLX_PROVIDER_SSE_H
#define RLX_PROVIDER_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

struct rlx_sse;

/* One event's data (lines joined by '\n', NUL-terminated, borrowed). Returning false stops the feed
 * at once; the parser may have been freed then. */
typedef bool rlx_sse_event_h(const char *data, size_t length, void *arg);

#define RLX_SSE_STOPPED 1

/* `max_event` caps one line and one event, in bytes. */
int rlx_sse_create(struct rlx_sse **ssep, TALLOC_CTX *ctx, size_t max_event, rlx_sse_event_h *event,
                   void *arg) __attribute__((warn_unused_result));

/* Bytes in any pieces. 0, RLX_SSE_STOPPED, RLX_ETOOBIG or -ENOMEM; an error is final. */
int rlx_sse_feed(struct rlx_sse *sse, const void *bytes, size_t length)
    __attribute__((warn_unused_result));

/* The stream is over: gives out a last event that lacks its empty line (many servers leave it off).
 * As feed. */
int rlx_sse_end(struct rlx_sse *sse) __attribute__((warn_unused_result));

#endif
