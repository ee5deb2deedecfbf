/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Speech recognition: whisper.cpp with the settings that suit short telephone utterances
 * (docs/internals/speech.md), behind the inference queue and the guards. Any thread.
 */
#ifndef RLX_SPEECH_STT_H
#define RLX_SPEECH_STT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "slots.h"

struct rlx_recognizer;
struct rlx_wav;

struct rlx_recognizer_options {
    const char *model_path;
    unsigned workers;     /* utterances decoded at the same time */
    unsigned max_waiting; /* requests in line behind them */
    unsigned threads; /* per utterance; more than 1 is slower on busy cores: ggml's threads spin */
};

struct rlx_heard {
    const char *text; /* "" when nothing was said */
    uint32_t audio_ms;
    uint32_t voiced_ms; /* how much of it is speech */
    float avg_logprob; /* mean natural log probability of the text's tokens; 0 when there is no text
                        */
    uint32_t waited_ms, took_ms; /* in line, decoding */
};

/* Loads the model and decodes once, so that the first utterance is as fast as the next. RLX_ECONFIG
 * (logged) when the file is no model. */
int rlx_recognizer_open(struct rlx_recognizer **recognizerp, TALLOC_CTX *ctx,
                        const struct rlx_recognizer_options *options)
    __attribute__((warn_unused_result));

/* Transcribes English speech. `prompt` (may be NULL) holds words that are likely. The result is a
 * child of ctx. RLX_ELIMIT when the line is full, -ECANCELED when `gone` said so, RLX_EINTERNAL
 * when decoding failed. Blocks for the decoding time. */
int rlx_recognizer_hear(struct rlx_heard **heardp, TALLOC_CTX *ctx,
                        struct rlx_recognizer *recognizer, const struct rlx_wav *wav,
                        const char *prompt, rlx_gone_h *gone, void *arg)
    __attribute__((warn_unused_result));

struct rlx_slots_load rlx_recognizer_load(const struct rlx_recognizer *recognizer);

#endif
