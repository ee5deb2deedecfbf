/* Spoken pieces by content: greetings, fillers, goodbyes and approved answers are rendered once and kept, in memory (bounded,
 * least recently used goes) and on disk, where all gateways of a machine share them (pruned at the start). Loop thread only. */
#ifndef RLX_GATEWAY_SPEECH_CACHE_H
#define RLX_GATEWAY_SPEECH_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>
#include <uv.h>

#include "base/crypto.h"

struct rlx_speech_cache;
struct rlx_speech_load;

int rlx_speech_cache_create(struct rlx_speech_cache **cachep, TALLOC_CTX *ctx, uv_loop_t *loop,
                            const char *dir) __attribute__((warn_unused_result));

/* The key of a text in a voice (rlx_tts_voice_key) at a speed. */
void rlx_speech_cache_key(char key[RLX_SHA256_HEX], const char *voice_key, double speed,
                          const char *text);

/* µ-law from memory, borrowed until the loop's next turn; NULL when it is not there. */
const uint8_t *rlx_speech_cache_peek(struct rlx_speech_cache *cache, const char *key,
                                     size_t *lengthp);

/* Reads it from disk: `done` comes later, once, with NULL when there is none. */
typedef void rlx_speech_loaded_h(const uint8_t *ulaw, size_t length, void *arg);
int rlx_speech_cache_load(struct rlx_speech_load **loadp, struct rlx_speech_cache *cache,
                          const char *key, rlx_speech_loaded_h *done, void *arg)
    __attribute__((warn_unused_result));
/* `done` won't come any more. NULL is fine; dead after `done`. */
void rlx_speech_cache_cancel(struct rlx_speech_load *load);

/* Keeps it (copied), in memory at once and on disk soon. */
void rlx_speech_cache_put(struct rlx_speech_cache *cache, const char *key, const uint8_t *ulaw,
                          size_t length);

#endif
