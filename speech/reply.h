/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Errors in OpenAI's shape, and the handlers that api.c routes to.
 */
#ifndef RLX_SPEECH_REPLY_H
#define RLX_SPEECH_REPLY_H

#include "base/httpd.h"

#define RLX_SPEECH_INPUT_MAX 4096 /* characters of a text to speak, as OpenAI's limit */

/* {"error": {"message", "type", "code"}} with a status. */
void rlx_speech_refuse(struct rlx_request *req, int status, const char *code, const char *message);

/* The answer to an error of the engines: 429, nothing that matters for -ECANCELED, else 500. */
void rlx_speech_fail(struct rlx_request *req, int err);

/* A rlx_gone_h whose argument is the request. */
bool rlx_speech_client_gone(void *arg);

/* rlx_handler_h: `arg` is a struct rlx_speech_api. */
void rlx_speech_transcriptions(struct rlx_request *req, void *arg);
void rlx_speech_speech(struct rlx_request *req, void *arg);

#endif
