/* Text to speech by POST audio/speech. OpenAI's `pcm` is 24 kHz 16-bit little-endian mono;
 * relayx-speech also speaks `mulaw` (8 kHz), which needs no conversion. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/trim.h"
#include "base/clock.h"
#include "base/err.h"
#include "provider/meter.h"
#include "provider/openai.h"
#include "provider/tts_decode.h"

#define KEYS_MAX 64
#define TEXT_MAX 4096 /* OpenAI's own */
#define EDGE_MS 40
#define PCM_HZ 24000
#define PIECE_MAX (16u << 20) /* µ-law of one network piece and its held silence */

struct rlx_tts {
    struct rlx_chain *chain;
    char **keys; /* of rlx_tts_voice_key, KEYS_MAX */
};

struct rlx_tts_job {
    struct rlx_tts *tts;
    struct rlx_walk walk;
    struct rlx_net_request *request;
    struct rlx_tts_decoder *decoder;
    struct rlx_trim *trim;
    struct rlx_bytes out; /* waits until decoder and trim have returned: a handler may free them */
    struct rlx_tts_handlers handlers;
    void *arg;
    char *text, *voice;
    double speed;
    struct rlx_meter *meter;
    uint32_t limit_ms;
    uint64_t start_ms;
    uint32_t first_byte_ms;
    bool got_byte, gave, ended;
    int err;
    bool *freedp; /* set while the audio handler runs */
};

static int attempt(struct rlx_tts_job *job);

static int destroy_job(struct rlx_tts_job *job)
{
    if (job->freedp)
        *job->freedp = true;
    rlx_net_cancel(job->request);
    rlx_walk_dropped(&job->walk);
    return 0;
}

static void end(struct rlx_tts_job *job, int err, const char *why)
{
    job->ended = true;
    job->handlers.done(err, job->first_byte_ms, (uint32_t)(rlx_now_ms() - job->start_ms), why,
                       job->arg);
    talloc_free(job);
}

/* What a provider took is paid for, also when nobody waits for its answer any more. */
static void count_request(const struct rlx_tts_job *job)
{
    const struct rlx_endpoint *e = job->walk.current;
    if (e)
        rlx_meter_add(job->meter, &(struct rlx_metered){.stage = RLX_STAGE_TTS,
                                                        .provider = e->name,
                                                        .model = e->model,
                                                        .characters =
                                                            rlx_meter_characters(job->text)});
}

static void failed(struct rlx_tts_job *job, int err, long status, const char *why)
{
    rlx_net_cancel(job->request);
    job->request = NULL;
    rlx_walk_failed(&job->walk, job, err, status, why, rlx_now_ms());
    if (job->gave || attempt(job))
        end(job, err, job->walk.why ? job->walk.why : rlx_err_text(err));
}

static void on_trimmed(const uint8_t *ulaw, size_t length, void *arg)
{
    struct rlx_tts_job *job = arg;
    int err = rlx_bytes_add(&job->out, job, ulaw, length, PIECE_MAX);
    if (err)
        job->err = err;
}

static void on_decoded(const uint8_t *ulaw, size_t length, void *arg)
{
    struct rlx_tts_job *job = arg;
    rlx_trim_feed(job->trim, ulaw, length);
}

/* False when the handler freed the job. */
static bool give(struct rlx_tts_job *job)
{
    bool freed = false;
    if (!job->out.length)
        return true;
    size_t length = job->out.length;
    job->out.length = 0;
    job->gave = true;
    job->freedp = &freed;
    job->handlers.audio(job->out.data, length, job->arg);
    if (freed)
        return false;
    job->freedp = NULL;
    return true;
}

static const char *decode_why(const struct rlx_tts_job *job, int err)
{
    const char *why = rlx_tts_decoder_why(job->decoder);
    return *why ? why : rlx_err_text(err);
}

static void on_data(const void *data, size_t length, void *arg)
{
    struct rlx_tts_job *job = arg;
    if (!job->got_byte)
        job->first_byte_ms = (uint32_t)(rlx_now_ms() - job->start_ms);
    job->got_byte = true;
    int err = rlx_tts_decoder_feed(job->decoder, data, length);
    if (!err)
        err = job->err;
    if (err)
        failed(job, err, 0, decode_why(job, err));
    else
        give(job);
}

static void on_done(int err, long status, const char *why, void *arg)
{
    struct rlx_tts_job *job = arg;
    if (!err) {
        err = rlx_tts_decoder_end(job->decoder);
        why = decode_why(job, err);
    }
    if (!err) {
        rlx_trim_end(job->trim);
        err = job->err;
    }
    if (err) {
        failed(job, err, status, why);
        return;
    }
    job->request = NULL;
    count_request(job);
    if (!give(job))
        return;
    rlx_walk_succeeded(&job->walk);
    end(job, 0, NULL);
}

static const char *voice_of(const struct rlx_tts *tts, const struct rlx_endpoint *e,
                            const char *wish)
{
    return rlx_models_resolve(tts->chain->models, "tts", e->name, wish, e->voice);
}

static char *make_body(struct rlx_tts_job *job, const struct rlx_endpoint *e)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s}", "model", e->model, "input", job->text, "voice",
                  voice_of(job->tts, e, job->voice), "response_format", e->local ? "mulaw" : "pcm");
    if (body && job->speed < 0.999)
        json_object_set_new(body, "speed", json_real(job->speed < 0.25 ? 0.25 : job->speed));
    else if (body && job->speed > 1.001)
        json_object_set_new(body, "speed", json_real(job->speed > 4 ? 4 : job->speed));
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    char *copy = text ? talloc_strdup(job, text) : NULL;
    free(text);
    json_decref(body);
    return copy;
}

