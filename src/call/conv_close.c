/* The end of a call: goodbye, a moment of listening, hang-up; and every way in which a call ends
 * otherwise. */
#include "call/conv_internal.h"

#include <string.h>

#define CANCELS 2u           /* times that the callee may call the end off */
#define LISTEN_MAX_MS 10000u /* beyond close_listen_ms, while the callee speaks */
#define CLOSING_MAX_MS 40000u
#define TRANSFER_MAX_MS 60000u

void rlx_conv_close_reason(struct rlx_conv *conv, const char *status, const char *reason,
                           const char *outcome)
{
    conv->closing.on = true;
    conv->closing.status = status;
    conv->closing.outcome = outcome;
    TALLOC_FREE(conv->closing.reason);
    conv->closing.reason = talloc_strdup(conv, reason);
    conv->closing.since_ms = conv->now_ms;
}

static void end_because(struct rlx_conv *conv, const char *status, const char *reason)
{
    if (!conv->closing.on)
        rlx_conv_close_reason(conv, status, reason, NULL);
    rlx_conv_end(conv, true);
}

void rlx_conv_close(struct rlx_conv *conv, enum rlx_conv_phrase_id phrase, const char *status,
                    const char *reason, const char *outcome, bool cancellable)
{
    rlx_conv_turn_commit(conv);
    if (conv->speaking)
        rlx_conv_speech_cut(conv);
    rlx_conv_turn_drop(conv);
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_speech_drop(conv, &conv->aside);
    rlx_conv_utterance_forget(conv);
    rlx_conv_close_reason(conv, status, reason, outcome);
    conv->closing.cancellable = cancellable;
    conv->closing.listening = false;
    rlx_conv_enter(conv, RLX_CONV_CLOSING);
    rlx_conv_say_phrase(conv, RLX_SOURCE_GOODBYE, phrase);
    if (conv->next)
        conv->next->ends_call = true;
}

/* A provider is away for good: a polite end, in words that were made beforehand. */
void rlx_conv_fail(struct rlx_conv *conv, const char *what)
{
    if (conv->closing.on)
        return;
    rlx_conv_note(conv, "providers_failed", "{\"what\":\"%s\"}", what);
    rlx_conv_close(conv, RLX_PHRASE_APOLOGY, "failed", "providers_failed", NULL, false);
}

void rlx_conv_opt_out(struct rlx_conv *conv)
{
    rlx_conv_act(conv, RLX_ACT_DNC);
    rlx_conv_close(conv, RLX_PHRASE_OPT_OUT, "completed", "opt_out", "do_not_call", false);
}

/* The goodbye is over (or was talked over): the callee has the last word. */
void rlx_conv_close_listen(struct rlx_conv *conv)
{
    if (!conv->closing.cancellable) {
        rlx_conv_end(conv, true);
        return;
    }
    conv->closing.listening = true;
    conv->closing.until_ms = conv->now_ms + conv->set.close_listen_ms;
    rlx_conv_enter(conv, RLX_CONV_CLOSING);
}

static bool is_last_word(const char *text)
{
    return rlx_is_farewell(text) || rlx_is_backchannel(text) || rlx_is_hallucination(text);
}

/* What the callee said after the goodbye is in conv->turn; NULL = no words. */
void rlx_conv_close_heard(struct rlx_conv *conv)
{
    struct rlx_conv_closing *closing = &conv->closing;
    const char *text = conv->turn ? conv->turn->text : NULL;

    if (closing->stopped || !text || (is_last_word(text) && !rlx_is_opt_out(text)) ||
        closing->cancels >= CANCELS) {
        rlx_conv_end(conv, !closing->stopped);
        return;
    }
    closing->cancels++;
    closing->on = closing->listening = false;
    closing->status = closing->outcome = NULL;
    TALLOC_FREE(closing->reason);
    rlx_conv_note(conv, "end_cancelled", "{}");
    rlx_conv_turn_confirm(conv);
}

/* ---- the stream has ended ---- */

/* Words were being said, and their text is not there yet. */
static bool wants_last_words(struct rlx_conv *conv)
{
    if (!conv->utt.on || conv->silence.music || (conv->turn && conv->turn->text) ||
        conv->state == RLX_CONV_GREETING || conv->state == RLX_CONV_VOICEMAIL)
        return false;
    return !rlx_conv_stt_covers(conv);
}

