/* rlx-turns: replays sound files as the callee of simulated calls, with the real voice detection,
 * conversation and speech to text, and prints which of them became turns: one JSON object a file.
 *
 *     rlx-turns --stt http://127.0.0.1:8091/v1 [--stt-ms N] [--room DB] [--lead MS] [--verbose]
 * FILE.wav… | -
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/wav.h"
#include "base/err.h"
#include "turns.h"

#define FILE_MAX (64u << 20)
#define USAGE                                                                                       \
    "usage: rlx-turns --stt URL [--stt-ms N] [--room DB] [--lead MS] [--verbose] FILE.wav… | -\n" \
    "  --stt URL    OpenAI-compatible speech to text, with /v1\n"                                   \
    "  --stt-ms N   simulated time of a transcription (default: as long as it took)\n"              \
    "  --room DB    noise of the line before and after the sound, dBFS (default -60)\n"             \
    "  --lead MS    the sound's first MS milliseconds are its noise: heard from the call's "        \
    "start\n"                                                                                       \
    "  --verbose    what the conversation does, on stderr\n"                                        \
    "  FILE         8 kHz mono WAV (µ-law or 16-bit); - = names on standard input, one a line\n"

static int read_file(struct rlx_turns_sound *sound, TALLOC_CTX *ctx, const char *path)
{
    FILE *in = fopen(path, "re");
    uint8_t *bytes = talloc_size(ctx, FILE_MAX);
    char *why = NULL;
    struct rlx_wav *wav;

    if (!in || !bytes) {
        fprintf(stderr, "rlx-turns: %s: %s\n", path, in ? "no memory" : strerror(errno));
        if (in)
            fclose(in);
        return RLX_EINVAL;
    }
    size_t length = fread(bytes, 1, FILE_MAX, in);
    fclose(in);
    int err = rlx_wav_read(&wav, ctx, bytes, length, &why);
    if (!err && (wav->rate_hz != 8000 || wav->channels != 1)) {
        err = RLX_EINVAL;
        why = talloc_strdup(ctx, "it must be 8 kHz, one channel");
    }
    if (err) {
        fprintf(stderr, "rlx-turns: %s: %s\n", path, why ? why : rlx_err_text(err));
        return err;
    }
    uint8_t *ulaw = talloc_array(ctx, uint8_t, (unsigned)wav->frames + 1);
    if (!ulaw)
        return -ENOMEM;
    rlx_pcm_to_ulaw(ulaw, wav->samples, wav->frames);
    *sound = (struct rlx_turns_sound){.ulaw = ulaw, .length = wav->frames};
    talloc_free(bytes);
    return 0;
}

static void print(const char *path, const struct rlx_turns_result *result)
{
    json_t *turns = json_array();

    for (size_t i = 0; i < result->turn_count; i++)
        json_array_append_new(turns, json_pack("{s:s, s:i}", "text", result->turns[i].text, "at_ms",
                                               (int)result->turns[i].at_ms));
    json_t *line = json_pack(
        "{s:s, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "file", path, "turns",
        turns, "calls", (int)result->calls, "llm", (int)result->llm, "stt", (int)result->stt,
        "stt_total_ms", (int)result->stt_total_ms, "stt_max_ms", (int)result->stt_max_ms, "empty",
        (int)result->empty, "suspects", (int)result->suspects, "pauses", (int)result->pauses,
        "resumed", (int)result->resumed, "fed_ms", (int)result->fed_ms, "listened_ms",
        (int)result->listened_ms);
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

static int replay(struct rlx_turns_ear *ear, const char *path,
                  const struct rlx_turns_options *options)
{
    static struct rlx_turns_result result;
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_turns_sound sound;

    int err = read_file(&sound, ctx, path);
    if (!err)
        err = rlx_turns_replay(&result, ear, &sound, options);
    if (!err)
        print(path, &result);
    talloc_free(ctx);
    return err;
}

static int replay_listed(struct rlx_turns_ear *ear, const struct rlx_turns_options *options)
{
    char path[4096];
    int err = 0;

    while (!err && fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        if (*path)
            err = replay(ear, path, options);
    }
    return err;
}

int main(int argc, char **argv)
{
    struct rlx_turns_options options = {.room_db = -60.0f};
    struct rlx_turns_ear *ear = NULL;
    const char *stt = NULL;
    int i = 1;

    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "--verbose")) {
            options.verbose = true;
            continue;
        }
        if (!strcmp(argv[i], "--stt"))
            stt = value;
        else if (!strcmp(argv[i], "--stt-ms"))
            options.stt_ms = (uint32_t)strtoul(value, NULL, 10);
        else if (!strcmp(argv[i], "--lead"))
            options.lead_ms = (uint32_t)strtoul(value, NULL, 10);
        else if (!strcmp(argv[i], "--room"))
            options.room_db = strtof(value, NULL);
        else
            break;
        i++;
    }
    if (!stt || i >= argc || (argv[i][0] == '-' && argv[i][1])) {
        fputs(USAGE, stderr);
        return 2;
    }
    int err = rlx_turns_ear_create(&ear, NULL, stt);
    for (; !err && i < argc; i++)
        err = strcmp(argv[i], "-") ? replay(ear, argv[i], &options) : replay_listed(ear, &options);
    talloc_free(ear);
    return err ? 1 : 0;
}