static int prepare(struct rlx_tts_job *job, const struct rlx_endpoint *e)
{
    talloc_free(job->decoder);
    talloc_free(job->trim);
    job->decoder = NULL;
    job->trim = NULL;
    job->out.length = 0;
    job->got_byte = false;
    job->err = 0;
    int err = rlx_tts_decoder_create(&job->decoder, job, e->local, e->local ? 8000 : PCM_HZ,
                                     on_decoded, job);
    return err ? err : rlx_trim_create(&job->trim, job, EDGE_MS, on_trimmed, job);
}

static int ask(struct rlx_tts_job *job, const struct rlx_endpoint *e)
{
    char url[1024];
    int err = prepare(job, e);
    char *body = err ? NULL : make_body(job, e);
    if (!body)
        return err ? err : RLX_EINVAL;
    snprintf(url, sizeof url, "%s/audio/speech", e->base_url);
    const struct rlx_net_options options = {
        .url = url,
        .bearer = e->key,
        .json = body,
        .first_byte_ms = job->limit_ms,
        .stall_ms = job->limit_ms < 3000 ? job->limit_ms : 3000,
        .total_ms = 60000,
        .hints = &job->walk.current->hints,
        .warm_url = e->warm_url,
    };
    err = rlx_net_start(&job->request, job->tts->chain->net, &options, on_data, on_done, job);
    talloc_free(body);
    return err;
}

static int attempt(struct rlx_tts_job *job)
{
    struct rlx_endpoint *e;
    int err = RLX_EPROVIDER;
    while ((e = rlx_walk_next(&job->walk, job->tts->chain, rlx_now_ms()))) {
        err = ask(job, e);
        if (!err)
            return 0;
        if (err == RLX_EINVAL || err == -ENOMEM) { /* it would be the same anywhere */
            rlx_walk_dropped(&job->walk);
            return err;
        }
        rlx_walk_failed(&job->walk, job, err, 0, rlx_err_text(err), rlx_now_ms());
    }
    return err;
}

int rlx_tts_start(struct rlx_tts_job **jobp, struct rlx_tts *tts,
                  const struct rlx_tts_options *options, const struct rlx_tts_handlers *handlers,
                  void *arg)
{
    if (!jobp || !tts || !options || !options->text || !handlers || !handlers->audio ||
        !handlers->done)
        return -EINVAL;
    if (strlen(options->text) > TEXT_MAX)
        return RLX_ETOOBIG;
    struct rlx_tts_job *job = talloc_zero(tts, struct rlx_tts_job);
    if (!job)
        return -ENOMEM;
    job->tts = tts;
    job->handlers = *handlers;
    job->arg = arg;
    job->speed = options->speed > 0 ? options->speed : 1.0;
    job->limit_ms = options->first_byte_ms ? options->first_byte_ms : 4000;
    job->start_ms = rlx_now_ms();
    job->meter = options->meter;
    talloc_set_destructor(job, destroy_job);
    job->text = talloc_strdup(job, options->text);
    job->voice = options->voice ? talloc_strdup(job, options->voice) : NULL;
    int err = -ENOMEM;
    if (job->text && (!options->voice || job->voice))
        err = attempt(job);
    if (err) {
        talloc_free(job);
        return err;
    }
    *jobp = job;
    return 0;
}

void rlx_tts_cancel(struct rlx_tts_job *job)
{
    if (!job || job->ended)
        return;
    if (job->request)
        count_request(job);
    talloc_free(job);
}

void rlx_tts_warm(struct rlx_tts *tts)
{
    rlx_chain_warm(tts->chain);
}

bool rlx_tts_is_low(const struct rlx_tts *tts)
{
    return rlx_chain_is_low(tts->chain, rlx_now_ms());
}

const char *rlx_tts_name(const struct rlx_tts *tts)
{
    return tts->chain->name;
}

/* Every key is made once; there is one per provider and voice that it knows. The provider is the
 * one that would be asked now, so that a piece spoken by a stand-in's voice is not kept under the
 * first one's name. */
const char *rlx_tts_voice_key(const struct rlx_tts *tts, const char *voice)
{
    const struct rlx_endpoint *e = &tts->chain->items[0];
    for (size_t i = 0; i < tts->chain->count; i++) {
        if (!tts->chain->items[i].failed) {
            e = &tts->chain->items[i];
            break;
        }
    }
    char *key = talloc_asprintf(tts, "%s/%s/%s", e->name, e->model, voice_of(tts, e, voice));
    for (size_t i = 0; key && i < KEYS_MAX; i++) {
        if (!tts->keys[i])
            return tts->keys[i] = key;
        if (!strcmp(tts->keys[i], key)) {
            talloc_free(key);
            return tts->keys[i];
        }
    }
    talloc_free(key);
    return e->name;
}

int rlx_tts_create(struct rlx_tts **ttsp, TALLOC_CTX *ctx, struct rlx_chain *chain)
{
    struct rlx_tts *tts = talloc_zero(ctx, struct rlx_tts);
    if (!tts)
        return -ENOMEM;
    tts->keys = talloc_zero_array(tts, char *, KEYS_MAX);
    if (!tts->keys) {
        talloc_free(tts);
        return -ENOMEM;
    }
    tts->chain = talloc_steal(tts, chain);
    *ttsp = tts;
    return 0;
}
