/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Speech synthesis: a Piper (VITS) voice through sherpa-onnx, phonemes by espeak-ng, behind the
 * inference queue. Any thread.
 */
#ifndef RLX_SPEECH_TTS_H
#define RLX_SPEECH_TTS_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "slots.h"

struct rlx_speaker;

struct rlx_speaker_options {
    const char *voice_path;  /* the .onnx that tools/setup prepared */
    const char *tokens_path; /* its phoneme table */
    unsigned workers;        /* sentences made at the same time */
    unsigned max_waiting;    /* requests in line behind them */
    unsigned threads;        /* per sentence */
};

/* Samples of one piece, full scale ±1. They live until the handler returns. */
typedef int rlx_speech_h(const float *samples, size_t count, void *arg);

/* Loads the voice (once per worker) and espeak-ng's data, and says a word, so that the first
 * sentence is as fast as the next. RLX_ECONFIG (logged) when a file is missing. */
int rlx_speaker_open(struct rlx_speaker **speakerp, TALLOC_CTX *ctx,
                     const struct rlx_speaker_options *options) __attribute__((warn_unused_result));

/* Speaks one piece of text (see sentences.h); `speech` gets the samples when the slot has been
 * given back, not at all when there is nothing to say. A piece can't be stopped half way, `gone`
 * counts before and after it (-ECANCELED). `begun`: a further piece of a request, never turned
 * away. RLX_ELIMIT, RLX_EINTERNAL, or what `speech` returned. */
int rlx_speaker_say(struct rlx_speaker *speaker, const char *text, float speed, bool begun,
                    rlx_speech_h *speech, rlx_gone_h *gone, void *arg)
    __attribute__((warn_unused_result));

uint32_t rlx_speaker_rate_hz(const struct rlx_speaker *speaker);
struct rlx_slots_load rlx_speaker_load(const struct rlx_speaker *speaker);

#endif
