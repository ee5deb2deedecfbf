/* The gateway's one writer to the store: a queue that threads work off, so that rows are written in order and the loop never waits,
 * and one that tells every second that the gateway lives.
 *
 * What the store has not taken after 300 ms, or at once when it is known to be away, is put into a spool file as well
 * (gateway/spool.h), which outlives a kill. An operation is *durable* when the store has committed it or the spool was synced.
 * When the store is back everything is carried out in order (a repeated operation changes nothing: rows carry ids made before
 * writing); so are, now and then, the spools of dead gateways. Any thread may queue.
 */
#ifndef RLX_GATEWAY_WRITER_H
#define RLX_GATEWAY_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

#include "store/calls.h"
#include "store/store.h"

struct rlx_writer;

/* The row of this number (rlx_writer_turn), and all before it of its call, would survive a kill. On one of the writer's threads: it
 * must not wait for anything. */
typedef void rlx_writer_durable_h(const char *call_id, uint32_t number, void *arg);

struct rlx_writer_options {
    struct rlx_store *store;
    const char *gateway_id, *control_url;
    const char *spool_dir; /* exists */
    rlx_writer_durable_h *durable; /* may be NULL */
    void *arg;
};

/* Starts the threads; freeing ends them after the queue is stored or kept. Strings are copied. */
int rlx_writer_create(struct rlx_writer **writerp, TALLOC_CTX *ctx,
                      const struct rlx_writer_options *options) __attribute__((warn_unused_result));

/* Each queues one operation; arguments are copied. Out of memory, or more than 200 000 that wait, is logged. */
void rlx_writer_turn(struct rlx_writer *writer, const struct rlx_turn_row *row, bool replace,
                     uint32_t number);
void rlx_writer_event(struct rlx_writer *writer, const char *call_id, const char *kind,
                      const char *data_json);
void rlx_writer_progress(struct rlx_writer *writer, const char *call_id, const char *status);
/* The call was taken by this gateway while the store could not be asked. */
void rlx_writer_take(struct rlx_writer *writer, const char *call_id, const char *token_sha256);
void rlx_writer_end(struct rlx_writer *writer, const char *call_id, const struct rlx_call_end *end);
void rlx_writer_dnc(struct rlx_writer *writer, const char *user_id, const char *phone_number,
                    const char *source, const char *call_id);
/* What providers did for the call (rlx_usage_put_json). */
void rlx_writer_usage(struct rlx_writer *writer, const char *call_id, const char *items_json);
/* How many operations the store has not taken yet. */
size_t rlx_writer_backlog(struct rlx_writer *writer);

#endif
