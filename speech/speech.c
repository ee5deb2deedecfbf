/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * POST /v1/audio/speech
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "encode.h"
#include "reply.h"
#include "sentences.h"
#include "tts.h"

#define SPEED_MIN 0.25
#define SPEED_MAX 4.0
#define PAUSE_MS 40  /* between sentences, on top of what the voice leaves */
#define BREATH_MS 40 /* behind a first clause that was cut off its sentence */
#define DRAIN_MS 25  /* pushes the last samples through the encoder's resampling filter */

/* An answer that is being spoken; a child of its request. */
struct saying {
    struct rlx_request *req;
    struct rlx_speaker *speaker;
    struct rlx_encoder *encoder;
    char **pieces;
    size_t count, next;
    float speed;
    int err;
    uint64_t started_ms;
    uint32_t first_ms;
};

static bool gone(void *arg)
{
    const struct saying *s = arg;

    return rlx_request_client_gone(s->req);
}

static int encode(const float *samples, size_t count, void *arg)
{
    struct saying *s = arg;
    const char *piece = s->pieces[s->next];
    bool last = s->next + 1 == s->count;
    bool sentence = strchr(".!?", piece[strlen(piece) - 1]) != NULL;

    return rlx_encoder_add(s->encoder, samples, count,
                           last       ? DRAIN_MS
                           : sentence ? PAUSE_MS
                                      : BREATH_MS);
}

static int speak_next(struct saying *s)
{
    int err =
        rlx_speaker_say(s->speaker, s->pieces[s->next], s->speed, s->next > 0, encode, gone, s);

    s->next++;
    return err;
}

static ssize_t stream(void *buffer, size_t size, void *arg)
{
    struct saying *s = arg;
    size_t n;

    while ((n = rlx_encoder_take(s->encoder, buffer, size)) == 0) {
        if (s->next == s->count)
            return RLX_STREAM_END;
        s->err = speak_next(s);
        if (s->err)
            return RLX_STREAM_ABORT;
    }
    return (ssize_t)n;
}

static void done(void *arg)
{
    const struct saying *s = arg;

    rlx_log(RLX_INFO, "tts.done", "pieces=%zu of=%zu first_ms=%u took_ms=%u result=%s", s->next,
            s->count, s->first_ms, (unsigned)(rlx_now_ms() - s->started_ms),
            s->err == -ECANCELED ? "cancelled" : rlx_err_text(s->err));
}

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Reads the body into `s` (pieces, speed) and *formatp; the reply has been made when it returns
 * false. */
static bool parse(struct rlx_request *req, struct saying *s, enum rlx_format *formatp)
{
    json_t *body;
    const char *input, *format;
    int err = rlx_request_json(req, &body);

    if (err || !json_is_object(body)) {
        rlx_speech_refuse(req, 400, "bad_json",
                          err == RLX_EMEDIA ? "the body must be application/json"
                                            : "the body must be a JSON object");
        return false;
    }
    input = json_string_value(json_object_get(body, "input"));
    if (!input || !input[strspn(input, " \t\r\n")]) {
        rlx_speech_refuse(req, 400, "missing_input", "\"input\" must be a text that is not empty");
        return false;
    }
    if (characters(input) > RLX_SPEECH_INPUT_MAX) {
        rlx_speech_refuse(req, 400, "input_too_long", "\"input\" may have at most 4096 characters");
        return false;
    }
    json_t *wish = json_object_get(body, "response_format");
    format = wish ? json_string_value(wish) : "wav";
    if (!format || rlx_format_parse(formatp, format)) {
        rlx_speech_refuse(req, 400, "bad_response_format",
                          "\"response_format\" must be pcm, wav or mulaw");
        return false;
    }
    json_t *speed = json_object_get(body, "speed");
    s->speed = speed ? (float)json_number_value(speed) : 1.0f;
    if ((speed && !json_is_number(speed)) ||
        !(s->speed >= (float)SPEED_MIN && s->speed <= (float)SPEED_MAX)) {
        rlx_speech_refuse(req, 400, "bad_speed", "\"speed\" must be a number from 0.25 to 4");
        return false;
    }
    s->pieces = rlx_sentences_split(&s->count, s, input);
    if (!s->pieces || s->count == 0)
        rlx_speech_fail(req, -ENOMEM);
    return s->pieces && s->count > 0;
}

void rlx_speech_speech(struct rlx_request *req, void *arg)
{
    const struct rlx_speech_api *api = arg;
    struct saying *s = talloc_zero(req, struct saying);
    enum rlx_format format;
    int err;

    if (!s) {
        rlx_speech_fail(req, -ENOMEM);
        return;
    }
    s->req = req;
    s->speaker = api->speaker;
    s->started_ms = rlx_now_ms();
    if (!parse(req, s, &format))
        return;
    err = rlx_encoder_create(&s->encoder, s, format, rlx_speaker_rate_hz(s->speaker));
    /* The first sentence before the status: what goes wrong can still be told. */
    if (!err)
        err = speak_next(s);
    if (err) {
        rlx_log(err == -ECANCELED ? RLX_INFO : RLX_WARN, "tts.failed", "error=%s",
                rlx_err_text(err));
        rlx_speech_fail(req, err);
        return;
    }
    s->first_ms = (uint32_t)(rlx_now_ms() - s->started_ms);
    rlx_reply_stream(req, 200, rlx_format_type(format), stream, done, s);
}
