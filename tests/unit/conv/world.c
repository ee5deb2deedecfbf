/* The fake providers of a simulated call, and the queue of what is on its way. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#define CHUNK_MS 200u /* speech comes out of the synthesis in these */

/* ---- the world's queue ---- */

struct sim_pending *sim_later(struct sim *sim, uint64_t delay)
{
    if (sim->pending_count == SIM_PENDING)
        fail_msg("too many events on their way");
    struct sim_pending *pending = &sim->pending[sim->pending_count++];
    memset(pending, 0, sizeof *pending);
    pending->at = sim->now + (delay ? delay : 1);
    if (pending->at < sim->next_due)
        sim->next_due = pending->at;
    return pending;
}

void sim_cancel_job(struct sim *sim, uint32_t job)
{
    for (size_t i = 0; i < sim->pending_count;) {
        if (sim->pending[i].kind == TO_CONV && sim->pending[i].event.job == job)
            sim->pending[i] = sim->pending[--sim->pending_count];
        else
            i++;
    }
}

void sim_cancel_epoch(struct sim *sim, uint32_t epoch)
{
    for (size_t i = 0; i < sim->pending_count;) {
        if (sim->pending[i].kind == AUDIO && sim->pending[i].event.audio.epoch == epoch)
            sim->pending[i] = sim->pending[--sim->pending_count];
        else
            i++;
    }
}

/* Removed from the array before it is carried out: carrying out may add more. Oldest first. */
bool sim_take_due(struct sim *sim, struct sim_pending *due)
{
    size_t best = SIZE_MAX;

    if (sim->now < sim->next_due)
        return false;
    for (size_t i = 0; i < sim->pending_count; i++)
        if (sim->pending[i].at <= sim->now &&
            (best == SIZE_MAX || sim->pending[i].at < sim->pending[best].at))
            best = i;
    if (best == SIZE_MAX) {
        sim->next_due = UINT64_MAX;
        for (size_t i = 0; i < sim->pending_count; i++)
            if (sim->pending[i].at < sim->next_due)
                sim->next_due = sim->pending[i].at;
        return false;
    }
    *due = sim->pending[best];
    memmove(&sim->pending[best], &sim->pending[best + 1],
            (--sim->pending_count - best) * sizeof *due);
    return true;
}

/* ---- the writer ---- */

void sim_do_row(struct sim *sim, const struct rlx_conv_action *action)
{
    if (sim->keep_ms == UINT32_MAX)
        return;
    struct sim_pending *pending = sim_later(sim, sim->keep_ms);
    pending->event.kind = RLX_EV_KEPT;
    pending->event.kept.row = action->row.number;
}

/* ---- fake providers ---- */

/* The words that are spoken in a stretch: of a line that is cut, its share of words. */
static void transcribe(const struct sim *sim, uint64_t from, uint64_t to, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < sim->voice_count; i++) {
        const struct sim_voice *voice = &sim->voices[i];
        uint64_t a = voice->from > from ? voice->from : from, b = voice->to < to ? voice->to : to;
        if (a >= b || !voice->text[0])
            continue;
        size_t length = strlen(voice->text);
        uint32_t whole = voice->to - voice->from;
        size_t first = (size_t)((a - voice->from) * length / whole);
        size_t last = (size_t)((b - voice->from) * length / whole);
        while (first && first < length && voice->text[first - 1] != ' ')
            first++;
        while (last < length && voice->text[last] != ' ')
            last++;
        if (last > first)
            snprintf(text + strlen(text), size - strlen(text), "%s%.*s", text[0] ? " " : "",
                     (int)(last - first), voice->text + first);
    }
}

static void count_stt(struct sim *sim)
{
    unsigned running = 1;

    for (size_t i = 0; i < sim->pending_count; i++)
        running += sim->pending[i].kind == TO_CONV && sim->pending[i].event.kind == RLX_EV_STT;
    if (running > sim->stt_most)
        sim->stt_most = running;
}

void sim_do_stt(struct sim *sim, const struct rlx_conv_action *action)
{
    if (sim->stt_silent)
        return;
    count_stt(sim);
    struct sim_pending *result = sim_later(sim, sim->stt_ms);
    result->event = (struct rlx_conv_event){.kind = RLX_EV_STT, .job = action->job};
    if (sim->stt_faults) {
        sim->stt_faults--;
        result->event.err = -5;
        return;
    }
    transcribe(sim, action->stt.from_ms, action->stt.to_ms, result->text, sizeof result->text);
    result->event.stt.text = result->text;
    result->event.stt.took_ms = sim->stt_ms;
    result->event.stt.avg_logprob = sim->stt_logprob;
    result->event.stt.queue_ms = sim->stt_queue_ms;
}

