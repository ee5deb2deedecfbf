/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stt.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <whisper.h>

#include "activity.h"
#include "audio/resample.h"
#include "audio/wav.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "guard.h"

#define RATE_HZ 16000
#define VAD_HZ 8000
#define LEAD_MS 200      /* silence put before a piece: a word at the very start is often lost */
#define TAIL_MS 500      /* and behind it */
#define SHORTEST_MS 1200 /* whisper.cpp refuses less than one second */
#define CTX_FRAME_MS 20  /* an encoder frame */
#define CTX_FLOOR 384    /* with fewer the decoder mostly repeats a sentence until it is stopped */
#define CTX_AGAIN 768    /* with the floor it still does now and then: it is made to decode again */
#define CTX_MARGIN 64
#define CTX_MAX 1500
#define TOKENS_PER_S 6 /* nobody speaks faster; the guard against a decoder in a loop */
#define TOKENS_EXTRA 16
#define TEXT_MAX 16384

struct rlx_recognizer {
    struct whisper_context *model;
    struct rlx_slots *slots;
    unsigned threads;
    unsigned count;
    struct whisper_state *states[]; /* one per slot */
};

/* One transcription under way. */
struct hearing {
    struct rlx_recognizer *recognizer;
    struct rlx_heard *heard;
    const char *prompt;
    rlx_gone_h *gone;
    void *arg;
    bool begun; /* a later piece of the same recording may not be turned away */
    double logprob_sum;
    unsigned tokens;
};

static void log_line(enum ggml_log_level level, const char *text, void *arg)
{
    (void)arg;
    if (level == GGML_LOG_LEVEL_ERROR)
        rlx_log(RLX_ERROR, "whisper", "text=%.*s", (int)strcspn(text, "\n"), text);
}

static int recognizer_destroy(struct rlx_recognizer *r)
{
    for (unsigned i = 0; i < r->count; i++)
        whisper_free_state(r->states[i]);
    whisper_free(r->model);
    return 0;
}

static bool aborted(void *arg)
{
    struct hearing *h = arg;

    return h->gone && h->gone(h->arg);
}

static struct whisper_full_params parameters(struct hearing *h, uint32_t audio_ms)
{
    struct whisper_full_params p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    uint32_t frames = audio_ms / CTX_FRAME_MS + CTX_MARGIN;

    p.n_threads = (int)h->recognizer->threads;
    p.language = "en";
    p.no_context = true;
    p.no_timestamps = true;
    p.single_segment = true;
    p.suppress_blank = true;
    p.suppress_nst = true;
    p.temperature_inc =
        0.0f; /* decoding again at a higher temperature takes time and rarely helps */
    p.print_progress = p.print_realtime = p.print_special = p.print_timestamps = false;
    p.initial_prompt = h->prompt;
    p.max_tokens = (int)(audio_ms * TOKENS_PER_S / 1000 + TOKENS_EXTRA);
    p.audio_ctx = (int)(frames < CTX_FLOOR ? CTX_FLOOR : frames > CTX_MAX ? CTX_MAX : frames);
    p.abort_callback = aborted;
    p.abort_callback_user_data = h;
    return p;
}

/* What one decoding gave. */
struct decoded {
    char *text;
    double logprob_sum;
    unsigned tokens;
};

static int collect(struct decoded *d, TALLOC_CTX *ctx, const struct rlx_recognizer *r,
                   struct whisper_state *state)
{
    *d = (struct decoded){.text = talloc_strdup(ctx, "")};
    for (int i = 0; d->text && i < whisper_full_n_segments_from_state(state); i++) {
        d->text = talloc_strdup_append(d->text, whisper_full_get_segment_text_from_state(state, i));
        for (int k = 0; k < whisper_full_n_tokens_from_state(state, i); k++) {
            whisper_token_data token = whisper_full_get_token_data_from_state(state, i, k);

            if (token.id >= whisper_token_eot(r->model))
                continue;
            d->logprob_sum += (double)token.plog;
            d->tokens++;
        }
    }
    return d->text ? 0 : -ENOMEM;
}

static int decode_once(struct decoded *d, struct hearing *h, unsigned slot, const float *samples,
                       size_t count, struct whisper_full_params p)
{
    struct rlx_recognizer *r = h->recognizer;

    if (whisper_full_with_state(r->model, r->states[slot], p, samples, (int)count) != 0)
        return aborted(h) ? -ECANCELED : RLX_EINTERNAL;
    return collect(d, h->heard, r, r->states[slot]);
}