void rlx_conv_on_stop(struct rlx_conv *conv)
{
    struct rlx_conv_closing *closing = &conv->closing;

    if (conv->state == RLX_CONV_TRANSFERRING && !closing->on) {
        closing->transfer_ms = conv->now_ms;
        return;
    }
    if (closing->stopped)
        return;
    if (!closing->on && conv->state == RLX_CONV_WAITING)
        rlx_conv_close_reason(conv, "failed", "stream_never_started", NULL);
    else if (!closing->on)
        rlx_conv_close_reason(conv, "completed", "callee_hangup", NULL);
    closing->stopped = true;
    if (conv->speaking)
        rlx_conv_speech_cut(conv);
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_speech_drop(conv, &conv->aside);
    bool wait = wants_last_words(conv);
    if (rlx_conv_stt_covers(conv) && conv->utt.on && !conv->turn) {
        rlx_conv_turn_text(conv);
        return;
    }
    if (!wait) {
        rlx_conv_end(conv, false);
        return;
    }
    if (!conv->stt.job || conv->stt.covers_ms != conv->utt.end_ms ||
        conv->stt.purpose == RLX_STT_SNIPPET || conv->stt.purpose == RLX_STT_PROBE)
        rlx_conv_stt_ask(conv, RLX_STT_FINAL, conv->utt.first_ms);
    closing->until_ms = conv->now_ms + RLX_CONV_GRACE_MS;
    rlx_conv_enter(conv, RLX_CONV_CLOSING);
}

/* ---- time ---- */

static bool is_lost(const struct rlx_conv *conv)
{
    return conv->state != RLX_CONV_WAITING && conv->state != RLX_CONV_TRANSFERRING &&
           conv->now_ms - conv->ear.arrived_ms >= RLX_CONV_LOST_MS;
}

/* When the call ends although nothing more happens. */
static uint64_t closing_ends(const struct rlx_conv *conv)
{
    const struct rlx_conv_closing *closing = &conv->closing;
    uint64_t last = closing->since_ms + CLOSING_MAX_MS, due = last;

    if (closing->listening)
        due = closing->until_ms + (conv->utt.on ? LISTEN_MAX_MS : 0);
    else if (!conv->speaking)
        due = closing->since_ms + RLX_CONV_BACKSTOP_MS;
    return due < last ? due : last;
}

void rlx_conv_close_tick(struct rlx_conv *conv)
{
    struct rlx_conv_closing *closing = &conv->closing;

    if (conv->state == RLX_CONV_WAITING)
        return;
    if (closing->stopped) {
        if (conv->now_ms >= closing->until_ms)
            rlx_conv_end(conv, false);
    } else if (is_lost(conv)) {
        end_because(conv, "failed", "media_lost");
    } else if (closing->transfer_ms && conv->state == RLX_CONV_TRANSFERRING &&
               conv->now_ms - closing->transfer_ms >= TRANSFER_MAX_MS) {
        rlx_conv_close_reason(conv, "completed", "transferred", "transferred");
        rlx_conv_end(conv, false);
    } else if (closing->on) {
        if (conv->now_ms >= closing_ends(conv))
            rlx_conv_end(conv, true);
    } else if (conv->now_ms - conv->opening.stream_ms >= conv->set.max_duration_ms &&
               conv->state != RLX_CONV_TRANSFERRING) {
        rlx_conv_close(conv, RLX_PHRASE_GOODBYE, "completed", "max_duration", NULL, false);
    }
}

uint64_t rlx_conv_close_due(const struct rlx_conv *conv)
{
    const struct rlx_conv_closing *closing = &conv->closing;

    if (closing->stopped)
        return closing->until_ms;
    if (conv->state == RLX_CONV_TRANSFERRING)
        return closing->transfer_ms ? closing->transfer_ms + TRANSFER_MAX_MS
                                    : conv->now_ms + TRANSFER_MAX_MS;
    if (!closing->on)
        return conv->opening.stream_ms + conv->set.max_duration_ms;
    return closing_ends(conv);
}
