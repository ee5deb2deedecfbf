/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#define ENV_FILE "models.env"
#define ENV_FILE_MAX 65536
#define DEFAULT_PORT 8003
#define DEFAULT_QUEUE 32

static const char help[] =
    "relayx-speech " RLX_VERSION ": local speech recognition and synthesis with OpenAI's API\n"
    "\n"
    "Usage: relayx-speech [options]\n"
    "\n"
    "  POST /v1/audio/transcriptions   multipart: file (WAV), language, prompt, response_format\n"
    "  POST /v1/audio/speech           JSON: input, response_format pcm|wav|mulaw, speed\n"
    "  GET  /v1/models, GET /health\n"
    "\n"
    "Options (each also by environment: --stt-model is RELAYX_SPEECH_STT_MODEL):\n"
    "  --host ADDRESS        address to listen on (127.0.0.1)\n"
    "  --port PORT           port to listen on, 0 = any (8003)\n"
    "  --models PATH         models.env of tools/setup, or the folder that holds it "
    "(RELAYX_MODELS;\n"
    "                        default: beside the program or one folder above it)\n"
    "  --stt-model FILE      whisper.cpp model, instead of the one in models.env\n"
    "  --voice FILE          Piper voice prepared for sherpa-onnx, instead of the one in "
    "models.env\n"
    "  --voice-tokens FILE   its phoneme table\n"
    "  --stt-workers N       utterances recognised at the same time (1)\n"
    "  --tts-workers N       sentences synthesized at the same time (1)\n"
    "  --threads N           threads for each; more than 1 only pays on idle cores (1)\n"
    "  --queue N             requests that may wait, more get status 429 (32)\n"
    "  --log-level LEVEL     debug, info, warn, error (info)\n"
    "  --log-json            log lines as JSON\n"
    "  --help, --version\n"
    "\n"
    "Examples:\n"
    "  relayx-speech --port 8003\n"
    "  curl -s http://127.0.0.1:8003/v1/audio/speech -H 'Content-Type: application/json' \\\n"
    "       -d '{\"input\":\"Hello there.\",\"response_format\":\"wav\"}' -o hello.wav\n"
    "  curl -s http://127.0.0.1:8003/v1/audio/transcriptions -F file=@hello.wav\n"
    "\n"
    "This program is free software under the GNU GPL, version 3 or later (it links espeak-ng).\n";

enum flag {
    HOST,
    PORT,
    MODELS,
    STT_MODEL,
    VOICE,
    VOICE_TOKENS,
    STT_WORKERS,
    TTS_WORKERS,
    THREADS,
    QUEUE,
    LOG_LEVEL,
    LOG_JSON,
    HELP,
    VERSION,
    FLAGS
};

static const struct option flags[] = {
    [HOST] = {"host", required_argument, NULL, HOST},
    [PORT] = {"port", required_argument, NULL, PORT},
    [MODELS] = {"models", required_argument, NULL, MODELS},
    [STT_MODEL] = {"stt-model", required_argument, NULL, STT_MODEL},
    [VOICE] = {"voice", required_argument, NULL, VOICE},
    [VOICE_TOKENS] = {"voice-tokens", required_argument, NULL, VOICE_TOKENS},
    [STT_WORKERS] = {"stt-workers", required_argument, NULL, STT_WORKERS},
    [TTS_WORKERS] = {"tts-workers", required_argument, NULL, TTS_WORKERS},
    [THREADS] = {"threads", required_argument, NULL, THREADS},
    [QUEUE] = {"queue", required_argument, NULL, QUEUE},
    [LOG_LEVEL] = {"log-level", required_argument, NULL, LOG_LEVEL},
    [LOG_JSON] = {"log-json", no_argument, NULL, LOG_JSON},
    [HELP] = {"help", no_argument, NULL, HELP},
    [VERSION] = {"version", no_argument, NULL, VERSION},
    [FLAGS] = {NULL, 0, NULL, 0},
};

static const char *const environment[FLAGS] = {
    [HOST] = "RELAYX_SPEECH_HOST",
    [PORT] = "RELAYX_SPEECH_PORT",
    [MODELS] = "RELAYX_MODELS",
    [STT_MODEL] = "RELAYX_SPEECH_STT_MODEL",
    [VOICE] = "RELAYX_SPEECH_VOICE",
    [VOICE_TOKENS] = "RELAYX_SPEECH_VOICE_TOKENS",
    [STT_WORKERS] = "RELAYX_SPEECH_STT_WORKERS",
    [TTS_WORKERS] = "RELAYX_SPEECH_TTS_WORKERS",
    [THREADS] = "RELAYX_SPEECH_THREADS",
    [QUEUE] = "RELAYX_SPEECH_QUEUE",
    [LOG_LEVEL] = "RELAYX_LOG_LEVEL",
};

/* Prints what is wrong; its value ends the program. */
#define bad(...)                                                                                   \
    (fprintf(stderr, "relayx-speech: " __VA_ARGS__), fputc('\n', stderr), RLX_OPTIONS_BAD)

static bool number(unsigned *np, const char *text, unsigned lowest, unsigned highest)
{
    char *end;

    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || n < lowest || n > highest)
        return false;
    *np = (unsigned)n;
    return true;
}

