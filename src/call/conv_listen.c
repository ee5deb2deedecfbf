/* Who speaks: frames become utterances, utterances are transcribed, and their end is found. */
#include "call/conv_internal.h"

#include <string.h>

#define FLOOR_STEP 0.05f     /* how fast the level of the room is followed, per frame */
#define NO_AGENT_DB (-80.0f) /* below it the agent is not heard */
#define ECHO_MARGIN_DB 6.0f
#define FLOOR_FIRST_DB (-60.0f)
#define ECHO_FIRST_DB (-32.0f) /* an ordinary line, until it has shown how it is */
#define ECHO_LEAST_DB (-60.0f)
#define ECHO_FADE_DB 0.003f   /* a frame without echo lowers what is expected of it */
#define SPEECH_RANGE_DB 31.0f /* between a voice's loudest frame and its softest that counts */
#define ROOM_MARGIN_DB 8.0f   /* speech is so much louder than the room */
#define FADE_MS 120u          /* the detector's verdict may outlast the hang-over by so much */

/* ---- frames ---- */

/* A stream begins: its timeline starts at zero. */
void rlx_conv_ear_reset(struct rlx_conv *conv)
{
    conv->ear = (struct rlx_conv_ear){
        .floor_db = FLOOR_FIRST_DB,
        .echo_db = ECHO_FIRST_DB,
        .echo_peak_db = -90.0f,
        .arrived_ms = conv->now_ms,
    };
    conv->utt.words_from_ms = 0;
}

static uint32_t gap_frames(const struct rlx_conv_ear *ear, uint64_t end_ms)
{
    uint64_t frames = (end_ms - ear->end_ms + RLX_CONV_FRAME_MS / 2) / RLX_CONV_FRAME_MS;
    return frames < 64 ? (uint32_t)frames : 64;
}

/* A frame below what the agent's own echo would be is no voice of the callee. */
static bool is_voice(const struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    const struct rlx_conv_ear *ear = &conv->ear;

    if (!event->frame.voiced || event->frame.ts_ms < ear->mute_ms)
        return false;
    if (event->frame.agent_db <= NO_AGENT_DB)
        return true;
    return event->frame.level_db >= event->frame.agent_db + ear->echo_db + ECHO_MARGIN_DB;
}

bool rlx_conv_ear_frame(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_ear *ear = &conv->ear;
    uint64_t end = event->frame.ts_ms + RLX_CONV_FRAME_MS;
    int64_t lead = (int64_t)conv->now_ms - (int64_t)end;

    ear->arrived_ms = conv->now_ms;
    if (ear->any && end <= ear->end_ms)
        return false;
    uint32_t frames = ear->any ? gap_frames(ear, end) : 64;
    bool voice = is_voice(conv, event);
    ear->bits = (frames < 64 ? ear->bits << frames : 0) | (voice ? 1u : 0u);
    if (!ear->any || lead < ear->lead_ms)
        ear->lead_ms = lead;
    ear->any = true;
    ear->end_ms = end;
    ear->level_db = event->frame.level_db;
    if (!event->frame.voiced) {
        ear->floor_db += (event->frame.level_db - ear->floor_db) * FLOOR_STEP;
        if (event->frame.agent_db > NO_AGENT_DB && ear->echo_db > ECHO_LEAST_DB)
            ear->echo_db -= ECHO_FADE_DB;
    }
    float gain = event->frame.level_db - event->frame.agent_db;
    if (voice && event->frame.agent_db > NO_AGENT_DB && gain > ear->echo_peak_db)
        ear->echo_peak_db = gain;
    return true;
}

/* The verdicts of the last `within_ms`, as far as they belong to no earlier utterance. */
static uint64_t recent_bits(const struct rlx_conv *conv, uint64_t within_ms)
{
    uint64_t since = conv->ear.end_ms - conv->utt.words_from_ms;
    uint64_t frames = (since < within_ms ? since : within_ms) / RLX_CONV_FRAME_MS;

    return conv->ear.bits & (frames < 64 ? (UINT64_C(1) << frames) - 1 : UINT64_MAX);
}

