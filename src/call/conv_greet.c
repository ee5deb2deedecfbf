/* The first seconds: who speaks first, the callee's first words, and machines that answer. */
#include "call/conv_internal.h"

#include <stdlib.h>
#include <string.h>

#define LONG_GREETING_MS                                                                           \
    2400u /* first words longer than this may be a machine's: wait for the carrier's answer, */
#define UNSURE_MS 1900u /* but not longer than this after they end */
#define OPENING_MAX_MS 20000u
#define SHORT_OPENING_MS 1500u /* shorter first words are answered by the greeting itself */
#define MESSAGE_QUIET_MS 1800u
#define MESSAGE_RESTART_MS 2000u
#define MACHINE_MAX_MS 45000u

/* ---- who speaks first ---- */

void rlx_conv_greet_start(struct rlx_conv *conv)
{
    conv->opening.stream_ms = conv->ear.arrived_ms = conv->silence.at_ms = conv->now_ms;
    rlx_conv_say_phrase(conv, RLX_SOURCE_GREETING, RLX_PHRASE_GREETING);
    if (conv->next) {
        conv->next->go = conv->options.agent_first;
        conv->next->must_words = conv->options.disclosure_words;
    }
    rlx_conv_enter(conv, RLX_CONV_GREETING);
}

static uint32_t utterance_length(const struct rlx_conv *conv)
{
    uint64_t length = conv->utt.end_ms - conv->utt.first_ms;
    uint32_t over = conv->options.hangover_ms;

    return length > over ? (uint32_t)length - over : 0;
}

/* The silence after the callee's first words that lets the agent greet. */
static uint32_t patience(const struct rlx_conv *conv)
{
    if (utterance_length(conv) > LONG_GREETING_MS && !conv->opening.human)
        return UNSURE_MS;
    return conv->set.greet_after_ms;
}

static bool wants_greeting(const struct rlx_conv *conv)
{
    uint64_t waited = conv->now_ms - conv->opening.stream_ms;

    if (!conv->utt.on)
        return waited >= conv->set.callee_first_ms;
    uint32_t quiet = rlx_conv_quiet_ms(conv);
    return (quiet && quiet >= patience(conv)) || waited >= OPENING_MAX_MS;
}

void rlx_conv_greet_tick(struct rlx_conv *conv)
{
    if (conv->state == RLX_CONV_GREETING && conv->next && !conv->next->go && wants_greeting(conv)) {
        conv->next->go = true;
        conv->next->progress_ms = conv->now_ms;
    }
}

uint64_t rlx_conv_greet_due(const struct rlx_conv *conv)
{
    if (conv->state != RLX_CONV_GREETING || !conv->next || conv->next->go)
        return UINT64_MAX;
    if (!conv->utt.on)
        return conv->opening.stream_ms + conv->set.callee_first_ms;
    return conv->opening.stream_ms + OPENING_MAX_MS;
}

/* ---- the callee's first words ---- */

/* The greeting begins now; what came before it is transcribed for the record. */
void rlx_conv_greet_began(struct rlx_conv *conv)
{
    struct rlx_conv_opening *opening = &conv->opening;
    const struct rlx_conv_utterance *utt = &conv->utt;

    conv->metrics.answer_to_first_word_ms = (uint32_t)(conv->now_ms - opening->stream_ms);
    if (!utt->on || opening->job)
        return;
    conv->metrics.callee_to_greeting_ms = (uint32_t)(conv->now_ms - rlx_conv_spoke_until(conv));
    opening->seq = ++conv->last_seq;
    opening->at_ms = rlx_conv_wall(conv, (uint64_t)((int64_t)utt->first_ms + conv->ear.lead_ms));
    opening->voiced_ms = rlx_conv_utterance_speech_ms(conv);
    opening->length_ms = utterance_length(conv);
    opening->job = rlx_conv_job(conv);
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_STT);
    action->job = opening->job;
    action->stt.purpose = RLX_STT_FINAL;
    action->stt.from_ms =
        utt->first_ms > RLX_CONV_PRE_ROLL_MS ? utt->first_ms - RLX_CONV_PRE_ROLL_MS : 0;
    action->stt.to_ms = rlx_conv_media_now(conv);
}

/* The first words stand before the greeting. */
static void remember_first(struct rlx_conv *conv, const char *text)
{
    int last = rlx_conv_remember(conv, "user", text);

    if (last <= 0)
        return;
    struct rlx_prompt_turn line = conv->history[last];
    memmove(conv->history + 1, conv->history, (size_t)last * sizeof line);
    conv->history[0] = line;
    if (conv->speaking && conv->speaking->history >= 0)
        conv->speaking->history++;
}

void rlx_conv_on_opening_text(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_opening *opening = &conv->opening;
    const char *text = event->stt.text ? event->stt.text : "";
    const char *plain = rlx_text_plain(conv->scratch, text);

    opening->job = 0;
    if (event->err || !plain || !*plain)
        return;
    if (opening->voiced_ms < 300 && rlx_is_hallucination(text)) {
        rlx_conv_drop_words(conv, RLX_HEARD_SUSPECT, text);
        return;
    }
    rlx_conv_row_opening(conv, text, event->stt.took_ms);
    remember_first(conv, text);
    if (rlx_is_opt_out(text) && !conv->closing.on)
        rlx_conv_opt_out(conv);
    else if (opening->length_ms > SHORT_OPENING_MS && rlx_is_asking(text) &&
             !rlx_is_greeting(text))
        opening->question = talloc_strdup(conv, text);
}

