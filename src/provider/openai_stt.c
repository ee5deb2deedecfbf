/* Speech to text by POST audio/transcriptions (multipart; a WAV file), as OpenAI and Groq document
 * it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/g711.h"
#include "audio/resample.h"
#include "audio/wav.h"
#include "base/clock.h"
#include "base/err.h"
#include "provider/meter.h"
#include "provider/openai.h"

#define ULAW_MAX ((size_t)8000 * 120)
#define ANSWER_MAX (256u << 10)
#define WAV_HZ 16000
#define TAIL 160 /* samples of silence that push the resampler's last output out */

struct rlx_stt {
    struct rlx_chain *chain;
};

struct rlx_stt_job {
    struct rlx_stt *stt;
    struct rlx_walk walk;
    struct rlx_net_request *request;
    uint8_t *wav;
    size_t wav_length;
    char *language, *prompt;
    uint32_t timeout_ms;
    uint32_t audio_ms;
    struct rlx_meter *meter;
    uint64_t start_ms;
    struct rlx_bytes answer;
    rlx_stt_done_h *done;
    void *arg;
    bool ended;
};

static int attempt(struct rlx_stt_job *job);

static int destroy_job(struct rlx_stt_job *job)
{
    rlx_net_cancel(job->request);
    rlx_walk_dropped(&job->walk);
    return 0;
}

/* The models were trained on 16 kHz audio; servers resample badly or not at all. */
static int make_wav(struct rlx_stt_job *job, const uint8_t *ulaw, size_t length)
{
    struct rlx_resampler *up = NULL;
    size_t samples = length + TAIL, used = 0;
    int16_t *pcm = talloc_zero_size(job, samples * sizeof(int16_t));
    int err = pcm ? rlx_resampler_create(&up, job, 8000, WAV_HZ) : -ENOMEM;
    if (err)
        goto out;
    size_t room = rlx_resampler_bound(up, samples);
    err = -ENOMEM;
    job->wav = talloc_zero_size(job, RLX_WAV_HEADER + room * 2);
    int16_t *wide = talloc_size(pcm, room * sizeof(int16_t));
    if (!job->wav || !wide)
        goto out;
    rlx_ulaw_to_pcm(pcm, ulaw, length);
    size_t made = rlx_resampler_run(up, pcm, samples, &used, wide, room);
    if (made > length * 2)
        made = length * 2;
    rlx_wav_header(job->wav, WAV_HZ, 1, (uint32_t)(made * 2));
    for (size_t i = 0; i < made; i++) {
        uint16_t sample = (uint16_t)wide[i];
        job->wav[RLX_WAV_HEADER + 2 * i] = (uint8_t)sample;
        job->wav[RLX_WAV_HEADER + 2 * i + 1] = (uint8_t)(sample >> 8);
    }
    job->wav_length = RLX_WAV_HEADER + made * 2;
    err = 0;
out:
    talloc_free(up);
    talloc_free(pcm);
    return err;
}

static void end(struct rlx_stt_job *job, int err, const struct rlx_stt_result *result,
                const char *why)
{
    job->ended = true;
    job->done(err, result, why, job->arg);
    talloc_free(job);
}

/* Without a top-level figure: the segments' mean, weighted by how long they are. */
static double mean_logprob(const json_t *answer)
{
    const json_t *whole = json_object_get(answer, "avg_logprob"), *segment;
    size_t i;
    double sum = 0, weight = 0;
    if (json_is_number(whole))
        return json_number_value(whole);
    json_array_foreach(json_object_get(answer, "segments"), i, segment)
    {
        const json_t *value = json_object_get(segment, "avg_logprob");
        double from = json_number_value(json_object_get(segment, "start"));
        double to = json_number_value(json_object_get(segment, "end"));
        double share = to > from ? to - from : 0.01;
        if (json_is_number(value)) {
            sum += json_number_value(value) * share;
            weight += share;
        }
    }
    return weight > 0 ? sum / weight : 0;
}

static char *trimmed(TALLOC_CTX *ctx, const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1]))
        length--;
    return talloc_strndup(ctx, text, length);
}

static int parse(struct rlx_stt_job *job, struct rlx_stt_result *result)
{
    json_t *answer = json_loadb((const char *)job->answer.data, job->answer.length, 0, NULL);
    const json_t *text = json_object_get(answer, "text");
    int err = json_is_string(text) ? 0 : RLX_EPROTO;
    if (!err) {
        double voiced = json_number_value(json_object_get(answer, "voiced_ms"));
        double logprob = mean_logprob(answer);
        result->text = trimmed(job, json_string_value(text));
        result->voiced_ms = voiced > 0 && voiced < 1e7 ? (uint32_t)voiced : 0;
        result->avg_logprob = isfinite(logprob) && fabs(logprob) < 1e6 ? (float)logprob : 0;
        err = result->text ? 0 : -ENOMEM;
    }
    json_decref(answer);
    return err;
}

/* What a provider took is paid for, also when nobody waits for its answer any more. */
static void count_request(const struct rlx_stt_job *job)
{
    const struct rlx_endpoint *e = job->walk.current;
    if (e)
        rlx_meter_add(job->meter, &(struct rlx_metered){.stage = RLX_STAGE_STT,
                                                        .provider = e->name,
                                                        .model = e->model,
                                                        .audio_ms = job->audio_ms});
}

