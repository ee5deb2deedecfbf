/* Speech to text. Loop thread only. */
#ifndef RLX_PROVIDER_STT_H
#define RLX_PROVIDER_STT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_stt;     /* a configured provider */
struct rlx_stt_job; /* one utterance */

struct rlx_stt_result {
    const char *text;      /* "" when nothing was said; borrowed until the handler returns */
    uint32_t voiced_ms;    /* as the provider judged; 0 = unknown */
    float avg_logprob;     /* mean log probability of the tokens; 0 = unknown */
    uint32_t took_ms;
    uint32_t queue_ms;     /* of these it waited at the provider, 0 = unknown */
};

/* Exactly once per job unless cancelled. On err the result is NULL and `why` a sentence. */
typedef void rlx_stt_done_h(int err, const struct rlx_stt_result *result, const char *why,
                            void *arg);

struct rlx_meter; /* provider/meter.h */

struct rlx_stt_options {
    const char *language; /* ISO 639-1, NULL = the provider's default */
    const char *prompt;   /* words that are likely, may be NULL */
    uint32_t timeout_ms;  /* 0 = 5000 */
    struct rlx_meter *meter; /* what it costs is counted here; lives longer than the job; may be NULL */
};

/* Transcribes 8 kHz µ-law (copied). */
int rlx_stt_start(struct rlx_stt_job **jobp, struct rlx_stt *stt, const uint8_t *ulaw,
                  size_t length, const struct rlx_stt_options *options, rlx_stt_done_h *done,
                  void *arg) __attribute__((warn_unused_result));
/* Ends the job at once, without `done`. NULL is fine; dead after `done`. */
void rlx_stt_cancel(struct rlx_stt_job *job);
void rlx_stt_warm(struct rlx_stt *stt);
const char *rlx_stt_name(const struct rlx_stt *stt);
/* Its rate limit is nearly used up: what is not sure to be needed should not be asked for. */
bool rlx_stt_is_low(const struct rlx_stt *stt);

#endif