char *rlx_options_lookup(TALLOC_CTX *ctx, const char *text, const char *name)
{
    size_t length = strlen(name);

    while (text && *text) {
        size_t line = strcspn(text, "\n");

        if (line > length && !strncmp(text, name, length) && text[length] == '=')
            return talloc_strndup(ctx, text + length + 1, line - length - 1);
        text += line + (text[line] == '\n');
    }
    return NULL;
}

static char *file_text(TALLOC_CTX *ctx, const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? talloc_zero_array(ctx, char, ENV_FILE_MAX) : NULL;

    if (text && fread(text, 1, ENV_FILE_MAX - 1, f) == 0)
        TALLOC_FREE(text);
    if (f)
        fclose(f);
    return text;
}

/* The text of models.env: as named, else beside the program or one folder above. */
static char *models_env(TALLOC_CTX *ctx, const char *named)
{
    char program[PATH_MAX];
    ssize_t n;

    if (named) {
        char *text = file_text(ctx, talloc_asprintf(ctx, "%s/" ENV_FILE, named));

        return text ? text : file_text(ctx, named);
    }
    n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0)
        return NULL;
    program[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/'), *text;

        if (!slash)
            break;
        *slash = '\0';
        text = file_text(ctx, talloc_asprintf(ctx, "%s/" ENV_FILE, program));
        if (text)
            return text;
    }
    return NULL;
}

static enum rlx_options_outcome find_models(struct rlx_speech_options *o, TALLOC_CTX *ctx,
                                            const char *named)
{
    char *text = models_env(ctx, named);

    if (named && !text)
        return bad("there is no " ENV_FILE
                   " at %s: run tools/setup models, which writes build/" ENV_FILE,
                   named);
    if (!o->stt_model)
        o->stt_model = rlx_options_lookup(ctx, text, "RLX_STT_MODEL");
    if (!o->voice && !o->voice_tokens) {
        o->voice = rlx_options_lookup(ctx, text, "RLX_TTS_VOICE");
        o->voice_tokens = rlx_options_lookup(ctx, text, "RLX_TTS_TOKENS");
    }
    if (o->stt_model && o->voice && o->voice_tokens)
        return RLX_OPTIONS_RUN;
    if (o->voice || o->voice_tokens)
        return bad("--voice and --voice-tokens belong together: give both");
    return bad(
        "the models are not there: run tools/setup models, or name them with --models, or with "
        "--stt-model, --voice and --voice-tokens");
}

static enum rlx_options_outcome take(struct rlx_speech_options *o, const char *values[FLAGS])
{
    static const struct {
        enum flag flag;
        size_t offset;
        unsigned lowest, highest;
    } numbers[] = {
        {STT_WORKERS, offsetof(struct rlx_speech_options, stt_workers), 1, 64},
        {TTS_WORKERS, offsetof(struct rlx_speech_options, tts_workers), 1, 64},
        {THREADS, offsetof(struct rlx_speech_options, threads), 1, 64},
        {QUEUE, offsetof(struct rlx_speech_options, queue), 0, 10000},
    };
    unsigned port = DEFAULT_PORT;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *value = values[numbers[i].flag];
        unsigned *np = (unsigned *)(void *)((char *)o + numbers[i].offset);

        if (value && !number(np, value, numbers[i].lowest, numbers[i].highest))
            return bad("--%s must be a number from %u to %u, not \"%s\"",
                       flags[numbers[i].flag].name, numbers[i].lowest, numbers[i].highest, value);
    }
    if (values[PORT] && !number(&port, values[PORT], 0, 65535))
        return bad("--port must be a number from 0 to 65535, not \"%s\"", values[PORT]);
    o->port = (uint16_t)port;
    if (values[LOG_LEVEL] && rlx_log_level_parse(&o->log_level, values[LOG_LEVEL]))
        return bad("--log-level must be debug, info, warn or error, not \"%s\"", values[LOG_LEVEL]);
    if (values[HOST])
        o->host = values[HOST];
    o->stt_model = values[STT_MODEL];
    o->voice = values[VOICE];
    o->voice_tokens = values[VOICE_TOKENS];
    return RLX_OPTIONS_RUN;
}

enum rlx_options_outcome rlx_options_read(struct rlx_speech_options *options, TALLOC_CTX *ctx,
                                          int argc, char **argv)
{
    const char *values[FLAGS] = {NULL};
    int flag;

    *options = (struct rlx_speech_options){
        .host = "127.0.0.1",
        .stt_workers = 1,
        .tts_workers = 1,
        .threads = 1,
        .queue = DEFAULT_QUEUE,
        .log_level = RLX_INFO,
    };
    for (int i = 0; i < FLAGS; i++) {
        values[i] = environment[i] ? getenv(environment[i]) : NULL;
        if (values[i] && !*values[i])
            values[i] = NULL;
    }
    optind = 1;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        switch (flag) {
        case HELP:
            fputs(help, stdout);
            return RLX_OPTIONS_DONE;
        case VERSION:
            puts("relayx-speech " RLX_VERSION);
            return RLX_OPTIONS_DONE;
        case LOG_JSON:
            options->log_json = true;
            break;
        case '?':
            return bad("try --help");
        default:
            values[flag] = optarg;
        }
    }
    if (optind < argc)
        return bad("what is \"%s\"? There are only options: try --help", argv[optind]);
    enum rlx_options_outcome outcome = take(options, values);
    return outcome == RLX_OPTIONS_RUN ? find_models(options, ctx, values[MODELS]) : outcome;
}
