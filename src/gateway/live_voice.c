/* The agent's voice: pieces of an epoch are synthesised (or come from the cache), held until the epoch begins, and given to the
 * playout in order. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "call/split.h"
#include "call/spoken.h"
#include "gateway/live_private.h"

#define BYTES_PER_MS ((size_t)8)
#define PREPARE_FAILURES 3    /* the provider is away: what follows would fail as well */
#define SENTENCE_PAUSE_MS 120 /* added behind a sentence, where the voice's own edge silence was trimmed */
#define CLAUSE_PAUSE_MS 60
#define PIECE_MAX_BYTES (60000u * BYTES_PER_MS)
#define ECHO_FROM_MS 60
#define ECHO_TO_MS 600
#define ECHO_STEP_MS 60

struct piece {
    TAILQ_ENTRY(piece) link;
    struct utterance *utterance;
    uint32_t number;
    char *text, key[RLX_SHA256_HEX];
    bool fixed, complete;
    struct rlx_tts_job *tts;
    struct rlx_speech_load *load;
    uint8_t *audio; /* µ-law so far */
    size_t length, played; /* bytes; played = already given to the playout */
    uint32_t first_byte_ms, pause_ms;
    uint64_t asked_ms;
};

struct utterance {
    LIST_ENTRY(utterance) link;
    struct rlx_voice *voice;
    uint32_t epoch;
    bool begun, finished, told_over;
    TAILQ_HEAD(, piece) pieces;
};

struct rlx_voice {
    struct rlx_live *live;
    struct rlx_playout *playout;
    LIST_HEAD(, utterance) utterances;
    struct utterance *running; /* the one that the playout plays */
    uint64_t last_audible_ms;
    /* preparing */
    char **texts; /* what to render beforehand, in spoken form, most urgent first */
    size_t text_count, next_text;
    unsigned failed; /* texts that could not be rendered */
    size_t phrase_count; /* so many of them are fixed phrases, rendered even when the call has begun */
    struct piece *preparing;
    struct utterance *prepared;
};

/* ---- the stream ---- */

static void send_audio(const uint8_t *ulaw, size_t length, uint32_t at_ms, void *arg)
{
    struct rlx_live *live = arg;
    char text[2048];
    uint32_t heard_ms = rlx_playout_heard_ms(live->voice->playout, rlx_now_ms());
    uint32_t ahead_ms = at_ms > heard_ms ? at_ms - heard_ms : 0;

    if (live->recorder)
        rlx_recorder_agent(live->recorder, rlx_live_time(live) + ahead_ms, ulaw, length);
    while (length && live->socket) {
        size_t part = length < 1200 ? length : 1200;
        size_t n = rlx_media_write_audio(text, sizeof text, live->stream_sid, ulaw, part);
        rlx_socket_send(live->socket, text, n);
        ulaw += part;
        length -= part;
    }
}

static void send_mark(const char *name, void *arg)
{
    struct rlx_live *live = arg;
    char text[256];

    if (live->socket)
        rlx_socket_send(live->socket, text,
                        rlx_media_write_mark(text, sizeof text, live->stream_sid, name));
}

static void send_clear(struct rlx_live *live)
{
    char text[160];

    if (!live->socket)
        return;
    rlx_socket_send(live->socket, text,
                    rlx_media_write_clear(text, sizeof text, live->stream_sid));
    rlx_socket_flush(live->socket);
    if (live->recorder)
        rlx_recorder_agent_cut(live->recorder, rlx_live_time(live));
}

static void run_playout(struct rlx_voice *voice)
{
    rlx_playout_run(voice->playout, rlx_now_ms());
    if (voice->live->socket)
        rlx_socket_flush(voice->live->socket);
}

/* ---- pieces ---- */

static int piece_end(struct piece *piece)
{
    rlx_tts_cancel(piece->tts);
    rlx_speech_cache_cancel(piece->load);
    TAILQ_REMOVE(&piece->utterance->pieces, piece, link);
    return 0;
}

static int utterance_end(struct utterance *utterance)
{
    struct piece *piece;

    while ((piece = TAILQ_FIRST(&utterance->pieces)))
        talloc_free(piece);
    LIST_REMOVE(utterance, link);
    if (utterance->voice->running == utterance)
        utterance->voice->running = NULL;
    return 0;
}

static struct utterance *utterance_of(struct rlx_voice *voice, uint32_t epoch, bool make)
{
    struct utterance *utterance;

