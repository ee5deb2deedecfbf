/* The gateway's one writer to the store: a thread with a queue, so that rows are written in order and the loop never waits, and
 * one that tells every second that the gateway lives.
 *
 * When the store is away, operations go to a spool file (gateway/spool.h) and are replayed in order when it is back (a repeated
 * one changes nothing: rows carry ids made before writing); so are, now and then, the spools of dead gateways. Any thread may
 * queue.
 */
#ifndef RLX_GATEWAY_WRITER_H
#define RLX_GATEWAY_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

#include "store/calls.h"
#include "store/store.h"

struct rlx_writer;

/* `spool_dir` exists. Starts the threads; freeing ends them after the queue is written or spooled. */
int rlx_writer_create(struct rlx_writer **writerp, TALLOC_CTX *ctx, struct rlx_store *store,
                      const char *gateway_id, const char *control_url, const char *spool_dir)
    __attribute__((warn_unused_result));

/* Each queues one operation; arguments are copied. Out of memory is logged, nothing else can fail here. */
void rlx_writer_turn(struct rlx_writer *writer, const struct rlx_turn_row *row, bool replace);
void rlx_writer_event(struct rlx_writer *writer, const char *call_id, const char *kind,
                      const char *data_json);
void rlx_writer_progress(struct rlx_writer *writer, const char *call_id, const char *status);
/* The call was taken by this gateway while the store could not be asked. */
void rlx_writer_take(struct rlx_writer *writer, const char *call_id, const char *token_sha256);
void rlx_writer_end(struct rlx_writer *writer, const char *call_id, const struct rlx_call_end *end);
void rlx_writer_dnc(struct rlx_writer *writer, const char *user_id, const char *phone_number,
                    const char *source, const char *call_id);
/* How many operations wait (queue and spool). */
size_t rlx_writer_backlog(struct rlx_writer *writer);

#endif