/* Adds what was decoded to the answer. */
static int accept(struct hearing *h, const struct decoded *d)
{
    char *text = talloc_asprintf(h->heard, "%s%.*s", h->heard->text, TEXT_MAX, d->text);

    if (!text)
        return -ENOMEM;
    h->heard->text = text;
    h->logprob_sum += d->logprob_sum;
    h->tokens += d->tokens;
    return 0;
}

static int decode(struct hearing *h, const float *samples, size_t count)
{
    uint32_t audio_ms = (uint32_t)(count * 1000 / RATE_HZ) - LEAD_MS - TAIL_MS;
    struct whisper_full_params p = parameters(h, audio_ms);
    uint64_t before = rlx_now_ms(), start;
    struct decoded d;
    unsigned slot;
    int err = rlx_slots_take(h->recognizer->slots, &slot, h->begun, h->gone, h->arg);

    if (err)
        return err;
    h->begun = true;
    start = rlx_now_ms();
    err = decode_once(&d, h, slot, samples, count, p);
    if (!err && p.audio_ctx < CTX_AGAIN &&
        (d.tokens + 1 >= (unsigned)p.max_tokens || rlx_guard_loops(d.text))) {
        p.audio_ctx = CTX_AGAIN;
        err = decode_once(&d, h, slot, samples, count, p);
    }
    rlx_slots_give(h->recognizer->slots, slot);
    h->heard->waited_ms += (uint32_t)(start - before);
    h->heard->took_ms += (uint32_t)(rlx_now_ms() - start);
    return err ? err : accept(h, &d);
}

/* Decodes one piece of 16 kHz speech between its silences. */
static int decode_piece(struct hearing *h, const int16_t *pcm, size_t count)
{
    const size_t lead = LEAD_MS * RATE_HZ / 1000, tail = TAIL_MS * RATE_HZ / 1000;
    const size_t shortest = SHORTEST_MS * RATE_HZ / 1000;
    size_t total = lead + count + tail;
    float *samples;
    int err;

    if (total < shortest)
        total = shortest;
    samples = talloc_zero_array(h->heard, float, (unsigned)total);
    if (!samples)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        samples[lead + i] = (float)pcm[i] / 32768.0f;
    err = decode(h, samples, total);
    talloc_free(samples);
    return err;
}

/* The recording as mono PCM of another rate. */
static int convert(int16_t **pcmp, size_t *countp, TALLOC_CTX *ctx, const struct rlx_wav *wav,
                   uint32_t rate_hz)
{
    struct rlx_resampler *resampler;
    int16_t *mono = wav->samples, *pcm;
    int err = rlx_resampler_create(&resampler, ctx, wav->rate_hz, rate_hz);

    if (err)
        return err;
    if (wav->channels == 2) {
        mono = talloc_array(ctx, int16_t, (unsigned)wav->frames + 1);
        if (!mono)
            return -ENOMEM;
        for (size_t i = 0; i < wav->frames; i++)
            mono[i] = (int16_t)((wav->samples[2 * i] + wav->samples[2 * i + 1]) / 2);
    }
    size_t room = rlx_resampler_bound(resampler, wav->frames), done = 0, made = 0, used;
    pcm = talloc_array(ctx, int16_t, (unsigned)room);
    if (!pcm)
        return -ENOMEM;
    while (done < wav->frames && made < room) {
        size_t n = rlx_resampler_run(resampler, mono + done, wav->frames - done, &used, pcm + made,
                                     room - made);
        if (used == 0 && n == 0)
            break;
        done += used;
        made += n;
    }
    talloc_free(resampler);
    *pcmp = pcm;
    *countp = made;
    return 0;
}

static void finish(struct hearing *h)
{
    struct rlx_heard *heard = h->heard;
    char *text = talloc_strdup(heard, heard->text);

    heard->avg_logprob = h->tokens ? (float)(h->logprob_sum / h->tokens) : 0.0f;
    if (text) {
        rlx_guard_clean(text);
        if (rlx_guard_made_up(text, heard->voiced_ms, heard->avg_logprob))
            *text = '\0';
    }
    heard->text = text ? text : "";
    if (!*heard->text)
        heard->avg_logprob = 0.0f;
}

