/* Making of a conversation, the way in and out of it, and what the other files share: actions,
 * jobs, history, ids. */
#include "call/conv_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_ACTIONS 512u
#define VITAL_ACTIONS 64u /* places that are kept for what must not be lost */

static const char *const PHRASES[RLX_PHRASE_COUNT] = {
    [RLX_PHRASE_GOODBYE] = "Thank you for your time. Goodbye.",
    [RLX_PHRASE_APOLOGY] =
        "I'm sorry, we have a technical problem. We will call you back. Goodbye.",
    [RLX_PHRASE_PROMPT_1] = "Are you still there?",
    [RLX_PHRASE_PROMPT_2] = "Hello? I can't hear you at the moment.",
    [RLX_PHRASE_REPEAT] = "Sorry, I didn't catch that. Could you say it again?",
    [RLX_PHRASE_FALLBACK] =
        "I'm sorry, I don't have an answer to that. Can I help you with something else?",
    [RLX_PHRASE_HOLD] = "Of course, take your time.",
    [RLX_PHRASE_BACK] = "Hello, I'm still here.",
    [RLX_PHRASE_OPT_OUT] =
        "I understand. I have taken you off our list, and we won't call you again. Goodbye.",
    [RLX_PHRASE_TRANSFER_FAILED] =
        "I'm sorry, nobody could take the call right now. Can I help you with something else?",
    [RLX_PHRASE_FILLER_1] = "One moment, please.",
    [RLX_PHRASE_FILLER_2] = "Let me see.",
    [RLX_PHRASE_FILLER_3] = "I'm still looking into that.",
};

static const char *const STATES[] = {
    [RLX_CONV_WAITING] = "WAITING",
    [RLX_CONV_GREETING] = "GREETING",
    [RLX_CONV_LISTENING] = "LISTENING",
    [RLX_CONV_USER_SPEAKING] = "USER_SPEAKING",
    [RLX_CONV_THINKING] = "THINKING",
    [RLX_CONV_AI_SPEAKING] = "AI_SPEAKING",
    [RLX_CONV_PAUSED] = "PAUSED",
    [RLX_CONV_TOOL] = "TOOL",
    [RLX_CONV_ON_HOLD] = "ON_HOLD",
    [RLX_CONV_VOICEMAIL] = "VOICEMAIL",
    [RLX_CONV_TRANSFERRING] = "TRANSFERRING",
    [RLX_CONV_CLOSING] = "CLOSING",
    [RLX_CONV_ENDED] = "ENDED",
};

const char *rlx_conv_state_name(enum rlx_conv_state state)
{
    return (unsigned)state <= RLX_CONV_ENDED ? STATES[state] : "UNKNOWN";
}

/* ---- making ---- */

static int set_phrase(struct rlx_conv *conv, enum rlx_conv_phrase_id id, const char *text)
{
    struct rlx_spoken *spoken;

    if (text)
        conv->phrases[id] = talloc_strdup(conv, text);
    else
        conv->phrases[id] = PHRASES[id];
    if (!conv->phrases[id])
        return text ? -ENOMEM : 0;
    int err = rlx_spoken_make(&spoken, conv, conv->phrases[id]);
    if (err)
        return err;
    conv->phrases_spoken[id] = talloc_steal(conv, spoken->text);
    talloc_free(spoken);
    return 0;
}

static int set_phrases(struct rlx_conv *conv, const struct rlx_conv_options *options)
{
    const char *wish[RLX_PHRASE_COUNT] = {
        [RLX_PHRASE_GREETING] = options->greeting,
        [RLX_PHRASE_GOODBYE] = options->goodbye,
        [RLX_PHRASE_APOLOGY] = options->apology,
        [RLX_PHRASE_VOICEMAIL] = options->voicemail,
    };

    if (options->prompts && options->prompts[0]) {
        wish[RLX_PHRASE_PROMPT_1] = options->prompts[0];
        wish[RLX_PHRASE_PROMPT_2] = options->prompts[1];
    }
    for (unsigned i = 0; options->fillers && options->fillers[i] && i < 3; i++)
        wish[RLX_PHRASE_FILLER_1 + i] = options->fillers[i];
    for (unsigned i = 0; i < RLX_PHRASE_COUNT; i++) {
        int err = set_phrase(conv, i, wish[i]);
        if (err)
            return err;
    }
    return 0;
}

