/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api.h"

#include <errno.h>
#include <jansson.h>

#include "base/err.h"
#include "reply.h"
#include "stt.h"
#include "tts.h"

#define AUDIO_MAX (25u << 20) /* bytes, as OpenAI's limit */

void rlx_speech_refuse(struct rlx_request *req, int status, const char *code, const char *message)
{
    const char *type = status == 429  ? "rate_limit_error"
                       : status < 500 ? "invalid_request_error"
                                      : "server_error";
    json_t *json =
        json_pack("{s:{s:s, s:s, s:s}}", "error", "message", message, "type", type, "code", code);

    rlx_reply_json(req, status, json);
}

void rlx_speech_fail(struct rlx_request *req, int err)
{
    if (err == RLX_ELIMIT) {
        rlx_reply_header(req, "Retry-After", "1");
        rlx_speech_refuse(req, 429, "queue_full",
                          "too many requests are waiting: try again in a second");
    } else if (err == -ECANCELED) {
        rlx_speech_refuse(req, 499, "client_closed_request", "the client has gone");
    } else {
        rlx_speech_refuse(req, 500, rlx_err_code(err), rlx_err_text(err));
    }
}

bool rlx_speech_client_gone(void *arg)
{
    return rlx_request_client_gone(arg);
}

static json_t *load_json(const char *model, struct rlx_slots_load load)
{
    return json_pack("{s:s, s:i, s:i, s:i}", "model", model, "workers", (int)load.slots, "busy",
                     (int)load.busy, "waiting", (int)load.waiting);
}

static void health(struct rlx_request *req, void *arg)
{
    const struct rlx_speech_api *api = arg;

    rlx_reply_json(req, 200,
                   json_pack("{s:s, s:s, s:o, s:o}", "status", "ok", "version", RLX_VERSION, "stt",
                             load_json(api->stt_name, rlx_recognizer_load(api->recognizer)), "tts",
                             load_json(api->tts_name, rlx_speaker_load(api->speaker))));
}

static void models(struct rlx_request *req, void *arg)
{
    const struct rlx_speech_api *api = arg;

    rlx_reply_json(req, 200,
                   json_pack("{s:s, s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}", "object", "list",
                             "data", "id", api->stt_name, "object", "model", "owned_by", "relayx",
                             "id", api->tts_name, "object", "model", "owned_by", "relayx"));
}

static void unmatched(struct rlx_request *req, void *arg)
{
    (void)arg;
    rlx_speech_refuse(
        req, 404, "unknown_url",
        "there is no such address: see POST /v1/audio/transcriptions, POST /v1/audio/speech, "
        "GET /v1/models, GET /health");
}

int rlx_speech_api_start(struct rlx_httpd **serverp, TALLOC_CTX *ctx, struct rlx_speech_api *api,
                         const char *host, uint16_t port)
{
    static const struct rlx_route routes[] = {
        {"GET", "/health", health, 0},
        {"GET", "/v1/models", models, 0},
        {"POST", "/v1/audio/transcriptions", rlx_speech_transcriptions, AUDIO_MAX},
        {"POST", "/v1/audio/speech", rlx_speech_speech, 0},
    };
    struct rlx_httpd_options options = {
        .host = host,
        .port = port,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .unmatched = unmatched,
        .arg = api,
    };

    return rlx_httpd_start(serverp, ctx, &options);
}
