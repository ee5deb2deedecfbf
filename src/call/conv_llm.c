/* The model's stream: its text becomes pieces of speech, its tool calls are kept until the turn is
 * sure. */
#include "call/conv_internal.h"

#include <string.h>

#define RETRY_MS 1500u /* a model that failed is asked once more after so long */

static bool ends_sentence(const char *text)
{
    size_t length = strlen(text);

    while (length && strchr("\"')]”", text[length - 1]))
        length--;
    return length && strchr(".!?", text[length - 1]);
}

/* ---- asking ---- */

void rlx_conv_llm_ask(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    TALLOC_FREE(turn->split);
    rlx_conv_speech_drop(conv, &conv->next);
    if (rlx_split_create(&turn->split, turn))
        return;
    turn->speech = rlx_conv_speech_new(conv, RLX_SOURCE_LLM);
    conv->next = turn->speech;
    if (!turn->speech)
        return;
    turn->speech->go = turn->confirmed;
    turn->llm_job = rlx_conv_job(conv);
    turn->llm_asked_ms = conv->now_ms;
    turn->llm_text_ms = turn->retry_ms = 0;
    turn->llm_ms = 0;
    turn->enough = false;
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_LLM);
    action->job = turn->llm_job;
    action->llm.speculative = !turn->confirmed;
    for (unsigned i = 0; i < 4; i++)
        if (turn->passages[i])
            action->llm.passages[i] = talloc_strdup(conv->scratch, turn->passages[i]);
}

void rlx_conv_llm_cancel(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!turn)
        return;
    if (turn->llm_job)
        rlx_conv_act(conv, RLX_ACT_LLM_CANCEL)->job = turn->llm_job;
    turn->llm_job = 0;
    turn->retry_ms = 0;
    if (turn->speech)
        turn->speech->closed = true;
}

/* ---- text ---- */

static unsigned words_so_far(const struct rlx_conv_speech *speech)
{
    unsigned words = 0;

    for (unsigned i = 0; i < speech->count; i++)
        words += rlx_text_words(speech->pieces[i].text);
    return words;
}

/* A spoken turn is short: it stops at the last sentence that fits. */
static bool is_too_much(const struct rlx_conv *conv, const struct rlx_conv_speech *speech,
                        const char *text)
{
    return speech->count && ends_sentence(speech->pieces[speech->count - 1].text) &&
           words_so_far(speech) + rlx_text_words(text) > conv->set.max_words;
}

static void take(struct rlx_conv *conv, bool stalled)
{
    struct rlx_conv_turn *turn = conv->turn;
    struct rlx_conv_speech *speech = turn->speech;
    char *text;

    while (speech && !turn->enough &&
           (text = rlx_split_next(turn->split, conv->scratch, stalled))) {
        if (speech->count == RLX_CONV_PIECES || is_too_much(conv, speech, text))
            turn->enough = true;
        else
            rlx_conv_speech_add(conv, speech, text);
    }
    if (!turn->enough || !turn->llm_job || rlx_conv_tools_waiting(conv))
        return;
    rlx_conv_llm_cancel(conv);
}

static bool is_mine(const struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    return conv->turn && event->job && event->job == conv->turn->llm_job;
}

static void first_token(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!turn->llm_ms)
        turn->llm_ms = (uint32_t)(conv->now_ms - turn->llm_asked_ms);
    turn->llm_text_ms = conv->now_ms;
}

/* Text behind a tool call is dropped, but for the calls that end the talk. */
static bool is_behind_tool(const struct rlx_conv *conv)
{
    for (unsigned i = 0; i < conv->tool_count; i++)
        if (!conv->tools[i].job && !rlx_conv_tool_ends_call(&conv->tools[i]) &&
            !rlx_conv_tool_transfers(&conv->tools[i]))
            return true;
    return false;
}

void rlx_conv_on_llm_text(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    if (!is_mine(conv, event) || !event->text)
        return;
    first_token(conv);
    if (conv->turn->enough || is_behind_tool(conv))
        return;
    rlx_split_feed(conv->turn->split, event->text);
    take(conv, false);
}