uint32_t rlx_conv_voiced(const struct rlx_conv *conv, uint32_t within_ms)
{
    return (uint32_t)__builtin_popcountll(recent_bits(conv, within_ms)) * RLX_CONV_FRAME_MS;
}

/* The callee's timeline goes on by the wall clock when frames stop. */
uint64_t rlx_conv_media_now(const struct rlx_conv *conv)
{
    const struct rlx_conv_ear *ear = &conv->ear;
    uint64_t since = conv->now_ms - ear->arrived_ms;

    return ear->end_ms + (ear->any && since > RLX_CONV_GAP_MS ? since : 0);
}

/* ---- the utterance ---- */

/* As loud as speech: within the range of this voice, and above the room. */
static bool is_loud(const struct rlx_conv *conv)
{
    float level = conv->ear.level_db;

    return level >= conv->utt.level_db - SPEECH_RANGE_DB &&
           level >= conv->ear.floor_db + ROOM_MARGIN_DB;
}

/* End of the last voice. The detector goes on saying "voice" after it: for how long depends on how
 * the last sound fades, so its loudness tells the end; without a clear one the detector's usual
 * hang-over is taken off. */
static uint64_t voice_end(const struct rlx_conv *conv)
{
    const struct rlx_conv_utterance *utt = &conv->utt;
    uint32_t over = conv->options.hangover_ms;

    if (utt->loud_ms + over + FADE_MS >= utt->end_ms)
        return utt->loud_ms;
    return utt->end_ms > utt->first_ms + over ? utt->end_ms - over : utt->first_ms;
}

uint32_t rlx_conv_quiet_ms(const struct rlx_conv *conv)
{
    uint64_t now = rlx_conv_media_now(conv);

    if (!conv->utt.on || now <= conv->utt.end_ms)
        return 0;
    return (uint32_t)(now - voice_end(conv));
}

uint64_t rlx_conv_spoke_until(const struct rlx_conv *conv)
{
    int64_t at = (int64_t)voice_end(conv) + conv->ear.lead_ms;
    return at > 0 ? (uint64_t)at : 0;
}

uint32_t rlx_conv_utterance_speech_ms(const struct rlx_conv *conv)
{
    uint32_t voiced = conv->utt.voiced_ms, over = conv->options.hangover_ms;
    return voiced > over ? voiced - over : 0;
}

/* Frames from the first voice of the present burst (no gap of a window in it) to the newest frame.
 */
static unsigned burst_frames(uint64_t bits, unsigned *voicedp)
{
    unsigned first = 0, voiced = 0;

    for (unsigned i = 0; i < 64; i++) {
        if (bits >> i & 1) {
            first = i;
            voiced++;
        } else if (voiced && i - first >= RLX_CONV_WINDOW_MS / RLX_CONV_FRAME_MS) {
            break;
        }
    }
    *voicedp = voiced;
    return first + 1;
}

void rlx_conv_utterance_begin(struct rlx_conv *conv)
{
    struct rlx_conv_utterance *utt = &conv->utt;
    unsigned voiced;
    uint64_t length =
        (uint64_t)burst_frames(recent_bits(conv, 64u * (uint64_t)RLX_CONV_FRAME_MS), &voiced) *
        RLX_CONV_FRAME_MS;
    uint64_t since_agent = conv->now_ms - conv->quiet_since_ms;

    utt->on = true;
    utt->first_ms = conv->ear.end_ms > length ? conv->ear.end_ms - length : 0;
    utt->end_ms = conv->ear.end_ms;
    utt->voiced_ms = voiced * RLX_CONV_FRAME_MS;
    utt->peak_ms = rlx_conv_voiced(conv, RLX_CONV_WINDOW_MS);
    utt->level_db = conv->ear.level_db;
    utt->loud_ms = is_loud(conv) ? utt->end_ms : utt->first_ms;
    utt->over_agent =
        conv->speaking || (conv->quiet_since_ms && since_agent <= RLX_CONV_ECHO_MS + length);
    utt->after_agent = utt->over_agent && !conv->speaking && since_agent >= length;
    utt->cut_voiced_ms = 0;
    utt->guesses = utt->merged = 0;
    utt->probed = false;
    TALLOC_FREE(utt->parts);
}

