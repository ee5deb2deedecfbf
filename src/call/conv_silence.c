/* When nobody says anything: prompts, patience, hold music; and what the callee hears while the
 * agent is at work. */
#include "call/conv_internal.h"

#define DUE_SOON_MS 300u /* no filler when audio is due within this */
#define DEAD_AIR_MS 2000u
#define FILLERS (RLX_PHRASE_COUNT - RLX_PHRASE_FILLER_1)

/* ---- silence ---- */

/* The agent has spoken: the callee's time begins anew. */
void rlx_conv_silence_reset(struct rlx_conv *conv)
{
    conv->silence.counted_ms = 0;
    conv->silence.at_ms = conv->now_ms;
}

/* The callee has said words: the prompts begin anew too. */
void rlx_conv_silence_words(struct rlx_conv *conv)
{
    rlx_conv_silence_reset(conv);
    conv->silence.stage = 0;
    conv->silence.patient = conv->silence.music = false;
}

static uint32_t limit_ms(const struct rlx_conv *conv)
{
    const struct rlx_turn_settings *set = &conv->set;

    if (conv->silence.patient)
        return set->patience_ms;
    return conv->silence.stage == 0   ? set->prompt_1_ms
           : conv->silence.stage == 1 ? set->prompt_2_ms
                                      : set->prompt_end_ms;
}

static bool is_counting(const struct rlx_conv *conv)
{
    bool waiting = conv->state == RLX_CONV_LISTENING ||
                   (conv->state == RLX_CONV_ON_HOLD && !conv->silence.music);

    return waiting && !conv->utt.on && !conv->next && !conv->speaking;
}

static void prompt(struct rlx_conv *conv)
{
    struct rlx_conv_silence *silence = &conv->silence;

    rlx_conv_silence_reset(conv);
    silence->patient = false;
    rlx_conv_listen(conv);
    if (silence->stage >= 2) {
        rlx_conv_close(conv, RLX_PHRASE_GOODBYE, "completed", "silence", NULL, true);
        return;
    }
    rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_PROMPT_1 + silence->stage);
    silence->stage++;
}

/* Nobody heard for long: what a callee would call a dead line. */
static void watch_dead_air(struct rlx_conv *conv)
{
    struct rlx_conv_silence *silence = &conv->silence;
    bool agent = conv->speaking && conv->state != RLX_CONV_PAUSED;

    if (agent || conv->utt.on || conv->state == RLX_CONV_ON_HOLD) {
        silence->dead_since_ms = 0;
        silence->dead_counted = false;
    } else if (!silence->dead_since_ms) {
        silence->dead_since_ms = conv->now_ms;
    } else if (!silence->dead_counted && conv->now_ms - silence->dead_since_ms > DEAD_AIR_MS) {
        silence->dead_counted = true;
        conv->metrics.dead_air++;
    }
}

/* ---- hold ---- */

/* The callee asked to wait (the agent says of course), or there is voice without words: music. */
void rlx_conv_hold(struct rlx_conv *conv, bool music)
{
    struct rlx_conv_silence *silence = &conv->silence;

    silence->music = music;
    silence->patient = !music;
    if (!music) {
        rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_HOLD);
        return;
    }
    rlx_conv_turn_drop(conv);
    rlx_conv_utterance_forget(conv);
    if (conv->closing.on) {
        rlx_conv_close_heard(conv);
        return;
    }
    silence->hold_ms = conv->now_ms;
    silence->probe_ms = rlx_conv_media_now(conv) + RLX_CONV_HOLD_PROBE_MS;
    rlx_conv_note(conv, "on_hold", "{}");
    rlx_conv_enter(conv, RLX_CONV_ON_HOLD);
}

static void probe(struct rlx_conv *conv)
{
    uint64_t now = rlx_conv_media_now(conv);

    if (now < conv->silence.probe_ms || conv->stt.job)
        return;
    conv->silence.probe_ms = now + RLX_CONV_HOLD_PROBE_MS;
    if (!conv->utt.on)
        return;
    rlx_conv_stt_ask(conv, RLX_STT_PROBE,
                     now > RLX_CONV_HOLD_PROBE_MS ? now - RLX_CONV_HOLD_PROBE_MS : 0);
}

