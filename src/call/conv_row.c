/* What is written down: transcript rows with their measurements, and the call's metrics. */
#include "call/conv_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const SOURCES[] = {
    [RLX_SOURCE_GREETING] = "greeting", [RLX_SOURCE_ANSWER] = "answer",
    [RLX_SOURCE_LLM] = "llm",           [RLX_SOURCE_FILLER] = "filler",
    [RLX_SOURCE_PROMPT] = "prompt",     [RLX_SOURCE_GOODBYE] = "goodbye",
    [RLX_SOURCE_TOOL] = "tool",         [RLX_SOURCE_VOICEMAIL] = "voicemail",
};

/* The JSON as text on the scratch context; the object is released. */
static const char *dump(struct rlx_conv *conv, json_t *object)
{
    char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;
    const char *text = json ? talloc_strdup(conv->scratch, json) : NULL;

    free(json);
    json_decref(object);
    return text ? text : "{}";
}

/* Numbers that were not measured are left out. */
static void set_ms(json_t *object, const char *name, uint32_t ms)
{
    if (ms)
        json_object_set_new(object, name, json_integer(ms));
}

static struct rlx_conv_action *row_act(struct rlx_conv *conv)
{
    struct rlx_conv_action *action = rlx_conv_act(conv, RLX_ACT_ROW);

    action->row.number = ++conv->last_row;
    return action;
}

/* ---- the callee's rows ---- */

static const char *masked(struct rlx_conv *conv, const char *text)
{
    char *copy = talloc_strdup(conv->scratch, text);
    char *at = copy ? strchr(copy, ':') : NULL;

    for (; at && *at && *at != ']'; at++)
        if (*at != ':' && *at != ' ')
            *at = '*';
    return copy ? copy : "[keypad]";
}

void rlx_conv_row_user(struct rlx_conv *conv, struct rlx_conv_turn *turn)
{
    json_t *data = json_object();
    char *id = talloc_array(conv->scratch, char, 37);

    if (!id) {
        json_decref(data);
        return;
    }
    rlx_conv_uuid(conv, id);
    if (!turn->seq)
        turn->seq = ++conv->last_seq;
    set_ms(data, "voiced_ms", turn->voiced_ms);
    set_ms(data, "endpoint_ms", turn->endpoint_ms);
    set_ms(data, "stt_ms", turn->stt_ms);
    set_ms(data, "merged", turn->merged);
    if (turn->keypad)
        json_object_set_new(data, "source", json_string("keypad"));
    struct rlx_conv_action *action = row_act(conv);
    action->row.id = id;
    action->row.seq = turn->seq;
    action->row.text = turn->keypad && conv->set.mask_digits
                           ? masked(conv, turn->text)
                           : talloc_strdup(conv->scratch, turn->text);
    action->row.at_ms = turn->at_ms;
    action->row.metadata = dump(conv, data);
    action->row.final = true;
}

void rlx_conv_row_opening(struct rlx_conv *conv, const char *text, uint32_t took_ms)
{
    json_t *data = json_object();
    char *id = talloc_array(conv->scratch, char, 37);

    if (!id) {
        json_decref(data);
        return;
    }
    rlx_conv_uuid(conv, id);
    set_ms(data, "voiced_ms", conv->opening.voiced_ms);
    set_ms(data, "stt_ms", took_ms);
    json_object_set_new(data, "opening", json_true());
    struct rlx_conv_action *action = row_act(conv);
    action->row.id = id;
    action->row.seq = conv->opening.seq;
    action->row.text = talloc_strdup(conv->scratch, text);
    action->row.at_ms = conv->opening.at_ms;
    action->row.metadata = dump(conv, data);
    action->row.final = true;
}

/* ---- the agent's rows ---- */

static const char *speech_data(struct rlx_conv *conv, const struct rlx_conv_speech *speech)
{
    json_t *data = json_object();

    json_object_set_new(data, "source", json_string(SOURCES[speech->source]));
    if (speech->answer_id) {
        json_object_set_new(data, "answer_id", json_string(speech->answer_id));
        json_object_set_new(data, "score", json_real((double)speech->score));
    }
    if (speech->sources)
        json_object_set_new(data, "passages", json_loads(speech->sources, 0, NULL));
    if (speech->source == RLX_SOURCE_LLM || speech->source == RLX_SOURCE_ANSWER)
        json_object_set_new(data, "speculative", json_boolean(speech->guessed));
    json_object_set_new(data, "interrupted", json_boolean(speech->interrupted));
    set_ms(data, "resumed", speech->resumed);
    set_ms(data, "endpoint_ms", speech->endpoint_ms);
    set_ms(data, "stt_ms", speech->stt_ms);
    set_ms(data, "lookup_ms", speech->lookup_ms);
    set_ms(data, "llm_ms", speech->llm_ms);
    set_ms(data, "tts_ms", speech->pieces[0].first_byte_ms);
    set_ms(data, "first_audio_ms", speech->first_audio_ms);
    set_ms(data, "heard_ms", speech->heard_ms);
    return dump(conv, data);
}

void rlx_conv_row_agent(struct rlx_conv *conv, struct rlx_conv_speech *speech, const char *text,
                        bool final)
{
    struct rlx_conv_action *action = row_act(conv);

    action->row.agent = true;
    action->row.id = talloc_strdup(conv->scratch, speech->id);
    action->row.seq = speech->seq;
    action->row.text = text ? text : "";
    action->row.at_ms = speech->at_ms;
    action->row.metadata = speech_data(conv, speech);
    action->row.final = final;
}

/* ---- the call's metrics ---- */

const char *rlx_conv_metrics_json(struct rlx_conv *conv)
{
    const struct rlx_conv_metrics *m = &conv->metrics;

    json_t *data = json_pack(
        "{s:i, s:i, s:i, s:i, s:{s:i, s:i, s:i}, s:i, s:i, s:i, s:i, s:i, s:i, s:i,"
        " s:i, s:i, s:{s:{s:i, s:i, s:i}, s:{s:i, s:i, s:i}, s:{s:i, s:i, s:i}, s:i}}",
        "answer_to_first_word_ms", (int)m->answer_to_first_word_ms, "callee_to_greeting_ms",
        (int)m->callee_to_greeting_ms, "turns", (int)m->turns, "turns_merged", (int)m->merged,
        "pauses", "true", (int)m->pauses_true, "false", (int)m->pauses_false, "resumed",
        (int)m->resumed, "empty_stt", (int)m->empty_stt, "suspects", (int)m->suspects, "echo_drops",
        (int)m->echo_drops, "dead_air_over_2s", (int)m->dead_air, "fillers", (int)m->fillers,
        "tts_failed", (int)m->tts_failed, "keypad_turns", (int)m->keypad, "rows_late",
        (int)m->rows_late, "row_wait_max_ms", (int)m->row_wait_ms, "speculation", "stt",
        "started", (int)m->stt_started, "used", (int)m->stt_used, "wasted", (int)m->stt_wasted,
        "llm", "started", (int)m->llm_started, "used", (int)m->llm_used, "wasted",
        (int)m->llm_wasted, "tts", "started", (int)m->tts_started, "used", (int)m->tts_used,
        "wasted", (int)m->tts_wasted, "backed_off", (int)m->guess_backed_off);
    return dump(conv, data);
}