void rlx_conv_utterance_forget(struct rlx_conv *conv)
{
    struct rlx_conv_utterance *utt = &conv->utt;

    rlx_conv_stt_cancel(conv);
    if (utt->on)
        utt->words_from_ms = utt->end_ms;
    utt->on = false;
    TALLOC_FREE(utt->parts);
    conv->ear.echo_peak_db = -90.0f;
    conv->barge.by_words = false;
}

/* Voice after a guess: the guess was wrong. */
static void voice_again(struct rlx_conv *conv)
{
    if ((conv->stt.job && !conv->stt.forced && conv->stt.purpose != RLX_STT_PROBE) ||
        conv->stt.known)
        rlx_conv_stt_cancel(conv);
    if (conv->turn && !conv->turn->confirmed)
        rlx_conv_turn_drop(conv);
}

void rlx_conv_utterance_voice(struct rlx_conv *conv)
{
    struct rlx_conv_utterance *utt = &conv->utt;
    uint32_t window = rlx_conv_voiced(conv, RLX_CONV_WINDOW_MS);

    utt->end_ms = conv->ear.end_ms;
    utt->voiced_ms += RLX_CONV_FRAME_MS;
    if (window > utt->peak_ms)
        utt->peak_ms = window;
    if (conv->ear.level_db > utt->level_db)
        utt->level_db = conv->ear.level_db;
    if (is_loud(conv))
        utt->loud_ms = utt->end_ms;
    voice_again(conv);
}

static bool may_begin(const struct rlx_conv *conv)
{
    switch (conv->state) {
    case RLX_CONV_GREETING:
    case RLX_CONV_LISTENING:
    case RLX_CONV_USER_SPEAKING:
    case RLX_CONV_TOOL:
    case RLX_CONV_ON_HOLD:
    case RLX_CONV_VOICEMAIL:
    case RLX_CONV_AI_SPEAKING:
        return true;
    case RLX_CONV_CLOSING:
        return conv->closing.listening;
    default:
        return false;
    }
}

void rlx_conv_utterance_follow(struct rlx_conv *conv)
{
    if (conv->state == RLX_CONV_THINKING) {
        /* Only plain voice takes the turn back: a click must not cost the callee the answer. */
        if (rlx_conv_voiced(conv, 160) >= conv->set.pause_ms)
            rlx_conv_turn_extend(conv);
        return;
    }
    if (!(conv->ear.bits & 1))
        return;
    if (conv->utt.on)
        rlx_conv_utterance_voice(conv);
    else if (may_begin(conv) &&
             rlx_conv_voiced(conv, RLX_CONV_WINDOW_MS) >= conv->set.short_speech_ms)
        rlx_conv_utterance_begin(conv);
}

/* ---- speech to text ---- */

static void count_waste(struct rlx_conv *conv)
{
    if (conv->stt.purpose != RLX_STT_SPECULATIVE || !(conv->stt.job || conv->stt.known))
        return;
    conv->metrics.stt_wasted++;
    rlx_conv_guess_outcome(conv, false);
}

void rlx_conv_stt_cancel(struct rlx_conv *conv)
{
    count_waste(conv);
    if (conv->stt.job)
        rlx_conv_act(conv, RLX_ACT_STT_CANCEL)->job = conv->stt.job;
    conv->stt.job = 0;
    conv->stt.known = conv->stt.forced = false;
    TALLOC_FREE(conv->stt.text);
}

void rlx_conv_stt_ask(struct rlx_conv *conv, enum rlx_stt_purpose purpose, uint64_t from_ms)
{
    struct rlx_conv_stt *stt = &conv->stt;

    rlx_conv_stt_cancel(conv);
    stt->job = rlx_conv_job(conv);
    stt->purpose = purpose;
    stt->covers_ms = conv->utt.end_ms;
    stt->to_ms = rlx_conv_media_now(conv);
    stt->hint = conv->speaking ? NULL : conv->hint;
    if (purpose == RLX_STT_SPECULATIVE)
        conv->metrics.stt_started++;

    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_STT);
    action->job = stt->job;
    action->stt.purpose = purpose;
    action->stt.hint = stt->hint;
    action->stt.to_ms = stt->to_ms;
    action->stt.from_ms = from_ms > RLX_CONV_PRE_ROLL_MS ? from_ms - RLX_CONV_PRE_ROLL_MS : 0;
    if (action->stt.from_ms < conv->utt.words_from_ms)
        action->stt.from_ms = conv->utt.words_from_ms;
}

