/* A user turn: from the end of an utterance, or a good guess at it, to the answer that is being
 * made. */
#include "call/conv_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUP_MAX_MS 1500u /* knowledge that takes longer is done without */

/* ---- making and dropping ---- */

static struct rlx_conv_turn *turn_new(struct rlx_conv *conv, const char *text)
{
    struct rlx_conv_turn *turn = talloc_zero(conv, struct rlx_conv_turn);

    if (!turn)
        return NULL;
    if (text && !(turn->text = talloc_strdup(turn, text))) {
        talloc_free(turn);
        return NULL;
    }
    turn->at_ms = rlx_conv_wall(conv, conv->now_ms);
    conv->turn = turn;
    return turn;
}

/* A turn of the present utterance. */
static struct rlx_conv_turn *turn_heard(struct rlx_conv *conv, const char *text)
{
    struct rlx_conv_turn *turn = turn_new(conv, text);
    int64_t began = (int64_t)conv->utt.first_ms + conv->ear.lead_ms;

    if (!turn)
        return NULL;
    turn->at_ms = rlx_conv_wall(conv, began > 0 ? (uint64_t)began : 0);
    turn->spoke_until_ms = rlx_conv_spoke_until(conv);
    turn->voiced_ms = rlx_conv_utterance_speech_ms(conv);
    turn->merged = conv->utt.merged;
    return turn;
}

/* Stops all work on the turn but keeps its words. */
void rlx_conv_turn_halt(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (turn && turn->lookup_job)
        rlx_conv_act(conv, RLX_ACT_LLM_CANCEL)->job = turn->lookup_job;
    if (turn)
        turn->lookup_job = 0;
    rlx_conv_llm_cancel(conv);
    rlx_conv_tools_forget(conv);
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_speech_drop(conv, &conv->aside);
}

void rlx_conv_turn_drop(struct rlx_conv *conv)
{
    if (!conv->turn)
        return;
    if (conv->turn->guessed && !conv->turn->confirmed) {
        conv->metrics.llm_wasted++;
        conv->metrics.tts_wasted += conv->turn->voiced;
    }
    rlx_conv_turn_halt(conv);
    TALLOC_FREE(conv->turn);
}

/* The callee's words stand in the transcript and wait for an answer. */
bool rlx_conv_turn_owes(const struct rlx_conv *conv)
{
    return conv->turn && conv->turn->committed && !conv->turn->answered;
}

void rlx_conv_turn_commit(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!turn || turn->committed || !turn->text)
        return;
    turn->committed = true;
    rlx_conv_row_user(conv, turn);
    rlx_conv_remember(conv, "user", turn->text);
    rlx_conv_utterance_forget(conv); /* what is said from now on is a new turn */
}

/* ---- from utterance to turn ---- */

/* Words that are dealt with by the machine itself are never guessed on. */
static bool is_act(const char *text)
{
    return rlx_is_opt_out(text) || rlx_is_farewell(text) || rlx_is_hold_request(text);
}

void rlx_conv_turn_guess(struct rlx_conv *conv)
{
    struct rlx_conv_stt *stt = &conv->stt;

    stt->weighed = true;
    if (rlx_conv_guess_off(conv) || conv->turn || conv->closing.on || conv->silence.returning ||
        conv->tools_held || stt->need_ms > conv->set.silence_ms || rlx_conv_tools_running(conv) ||
        is_act(stt->text) || rlx_conv_judge(conv, stt->text) != RLX_HEARD_WORDS)
        return;
    if (!turn_heard(conv, stt->text))
        return;
    conv->turn->guessed = true;
    conv->metrics.llm_started++;
    rlx_conv_think(conv);
}

void rlx_conv_listen(struct rlx_conv *conv)
{
    if (conv->turn && conv->turn->answered)
        rlx_conv_turn_drop(conv);
    if (conv->silence.patient)
        rlx_conv_enter(conv, RLX_CONV_ON_HOLD);
    else
        rlx_conv_enter(conv, RLX_CONV_LISTENING);
}

void rlx_conv_turn_nothing(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;
    bool music = conv->utt.voiced_ms >= RLX_CONV_NO_WORDS_MS && !conv->utt.parts;
    bool owing = rlx_conv_turn_owes(conv);

    rlx_conv_utterance_forget(conv);
    if (!owing)
        rlx_conv_turn_drop(conv);
    if (conv->closing.on) {
        rlx_conv_close_heard(conv);
    } else if (music) {
        rlx_conv_hold(conv, true);
    } else if (owing) {
        /* It was noise: the question before it still wants its answer. */
        turn->wait_ms = conv->now_ms;
        rlx_conv_enter(conv, RLX_CONV_THINKING);
        rlx_conv_think(conv);
    } else if (rlx_conv_tools_running(conv)) {
        rlx_conv_enter(conv, RLX_CONV_TOOL);
    } else {
        rlx_conv_listen(conv);
    }
}

