/* Interruptions. Voice over the agent pauses it at once; then either it is confirmed and the
 * agent's turn ends where it was heard to, or it is taken back and the agent goes on. */
#include "call/conv_internal.h"

#include <string.h>

#define PAUSE_WINDOW_MS 160u
#define CONFIRM_SLACK_MS 200u /* the confirming voice may be spread over so much more time */
#define VOICE_OVER_MS 200u    /* silence after which the voice is no longer going on */
#define EARLY_QUIET_MS 250u   /* resume without the text: so much silence, */
#define EARLY_PAUSE_MS 650u   /* and so long a pause already: the gap heard stays below 900 ms */
#define DIRTY_MS                                                                                   \
    10000u /* two pauses taken back within this: words alone interrupt, until so long is clean */
#define ECHO_MOST_DB (-12.0f) /* stronger echo is not believed: it would drown the callee */
#define ECHO_SILENT_MOST_DB (-20.0f)
#define ECHO_STEP_DB 6.0f
#define CANCELS 2u /* times that the callee may call the end off */

/* ---- who may interrupt ---- */

static bool is_final(const struct rlx_conv *conv)
{
    return conv->speaking->ends_call &&
           (!conv->closing.cancellable || conv->closing.cancels >= CANCELS);
}

static bool may_pause(const struct rlx_conv *conv)
{
    return conv->set.barge_in && conv->now_ms >= conv->barge.dirty_ms;
}

/* The disclosure has not been heard whole. */
static bool is_protected(struct rlx_conv *conv)
{
    const struct rlx_conv_speech *speech = conv->speaking;

    if (!speech->must_words)
        return false;
    const char *heard = rlx_conv_speech_heard(conv, speech, speech->heard_ms);
    return !heard || rlx_text_words(heard) < speech->must_words;
}

/* ---- the pause ---- */

static void pause_now(struct rlx_conv *conv)
{
    if (!conv->utt.on)
        rlx_conv_utterance_begin(conv);
    conv->barge.paused_ms = conv->now_ms;
    conv->barge.provisional = false;
    conv->barge.asked = false;
    rlx_conv_act(conv, RLX_ACT_PAUSE)->epoch = conv->speaking->epoch;
    rlx_conv_enter(conv, RLX_CONV_PAUSED);
}

static void go_on(struct rlx_conv *conv)
{
    struct rlx_conv_speech *speech = conv->speaking;
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_RESUME);

    action->epoch = speech->epoch;
    action->ms = conv->set.resume_back_ms;
    speech->resumed++;
    speech->progress_ms = conv->now_ms;
    conv->metrics.resumed++;
    rlx_conv_enter(conv, conv->closing.on ? RLX_CONV_CLOSING : RLX_CONV_AI_SPEAKING);
}

/* What was heard over the agent and was none of the callee's words shows how strong its echo is. A
 * cough or an "mm-hm" that could not be read looks the same: without the agent's own words in it it
 * is believed by steps only, and no more than a bad line. */
static void learn_echo(struct rlx_conv *conv, const char *why)
{
    struct rlx_conv_ear *ear = &conv->ear;
    bool sure = !strcmp(why, "echo");
    float most = sure ? ECHO_MOST_DB : ear->echo_db + ECHO_STEP_DB;

    if (!sure && strcmp(why, "no_words"))
        return;
    if (!sure && most > ECHO_SILENT_MOST_DB)
        most = ECHO_SILENT_MOST_DB;
    float seen = ear->echo_peak_db < most ? ear->echo_peak_db : most;
    if (seen > ear->echo_db)
        ear->echo_db = seen;
}

void rlx_conv_barge_back(struct rlx_conv *conv, const char *why)
{
    struct rlx_conv_barge *barge = &conv->barge;

    learn_echo(conv, why);
    conv->metrics.pauses_false++;
    rlx_conv_note(conv, "pause_taken_back", "{\"why\":\"%s\",\"ms\":%u}", why,
                  (unsigned)(conv->now_ms - barge->paused_ms));
    if (conv->state == RLX_CONV_PAUSED)
        go_on(conv);
    rlx_conv_utterance_forget(conv);
    barge->provisional = false;
    barge->taken_back[0] = barge->taken_back[1];
    barge->taken_back[1] = conv->now_ms;
    if (barge->taken_back[0] && conv->now_ms - barge->taken_back[0] <= DIRTY_MS)
        barge->dirty_ms = conv->now_ms + DIRTY_MS;
}

