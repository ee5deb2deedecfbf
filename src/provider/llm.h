/* Language model: streamed chat completions. Loop thread only. */
#ifndef RLX_PROVIDER_LLM_H
#define RLX_PROVIDER_LLM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct rlx_llm;
struct rlx_llm_job;

struct rlx_llm_usage {
    uint32_t prompt_tokens, completion_tokens, first_token_ms, took_ms;
};

struct rlx_llm_handlers {
    /* A piece of text to say. */
    void (*text)(const char *text, void *arg);
    /* A complete tool call (its argument pieces joined); `arguments` is a JSON text as the model gave it. Text that came in
     * or after a call's first piece is given out behind the calls. */
    void (*tool)(const char *id, const char *name, const char *arguments, void *arg);
    /* Exactly once unless cancelled. */
    void (*done)(int err, const struct rlx_llm_usage *usage, const char *why, void *arg);
};

struct rlx_meter; /* provider/meter.h */

struct rlx_llm_options {
    const char *model;     /* the agent's wish; an alias or unknown name takes the provider's default; may be NULL */
    const char *messages;  /* JSON array of {role, content, …} */
    const char *tools;     /* JSON array in OpenAI's shape, or NULL */
    double temperature;
    uint32_t max_tokens;   /* 0 = 150 */
    uint32_t first_token_ms; /* limit; 0 = 6000 */
    uint32_t total_ms;       /* limit; 0 = 20000 */
    struct rlx_meter *meter; /* what it costs is counted here; lives longer than the job; may be NULL */
};

int rlx_llm_start(struct rlx_llm_job **jobp, struct rlx_llm *llm,
                  const struct rlx_llm_options *options, const struct rlx_llm_handlers *handlers,
                  void *arg) __attribute__((warn_unused_result));
/* Ends the job at once, without `done`; also from inside its own handlers. NULL is fine; dead after `done`. */
void rlx_llm_cancel(struct rlx_llm_job *job);
/* Opens the connection, and when `messages` (may be NULL) is given lets a server with a prefix cache read it beforehand
 * (one token asked, answer thrown away). */
void rlx_llm_warm(struct rlx_llm *llm, const char *model, const char *messages);
const char *rlx_llm_name(const struct rlx_llm *llm);
/* Its rate limit is nearly used up: what is not sure to be needed should not be asked for. */
bool rlx_llm_is_low(const struct rlx_llm *llm);

#endif
