/* The phone's playout buffer: what came from the agent is played in order, in real time, with marks
 * in between. No clock: the owner plays a frame every 20 ms. It shares nothing with the gateway's
 * playout. One thread. */
#ifndef RLX_PHONE_BUFFER_H
#define RLX_PHONE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_buffer;

/* A mark's audio has been played, or was cleared. Called from inside play and clear. */
typedef void rlx_buffer_mark_h(uint32_t number, bool cleared, void *arg);

int rlx_buffer_create(struct rlx_buffer **bufferp, TALLOC_CTX *ctx, rlx_buffer_mark_h *mark,
                      void *arg) __attribute__((warn_unused_result));

/* Appends µ-law. RLX_ETOOBIG when more than 30 minutes would wait; -ENOMEM. */
int rlx_buffer_put(struct rlx_buffer *buffer, const uint8_t *ulaw, size_t length)
    __attribute__((warn_unused_result));
/* A mark behind everything so far (given back by the next play when nothing is left before it).
 * RLX_ELIMIT when 10000 wait. */
int rlx_buffer_mark(struct rlx_buffer *buffer, uint32_t number) __attribute__((warn_unused_result));

/* Takes `length` bytes to play; what is missing is silence. Returns the number of real ones. */
size_t rlx_buffer_play(struct rlx_buffer *buffer, uint8_t *ulaw, size_t length);

/* Empties it; the marks are given back. Returns the number of bytes dropped. */
size_t rlx_buffer_clear(struct rlx_buffer *buffer);

/* Bytes waiting, and bytes played since creation. */
size_t rlx_buffer_waiting(const struct rlx_buffer *buffer);
uint64_t rlx_buffer_played(const struct rlx_buffer *buffer);

#endif