void rlx_conv_on_llm_tool(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    if (!is_mine(conv, event) || conv->tool_count == RLX_CONV_TOOLS || !event->tool.name)
        return;
    first_token(conv);
    if (!rlx_conv_tools_waiting(conv)) {
        rlx_split_end(conv->turn->split); /* what was said before the call is whole */
        take(conv, false);
        TALLOC_FREE(conv->turn->split);
        if (rlx_split_create(&conv->turn->split, conv->turn))
            conv->turn->enough = true;
    }
    struct rlx_conv_tool *tool = &conv->tools[conv->tool_count++];
    *tool = (struct rlx_conv_tool){
        .id = talloc_strdup(conv, event->tool.id ? event->tool.id : ""),
        .name = talloc_strdup(conv, event->tool.name),
        .arguments = talloc_strdup(conv, event->tool.arguments ? event->tool.arguments : "{}"),
    };
    if (tool->id && tool->name && tool->arguments)
        return;
    conv->tool_count--; /* out of memory */
    TALLOC_FREE(tool->id);
    TALLOC_FREE(tool->name);
    TALLOC_FREE(tool->arguments);
}

/* ---- the end of the stream ---- */

static void say_fallback(struct rlx_conv *conv)
{
    rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_FALLBACK);
    if (conv->next)
        conv->next->go = conv->turn->confirmed;
}

static void came_empty(struct rlx_conv *conv, bool failed)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (failed) {
        if (turn->llm_failures++) {
            rlx_conv_fail(conv, "llm");
            return;
        }
        turn->retry_ms = conv->now_ms + RETRY_MS;
        return;
    }
    if (turn->llm_tries++)
        say_fallback(conv);
    else
        rlx_conv_llm_ask(conv);
}

void rlx_conv_on_llm_done(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!is_mine(conv, event))
        return;
    turn->llm_job = 0;
    if (event->err)
        rlx_conv_note(conv, "llm_failed", "{\"err\":%d}", event->err);
    rlx_split_end(turn->split);
    take(conv, false);
    struct rlx_conv_speech *speech = turn->speech;
    if (speech && !speech->count && !rlx_conv_tools_waiting(conv)) {
        came_empty(conv, event->err != 0);
        return;
    }
    rlx_conv_llm_conclude(conv);
    if (turn == conv->turn && turn->speech)
        turn->speech->closed = true;
}

/* The words of a call that ends the talk: the model's own, else its `say`, else the goodbye. */
static void say_last(struct rlx_conv *conv, const struct rlx_conv_tool *tool)
{
    struct rlx_conv_speech *speech = conv->turn->speech;
    char *say = rlx_conv_tool_say(conv->scratch, tool);

    if (!speech)
        return;
    if (!speech->count && say)
        rlx_conv_speech_add(conv, speech, say);
    if (!speech->count)
        rlx_conv_speech_add(conv, speech, conv->phrases[RLX_PHRASE_GOODBYE]);
    speech->ends_call = true;
    rlx_conv_close_reason(conv, "completed", "goodbye", NULL);
    conv->closing.cancellable = true;
    conv->closing.listening = false;
    if (speech->begun)
        rlx_conv_enter(conv, RLX_CONV_CLOSING);
}

/* When the stream is done and the turn is sure, its tools run. */
void rlx_conv_llm_conclude(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (!turn->confirmed || turn->llm_job || !rlx_conv_tools_waiting(conv))
        return;
    for (unsigned i = 0; i < conv->tool_count; i++) {
        if (conv->tools[i].job || !rlx_conv_tool_ends_call(&conv->tools[i]))
            continue;
        say_last(conv, &conv->tools[i]);
        rlx_conv_tools_forget(conv);
        return;
    }
    if (!rlx_conv_check_tools(conv))
        rlx_conv_tools_run(conv);
}

/* ---- time ---- */

void rlx_conv_llm_tick(struct rlx_conv *conv)
{
    struct rlx_conv_turn *turn = conv->turn;

    if (turn->retry_ms && conv->now_ms >= turn->retry_ms)
        rlx_conv_llm_ask(conv);
    if (turn->llm_job && turn->llm_text_ms && turn->split &&
        conv->now_ms - turn->llm_text_ms >= RLX_CONV_STALL_MS) {
        turn->llm_text_ms = 0; /* once, until more comes */
        take(conv, true);
    }
}

uint64_t rlx_conv_llm_due(const struct rlx_conv *conv)
{
    const struct rlx_conv_turn *turn = conv->turn;

    if (turn->retry_ms)
        return turn->retry_ms;
    if (turn->llm_job && turn->llm_text_ms)
        return turn->llm_text_ms + RLX_CONV_STALL_MS;
    return UINT64_MAX;
}
