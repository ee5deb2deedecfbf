/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * relayx-speech: local speech recognition and synthesis behind OpenAI's API.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/httpd.h"
#include "base/log.h"
#include "options.h"
#include "stt.h"
#include "tts.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int open_models(struct rlx_speech_api *api, TALLOC_CTX *ctx,
                       const struct rlx_speech_options *options)
{
    const struct rlx_recognizer_options stt = {
        .model_path = options->stt_model,
        .workers = options->stt_workers,
        .max_waiting = options->queue,
        .threads = options->threads,
    };
    const struct rlx_speaker_options tts = {
        .voice_path = options->voice,
        .tokens_path = options->voice_tokens,
        .workers = options->tts_workers,
        .max_waiting = options->queue,
        .threads = options->threads,
    };
    int err = rlx_recognizer_open(&api->recognizer, ctx, &stt);

    api->stt_name = base_name(options->stt_model);
    api->tts_name = base_name(options->voice);
    return err ? err : rlx_speaker_open(&api->speaker, ctx, &tts);
}

static int serve(TALLOC_CTX *ctx, const struct rlx_speech_options *options)
{
    struct rlx_speech_api *api = talloc_zero(ctx, struct rlx_speech_api);
    struct rlx_httpd *server;
    uint64_t start = rlx_now_ms();
    sigset_t stop;
    int signal_number;

    /* Blocked before threads start, so that all inherit it and the signal waits for sigwait. */
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    int err = api ? open_models(api, api, options) : -1;
    if (err)
        return EXIT_FAILURE;
    err = rlx_speech_api_start(&server, api, api, options->host, options->port);
    if (err) {
        rlx_log(RLX_ERROR, "speech.listen_failed", "host=%s port=%u error=%s", options->host,
                options->port, rlx_err_text(err));
        return EXIT_FAILURE;
    }
    rlx_log(RLX_INFO, "speech.ready", "port=%u load_ms=%u stt=%s tts=%s", rlx_httpd_port(server),
            (unsigned)(rlx_now_ms() - start), api->stt_name, api->tts_name);
    printf("ready http://%s:%u\n", options->host, rlx_httpd_port(server));
    fflush(stdout);
    sigwait(&stop, &signal_number);
    rlx_httpd_quiesce(server);
    talloc_free(server); /* waits for what runs */
    talloc_free(api);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_speech_options options;
    int status = 2;

    switch (rlx_options_read(&options, ctx, argc, argv)) {
    case RLX_OPTIONS_DONE:
        status = EXIT_SUCCESS;
        break;
    case RLX_OPTIONS_BAD:
        break;
    case RLX_OPTIONS_RUN:
    default:
        rlx_log_setup(options.log_level, options.log_json);
        status = serve(ctx, &options);
    }
    talloc_free(ctx);
    return status;
}
