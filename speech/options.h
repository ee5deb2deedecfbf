/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Command line, environment, and the file models.env that tools/setup writes.
 */
#ifndef RLX_SPEECH_OPTIONS_H
#define RLX_SPEECH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "base/log.h"

struct rlx_speech_options {
    const char *host;
    uint16_t port;
    const char *stt_model, *voice, *voice_tokens; /* files */
    unsigned stt_workers, tts_workers, queue, threads;
    enum rlx_log_level log_level;
    bool log_json;
};

enum rlx_options_outcome {
    RLX_OPTIONS_RUN,  /* go on */
    RLX_OPTIONS_DONE, /* --help or --version was printed: end with 0 */
    RLX_OPTIONS_BAD,  /* an error was printed to standard error: end with 2 */
};

/* Reads everything; strings are on ctx or argv. Flags win over the environment, that over
 * models.env. */
enum rlx_options_outcome rlx_options_read(struct rlx_speech_options *options, TALLOC_CTX *ctx,
                                          int argc, char **argv);

/* The value of NAME in a text of NAME=value lines, on ctx, or NULL. Lines that begin with # don't
 * count. */
char *rlx_options_lookup(TALLOC_CTX *ctx, const char *text, const char *name);

#endif