/* What a probe heard on hold: words mean that somebody is back. Their utterance begins where the
 * probe did. */
void rlx_conv_hold_text(struct rlx_conv *conv, const char *text)
{
    struct rlx_conv_utterance *utt = &conv->utt;
    uint64_t from =
        conv->stt.to_ms > RLX_CONV_HOLD_PROBE_MS ? conv->stt.to_ms - RLX_CONV_HOLD_PROBE_MS : 0;

    if (!*text || !utt->on) {
        rlx_conv_utterance_forget(conv);
        return;
    }
    rlx_conv_stt_cancel(conv);
    rlx_conv_silence_words(conv);
    conv->silence.returning = true;
    if (utt->first_ms < from)
        utt->first_ms = from;
    utt->voiced_ms = utt->peak_ms;
    utt->cut_voiced_ms = 0;
    rlx_conv_enter(conv, RLX_CONV_USER_SPEAKING);
}

static void hold_tick(struct rlx_conv *conv)
{
    if (conv->now_ms - conv->silence.hold_ms >= RLX_CONV_HOLD_MS)
        rlx_conv_close(conv, RLX_PHRASE_GOODBYE, "completed", "hold_too_long", NULL, true);
    else
        probe(conv);
}

static bool is_music(const struct rlx_conv *conv)
{
    return conv->state == RLX_CONV_ON_HOLD && conv->silence.music;
}

void rlx_conv_silence_tick(struct rlx_conv *conv)
{
    struct rlx_conv_silence *silence = &conv->silence;
    uint64_t passed = conv->now_ms - silence->at_ms;

    silence->at_ms = conv->now_ms;
    if (conv->state == RLX_CONV_WAITING)
        return;
    watch_dead_air(conv);
    if (is_music(conv)) {
        hold_tick(conv);
    } else if (is_counting(conv)) {
        silence->counted_ms += passed;
        if (silence->counted_ms >= limit_ms(conv))
            prompt(conv);
    }
}

uint64_t rlx_conv_silence_due(const struct rlx_conv *conv)
{
    const struct rlx_conv_silence *silence = &conv->silence;

    if (is_music(conv))
        return silence->hold_ms + RLX_CONV_HOLD_MS;
    if (is_counting(conv))
        return silence->at_ms + limit_ms(conv) - silence->counted_ms;
    return UINT64_MAX;
}

/* ---- waiting for the agent ---- */

static bool has_audio(const struct rlx_conv_speech *speech)
{
    return speech && rlx_conv_speech_total(speech) > 0;
}

/* When the callee should hear a filler; UINT64_MAX when none is due. */
static uint64_t filler_at(const struct rlx_conv *conv)
{
    const struct rlx_conv_turn *turn = conv->turn;

    if (!turn || !turn->confirmed || conv->speaking || conv->aside || has_audio(conv->next) ||
        (conv->state != RLX_CONV_THINKING && conv->state != RLX_CONV_TOOL) || turn->fillers >= 2)
        return UINT64_MAX;
    uint64_t at = turn->wait_ms + (turn->fillers ? conv->set.filler_2_ms : conv->set.filler_1_ms);
    return at + (conv->next && conv->next->asked ? DUE_SOON_MS : 0);
}

void rlx_conv_filler_tick(struct rlx_conv *conv)
{
    if (conv->now_ms < filler_at(conv))
        return;
    conv->turn->fillers++;
    conv->metrics.fillers++;
    conv->silence.last_filler = (conv->silence.last_filler + 1) % FILLERS;
    rlx_conv_say_phrase(conv, RLX_SOURCE_FILLER, RLX_PHRASE_FILLER_1 + conv->silence.last_filler);
}

uint64_t rlx_conv_filler_due(const struct rlx_conv *conv)
{
    return filler_at(conv);
}