int rlx_conv_create(struct rlx_conv **convp, TALLOC_CTX *ctx,
                    const struct rlx_conv_options *options)
{
    if (!convp || !options || !options->greeting)
        return -EINVAL;

    int err = -ENOMEM;
    struct rlx_conv *conv = talloc_zero(ctx, struct rlx_conv);
    if (!conv)
        goto out;
    conv->options = *options;
    conv->set = options->settings;
    conv->scratch = talloc_new(conv);
    conv->action_size = 2 * VITAL_ACTIONS;
    conv->actions = talloc_array(conv, struct rlx_conv_action, (unsigned)conv->action_size);
    if (!conv->scratch || !conv->actions)
        goto out;
    conv->ms_per_char = 62.0f;
    rlx_conv_ear_reset(conv);
    err = set_phrases(conv, options);
out:
    if (err) {
        talloc_free(conv);
        conv = NULL;
    }
    *convp = conv;
    return err;
}

const char *rlx_conv_phrase(const struct rlx_conv *conv, size_t index)
{
    size_t seen = 0;

    for (unsigned i = 0; i < RLX_PHRASE_COUNT; i++)
        if (conv->phrases_spoken[i] && seen++ == index)
            return conv->phrases_spoken[i];
    return NULL;
}

/* ---- what the files share ---- */

/* What the records and the line hang on. */
static bool is_vital(enum rlx_conv_action_kind kind)
{
    return kind == RLX_ACT_END || kind == RLX_ACT_HANGUP || kind == RLX_ACT_ROW ||
           kind == RLX_ACT_DNC || kind == RLX_ACT_DROP || kind == RLX_ACT_STT_CANCEL ||
           kind == RLX_ACT_LLM_CANCEL;
}

struct rlx_conv_action *rlx_conv_act(struct rlx_conv *conv, enum rlx_conv_action_kind kind)
{
    struct rlx_conv_action *action = &conv->spare;

    size_t room = conv->action_size - (is_vital(kind) ? 0 : VITAL_ACTIONS);

    if (conv->action_count >= room && conv->action_size < MAX_ACTIONS) {
        struct rlx_conv_action *more = talloc_realloc(conv, conv->actions, struct rlx_conv_action,
                                                      (unsigned)conv->action_size * 2);
        if (more) {
            conv->actions = more;
            conv->action_size *= 2;
            room = conv->action_size - (is_vital(kind) ? 0 : VITAL_ACTIONS);
        }
    }
    if (conv->action_count < room)
        action = &conv->actions[conv->action_count++];
    else
        conv->lost = true;
    memset(action, 0, sizeof *action);
    action->kind = kind;
    return action;
}

void rlx_conv_enter(struct rlx_conv *conv, enum rlx_conv_state state)
{
    if (conv->state == state)
        return;
    conv->state = state;
    rlx_conv_act(conv, RLX_ACT_STATE)->state = state;
}

void rlx_conv_note(struct rlx_conv *conv, const char *kind, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *data = talloc_vasprintf(conv->scratch, format, args);
    va_end(args);
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_NOTE);
    action->text = kind;
    action->data = data ? data : "{}";
}

uint32_t rlx_conv_job(struct rlx_conv *conv)
{
    return ++conv->last_job;
}

int64_t rlx_conv_wall(const struct rlx_conv *conv, uint64_t at_ms)
{
    return conv->options.wall_ms + (int64_t)at_ms;
}

/* SplitMix64 (Steele, Lea, Flood 2014): spreads the seed and a counter over 64 bits. */
static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

/* The layout of a UUIDv7 (RFC 9562 5.7), its random bits from the seed. */
void rlx_conv_uuid(struct rlx_conv *conv, char text[37])
{
    uint64_t wall = (uint64_t)rlx_conv_wall(conv, conv->now_ms);
    uint64_t a = mix(conv->options.uuid_seed + 2 * conv->uuid_count);
    uint64_t b = mix(conv->options.uuid_seed + 2 * conv->uuid_count + 1);

    conv->uuid_count++;
    snprintf(text, 37, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(wall >> 16 & 0xffffffffu),
             (unsigned)(wall & 0xffff), (unsigned)(a & 0xfff),
             (unsigned)(0x8000 | (a >> 12 & 0x3fff)), (unsigned long long)(b & 0xffffffffffffu));
}

/* ---- history ---- */

static void forget_oldest(struct rlx_conv *conv)
{
    talloc_free((void *)conv->history[0].content);
    conv->history_count--;
    memmove(conv->history, conv->history + 1, conv->history_count * sizeof conv->history[0]);
    if (conv->speaking && conv->speaking->history >= 0)
        conv->speaking->history--;
}

