/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HTTP API of relayx-speech, in OpenAI's shapes (docs/internals/speech.md).
 */
#ifndef RLX_SPEECH_API_H
#define RLX_SPEECH_API_H

#include <stdint.h>
#include <talloc.h>

struct rlx_httpd;
struct rlx_recognizer;
struct rlx_speaker;

struct rlx_speech_api {
    struct rlx_recognizer *recognizer;
    struct rlx_speaker *speaker;
    const char *stt_name, *tts_name; /* shown as model ids */
};

/* Starts serving; `api` must outlive the server, which is a child of ctx. */
int rlx_speech_api_start(struct rlx_httpd **serverp, TALLOC_CTX *ctx, struct rlx_speech_api *api,
                         const char *host, uint16_t port) __attribute__((warn_unused_result));

#endif