static void use_guess(struct rlx_conv *conv)
{
    conv->metrics.llm_used++;
    conv->metrics.tts_used += conv->turn->voiced;
    if (conv->next)
        conv->next->go = true;
    rlx_conv_llm_conclude(conv);
}

/* The turn is sure and has its words: what they ask of us. */
static void turn_act(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;
    bool back = conv->silence.returning;

    conv->silence.returning = false;
    if (rlx_is_opt_out(turn->text))
        rlx_conv_opt_out(conv);
    else if (rlx_is_farewell(turn->text))
        rlx_conv_close(conv, RLX_PHRASE_GOODBYE, "completed", "goodbye", NULL, true);
    else if (rlx_is_hold_request(turn->text))
        rlx_conv_hold(conv, false);
    else if (back && !rlx_is_asking(turn->text))
        rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_BACK);
    else if (conv->tools_held && rlx_conv_check_reply(conv))
        return;
    else if (turn->guessed)
        use_guess(conv);
    else
        rlx_conv_think(conv);
}

void rlx_conv_turn_confirm(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;
    struct rlx_conv_stt *stt = &conv->stt;

    turn->confirmed = true;
    if (!turn->ended_ms) {
        turn->ended_ms = conv->now_ms;
        turn->endpoint_ms = (uint32_t)(conv->now_ms - turn->spoke_until_ms);
    }
    turn->wait_ms = turn->ended_ms;
    turn->stt_ms = stt->took_ms;
    if (stt->purpose == RLX_STT_SPECULATIVE) {
        conv->metrics.stt_used++;
        rlx_conv_guess_outcome(conv, true);
    }
    rlx_conv_guess_turn(conv);
    stt->known = false;
    conv->metrics.turns++;
    conv->metrics.merged += turn->merged;
    rlx_conv_silence_words(conv);
    if (!conv->speaking) /* a filler may be heard */
        rlx_conv_enter(conv, RLX_CONV_THINKING);
    turn_act(conv);
}

static void await_text(struct rlx_conv *conv)
{
    rlx_conv_turn_drop(conv);
    struct rlx_conv_turn *turn = turn_heard(conv, NULL);
    if (!turn)
        return;
    turn->confirmed = true;
    turn->ended_ms = turn->wait_ms = conv->now_ms;
    turn->endpoint_ms = (uint32_t)(conv->now_ms - turn->spoke_until_ms);
    if (!conv->stt.job)
        rlx_conv_stt_ask(conv, RLX_STT_FINAL, conv->utt.first_ms);
    rlx_conv_enter(conv, RLX_CONV_THINKING);
}

void rlx_conv_turn_end(struct rlx_conv *conv)
{
    if (rlx_conv_stt_covers(conv))
        rlx_conv_turn_text(conv);
    else if (!conv->closing.on)
        await_text(conv);
}

void rlx_conv_turn_text(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;
    const char *text = conv->stt.text;
    enum rlx_conv_worth worth = rlx_conv_judge(conv, text);

    if (worth != RLX_HEARD_WORDS) {
        rlx_conv_drop_words(conv, worth, text);
        if (turn && !turn->text)
            rlx_conv_turn_drop(conv);
        rlx_conv_turn_nothing(conv);
        return;
    }
    if (turn && turn->text && turn->confirmed) {
        rlx_conv_turn_drop(conv); /* an older one that was talked over */
        turn = NULL;
    }
    if (turn && !turn->text)
        turn->text = talloc_strdup(turn, text);
    if (turn ? !turn->text : !turn_heard(conv, text))
        return; /* out of memory: looked at again */
    if (conv->closing.on)
        rlx_conv_close_heard(conv);
    else
        rlx_conv_turn_confirm(conv);
}

struct rlx_conv_turn *rlx_conv_turn_say(struct rlx_conv *conv, const char *text)
{
    rlx_conv_turn_drop(conv);
    struct rlx_conv_turn *turn = turn_new(conv, text);

    if (!turn)
        return NULL;
    turn->confirmed = true;
    turn->ended_ms = turn->wait_ms = conv->now_ms;
    rlx_conv_enter(conv, RLX_CONV_THINKING);
    return turn;
}

/* Voice while the answer is being made. */
void rlx_conv_turn_extend(struct rlx_conv *conv)
{
    bool same = conv->utt.on && conv->turn && !conv->turn->committed;
    unsigned merged = conv->utt.merged;

    if (same) {
        rlx_conv_turn_drop(conv);
        rlx_conv_stt_cancel(conv);
        conv->utt.merged = merged + 1;
        conv->utt.voiced_ms += rlx_conv_voiced(conv, 160) - RLX_CONV_FRAME_MS;
        conv->utt.guesses = 0;
        rlx_conv_utterance_voice(conv);
    } else {
        rlx_conv_turn_halt(conv);
        rlx_conv_utterance_begin(conv);
    }
    rlx_conv_enter(conv, RLX_CONV_USER_SPEAKING);
}

