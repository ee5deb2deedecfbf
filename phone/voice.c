#include "voice.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audio/resample.h"
#include "audio/wav.h"
#include "base/err.h"
#include "base/http.h"
#include "hear.h"

#define RATE 8000u
#define LOUD RLX_HEAR_SAMPLE
#define KEEP 160u         /* samples of edge that stay */
#define TARGET_RMS 3276.8 /* -20 dBFS */
#define PEAK_MAX 29000.0
#define WAV_MAX (16u << 20)
#define TONE_PEAK 8230.0 /* -12 dBFS: -9 dBm0 with +3.17 dBm0 at full scale */

extern char **environ;

/* ---- band filter ---- */

struct biquad {
    double b0, b1, b2, a1, a2, x1, x2, y1, y2;
};

/* RBJ's audio EQ cookbook: Butterworth sections (Q of a 4th-order filter). */
static void biquad_set(struct biquad *f, double hz, double q, int high_pass)
{
    double w = 2 * M_PI * hz / RATE, alpha = sin(w) / (2 * q), c = cos(w), a0 = 1 + alpha;

    memset(f, 0, sizeof(*f));
    f->b0 = (high_pass ? (1 + c) : (1 - c)) / 2 / a0;
    f->b1 = (high_pass ? -(1 + c) : (1 - c)) / a0;
    f->b2 = f->b0;
    f->a1 = -2 * c / a0;
    f->a2 = (1 - alpha) / a0;
}

static double biquad_run(struct biquad *f, double x)
{
    double y = f->b0 * x + f->b1 * f->x1 + f->b2 * f->x2 - f->a1 * f->y1 - f->a2 * f->y2;

    f->x2 = f->x1;
    f->x1 = x;
    f->y2 = f->y1;
    f->y1 = y;
    return y;
}

static int16_t clip(double value)
{
    return (int16_t)lrint(value > 32767 ? 32767 : value < -32768 ? -32768 : value);
}

static void telephone_band(int16_t *pcm, size_t samples)
{
    struct biquad f[4];

    biquad_set(&f[0], 300, 0.5412, 1);
    biquad_set(&f[1], 300, 1.3066, 1);
    biquad_set(&f[2], 3400, 0.5412, 0);
    biquad_set(&f[3], 3400, 1.3066, 0);
    for (size_t i = 0; i < samples; i++) {
        double x = pcm[i];

        for (int k = 0; k < 4; k++)
            x = biquad_run(&f[k], x);
        pcm[i] = clip(x);
    }
}

/* ---- shaping ---- */

static void find_loud(struct rlx_sound *sound)
{
    sound->loud_start = sound->loud_end = 0;
    for (size_t i = 0; i < sound->samples; i++) {
        if (sound->pcm[i] <= LOUD && sound->pcm[i] >= -LOUD)
            continue;
        if (sound->loud_end == 0)
            sound->loud_start = i;
        sound->loud_end = i + 1;
    }
}

static void set_level(struct rlx_sound *sound)
{
    double sum = 0, peak = 1, gain;
    size_t count = 0;

    for (size_t i = 0; i < sound->samples; i++) {
        double x = fabs((double)sound->pcm[i]);

        if (x > 100) {
            sum += x * x;
            count++;
        }
        if (x > peak)
            peak = x;
    }
    if (count == 0)
        return;
    gain = TARGET_RMS / sqrt(sum / (double)count);
    if (peak * gain > PEAK_MAX)
        gain = PEAK_MAX / peak;
    for (size_t i = 0; i < sound->samples; i++)
        sound->pcm[i] = clip(sound->pcm[i] * gain);
}

static void trim_edges(struct rlx_sound *sound)
{
    size_t from, to;

    find_loud(sound);
    if (sound->loud_end == 0)
        return;
    from = sound->loud_start > KEEP ? sound->loud_start - KEEP : 0;
    to = sound->loud_end + KEEP < sound->samples ? sound->loud_end + KEEP : sound->samples;
    memmove(sound->pcm, sound->pcm + from, (to - from) * sizeof(*sound->pcm));
    sound->samples = to - from;
    find_loud(sound);
}

static int to_8k(struct rlx_sound *sound, const struct rlx_wav *wav)
{
    struct rlx_resampler *resampler = NULL;
    int16_t *mono = talloc_array(sound, int16_t, (unsigned)wav->frames + wav->rate_hz / 20);
    size_t used = 0, size;
    int err;

    if (!mono)
        return -ENOMEM;
    for (size_t i = 0; i < wav->frames; i++) {
        const int16_t *frame = wav->samples + i * wav->channels;

        mono[i] = (int16_t)(wav->channels == 2 ? (frame[0] + frame[1]) / 2 : frame[0]);
    }
    /* Silence behind it brings the end out of the filter. */
    memset(mono + wav->frames, 0, wav->rate_hz / 20 * sizeof(*mono));
    err = rlx_resampler_create(&resampler, sound, wav->rate_hz, RATE);
    if (err)
        return err;
    size = rlx_resampler_bound(resampler, wav->frames + wav->rate_hz / 20);
    sound->pcm = talloc_array(sound, int16_t, (unsigned)size);
    if (!sound->pcm)
        return -ENOMEM;
    sound->samples = rlx_resampler_run(resampler, mono, wav->frames + wav->rate_hz / 20, &used,
                                       sound->pcm, size);
    talloc_free(resampler);
    talloc_free(mono);
    return 0;
}