/* The callee has the word: what the agent had still to say is dropped. */
void rlx_conv_barge_confirm(struct rlx_conv *conv, const char *why)
{
    bool ends = conv->speaking->ends_call;

    conv->metrics.pauses_true++;
    conv->speaking->interrupted = true;
    rlx_conv_note(conv, "interrupted", "{\"why\":\"%s\",\"heard_ms\":%u}", why,
                  conv->speaking->heard_ms);
    conv->barge.provisional = false;
    rlx_conv_speech_cut(conv);
    if (rlx_conv_turn_owes(conv))
        rlx_conv_turn_halt(conv);
    else
        rlx_conv_turn_drop(conv);
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_speech_drop(conv, &conv->aside);
    if (!conv->utt.on)
        rlx_conv_utterance_begin(conv);
    if (ends)
        rlx_conv_close_listen(conv);
    else
        rlx_conv_enter(conv, RLX_CONV_USER_SPEAKING);
}

/* ---- the snippet's words ---- */

static const char *dismiss(struct rlx_conv *conv, const char *text)
{
    bool asked = rlx_conv_agent_asked(conv);

    switch (rlx_conv_judge(conv, text)) {
    case RLX_HEARD_EMPTY:
        return "no_words";
    case RLX_HEARD_ECHO:
        return "echo";
    case RLX_HEARD_SUSPECT:
        return "suspect";
    case RLX_HEARD_WORDS:
        break;
    }
    if (rlx_is_opt_out(text))
        return NULL;
    if (!conv->set.barge_in)
        return "off";
    if (asked && rlx_is_short_answer(text))
        return NULL;
    if (rlx_is_backchannel(text))
        return "backchannel";
    if (!asked && rlx_conv_is_murmur(conv, text))
        return "murmur";
    bool opening = conv->speaking->source == RLX_SOURCE_GREETING || is_protected(conv);
    return opening && rlx_is_greeting(text) ? "greeting" : NULL;
}

static void count_dismissed(struct rlx_conv *conv, const char *why)
{
    if (!strcmp(why, "no_words"))
        conv->metrics.empty_stt++;
    else if (!strcmp(why, "echo"))
        conv->metrics.echo_drops++;
    else if (!strcmp(why, "suspect"))
        conv->metrics.suspects++;
}

/* The agent has finished meanwhile: a backchannel is none of a turn, words become one when their
 * silence is long enough. */
static void after_speech(struct rlx_conv *conv, const char *text)
{
    bool murmur = rlx_is_backchannel(text) || (!conv->asked && rlx_is_hum(text));
    if (!murmur || (conv->asked && rlx_is_short_answer(text)))
        return;
    rlx_conv_utterance_forget(conv);
    if (conv->state == RLX_CONV_USER_SPEAKING)
        rlx_conv_listen(conv);
}

void rlx_conv_barge_text(struct rlx_conv *conv, const char *text)
{
    if (!conv->speaking) {
        after_speech(conv, text);
        return;
    }
    const char *why = dismiss(conv, text);
    if (!why) {
        rlx_conv_barge_confirm(conv, "words");
        return;
    }
    count_dismissed(conv, why);
    if (conv->state == RLX_CONV_PAUSED || conv->barge.provisional) {
        rlx_conv_barge_back(conv, why);
        return;
    }
    learn_echo(conv, why);
    conv->barge.dirty_ms =
        conv->barge.by_words && conv->set.barge_in ? conv->now_ms + DIRTY_MS : conv->barge.dirty_ms;
    rlx_conv_utterance_forget(conv);
}

void rlx_conv_barge_partial(struct rlx_conv *conv, const char *text)
{
    if (conv->state != RLX_CONV_PAUSED || !text || !*text)
        return;
    if (!dismiss(conv, text))
        rlx_conv_barge_confirm(conv, "partial");
}

/* ---- frames and time ---- */

