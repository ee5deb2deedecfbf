/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts.h"

#include <errno.h>
#include <sherpa-onnx/c-api/c-api.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "phonemes.h"
#include "stretch.h"

#define LANGUAGE "en-us"
#define PHONEMES_MAX 4096

/* The voice's own training values: variation of the sound, and of the lengths of its phonemes. */
#define NOISE_SCALE 0.667f
#define NOISE_SCALE_W 0.8f

/* A slower voice is asked of the model, which stretches only a part of each sound: this much of it
 * (measured). Faster than normal it hardly gets, because each phoneme takes at least one of its
 * frames: that is done on its output. */
#define STRETCHED_PART 0.62f

struct rlx_speaker {
    struct rlx_slots *slots;
    uint32_t rate_hz;
    unsigned count;
    const SherpaOnnxOfflineTts *voices[]; /* one per slot */
};

static int speaker_destroy(struct rlx_speaker *s)
{
    for (unsigned i = 0; i < s->count; i++)
        SherpaOnnxDestroyOfflineTts(s->voices[i]);
    return 0;
}

static const SherpaOnnxGeneratedAudio *synthesize(const SherpaOnnxOfflineTts *voice,
                                                  const char *text, float speed)
{
    int32_t codepoints[PHONEMES_MAX];
    int32_t count = (int32_t)rlx_phonemes_of(codepoints, PHONEMES_MAX, text);
    SherpaOnnxGenerationConfig config = {
        .speed = speed,
        .silence_scale = 0.2f,
        .phoneme_codepoints = codepoints,
        .phoneme_codepoints_lens = &count,
        .phoneme_codepoints_num_sentences = 1,
    };

    return count ? SherpaOnnxOfflineTtsGenerateWithConfig(voice, text, &config, NULL, NULL) : NULL;
}

static float model_speed(float speed)
{
    return speed < 1.0f ? 1.0f / (1.0f + (1.0f / speed - 1.0f) / STRETCHED_PART) : 1.0f;
}

/* Hands the samples out, hurried if so wished. */
static int deliver(const SherpaOnnxGeneratedAudio *audio, float speed, rlx_speech_h *speech,
                   void *arg)
{
    float *samples;
    size_t count;
    int err;

    if (speed <= 1.0f)
        return speech(audio->samples, (size_t)audio->n, arg);
    err = rlx_stretch(&samples, &count, NULL, audio->samples, (size_t)audio->n,
                      (uint32_t)audio->sample_rate, speed);
    if (err)
        return err;
    err = speech(samples, count, arg);
    talloc_free(samples);
    return err;
}

int rlx_speaker_say(struct rlx_speaker *speaker, const char *text, float speed, bool begun,
                    rlx_speech_h *speech, rlx_gone_h *gone, void *arg)
{
    const SherpaOnnxGeneratedAudio *audio;
    unsigned slot;
    int err = rlx_slots_take(speaker->slots, &slot, begun, gone, arg);

    if (err)
        return err;
    audio = gone && gone(arg) ? NULL : synthesize(speaker->voices[slot], text, model_speed(speed));
    rlx_slots_give(speaker->slots, slot);
    if (gone && gone(arg))
        err = -ECANCELED;
    else if (audio)
        err = deliver(audio, speed, speech, arg);
    if (audio)
        SherpaOnnxDestroyOfflineTtsGeneratedAudio(audio);
    return err;
}

static int voice_load(struct rlx_speaker *s, const struct rlx_speaker_options *options)
{
    SherpaOnnxOfflineTtsConfig config = {
        .model.vits =
            {
                .model = options->voice_path,
                .tokens = options->tokens_path,
                .noise_scale = NOISE_SCALE,
                .noise_scale_w = NOISE_SCALE_W,
                .length_scale = 1.0f,
            },
        .model.num_threads = (int32_t)options->threads,
        .model.provider = "cpu",
        .max_num_sentences = 1,
    };
    const SherpaOnnxOfflineTts *voice = SherpaOnnxCreateOfflineTts(&config);
    const SherpaOnnxGeneratedAudio *audio;

    if (!voice)
        return RLX_ECONFIG;
    s->voices[s->count++] = voice;
    s->rate_hz = (uint32_t)SherpaOnnxOfflineTtsSampleRate(voice);
    /* Speak twice: the runtime plans its memory on the first run. */
    for (int i = 0; i < 2; i++) {
        audio = synthesize(voice, "Hello, how can I help you today?", 1.0f);
        if (!audio)
            return RLX_ECONFIG;
        SherpaOnnxDestroyOfflineTtsGeneratedAudio(audio);
    }
    return 0;
}

int rlx_speaker_open(struct rlx_speaker **speakerp, TALLOC_CTX *ctx,
                     const struct rlx_speaker_options *options)
{
    struct rlx_speaker *s;
    int err;

    s = talloc_zero_size(ctx, sizeof *s + options->workers * sizeof(void *));
    if (!s)
        return -ENOMEM;
    talloc_set_name_const(s, "struct rlx_speaker");
    talloc_set_destructor(s, speaker_destroy);
    err = rlx_slots_create(&s->slots, s, options->workers, options->max_waiting);
    /* sherpa-onnx ends the process for a file that it can't read. */
    if (!err && (access(options->voice_path, R_OK) || access(options->tokens_path, R_OK)))
        err = RLX_ECONFIG;
    if (!err)
        err = rlx_phonemes_open(LANGUAGE);
    for (unsigned i = 0; !err && i < options->workers; i++)
        err = voice_load(s, options);
    if (err) {
        rlx_log(RLX_ERROR, "tts.open_failed", "voice=%s tokens=%s error=%s hint=%s",
                options->voice_path, options->tokens_path, rlx_err_text(err),
                "run tools/setup models; espeak-ng-data must be installed");
        talloc_free(s);
        return err;
    }
    *speakerp = s;
    return 0;
}

uint32_t rlx_speaker_rate_hz(const struct rlx_speaker *speaker)
{
    return speaker->rate_hz;
}

struct rlx_slots_load rlx_speaker_load(const struct rlx_speaker *speaker)
{
    return rlx_slots_load(speaker->slots);
}