/* Adds a line; returns its index for rlx_conv_amend, -1 when it could not be kept. */
int rlx_conv_remember(struct rlx_conv *conv, const char *role, const char *content)
{
    char *copy = talloc_strdup(conv, content ? content : "");

    if (!copy)
        return -1;
    if (conv->history_count == RLX_CONV_HISTORY)
        forget_oldest(conv);
    conv->history[conv->history_count] = (struct rlx_prompt_turn){.role = role, .content = copy};
    return (int)conv->history_count++;
}

/* Replaces a line; with "" it is taken out. */
void rlx_conv_amend(struct rlx_conv *conv, int index, const char *content)
{
    if (!content || index < 0 || (size_t)index >= conv->history_count)
        return;
    struct rlx_prompt_turn *line = &conv->history[index];
    talloc_free((void *)line->content);
    line->content = *content ? talloc_strdup(conv, content) : NULL;
    if (line->content)
        return;
    conv->history_count--;
    memmove(line, line + 1, (conv->history_count - (size_t)index) * sizeof *line);
}

const struct rlx_prompt_turn *rlx_conv_history(const struct rlx_conv *conv, size_t *countp)
{
    const struct rlx_conv_turn *turn = conv->turn;

    *countp = conv->history_count;
    if (turn && turn->text && !turn->committed) {
        /* The place behind the last line is kept free for this. */
        struct rlx_prompt_turn *line = (struct rlx_prompt_turn *)&conv->history[(*countp)++];
        *line = (struct rlx_prompt_turn){.role = "user", .content = turn->text};
    }
    return conv->history;
}

/* ---- the end ---- */

void rlx_conv_end(struct rlx_conv *conv, bool hangup)
{
    struct rlx_conv_closing *closing = &conv->closing;

    if (conv->state == RLX_CONV_ENDED)
        return;
    if (conv->turn && conv->turn->text)
        rlx_conv_turn_commit(conv);
    if (conv->speaking)
        rlx_conv_speech_cut(conv);
    rlx_conv_turn_drop(conv);
    rlx_conv_speech_drop(conv, &conv->next);
    rlx_conv_stt_cancel(conv);
    rlx_conv_enter(conv, RLX_CONV_ENDED);
    if (hangup)
        rlx_conv_act(conv, RLX_ACT_HANGUP);
    const char *metrics = rlx_conv_metrics_json(conv);
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_END);
    action->end.status = closing->status ? closing->status : "completed";
    action->end.reason = closing->reason ? closing->reason : "callee_hangup";
    action->end.outcome = closing->outcome;
    action->end.metrics = metrics;
}

/* ---- events in ---- */

static void on_stream(struct rlx_conv *conv)
{
    if (conv->state == RLX_CONV_TRANSFERRING) {
        /* A second stream of the same call: nobody took it. */
        rlx_conv_utterance_forget(conv);
        rlx_conv_ear_reset(conv);
        rlx_conv_tools_forget(conv);
        rlx_conv_say_phrase(conv, RLX_SOURCE_PROMPT, RLX_PHRASE_TRANSFER_FAILED);
        rlx_conv_enter(conv, RLX_CONV_THINKING);
        return;
    }
    if (conv->state == RLX_CONV_WAITING)
        rlx_conv_greet_start(conv);
}

static void on_frame(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    if (conv->state == RLX_CONV_WAITING || !rlx_conv_ear_frame(conv, event))
        return;
    if (conv->speaking)
        rlx_conv_barge_frame(conv);
    else
        rlx_conv_utterance_follow(conv);
}

static void on_wish(struct rlx_conv *conv, const char *reason)
{
    if (!conv->closing.on)
        rlx_conv_close_reason(conv, "completed", reason && *reason ? reason : "ended", NULL);
    rlx_conv_end(conv, conv->state != RLX_CONV_WAITING);
}