int rlx_recognizer_hear(struct rlx_heard **heardp, TALLOC_CTX *ctx,
                        struct rlx_recognizer *recognizer, const struct rlx_wav *wav,
                        const char *prompt, rlx_gone_h *gone, void *arg)
{
    struct hearing h = {.recognizer = recognizer, .prompt = prompt, .gone = gone, .arg = arg};
    struct rlx_activity *activity;
    int16_t *narrow, *wide;
    size_t narrow_count, wide_count;
    int err;

    h.heard = talloc_zero(ctx, struct rlx_heard);
    if (!h.heard)
        return -ENOMEM;
    TALLOC_CTX *scratch = talloc_new(h.heard);
    h.heard->text = "";
    h.heard->audio_ms = (uint32_t)(wav->frames * 1000 / wav->rate_hz);
    err = convert(&narrow, &narrow_count, scratch, wav, VAD_HZ);
    if (!err)
        err = rlx_activity_find(&activity, scratch, narrow, narrow_count);
    if (err)
        goto out;
    h.heard->voiced_ms = activity->voiced_ms;
    if (activity->voiced_ms < RLX_GUARD_MIN_VOICED_MS ||
        activity->pitched_ms < RLX_GUARD_MIN_PITCHED_MS)
        goto out;
    err = convert(&wide, &wide_count, scratch, wav, RATE_HZ);
    for (size_t i = 0; !err && i < activity->count; i++) {
        size_t from = (size_t)activity->pieces[i].start_ms * RATE_HZ / 1000;
        size_t to = (size_t)activity->pieces[i].end_ms * RATE_HZ / 1000;

        if (to > wide_count)
            to = wide_count;
        if (from < to)
            err = decode_piece(&h, wide + from, to - from);
    }
    if (!err)
        finish(&h);
out:
    talloc_free(scratch);
    if (err)
        talloc_free(h.heard);
    else
        *heardp = h.heard;
    return err;
}

static int warm(struct rlx_recognizer *r, unsigned slot)
{
    struct rlx_heard unused = {.text = ""};
    struct hearing h = {.recognizer = r, .heard = &unused};
    struct whisper_full_params p = parameters(&h, SHORTEST_MS);
    float *silence = talloc_zero_array(r, float, SHORTEST_MS *RATE_HZ / 1000);
    int failed = 1;

    if (silence)
        failed = whisper_full_with_state(r->model, r->states[slot], p, silence,
                                         SHORTEST_MS * RATE_HZ / 1000);
    talloc_free(silence);
    return failed ? RLX_EINTERNAL : 0;
}

int rlx_recognizer_open(struct rlx_recognizer **recognizerp, TALLOC_CTX *ctx,
                        const struct rlx_recognizer_options *options)
{
    struct whisper_context_params params = whisper_context_default_params();
    struct rlx_recognizer *r;
    int err;

    r = talloc_zero_size(ctx, sizeof *r + options->workers * sizeof(struct whisper_state *));
    if (!r)
        return -ENOMEM;
    talloc_set_name_const(r, "struct rlx_recognizer");
    err = rlx_slots_create(&r->slots, r, options->workers, options->max_waiting);
    if (err)
        goto fail;
    whisper_log_set(log_line, NULL);
    params.use_gpu = false;
    params.flash_attn = false; /* slower on a processor, and it loops */
    r->threads = options->threads;
    r->model = whisper_init_from_file_with_params_no_state(options->model_path, params);
    talloc_set_destructor(r, recognizer_destroy);
    err = r->model ? 0 : RLX_ECONFIG;
    for (; !err && r->count < options->workers; r->count++) {
        r->states[r->count] = whisper_init_state(r->model);
        err = r->states[r->count] ? warm(r, r->count) : -ENOMEM;
    }
    if (err)
        goto fail;
    *recognizerp = r;
    return 0;
fail:
    rlx_log(RLX_ERROR, "stt.open_failed", "model=%s error=%s hint=%s", options->model_path,
            rlx_err_text(err), "run tools/setup models, or name a whisper.cpp model file");
    talloc_free(r);
    return err;
}

struct rlx_slots_load rlx_recognizer_load(const struct rlx_recognizer *recognizer)
{
    return rlx_slots_load(recognizer->slots);
}