    LIST_FOREACH(utterance, &voice->utterances, link)
        if (utterance->epoch == epoch)
            return utterance;
    if (!make || !(utterance = talloc_zero(voice, struct utterance)))
        return NULL;
    utterance->voice = voice;
    utterance->epoch = epoch;
    TAILQ_INIT(&utterance->pieces);
    LIST_INSERT_HEAD(&voice->utterances, utterance, link);
    talloc_set_destructor(utterance, utterance_end);
    return utterance;
}

/* Gives the playout what is there, in order of pieces. */
static void pump(struct utterance *utterance)
{
    struct rlx_voice *voice = utterance->voice;
    struct piece *piece;

    if (!utterance->begun)
        return;
    TAILQ_FOREACH(piece, &utterance->pieces, link) {
        if (piece->length > piece->played) {
            int err = rlx_playout_append(voice->playout, utterance->epoch,
                                         piece->audio + piece->played,
                                         piece->length - piece->played);
            if (err)
                rlx_log(RLX_WARN, "voice.append", "call_id=%s error=%s",
                        voice->live->setup->call_id, rlx_err_text(err));
            piece->played = piece->length;
        }
        if (!piece->complete)
            break;
    }
    if (!piece && utterance->finished)
        rlx_playout_finish(voice->playout, utterance->epoch);
    run_playout(voice);
}

static int piece_grow(struct piece *piece, const uint8_t *ulaw, size_t length)
{
    if (piece->length + length > PIECE_MAX_BYTES)
        return RLX_ETOOBIG;
    size_t room = talloc_get_size(piece->audio);
    if (piece->length + length > room) {
        size_t size = room ? room * 2 : 16000;
        while (size < piece->length + length)
            size *= 2;
        uint8_t *grown = talloc_realloc(piece, piece->audio, uint8_t, (unsigned)size);
        if (!grown)
            return -ENOMEM;
        piece->audio = grown;
    }
    if (ulaw)
        memcpy(piece->audio + piece->length, ulaw, length);
    else
        memset(piece->audio + piece->length, 0xff, length);
    piece->length += length;
    return 0;
}

/* The trimmed edge between two sentences gets its breath back. */
static void add_pause(struct piece *piece)
{
    size_t length = strlen(piece->text);
    bool sentence = length && strchr(".!?", piece->text[length - 1]);

    uint32_t pause_ms = sentence ? SENTENCE_PAUSE_MS : CLAUSE_PAUSE_MS;

    if (piece->length && !piece_grow(piece, NULL, pause_ms * BYTES_PER_MS))
        piece->pause_ms = pause_ms;
}

static void tell_audio(struct piece *piece, int err)
{
    struct rlx_conv_event event = {
        .kind = RLX_EV_AUDIO,
        .err = err,
        .audio = {.epoch = piece->utterance->epoch,
                  .piece = piece->number,
                  .total_ms = (uint32_t)(piece->length / BYTES_PER_MS),
                  .complete = piece->complete,
                  .pause_ms = piece->pause_ms,
                  .first_byte_ms = piece->first_byte_ms},
    };

    pump(piece->utterance);
    rlx_live_input(piece->utterance->voice->live, &event);
}

static void prepare_next(struct rlx_voice *voice);

static void piece_complete(struct piece *piece, int err)
{
    struct rlx_voice *voice = piece->utterance->voice;

    piece->complete = true;
    if (!err && piece->fixed && piece->tts == NULL && piece->asked_ms)
        rlx_speech_cache_put(voice->live->env->cache, piece->key, piece->audio, piece->length);
    if (piece == voice->preparing) {
        talloc_free(piece);
        voice->preparing = NULL;
        voice->failed += err != 0;
        if (voice->failed < PREPARE_FAILURES)
            prepare_next(voice);
        return;
    }
    add_pause(piece);
    tell_audio(piece, err);
}

static void tts_audio(const uint8_t *ulaw, size_t length, void *arg)
{
    struct piece *piece = arg;

    if (!piece->first_byte_ms)
        piece->first_byte_ms = (uint32_t)(rlx_now_ms() - piece->asked_ms);
    if (piece_grow(piece, ulaw, length) || piece == piece->utterance->voice->preparing)
        return;
    tell_audio(piece, 0);
}

static void tts_done(int err, uint32_t first_byte_ms, uint32_t took_ms, const char *why, void *arg)
{
    struct piece *piece = arg;

    (void)first_byte_ms;
    (void)took_ms;
    piece->tts = NULL;
    if (err)
        rlx_log(RLX_WARN, "tts.failed", "call_id=%s why=%s",
                piece->utterance->voice->live->setup->call_id, why ? why : "");
    piece_complete(piece, err);
}