int rlx_voice_wav(struct rlx_sound **soundp, TALLOC_CTX *ctx, const void *data, size_t length,
                  char **whyp)
{
    struct rlx_sound *sound = talloc_zero(ctx, struct rlx_sound);
    struct rlx_wav *wav = NULL;
    int err;

    if (!sound)
        return -ENOMEM;
    err = rlx_wav_read(&wav, sound, data, length, whyp);
    if (!err && wav->frames > (size_t)wav->rate_hz * 600) {
        if (whyp)
            *whyp = talloc_strdup(ctx, "the WAV is longer than 10 minutes");
        err = RLX_EINVAL;
    }
    if (!err)
        err = to_8k(sound, wav);
    if (err) {
        if (whyp && *whyp)
            *whyp = talloc_steal(ctx, *whyp);
        talloc_free(sound);
        return err;
    }
    talloc_free(wav);
    telephone_band(sound->pcm, sound->samples);
    find_loud(sound);
    *soundp = sound;
    return 0;
}

/* ---- speech ---- */

static int ask_server(struct rlx_sound **soundp, TALLOC_CTX *ctx, const struct rlx_voice *voice,
                      const char *text, char **whyp)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct rlx_http_request request = {
        .headers = headers, .timeout_ms = 60000, .connect_timeout_ms = 1000, .max_reply = WAV_MAX};
    struct rlx_http_reply *reply = NULL;
    json_t *body = json_pack("{s:s,s:s,s:s,s:s}", "model", "tts-1", "input", text, "voice",
                             voice->name, "response_format", "wav");
    char *json = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int err = -ENOMEM;

    json_decref(body);
    request.url = talloc_asprintf(ctx, "%s/v1/audio/speech", voice->speech_url);
    request.body = json;
    if (json && request.url)
        err = rlx_http(&reply, ctx, &request, whyp);
    if (!err && reply->status != 200) {
        if (whyp)
            *whyp = talloc_asprintf(ctx, "the speech server answered %ld: %.100s", reply->status,
                                    reply->body);
        err = RLX_EPROVIDER;
    }
    if (!err)
        err = rlx_voice_wav(soundp, ctx, reply->body, reply->length, whyp);
    talloc_free(reply);
    free(json);
    return err;
}

/* Starts espeak-ng, which writes a WAV into the pipe whose reading end comes back; -errno when it
 * can't be. */
static int start_espeak(const char *text, pid_t *childp)
{
    char *argv[] = {"espeak-ng", "-v", "en-us+f3", "-s", "165", "--stdout", "--", NULL, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int pipe_fd[2], err;

    argv[7] = (char *)text;
    if (pipe2(pipe_fd, O_CLOEXEC) != 0)
        return -errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    /* This process blocks signals that it waits for: the child must not inherit that. */
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    err = posix_spawnp(childp, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fd[1]);
    if (err) {
        close(pipe_fd[0]);
        return -err;
    }
    return pipe_fd[0];
}

static int run_espeak(struct rlx_sound **soundp, TALLOC_CTX *ctx, const char *text, char **whyp)
{
    uint8_t *wav = talloc_size(ctx, WAV_MAX);
    size_t length = 0;
    pid_t child = 0;
    int status = 0, err, fd;

    if (!wav)
        return -ENOMEM;
    fd = start_espeak(text, &child);
    if (fd < 0) {
        talloc_free(wav);
        return fd;
    }
    for (;;) {
        ssize_t n = read(fd, wav + length, WAV_MAX - length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    close(fd);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    err = WIFEXITED(status) && WEXITSTATUS(status) == 0
              ? rlx_voice_wav(soundp, ctx, wav, length, whyp)
              : RLX_EPROVIDER;
    talloc_free(wav);
    return err;
}

int rlx_voice_speak(struct rlx_sound **soundp, TALLOC_CTX *ctx, struct rlx_voice *voice,
                    const char *text, char **whyp)
{
    char *why = NULL;
    int err = RLX_EPROVIDER;

    if (voice->speech_url && *voice->speech_url) {
        voice->used = "speech";
        err = ask_server(soundp, ctx, voice, text, &why);
    }
    if (err) {
        voice->used = "espeak-ng";
        err = run_espeak(soundp, ctx, text, NULL);
    }
    if (err) {
        voice->used = NULL;
        if (whyp)
            *whyp = talloc_asprintf(
                ctx, "no voice: %s; and espeak-ng can't be run (apt-get install espeak-ng)",
                why ? why : "no speech server is set");
        talloc_free(why);
        return RLX_EPROVIDER;
    }
    talloc_free(why);
    set_level(*soundp);
    trim_edges(*soundp);
    return 0;
}

/* ---- tones ---- */

int rlx_voice_tone(struct rlx_sound **soundp, TALLOC_CTX *ctx, uint32_t hz1, uint32_t hz2,
                   uint32_t ms)
{
    struct rlx_sound *sound = talloc_zero(ctx, struct rlx_sound);

    if (!sound)
        return -ENOMEM;
    sound->samples = (size_t)ms * (RATE / 1000);
    sound->pcm = talloc_array(sound, int16_t, (unsigned)sound->samples);
    if (!sound->pcm) {
        talloc_free(sound);
        return -ENOMEM;
    }
    for (size_t i = 0; i < sound->samples; i++) {
        double t = 2 * M_PI * (double)i / RATE;

        sound->pcm[i] = clip(TONE_PEAK * (sin(t * hz1) + (hz2 ? sin(t * hz2) : 0)));
    }
    find_loud(sound);
    *soundp = sound;
    return 0;
}

int rlx_voice_key(char key, uint32_t *hz1p, uint32_t *hz2p)
{
    static const char keys[] = "123A456B789C*0#D";
    static const uint32_t low[] = {697, 770, 852, 941}, high[] = {1209, 1336, 1477, 1633};
    const char *at = key ? strchr(keys, key) : NULL;

    if (!at)
        return RLX_EINVAL;
    *hz1p = low[(at - keys) / 4];
    *hz2p = high[(at - keys) % 4];
    return 0;
}
