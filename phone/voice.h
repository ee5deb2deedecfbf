/* The callee's voice: words → 8 kHz PCM as a telephone would carry it. Blocking; any thread, one at
 * a time per object. */
#ifndef RLX_PHONE_VOICE_H
#define RLX_PHONE_VOICE_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_voice {
    const char *speech_url; /* an OpenAI-compatible server's base without /v1, or NULL */
    const char *name;       /* voice */
    const char *used;       /* out: "speech", "espeak-ng" or NULL: what spoke last */
};

struct rlx_sound {
    int16_t *pcm; /* 8 kHz mono, talloc child of the sound */
    size_t samples;
    size_t loud_start,
        loud_end; /* first and behind the last sample above -45 dBFS; equal when there is none */
};

/* Speaks: asks the server (response_format wav), else runs espeak-ng; band-limited to 300–3400 Hz,
 * edges trimmed to 20 ms, level -20 dBFS RMS. RLX_EPROVIDER with a sentence in *whyp (on ctx) when
 * neither works; -ENOMEM. */
int rlx_voice_speak(struct rlx_sound **soundp, TALLOC_CTX *ctx, struct rlx_voice *voice,
                    const char *text, char **whyp) __attribute__((warn_unused_result));

/* A WAV file's content as a sound: resampled and band-limited; its level and its edges stay.
 * RLX_EINVAL, -ENOMEM. */
int rlx_voice_wav(struct rlx_sound **soundp, TALLOC_CTX *ctx, const void *wav, size_t length,
                  char **whyp) __attribute__((warn_unused_result));

/* A tone of two frequencies (hz2 = 0: one), each at -9 dBm0 (-12 dBFS peak). */
int rlx_voice_tone(struct rlx_sound **soundp, TALLOC_CTX *ctx, uint32_t hz1, uint32_t hz2,
                   uint32_t ms) __attribute__((warn_unused_result));

/* The two frequencies of a key (ITU-T Q.23); 0 or RLX_EINVAL. */
int rlx_voice_key(char key, uint32_t *hz1p, uint32_t *hz2p);

#endif