static const struct rlx_tts_handlers tts_handlers = {tts_audio, tts_done};

static void synthesise(struct piece *piece)
{
    struct rlx_live *live = piece->utterance->voice->live;
    struct rlx_tts_options options = {
        .text = piece->text, .voice = live->setup->voice, .speed = live->setup->speed,
        .meter = live->setup->meter};

    piece->asked_ms = rlx_now_ms();
    int err = rlx_tts_start(&piece->tts, live->setup->providers->tts, &options, &tts_handlers, piece);
    if (err)
        piece_complete(piece, err);
}

static void loaded(const uint8_t *ulaw, size_t length, void *arg)
{
    struct piece *piece = arg;

    piece->load = NULL;
    if (ulaw && !piece_grow(piece, ulaw, length))
        piece_complete(piece, 0);
    else
        synthesise(piece);
}

/* Where the audio comes from: memory, disk, or synthesis. */
static void fetch(struct piece *piece)
{
    struct rlx_live *live = piece->utterance->voice->live;
    size_t length;

    rlx_speech_cache_key(piece->key, rlx_tts_voice_key(live->setup->providers->tts, live->setup->voice),
                         live->setup->speed, piece->text);
    const uint8_t *ulaw = rlx_speech_cache_peek(live->env->cache, piece->key, &length);
    if (ulaw && !piece_grow(piece, ulaw, length)) {
        piece_complete(piece, 0);
        return;
    }
    if (!piece->fixed ||
        rlx_speech_cache_load(&piece->load, live->env->cache, piece->key, loaded, piece))
        synthesise(piece);
}

static struct piece *piece_new(struct utterance *utterance, uint32_t number, const char *text,
                               bool fixed)
{
    struct piece *piece = talloc_zero(utterance, struct piece);

    if (!piece)
        return NULL;
    piece->utterance = utterance;
    piece->number = number;
    piece->text = talloc_strdup(piece, text);
    piece->fixed = fixed;
    TAILQ_INSERT_TAIL(&utterance->pieces, piece, link);
    talloc_set_destructor(piece, piece_end);
    return piece;
}

/* ---- before the call is answered ---- */

/* One after the other. Once the call has begun only the fixed phrases go on: an answer that nobody may ask for must not stand
 * in the way of what is said now. */
static void prepare_next(struct rlx_voice *voice)
{
    while (!voice->preparing && voice->next_text < voice->text_count) {
        if (voice->next_text >= voice->phrase_count && rlx_live_started(voice->live))
            return;
        struct piece *piece = piece_new(voice->prepared, 0, voice->texts[voice->next_text++], true);
        if (!piece)
            return;
        voice->preparing = piece;
        fetch(piece);
    }
}

static void plan(struct rlx_voice *voice, const char *text)
{
    char **grown = talloc_realloc(voice, voice->texts, char *, (unsigned)voice->text_count + 1);

    if (!grown)
        return;
    voice->texts = grown;
    grown[voice->text_count] = talloc_strdup(voice, text);
    voice->text_count += grown[voice->text_count] != NULL;
}

/* An answer is said in the pieces that the conversation will cut it into: `first` plans the one that must be ready when the
 * callee has asked, else those that are made while that one is heard. */
static void plan_answer(struct rlx_voice *voice, const char *answer, bool first)
{
    bool at_first = true;
    TALLOC_CTX *scratch = talloc_new(NULL);
    struct rlx_split *split;
    struct rlx_spoken *spoken;
    char *piece;

    if (scratch && !rlx_split_create(&split, scratch)) {
        rlx_split_feed(split, answer);
        rlx_split_end(split);
        while ((piece = rlx_split_next(split, scratch, false)))
            if (!rlx_spoken_make(&spoken, scratch, piece) && *spoken->text) {
                if (at_first == first)
                    plan(voice, spoken->text);
                at_first = false;
            }
    }
    talloc_free(scratch);
}

void rlx_voice_prepare(struct rlx_voice *voice)
{
    char **answers = voice->live->setup->answer_texts;
    const char *text;

    for (size_t i = 0; (text = rlx_conv_phrase(voice->live->conv, i)); i++)
        plan(voice, text);
    voice->phrase_count = voice->text_count;
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; answers && answers[i]; i++)
            plan_answer(voice, answers[i], first);
    voice->prepared = utterance_of(voice, UINT32_MAX, true);
    if (voice->prepared)
        prepare_next(voice);
}

/* ---- the conversation's actions ---- */

