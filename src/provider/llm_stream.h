/* A streamed chat completion: bytes of the event stream in, text and whole tool calls out. No I/O;
 * one thread.
 *
 * Text goes out as it comes until the first piece of a tool call; text in or after that piece is
 * held and given out behind the tool calls, so that its receiver can tell by the order. Reasoning
 * fields are never given out. */
#ifndef RLX_PROVIDER_LLM_STREAM_H
#define RLX_PROVIDER_LLM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_llm_stream;

/* Any of them may free the stream. */
struct rlx_llm_stream_handlers {
    void (*text)(const char *text, void *arg);
    void (*tool)(const char *id, const char *name, const char *arguments, void *arg);
};

#define RLX_LLM_FREED 1 /* a handler freed the stream */
#define RLX_LLM_OVER 2  /* [DONE]: everything has been given out */

int rlx_llm_stream_create(struct rlx_llm_stream **streamp, TALLOC_CTX *ctx,
                          const struct rlx_llm_stream_handlers *handlers, void *arg)
    __attribute__((warn_unused_result));

/* 0, RLX_LLM_FREED, RLX_LLM_OVER, or an error with rlx_llm_stream_why: RLX_EPROTO, RLX_EPROVIDER
 * (the stream held an error object), RLX_ETOOBIG, RLX_EEMPTY (over, and nothing came), -ENOMEM. */
int rlx_llm_stream_feed(struct rlx_llm_stream *stream, const void *bytes, size_t length)
    __attribute__((warn_unused_result));
/* The answer's body has ended cleanly. As feed, never 0. */
int rlx_llm_stream_end(struct rlx_llm_stream *stream) __attribute__((warn_unused_result));

const char *rlx_llm_stream_why(const struct rlx_llm_stream *stream);
/* True when the model has begun: text or a piece of a tool call came. */
bool rlx_llm_stream_begun(const struct rlx_llm_stream *stream);
/* True when a handler has been called. */
bool rlx_llm_stream_gave(const struct rlx_llm_stream *stream);
void rlx_llm_stream_usage(const struct rlx_llm_stream *stream, uint32_t *promptp,
                          uint32_t *completionp);

#endif