void sim_do_lookup(struct sim *sim, const struct rlx_conv_action *action)
{
    struct sim_pending *result = sim_later(sim, sim->lookup_ms);

    result->event = (struct rlx_conv_event){.kind = RLX_EV_KNOWLEDGE, .job = action->job};
    result->event.knowledge.took_ms = sim->lookup_ms;
    snprintf(result->text, sizeof result->text, "%s", action->text);
}

static void llm_tool(struct sim *sim, uint32_t job, uint64_t delay, const char *call)
{
    struct sim_pending *event = sim_later(sim, delay);
    int at = 0;

    sscanf(call, "%63s %n", event->name, &at);
    snprintf(event->arguments, sizeof event->arguments, "%s", call + at);
    event->event = (struct rlx_conv_event){.kind = RLX_EV_LLM_TOOL, .job = job};
}

static uint64_t llm_text(struct sim *sim, uint32_t job, uint64_t delay, const char *text,
                         size_t length)
{
    for (size_t at = 0; at < length; delay += sim->llm_gap_ms) {
        size_t end = at + 12 < length ? at + 12 : length;
        struct sim_pending *event = sim_later(sim, delay);
        snprintf(event->text, sizeof event->text, "%.*s", (int)(end - at), text + at);
        event->event = (struct rlx_conv_event){.kind = RLX_EV_LLM_TEXT, .job = job};
        at = end;
    }
    return delay;
}

void sim_do_llm(struct sim *sim, const struct rlx_conv_action *action)
{
    const char *reply = "That is a good question, and I will find it out. Is there anything else?";
    uint64_t delay = sim->llm_ms;
    int err = 0;

    if (sim->llm_silent)
        return;
    if (sim->reply_next < sim->reply_count)
        reply = sim->replies[sim->reply_next++];
    if (sim->llm_faults) {
        sim->llm_faults--;
        err = -5;
        reply = "";
    }
    if (!strcmp(reply, "!fail"))
        err = -5;
    const char *tool = strstr(reply, "!tool ");
    size_t length = tool ? (size_t)(tool - reply) : strlen(reply);
    if (length && reply[length - 1] == '|')
        length--;
    if (!strcmp(reply, "!fail") || !strcmp(reply, "!empty"))
        length = 0;
    delay = llm_text(sim, action->job, delay, reply, length);
    if (tool)
        llm_tool(sim, action->job, delay, tool + 6);
    sim_later(sim, delay + 1)->event =
        (struct rlx_conv_event){.kind = RLX_EV_LLM_DONE, .job = action->job, .err = err};
}

void sim_do_say(struct sim *sim, const struct rlx_conv_action *action)
{
    uint32_t total = (uint32_t)strlen(action->text) * SIM_MS_PER_CHAR, made = 0;
    uint64_t delay = action->fixed ? 1 : sim->tts_ms;
    int err = 0;

    if (sim->tts_silent)
        return;
    if (sim->tts_faults) {
        sim->tts_faults--;
        err = -5;
        total = 0;
    } else if (sim->tts_empty) {
        sim->tts_empty--;
        total = 0;
    }
    do {
        uint32_t step = total - made < CHUNK_MS ? total - made : CHUNK_MS;
        struct sim_pending *event = sim_later(sim, delay);
        event->kind = AUDIO;
        event->from_ms = made;
        made += step;
        event->event = (struct rlx_conv_event){.kind = RLX_EV_AUDIO, .err = err};
        event->event.audio.epoch = action->epoch;
        event->event.audio.piece = action->piece;
        event->event.audio.total_ms = made;
        event->event.audio.complete = made == total;
        event->event.audio.first_byte_ms = action->fixed ? 0 : sim->tts_ms;
        snprintf(event->text, sizeof event->text, "%s", action->text);
        delay += action->fixed ? 1 : 40;
    } while (made < total);
}

void sim_do_tool(struct sim *sim, const struct rlx_conv_action *action)
{
    struct sim_pending *result = sim_later(sim, sim->tool_ms);

    snprintf(result->text, sizeof result->text, "%s",
             sim->tool_result ? sim->tool_result : "{\"ok\":true}");
    result->event = (struct rlx_conv_event){.kind = RLX_EV_TOOL_DONE, .job = action->job};
}