static void say(struct rlx_voice *voice, const struct rlx_conv_action *action)
{
    struct utterance *utterance = utterance_of(voice, action->epoch, true);
    struct piece *piece =
        utterance ? piece_new(utterance, action->piece, action->text, action->fixed) : NULL;
    struct rlx_conv_event event = {
        .kind = RLX_EV_AUDIO,
        .err = -ENOMEM,
        .audio = {.epoch = action->epoch, .piece = action->piece, .complete = true},
    };

    if (piece)
        fetch(piece);
    else
        rlx_live_input(voice->live, &event);
}

static void begin(struct rlx_voice *voice, uint32_t epoch)
{
    struct utterance *utterance = utterance_of(voice, epoch, true);

    if (!utterance)
        return;
    if (voice->running && voice->running != utterance)
        talloc_free(voice->running);
    voice->running = utterance;
    utterance->begun = true;
    rlx_playout_begin(voice->playout, epoch);
    pump(utterance);
}

static void drop(struct rlx_voice *voice, uint32_t epoch)
{
    struct utterance *utterance = utterance_of(voice, epoch, false);

    if (!utterance)
        return;
    if (utterance == voice->running) {
        rlx_playout_cut(voice->playout, rlx_now_ms());
        send_clear(voice->live);
    }
    talloc_free(utterance);
}

void rlx_voice_act(struct rlx_voice *voice, const struct rlx_conv_action *action)
{
    struct utterance *utterance;

    switch (action->kind) {
    case RLX_ACT_SAY:
        say(voice, action);
        break;
    case RLX_ACT_EPOCH:
        begin(voice, action->epoch);
        break;
    case RLX_ACT_FINISH:
        utterance = utterance_of(voice, action->epoch, true);
        if (utterance) {
            utterance->finished = true;
            pump(utterance);
        }
        break;
    case RLX_ACT_DROP:
        drop(voice, action->epoch);
        break;
    case RLX_ACT_PAUSE:
        rlx_playout_pause(voice->playout, rlx_now_ms());
        send_clear(voice->live);
        break;
    case RLX_ACT_RESUME:
        rlx_playout_resume(voice->playout, rlx_now_ms(), action->ms);
        run_playout(voice);
        break;
    default:
        break;
    }
}

/* ---- time and position ---- */

void rlx_voice_mark(struct rlx_voice *voice, const char *name)
{
    rlx_playout_marked(voice->playout, name, rlx_now_ms());
    run_playout(voice);
}

void rlx_voice_tick(struct rlx_voice *voice, uint64_t now_ms)
{
    struct utterance *running = voice->running;
    struct rlx_conv_event event = {.kind = RLX_EV_PLAYED};

    run_playout(voice);
    if (rlx_playout_audible(voice->playout, now_ms))
        voice->last_audible_ms = now_ms;
    if (!running || !running->finished || running->told_over ||
        !rlx_playout_over(voice->playout, now_ms))
        return;
    running->told_over = true;
    rlx_live_input(voice->live, &event);
}

uint32_t rlx_voice_heard_ms(const struct rlx_voice *voice, uint32_t epoch, uint64_t now_ms)
{
    if (!voice->running || voice->running->epoch != epoch)
        return 0;
    return rlx_playout_heard_ms(voice->playout, now_ms);
}

float rlx_voice_echo_db(const struct rlx_voice *voice, uint64_t now_ms)
{
    float loudest = -90.0f;

    if (now_ms > voice->last_audible_ms + ECHO_TO_MS)
        return loudest;
    for (uint32_t ago = ECHO_FROM_MS; ago <= ECHO_TO_MS; ago += ECHO_STEP_MS) {
        float level = rlx_playout_level_db(voice->playout, now_ms, ago);
        loudest = level > loudest ? level : loudest;
    }
    return loudest;
}

void rlx_voice_stats(const struct rlx_voice *voice, struct rlx_playout_stats *stats)
{
    rlx_playout_stats(voice->playout, stats);
}

int rlx_voice_create(struct rlx_voice **voicep, struct rlx_live *live)
{
    struct rlx_voice *voice = talloc_zero(live, struct rlx_voice);
    struct rlx_playout_options options = {.ahead_ms = 200};

    if (!voice)
        return -ENOMEM;
    voice->live = live;
    LIST_INIT(&voice->utterances);
    int err = rlx_playout_create(&voice->playout, voice, &options, send_audio, send_mark, live);
    if (err) {
        talloc_free(voice);
        return err;
    }
    *voicep = voice;
    return 0;
}
