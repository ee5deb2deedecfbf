/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * POST /v1/audio/transcriptions
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "audio/wav.h"
#include "base/err.h"
#include "base/log.h"
#include "reply.h"
#include "stt.h"

#define PROMPT_MAX 800 /* bytes: about as many tokens as the decoder takes */

/* A field that is there and not empty, else NULL. */
static const char *field(struct rlx_request *req, const char *name)
{
    size_t length;
    const char *value = rlx_request_field(req, name, &length);

    return value && length > 0 ? value : NULL;
}

static bool is_english(const char *language)
{
    return !language || !strcasecmp(language, "auto") || !strcasecmp(language, "english") ||
           (!strncasecmp(language, "en", 2) &&
            (!language[2] || language[2] == '-' || language[2] == '_'));
}

static double seconds(uint32_t ms)
{
    return (double)ms / 1000.0;
}

static void answer(struct rlx_request *req, const struct rlx_heard *heard, const char *format)
{
    double confidence = (double)heard->avg_logprob;
    json_t *json;

    if (!strcmp(format, "text")) {
        rlx_reply_text(req, 200, "text/plain; charset=utf-8",
                       talloc_asprintf(req, "%s\n", heard->text));
        return;
    }
    char *queue = talloc_asprintf((TALLOC_CTX *)req, "%u", (unsigned)heard->waited_ms);
    if (queue)
        rlx_reply_header(req, "X-Queue-Ms", queue);
    json = json_pack("{s:s, s:i, s:f}", "text", heard->text, "voiced_ms", (int)heard->voiced_ms,
                     "avg_logprob", confidence);
    if (json && !strcmp(format, "verbose_json")) {
        json_object_set_new(json, "task", json_string("transcribe"));
        json_object_set_new(json, "language", json_string("english"));
        json_object_set_new(json, "duration", json_real(seconds(heard->audio_ms)));
        json_object_set_new(json, "segments",
                            *heard->text ? json_pack("[{s:i, s:f, s:f, s:s, s:f}]", "id", 0,
                                                     "start", 0.0, "end", seconds(heard->audio_ms),
                                                     "text", heard->text, "avg_logprob", confidence)
                                         : json_array());
        json_object_set_new(json, "queue_ms", json_integer(heard->waited_ms));
        json_object_set_new(json, "decode_ms", json_integer(heard->took_ms));
    }
    rlx_reply_json(req, 200, json);
}

/* The checks of the form; the reply has been made when it returns false. */
static bool acceptable(struct rlx_request *req, const char *format)
{
    const char *language = field(req, "language");

    if (strcmp(format, "json") != 0 && strcmp(format, "text") != 0 &&
        strcmp(format, "verbose_json") != 0) {
        rlx_speech_refuse(req, 400, "bad_response_format",
                          "response_format must be json, text or verbose_json");
        return false;
    }
    if (!is_english(language)) {
        rlx_speech_refuse(
            req, 400, "unsupported_language",
            "the local speech recognition knows English only: leave language out or say en, or "
            "use another provider");
        return false;
    }
    return true;
}

void rlx_speech_transcriptions(struct rlx_request *req, void *arg)
{
    const struct rlx_speech_api *api = arg;
    const char *format = field(req, "response_format");
    struct rlx_heard *heard;
    struct rlx_wav *wav;
    char *why = NULL;
    size_t length = 0;
    const char *file = rlx_request_field(req, "file", &length);

    format = format ? format : "json";
    if (!file) {
        rlx_speech_refuse(req, 400, "missing_file",
                          "a multipart field \"file\" with a WAV recording is needed");
        return;
    }
    if (!acceptable(req, format))
        return;
    if (rlx_wav_read(&wav, req, file, length, &why)) {
        rlx_speech_refuse(
            req, 400, "bad_audio",
            talloc_asprintf(req,
                            "the file can't be read as WAV (16-bit PCM or µ-law, 8 to 48 kHz): %s",
                            why ? why : "unknown content"));
        return;
    }
    const char *prompt = field(req, "prompt");
    if (prompt && strlen(prompt) > PROMPT_MAX)
        prompt += strlen(prompt) - PROMPT_MAX; /* OpenAI, too, uses its end only */
    int err =
        rlx_recognizer_hear(&heard, req, api->recognizer, wav, prompt, rlx_speech_client_gone, req);
    if (err) {
        rlx_log(err == -ECANCELED ? RLX_INFO : RLX_WARN, "stt.failed", "error=%s",
                rlx_err_text(err));
        rlx_speech_fail(req, err);
        return;
    }
    rlx_log(RLX_INFO, "stt.done",
            "audio_ms=%u voiced_ms=%u queue_ms=%u decode_ms=%u chars=%zu logprob=%.2f",
            heard->audio_ms, heard->voiced_ms, heard->waited_ms, heard->took_ms,
            strlen(heard->text), (double)heard->avg_logprob);
    answer(req, heard, format);
}