/* ---- knowledge ---- */

void rlx_conv_think(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!conv->options.can_look_up || turn->keypad) {
        rlx_conv_llm_ask(conv);
        return;
    }
    turn->lookup_job = rlx_conv_job(conv);
    turn->lookup_ms = 0;
    turn->llm_asked_ms = conv->now_ms;
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_LOOKUP);
    action->job = turn->lookup_job;
    action->text = talloc_strdup(conv->scratch, turn->text);
    action->lookup.agent_asked = rlx_conv_agent_asked(conv);
    action->lookup.recent[0] = conv->recent[0];
    action->lookup.recent[1] = conv->recent[1];
}

static void say_answer(struct rlx_conv *conv, const struct rlx_answer_match *match)
{
    struct rlx_conv_turn *turn = conv->turn;
    struct rlx_conv_speech *speech = rlx_conv_speech_new(conv, RLX_SOURCE_ANSWER);
    struct rlx_split *split;
    char *text;

    turn->answer_id = talloc_strdup(turn, match->id ? match->id : "");
    turn->score = match->score;
    if (!speech)
        return;
    if (!rlx_split_create(&split, conv->scratch)) {
        rlx_split_feed(split, match->text);
        rlx_split_end(split);
        while ((text = rlx_split_next(split, conv->scratch, false)))
            rlx_conv_speech_add(conv, speech, text);
    }
    speech->closed = true;
    speech->go = turn->confirmed;
    conv->next = speech;
}

/* What the turn's row says of its passages. */
static char *sources_of(struct rlx_conv_turn *turn, const struct rlx_answer_match *match)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < 3 && match->passages[i]; i++) {
        const struct rlx_answer_source *source = &match->sources[i];
        if (!source->id)
            continue;
        json_t *item = json_pack("{s:s, s:s, s:f}", "id", source->id, "title",
                                 source->title ? source->title : "", "score",
                                 round((double)source->score * 1000) / 1000);
        if (item && source->chunk >= 0)
            json_object_set_new(item, "chunk", json_integer(source->chunk));
        json_array_append_new(list, item);
    }
    char *json = json_array_size(list) ? json_dumps(list, JSON_COMPACT) : NULL;
    char *text = json ? talloc_strdup(turn, json) : NULL;
    free(json);
    json_decref(list);
    return text;
}

void rlx_conv_on_knowledge(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_turn *turn = conv->turn;
    const struct rlx_answer_match *match = event->knowledge.match;

    if (!turn || !event->job || event->job != turn->lookup_job)
        return;
    turn->lookup_job = 0;
    turn->lookup_ms = event->knowledge.took_ms;
    for (unsigned i = 0; match && i < 3; i++)
        turn->passages[i] = match->passages[i] ? talloc_strdup(turn, match->passages[i]) : NULL;
    turn->sources = match ? sources_of(turn, match) : NULL;
    if (match && match->kind == RLX_ANSWER_FIRE && match->text)
        say_answer(conv, match);
    else
        rlx_conv_llm_ask(conv);
}

/* ---- time ---- */

void rlx_conv_think_tick(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!turn || conv->closing.on)
        return;
    if (turn->lookup_job && conv->now_ms - turn->llm_asked_ms >= LOOKUP_MAX_MS) {
        rlx_conv_act(conv, RLX_ACT_LLM_CANCEL)->job = turn->lookup_job;
        turn->lookup_job = 0;
        rlx_conv_llm_ask(conv);
    }
    rlx_conv_llm_tick(conv);
    if (conv->state == RLX_CONV_THINKING && turn == conv->turn && turn->confirmed &&
        conv->now_ms - turn->wait_ms >= conv->set.answer_max_ms)
        rlx_conv_fail(conv, "answer_too_late");
}

uint64_t rlx_conv_think_due(const struct rlx_conv *conv)
{
    const struct rlx_conv_turn *turn = conv->turn;
    uint64_t due = UINT64_MAX;

    if (conv->state == RLX_CONV_THINKING && (!turn || !turn->confirmed))
        return conv->now_ms + conv->set.answer_max_ms;
    if (!turn || conv->closing.on)
        return due;
    if (conv->state == RLX_CONV_THINKING)
        due = turn->wait_ms + conv->set.answer_max_ms;
    if (turn->lookup_job && turn->llm_asked_ms + LOOKUP_MAX_MS < due)
        due = turn->llm_asked_ms + LOOKUP_MAX_MS;
    uint64_t llm = rlx_conv_llm_due(conv);
    return llm < due ? llm : due;
}
