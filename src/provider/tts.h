/* Text to speech: streamed 8 kHz µ-law, whatever the provider sends. Loop thread only. */
#ifndef RLX_PROVIDER_TTS_H
#define RLX_PROVIDER_TTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rlx_tts;
struct rlx_tts_job;

struct rlx_tts_handlers {
    void (*audio)(const uint8_t *ulaw, size_t length, void *arg);
    /* Exactly once unless cancelled; 0 bytes with err 0 is possible. */
    void (*done)(int err, uint32_t first_byte_ms, uint32_t took_ms, const char *why, void *arg);
};

struct rlx_meter; /* provider/meter.h */

struct rlx_tts_options {
    const char *text;
    const char *voice;       /* the agent's wish, may be NULL; unknown names take the provider's default */
    double speed;            /* 0 = 1.0 */
    uint32_t first_byte_ms;  /* limit; 0 = 4000 */
    struct rlx_meter *meter; /* what it costs is counted here; lives longer than the job; may be NULL */
};

/* Edge silence is trimmed to 40 ms. */
int rlx_tts_start(struct rlx_tts_job **jobp, struct rlx_tts *tts,
                  const struct rlx_tts_options *options, const struct rlx_tts_handlers *handlers,
                  void *arg) __attribute__((warn_unused_result));
void rlx_tts_cancel(struct rlx_tts_job *job);
void rlx_tts_warm(struct rlx_tts *tts);
const char *rlx_tts_name(const struct rlx_tts *tts);
/* Its rate limit is nearly used up: what is not sure to be needed should not be asked for. */
bool rlx_tts_is_low(const struct rlx_tts *tts);
/* What the spoken-piece cache keys on: provider, model and the voice that `voice` resolves to. */
const char *rlx_tts_voice_key(const struct rlx_tts *tts, const char *voice);

#endif