bool rlx_conv_stt_covers(const struct rlx_conv *conv)
{
    return conv->stt.known && conv->stt.covers_ms == conv->utt.end_ms;
}

/* Asks for the text of the utterance when its silence has grown long enough for the next pass. */
static void transcribe(struct rlx_conv *conv, uint32_t quiet_ms)
{
    const struct rlx_turn_settings *set = &conv->set;
    struct rlx_conv_utterance *utt = &conv->utt;

    if (rlx_conv_stt_covers(conv) ||
        (conv->stt.job && conv->stt.covers_ms == utt->end_ms && conv->stt.purpose != RLX_STT_PROBE))
        return;
    if (rlx_conv_guess_may(conv, quiet_ms)) {
        utt->guesses++;
        rlx_conv_stt_ask(conv, RLX_STT_SPECULATIVE, utt->first_ms);
    } else if (quiet_ms >= (set->speculation ? set->silence_complete_ms : set->silence_ms)) {
        rlx_conv_stt_ask(conv, RLX_STT_FINAL, utt->first_ms);
    }
}

/* ---- the end of a turn ---- */

static bool hears_turns(const struct rlx_conv *conv)
{
    switch (conv->state) {
    case RLX_CONV_LISTENING:
    case RLX_CONV_USER_SPEAKING:
    case RLX_CONV_TOOL:
        return true;
    case RLX_CONV_ON_HOLD:
        return !conv->silence.music;
    case RLX_CONV_CLOSING:
        return conv->closing.listening && !conv->closing.stopped;
    default:
        return false;
    }
}

static bool is_over(const struct rlx_conv *conv, uint32_t quiet_ms)
{
    if (rlx_conv_stt_covers(conv))
        return quiet_ms >= conv->stt.need_ms;
    uint32_t silence = conv->collecting ? conv->set.silence_collect_ms : conv->set.silence_ms;
    return quiet_ms >= silence + conv->set.stt_wait_ms;
}

/* Speech that does not end, and sound that is no speech. */
static void watch_length(struct rlx_conv *conv)
{
    struct rlx_conv_utterance *utt = &conv->utt;

    if (conv->stt.job)
        return;
    if (utt->voiced_ms - utt->cut_voiced_ms >= conv->set.long_turn_ms) {
        rlx_conv_stt_ask(conv, RLX_STT_FINAL, utt->first_ms);
        conv->stt.forced = true;
    } else if (!utt->probed && utt->voiced_ms >= RLX_CONV_NO_WORDS_MS) {
        utt->probed = true;
        rlx_conv_stt_ask(conv, RLX_STT_PROBE, utt->first_ms);
    }
}

void rlx_conv_listen_tick(struct rlx_conv *conv)
{
    struct rlx_conv_utterance *utt = &conv->utt;

    if (!hears_turns(conv) || !utt->on)
        return;
    if (conv->state != RLX_CONV_CLOSING && utt->peak_ms >= conv->set.speech_ms)
        rlx_conv_enter(conv, RLX_CONV_USER_SPEAKING);
    uint32_t quiet = rlx_conv_quiet_ms(conv);
    if (!quiet) {
        watch_length(conv);
        return;
    }
    transcribe(conv, quiet);
    if (is_over(conv, quiet))
        rlx_conv_turn_end(conv);
    else if (rlx_conv_stt_covers(conv) && !conv->stt.weighed)
        rlx_conv_turn_guess(conv);
}

uint64_t rlx_conv_listen_due(const struct rlx_conv *conv)
{
    uint64_t lost = conv->ear.arrived_ms + RLX_CONV_LOST_MS;

    if (!conv->utt.on || conv->state == RLX_CONV_TRANSFERRING)
        return lost;
    /* Frames drive an utterance; when they stop, the wall clock does. */
    return conv->ear.arrived_ms + RLX_CONV_GAP_MS + RLX_CONV_FRAME_MS;
}