static void dispatch(struct rlx_conv *conv, const struct rlx_conv_event *event)
{
    switch (event->kind) {
    case RLX_EV_STREAM:
        on_stream(conv);
        break;
    case RLX_EV_FRAME:
        on_frame(conv, event);
        break;
    case RLX_EV_STT:
        rlx_conv_on_stt(conv, event);
        break;
    case RLX_EV_PARTIAL:
        rlx_conv_barge_partial(conv, event->text);
        break;
    case RLX_EV_KNOWLEDGE:
        rlx_conv_on_knowledge(conv, event);
        break;
    case RLX_EV_LLM_TEXT:
        rlx_conv_on_llm_text(conv, event);
        break;
    case RLX_EV_LLM_TOOL:
        rlx_conv_on_llm_tool(conv, event);
        break;
    case RLX_EV_LLM_DONE:
        rlx_conv_on_llm_done(conv, event);
        break;
    case RLX_EV_AUDIO:
        rlx_conv_on_audio(conv, event);
        break;
    case RLX_EV_PLAYED:
        rlx_conv_on_played(conv);
        break;
    case RLX_EV_DTMF:
        rlx_conv_on_key(conv, event->digit);
        break;
    case RLX_EV_TOOL_DONE:
        rlx_conv_on_tool_done(conv, event);
        break;
    case RLX_EV_KEPT:
        if (event->kept.row > conv->kept_row && event->kept.row <= conv->last_row)
            conv->kept_row = event->kept.row;
        break;
    case RLX_EV_AMD:
        rlx_conv_on_amd(conv, event->text);
        break;
    case RLX_EV_BEEP:
        rlx_conv_on_beep(conv);
        break;
    case RLX_EV_STOP:
        rlx_conv_on_stop(conv);
        break;
    case RLX_EV_END_WISH:
        on_wish(conv, event->text);
        break;
    case RLX_EV_TIMER:
        break;
    }
}

/* Everything that depends on time alone: what to do, and when it must be looked at again. Cheap, so
 * it runs after every event. */
static const struct {
    void (*tick)(struct rlx_conv *conv);
    uint64_t (*due)(const struct rlx_conv *conv);
} CLOCKS[] = {
    {rlx_conv_greet_tick, rlx_conv_greet_due},   {rlx_conv_voicemail_tick, rlx_conv_voicemail_due},
    {rlx_conv_barge_tick, rlx_conv_barge_due},   {rlx_conv_listen_tick, rlx_conv_listen_due},
    {rlx_conv_key_tick, rlx_conv_key_due},       {rlx_conv_think_tick, rlx_conv_think_due},
    {rlx_conv_tools_tick, rlx_conv_tools_due},   {rlx_conv_filler_tick, rlx_conv_filler_due},
    {rlx_conv_speech_tick, rlx_conv_speech_due}, {rlx_conv_silence_tick, rlx_conv_silence_due},
    {rlx_conv_close_tick, rlx_conv_close_due},
};
#define CLOCK_COUNT (sizeof CLOCKS / sizeof CLOCKS[0])

static void tick(struct rlx_conv *conv)
{
    for (size_t i = 0; i < CLOCK_COUNT && conv->state != RLX_CONV_ENDED; i++)
        CLOCKS[i].tick(conv);
}

const struct rlx_conv_action *rlx_conv_input(struct rlx_conv *conv,
                                             const struct rlx_conv_event *event, uint64_t now_ms,
                                             size_t *countp)
{
    talloc_free_children(conv->scratch);
    conv->action_count = 0;
    if (!conv->started) {
        conv->started = true;
        conv->start_ms = now_ms;
    }
    if (now_ms > conv->now_ms)
        conv->now_ms = now_ms;
    rlx_conv_speech_heard_to(conv, event->heard_ms);
    conv->guess.rate_low = event->rate_low;
    if (conv->state != RLX_CONV_ENDED) {
        dispatch(conv, event);
        tick(conv);
    }
    if (conv->state != RLX_CONV_ENDED)
        rlx_conv_speech_pump(conv);
    if (conv->lost && conv->state != RLX_CONV_ENDED) {
        /* Somebody would wait for ever for what was not asked: nothing else is safe. */
        rlx_conv_close_reason(conv, "failed", "overloaded", NULL);
        rlx_conv_end(conv, true);
    }
    *countp = conv->action_count;
    return conv->actions;
}

/* ---- the next deadline ---- */

uint64_t rlx_conv_deadline(const struct rlx_conv *conv)
{
    if (conv->state == RLX_CONV_ENDED || conv->state == RLX_CONV_WAITING)
        return UINT64_MAX;

    uint64_t due = UINT64_MAX;
    for (size_t i = 0; i < CLOCK_COUNT; i++) {
        uint64_t next = CLOCKS[i].due(conv);
        due = next < due ? next : due;
    }
    /* A time that has passed was looked at in this input already: look again soon, but never in a
     * spin. */
    return due > conv->now_ms ? due : conv->now_ms + RLX_CONV_FRAME_MS;
}

enum rlx_conv_state rlx_conv_state(const struct rlx_conv *conv)
{
    return conv->state;
}

uint32_t rlx_conv_epoch(const struct rlx_conv *conv)
{
    return conv->speaking ? conv->speaking->epoch : 0;
}
