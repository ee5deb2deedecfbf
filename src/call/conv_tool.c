/* Tools of the model: started when the turn is sure, their results go into the history, then the
 * model speaks again. */
#include "call/conv_internal.h"

#include <stdlib.h>
#include <string.h>

bool rlx_conv_tool_ends_call(const struct rlx_conv_tool *tool)
{
    return !strcmp(tool->name, "end_call");
}

bool rlx_conv_tool_transfers(const struct rlx_conv_tool *tool)
{
    return !strcmp(tool->name, "transfer") || !strcmp(tool->name, "transfer_call");
}

/* The `say` of the call's arguments, on ctx; NULL when there is none. */
char *rlx_conv_tool_say(TALLOC_CTX *ctx, const struct rlx_conv_tool *tool)
{
    json_t *arguments = json_loads(tool->arguments, 0, NULL);
    const char *say = json_string_value(json_object_get(arguments, "say"));
    char *copy = say && *say ? talloc_strdup(ctx, say) : NULL;

    json_decref(arguments);
    return copy;
}

bool rlx_conv_tools_running(const struct rlx_conv *conv)
{
    for (unsigned i = 0; i < conv->tool_count; i++)
        if (conv->tools[i].job && !conv->tools[i].done)
            return conv->tools_follow;
    return false;
}

unsigned rlx_conv_tools_waiting(const struct rlx_conv *conv)
{
    unsigned waiting = 0;

    for (unsigned i = 0; i < conv->tool_count; i++)
        waiting += !conv->tools[i].job;
    return waiting;
}

/* New words come first: the model is not asked again about these. Results of started ones are still
 * kept. */
void rlx_conv_tools_forget(struct rlx_conv *conv)
{
    unsigned kept = 0;

    conv->tools_follow = conv->tools_ask = false;
    for (unsigned i = 0; i < conv->tool_count; i++) {
        struct rlx_conv_tool *tool = &conv->tools[i];
        if ((tool->job && !tool->done) || (!tool->job && conv->tools_held)) {
            conv->tools[kept++] = *tool;
            continue;
        }
        talloc_free(tool->id);
        talloc_free(tool->name);
        talloc_free(tool->arguments);
    }
    conv->tool_count = kept;
}

static void start(struct rlx_conv *conv, struct rlx_conv_tool *tool)
{
    tool->job = rlx_conv_job(conv);
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_TOOL);
    action->job = tool->job;
    action->tool.id = tool->id;
    action->tool.name = tool->name;
    action->tool.arguments = tool->arguments;
}

/* A tool's own words go before it, when the model said none. */
static void say_before(struct rlx_conv *conv)
{
    struct rlx_conv_speech *speech = conv->turn->speech;

    for (unsigned i = 0; speech && !speech->count && i < conv->tool_count; i++) {
        char *say = rlx_conv_tool_say(conv->scratch, &conv->tools[i]);
        if (say && rlx_conv_speech_add(conv, speech, say))
            speech->source = RLX_SOURCE_TOOL;
    }
    if (!speech)
        return;
    speech->closed = true;
    if (speech == conv->next && !speech->count)
        rlx_conv_speech_drop(conv, &conv->next);
}

/* Starts what may start: a transfer waits until the agent has finished, because it takes the stream
 * away. */
void rlx_conv_tools_start(struct rlx_conv *conv)
{
    if (!conv->tools_follow)
        return;
    for (unsigned i = 0; i < conv->tool_count; i++) {
        struct rlx_conv_tool *tool = &conv->tools[i];
        if (tool->job)
            continue;
        if (rlx_conv_tool_transfers(tool)) {
            if (conv->next || conv->speaking)
                continue;
            rlx_conv_enter(conv, RLX_CONV_TRANSFERRING);
        }
        start(conv, tool);
    }
}

void rlx_conv_tools_run(struct rlx_conv *conv)
{
    rlx_conv_turn_commit(conv);
    say_before(conv);
    conv->tools_follow = true;
    conv->tools_ms = conv->turn->wait_ms = conv->now_ms;
    conv->turn->fillers = 0;
    rlx_conv_tools_start(conv);
    if (!conv->speaking && conv->state != RLX_CONV_TRANSFERRING)
        rlx_conv_enter(conv, RLX_CONV_TOOL);
}

static void keep_result(struct rlx_conv *conv, const struct rlx_conv_tool *tool, const char *result)
{
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "id", tool->id, "name", tool->name,
                             "arguments", tool->arguments, "result", result);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

    rlx_conv_remember(conv, "tool", text ? text : "{}");
    free(text);
    json_decref(line);
}

/* The model speaks again. What was said before the tools must have begun: it would be lost behind
 * the new words. */
static void ask_again(struct rlx_conv *conv)
{
    conv->tools_ask = false;
    conv->turn->wait_ms = conv->now_ms;
    conv->turn->fillers = 0;
    if (conv->state == RLX_CONV_TOOL || conv->state == RLX_CONV_TRANSFERRING)
        rlx_conv_enter(conv, RLX_CONV_THINKING);
    if (conv->turn->tool_rounds++ < RLX_CONV_TOOL_ROUNDS)
        rlx_conv_llm_ask(conv);
    else
        rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_FALLBACK);
}

static void all_done(struct rlx_conv *conv)
{
    bool follow = conv->tools_follow;

    rlx_conv_tools_forget(conv);
    if (!follow || !conv->turn || conv->closing.on)
        return;
    conv->tools_ask = true;
    if (!conv->next)
        ask_again(conv);
}

void rlx_conv_on_tool_done(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    bool running = false;

    for (unsigned i = 0; i < conv->tool_count; i++) {
        struct rlx_conv_tool *tool = &conv->tools[i];
        if (event->job && tool->job == event->job && !tool->done) {
            tool->done = true;
            keep_result(conv, tool,
                        event->err    ? "{\"error\":\"failed\"}"
                        : event->text ? event->text
                                      : "{}");
        }
        running |= tool->job && !tool->done;
    }
    if (!running && conv->tool_count)
        all_done(conv);
}

void rlx_conv_tools_tick(struct rlx_conv *conv)
{
    if (conv->tools_ask && !conv->next && conv->turn)
        ask_again(conv);
    if (conv->state != RLX_CONV_TOOL || conv->now_ms - conv->tools_ms < conv->set.answer_max_ms ||
        !rlx_conv_tools_running(conv))
        return;
    for (unsigned i = 0; i < conv->tool_count; i++) {
        struct rlx_conv_tool *tool = &conv->tools[i];
        if (!tool->job || tool->done)
            continue;
        tool->done = true;
        keep_result(conv, tool, "{\"error\":\"timed out\"}");
    }
    all_done(conv);
}

uint64_t rlx_conv_tools_due(const struct rlx_conv *conv)
{
    return conv->state == RLX_CONV_TOOL ? conv->tools_ms + conv->set.answer_max_ms : UINT64_MAX;
}