static void failed(struct rlx_stt_job *job, int err, long status, const char *why)
{
    rlx_walk_failed(&job->walk, job, err, status, why, rlx_now_ms());
    if (attempt(job))
        end(job, err, NULL, job->walk.why ? job->walk.why : rlx_err_text(err));
}

static void on_data(const void *data, size_t length, void *arg)
{
    struct rlx_stt_job *job = arg;
    if (!rlx_bytes_add(&job->answer, job, data, length, ANSWER_MAX))
        return;
    rlx_net_cancel(job->request);
    job->request = NULL;
    failed(job, RLX_EPROTO, 0, "the transcript is too long to be one");
}

static void on_done(int err, long status, const char *why, void *arg)
{
    struct rlx_stt_job *job = arg;
    struct rlx_stt_result result = {.took_ms = (uint32_t)(rlx_now_ms() - job->start_ms)};
    job->request = NULL;
    if (job->walk.current)
        result.queue_ms = job->walk.current->hints.queue_ms;
    if (!err) {
        err = parse(job, &result);
        why = "the answer is no JSON object with a \"text\"";
    }
    if (err) {
        failed(job, err, status, why);
        return;
    }
    count_request(job);
    rlx_walk_succeeded(&job->walk);
    end(job, 0, &result, NULL);
}

static int ask(struct rlx_stt_job *job, const struct rlx_endpoint *e)
{
    char url[1024];
    struct rlx_net_part parts[5] = {
        {"file", job->wav, job->wav_length, "audio.wav", "audio/wav"},
        {"model", e->model, strlen(e->model), NULL, NULL},
        {"response_format", "json", 4, NULL, NULL},
    };
    size_t count = 3;
    if (job->language)
        parts[count++] =
            (struct rlx_net_part){"language", job->language, strlen(job->language), NULL, NULL};
    if (job->prompt)
        parts[count++] =
            (struct rlx_net_part){"prompt", job->prompt, strlen(job->prompt), NULL, NULL};
    snprintf(url, sizeof url, "%s/audio/transcriptions", e->base_url);
    const struct rlx_net_options options = {
        .url = url,
        .bearer = e->key,
        .parts = parts,
        .part_count = count,
        .first_byte_ms = job->timeout_ms,
        .total_ms = job->timeout_ms,
        .hints = &job->walk.current->hints,
        .warm_url = e->warm_url,
    };
    job->answer.length = 0;
    job->walk.current->hints.queue_ms = 0;
    return rlx_net_start(&job->request, job->stt->chain->net, &options, on_data, on_done, job);
}

static int attempt(struct rlx_stt_job *job)
{
    struct rlx_endpoint *e;
    int err = RLX_EPROVIDER;
    while ((e = rlx_walk_next(&job->walk, job->stt->chain, rlx_now_ms()))) {
        err = ask(job, e);
        if (!err)
            return 0;
        rlx_walk_failed(&job->walk, job, err, 0, rlx_err_text(err), rlx_now_ms());
    }
    return err;
}

int rlx_stt_start(struct rlx_stt_job **jobp, struct rlx_stt *stt, const uint8_t *ulaw,
                  size_t length, const struct rlx_stt_options *options, rlx_stt_done_h *done,
                  void *arg)
{
    static const struct rlx_stt_options defaults;
    if (!jobp || !stt || !ulaw || !length || !done)
        return -EINVAL;
    if (length > ULAW_MAX)
        return RLX_ETOOBIG;
    if (!options)
        options = &defaults;
    struct rlx_stt_job *job = talloc_zero(stt, struct rlx_stt_job);
    if (!job)
        return -ENOMEM;
    job->stt = stt;
    job->done = done;
    job->arg = arg;
    job->timeout_ms = options->timeout_ms ? options->timeout_ms : 5000;
    job->start_ms = rlx_now_ms();
    job->audio_ms = (uint32_t)(length / 8);
    job->meter = options->meter;
    talloc_set_destructor(job, destroy_job);
    int err = make_wav(job, ulaw, length);
    if (!err && options->language && *options->language)
        err = (job->language = talloc_strdup(job, options->language)) ? 0 : -ENOMEM;
    if (!err && options->prompt && *options->prompt)
        err = (job->prompt = talloc_strdup(job, options->prompt)) ? 0 : -ENOMEM;
    if (!err)
        err = attempt(job);
    if (err) {
        talloc_free(job);
        return err;
    }
    *jobp = job;
    return 0;
}

void rlx_stt_cancel(struct rlx_stt_job *job)
{
    if (!job || job->ended)
        return;
    if (job->request)
        count_request(job);
    talloc_free(job);
}

void rlx_stt_warm(struct rlx_stt *stt)
{
    rlx_chain_warm(stt->chain);
}

bool rlx_stt_is_low(const struct rlx_stt *stt)
{
    return rlx_chain_is_low(stt->chain, rlx_now_ms());
}

const char *rlx_stt_name(const struct rlx_stt *stt)
{
    return stt->chain->name;
}

int rlx_stt_create(struct rlx_stt **sttp, TALLOC_CTX *ctx, struct rlx_chain *chain)
{
    struct rlx_stt *stt = talloc_zero(ctx, struct rlx_stt);
    if (!stt)
        return -ENOMEM;
    stt->chain = talloc_steal(stt, chain);
    *sttp = stt;
    return 0;
}