/* A real question in the first words is answered once the greeting has been heard. */
bool rlx_conv_greet_answer(struct rlx_conv *conv)
{
    struct rlx_conv_opening *opening = &conv->opening;

    if (!opening->question)
        return false;
    struct rlx_conv_turn *turn = rlx_conv_turn_say(conv, opening->question);
    TALLOC_FREE(opening->question);
    if (!turn)
        return false;
    turn->committed = true;
    rlx_conv_think(conv);
    return true;
}

/* ---- machines ---- */

/* The message was left, or there is none to leave. */
void rlx_conv_voicemail_end(struct rlx_conv *conv)
{
    rlx_conv_close_reason(conv, "completed", "voicemail", "voicemail");
    rlx_conv_end(conv, true);
}

static void meet_machine(struct rlx_conv *conv, bool at_end)
{
    conv->opening.machine_ms = conv->now_ms;
    if (conv->speaking)
        rlx_conv_speech_cut(conv);
    rlx_conv_turn_drop(conv);
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_note(conv, "machine", "{}");
    if (!conv->phrases[RLX_PHRASE_VOICEMAIL]) {
        rlx_conv_voicemail_end(conv);
        return;
    }
    rlx_conv_enter(conv, RLX_CONV_VOICEMAIL);
    rlx_conv_say_phrase(conv, RLX_SOURCE_VOICEMAIL, RLX_PHRASE_VOICEMAIL);
    if (conv->next)
        conv->next->go = at_end;
}

/* The carrier may only correct what was judged here: who has talked with us is no machine. */
void rlx_conv_on_amd(struct rlx_conv *conv, const char *answer)
{
    bool machine = answer && (!strncmp(answer, "machine", 7) || !strcmp(answer, "fax"));

    if (!answer || conv->closing.on || conv->state == RLX_CONV_TRANSFERRING)
        return;
    if (!machine) {
        conv->opening.human = !strcmp(answer, "human");
        if (conv->opening.human && conv->state == RLX_CONV_VOICEMAIL && !conv->speaking) {
            rlx_conv_speech_drop(conv, &conv->next);
            rlx_conv_say_phrase(conv, RLX_SOURCE_GREETING, RLX_PHRASE_GREETING);
            rlx_conv_enter(conv, RLX_CONV_GREETING);
        }
        return;
    }
    if (conv->state == RLX_CONV_VOICEMAIL) {
        if (conv->next && !strncmp(answer, "machine_end", 11))
            conv->next->go = true;
    } else if (!conv->metrics.turns) {
        meet_machine(conv, !strncmp(answer, "machine_end", 11));
    }
}

static void start_again(struct rlx_conv *conv, bool go)
{
    conv->opening.restarted = true;
    rlx_conv_speech_cut(conv);
    rlx_conv_say_phrase(conv, RLX_SOURCE_VOICEMAIL, RLX_PHRASE_VOICEMAIL);
    if (conv->next)
        conv->next->go = go;
}

/* The machine records from now on: what was said before is not on it. Nobody beeps but a machine. */
void rlx_conv_on_beep(struct rlx_conv *conv)
{
    bool early = conv->state == RLX_CONV_GREETING || conv->state == RLX_CONV_AI_SPEAKING;

    if (conv->closing.on)
        return;
    if (early && !conv->metrics.turns) {
        meet_machine(conv, true);
    } else if (conv->state == RLX_CONV_VOICEMAIL && conv->speaking) {
        if (!conv->opening.restarted)
            start_again(conv, true);
    } else if (conv->state == RLX_CONV_VOICEMAIL && conv->next) {
        conv->next->go = true;
    }
}

/* The message starts again, once, when the machine was not done speaking. */
void rlx_conv_voicemail_frame(struct rlx_conv *conv)
{
    if (conv->opening.restarted || conv->now_ms - conv->speaking->begun_ms > MESSAGE_RESTART_MS ||
        rlx_conv_voiced(conv, RLX_CONV_WINDOW_MS) < conv->set.speech_ms)
        return;
    start_again(conv, false);
    rlx_conv_utterance_begin(conv);
}

static uint64_t quiet_for(const struct rlx_conv *conv)
{
    return conv->utt.on ? rlx_conv_quiet_ms(conv) : conv->now_ms - conv->opening.machine_ms;
}

void rlx_conv_voicemail_tick(struct rlx_conv *conv)
{
    if (conv->state != RLX_CONV_VOICEMAIL)
        return;
    if (conv->next && !conv->next->go && quiet_for(conv) >= MESSAGE_QUIET_MS)
        conv->next->go = true;
    if (!conv->speaking && conv->now_ms - conv->opening.machine_ms >= MACHINE_MAX_MS)
        rlx_conv_voicemail_end(conv);
}

uint64_t rlx_conv_voicemail_due(const struct rlx_conv *conv)
{
    if (conv->state != RLX_CONV_VOICEMAIL)
        return UINT64_MAX;
    if (!conv->utt.on && conv->next && !conv->next->go)
        return conv->opening.machine_ms + MESSAGE_QUIET_MS;
    return conv->opening.machine_ms + MACHINE_MAX_MS;
}