void rlx_conv_barge_frame(struct rlx_conv *conv)
{
    struct rlx_conv_barge *barge = &conv->barge;
    bool voice = conv->ear.bits & 1;

    if (conv->state == RLX_CONV_VOICEMAIL) {
        rlx_conv_voicemail_frame(conv);
        return;
    }
    if (is_final(conv))
        return;
    if (voice && conv->utt.on)
        rlx_conv_utterance_voice(conv);
    if (conv->state == RLX_CONV_PAUSED || !voice)
        return;
    if (may_pause(conv)) {
        if (rlx_conv_voiced(conv, PAUSE_WINDOW_MS) >= conv->set.pause_ms)
            pause_now(conv);
    } else if (!conv->utt.on && rlx_conv_voiced(conv, RLX_CONV_WINDOW_MS) >= conv->set.speech_ms) {
        rlx_conv_utterance_begin(conv);
        barge->by_words = true;
    }
}

static void ask_snippet(struct rlx_conv *conv)
{
    conv->barge.asked = true;
    rlx_conv_stt_ask(conv, RLX_STT_SNIPPET, conv->utt.first_ms);
    conv->stt.forced = !rlx_conv_quiet_ms(conv); /* voice that goes on does not end this pass */
}

static bool is_asking(const struct rlx_conv *conv)
{
    return conv->stt.job && conv->stt.covers_ms == conv->utt.end_ms;
}

/* Long voice is an interruption by itself, but not against the disclosure: there the words must say
 * so. */
static bool is_long_voice(struct rlx_conv *conv)
{
    uint32_t window = conv->set.confirm_ms + CONFIRM_SLACK_MS;
    uint32_t need = conv->set.confirm_ms + conv->options.hangover_ms;

    if (window > 64 * RLX_CONV_FRAME_MS)
        window = 64 * RLX_CONV_FRAME_MS;
    if (need > window - 2 * RLX_CONV_FRAME_MS)
        need = window - 2 * RLX_CONV_FRAME_MS;
    if (rlx_conv_voiced(conv, window) < need)
        return false;
    if (!is_protected(conv))
        return true;
    if (!conv->barge.asked && !conv->stt.job)
        ask_snippet(conv);
    return false;
}

static void decide_pause(struct rlx_conv *conv)
{
    uint32_t quiet = rlx_conv_quiet_ms(conv);
    uint64_t paused = conv->now_ms - conv->barge.paused_ms;

    if (is_long_voice(conv)) {
        rlx_conv_barge_confirm(conv, "voice");
        return;
    }
    if (quiet >= conv->set.speculate_ms && !is_asking(conv))
        ask_snippet(conv);
    if (paused >= conv->set.pause_max_ms && quiet < VOICE_OVER_MS) {
        rlx_conv_barge_confirm(conv, "voice");
    } else if (paused >= conv->set.pause_max_ms ||
               (quiet >= EARLY_QUIET_MS && paused >= EARLY_PAUSE_MS)) {
        /* The words are still out: if they turn out to be real, they cut again. */
        conv->barge.provisional = true;
        go_on(conv);
    }
}

/* Voice that pauses nothing: its words are looked at when it ends, or after a while. */
static void decide_words(struct rlx_conv *conv)
{
    bool over = rlx_conv_quiet_ms(conv) >= conv->set.speculate_ms;
    bool long_voice = conv->utt.voiced_ms - conv->utt.cut_voiced_ms >= conv->set.confirm_ms;

    if (conv->stt.job || (!over && !long_voice))
        return;
    conv->utt.cut_voiced_ms = conv->utt.voiced_ms;
    ask_snippet(conv);
}

void rlx_conv_barge_tick(struct rlx_conv *conv)
{
    if (!conv->speaking || !conv->utt.on || conv->state == RLX_CONV_VOICEMAIL)
        return;
    if (conv->state == RLX_CONV_PAUSED)
        decide_pause(conv);
    else if (conv->barge.by_words)
        decide_words(conv);
    else if (conv->barge.provisional && !is_asking(conv) &&
             rlx_conv_quiet_ms(conv) >= conv->set.speculate_ms)
        ask_snippet(conv);
}

uint64_t rlx_conv_barge_due(const struct rlx_conv *conv)
{
    const struct rlx_conv_barge *barge = &conv->barge;

    if (conv->state != RLX_CONV_PAUSED)
        return UINT64_MAX;
    uint64_t early = barge->paused_ms + EARLY_PAUSE_MS;
    return conv->now_ms < early ? early : barge->paused_ms + conv->set.pause_max_ms;
}