/* ---- texts in ---- */

static void stt_failed(struct rlx_conv *conv)
{
    struct rlx_conv_stt *stt = &conv->stt;

    if (stt->purpose == RLX_STT_SPECULATIVE && !(conv->turn && !conv->turn->text)) {
        conv->utt.guesses = UINT32_MAX; /* the pass at the end of the turn decides */
        return;
    }
    if (stt->purpose == RLX_STT_SNIPPET) {
        rlx_conv_barge_text(conv, "");
        return;
    }
    if (stt->purpose == RLX_STT_PROBE)
        return;
    if (conv->closing.on) {
        rlx_conv_end(conv, !conv->closing.stopped);
        return;
    }
    if (++stt->failures >= 2) {
        rlx_conv_fail(conv, "stt");
        return;
    }
    rlx_conv_turn_drop(conv);
    rlx_conv_utterance_forget(conv);
    rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_REPEAT);
    rlx_conv_enter(conv, RLX_CONV_THINKING);
}

/* A stretch out of speech that goes on. */
static void take_part(struct rlx_conv *conv)
{
    struct rlx_conv_utterance *utt = &conv->utt;
    enum rlx_conv_worth worth = rlx_conv_judge(conv, conv->stt.text);

    if (worth == RLX_HEARD_WORDS) {
        char *parts = talloc_asprintf(conv, "%s%s%s", utt->parts ? utt->parts : "",
                                      utt->parts ? " " : "", conv->stt.text);
        TALLOC_FREE(utt->parts);
        utt->parts = parts;
        utt->words_from_ms = conv->stt.to_ms;
        utt->cut_voiced_ms = utt->voiced_ms;
        rlx_conv_stt_cancel(conv);
        return;
    }
    rlx_conv_drop_words(conv, worth, conv->stt.text);
    rlx_conv_hold(conv, true);
}

static void take_probe(struct rlx_conv *conv)
{
    bool words = rlx_conv_judge(conv, conv->stt.text) == RLX_HEARD_WORDS;

    if (conv->state == RLX_CONV_ON_HOLD) {
        rlx_conv_hold_text(conv, words ? conv->stt.text : "");
        return;
    }
    conv->stt.known = false;
    if (!words && !conv->utt.parts)
        rlx_conv_hold(conv, true);
}

static void keep_text(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_stt *stt = &conv->stt;
    const char *text = event->stt.text ? event->stt.text : "";
    const char *parts = conv->utt.parts;

    stt->failures = 0;
    stt->known = true;
    stt->weighed = false;
    stt->avg_logprob = event->stt.avg_logprob;
    stt->voiced_ms = event->stt.voiced_ms;
    stt->took_ms = event->stt.took_ms;
    conv->guess.queue_ms = event->stt.queue_ms;
    TALLOC_FREE(stt->text);
    if (parts && !stt->forced && stt->purpose != RLX_STT_PROBE)
        stt->text = talloc_asprintf(conv, "%s%s%s", parts, *text ? " " : "", text);
    else
        stt->text = talloc_strdup(conv, text);
    if (!stt->text)
        stt->known = false;
    stt->need_ms = rlx_conv_end_silence(conv, text);
}

void rlx_conv_on_stt(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_stt *stt = &conv->stt;

    if (event->job && event->job == conv->opening.job) {
        rlx_conv_on_opening_text(conv, event);
        return;
    }
    if (!event->job || event->job != stt->job)
        return;
    stt->job = 0;
    if (!event->err)
        keep_text(conv, event);
    if (!stt->known) {
        stt_failed(conv);
        return;
    }
    if (stt->purpose == RLX_STT_SNIPPET)
        rlx_conv_barge_text(conv, stt->text);
    else if (stt->purpose == RLX_STT_PROBE)
        take_probe(conv);
    else if (stt->forced)
        take_part(conv);
    else if (conv->closing.stopped || (conv->turn && !conv->turn->text))
        rlx_conv_turn_text(conv);
}
