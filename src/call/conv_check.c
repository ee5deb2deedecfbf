/* Tools that take a phone number, an e-mail, a date or a name: the values are read back, and the
 * tool runs on a "yes". */
#include "call/conv_internal.h"

#include <stdlib.h>
#include <string.h>

#include "call/readback.h"

#define QUESTION "Is that right?"
#define DEPTH_MAX 8u /* of nested arguments */

/* The values of tools that want a check. On the scratch context. */
struct values {
    struct rlx_conv *conv;
    const char *said; /* NULL = all, else what the agent said: those that are not in it */
    char *written;    /* joined, as the agent says them; NULL = none */
    char *plain;      /* joined, as they are */
};

static char *join(struct rlx_conv *conv, char *all, const char *more)
{
    return talloc_asprintf(conv->scratch, "%s%s%s", all ? all : "", all ? ", " : "", more);
}

static void add_value(struct values *values, const char *name, const char *value)
{
    if (!rlx_readback_wants(name, value) ||
        (values->said && rlx_readback_holds(values->said, value)) ||
        (values->plain && rlx_readback_holds(values->plain, value)))
        return;
    const char *written = rlx_readback_say(values->conv->scratch, value);
    if (!written)
        written = value;
    values->written = join(values->conv, values->written, written);
    values->plain = join(values->conv, values->plain, value);
}

/* A value inside of an array or an object is known by the nearest name above it. */
static void add_all(struct values *values, const char *name, json_t *value, unsigned depth)
{
    const char *key;
    json_t *part;
    size_t i;

    if (depth == DEPTH_MAX)
        return;
    json_object_foreach (value, key, part)
        add_all(values, key, part, depth + 1);
    json_array_foreach (value, i, part)
        add_all(values, name, part, depth + 1);
    if (json_is_string(value))
        add_value(values, name, json_string_value(value));
    else if (json_is_number(value)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(10));
        if (text)
            add_value(values, name, text);
        free(text);
    }
}

/* Of all tools that were not started. A tool's own words are no value; where a transfer goes to is
 * set by the agent's owner. */
static void add_tools(struct values *values)
{
    struct rlx_conv *conv = values->conv;

    for (unsigned i = 0; i < conv->tool_count; i++) {
        const struct rlx_conv_tool *tool = &conv->tools[i];
        if (tool->job || rlx_conv_tool_transfers(tool))
            continue;
        json_t *arguments = json_loads(tool->arguments, 0, NULL);
        if (json_is_object(arguments))
            json_object_del(arguments, "say");
        add_all(values, "", arguments, 0);
        json_decref(arguments);
    }
}

/* The model has asked, and the callee's words said yes: what it read back itself is checked. */
static bool was_checked(struct rlx_conv *conv, const struct values *values)
{
    return conv->asked && conv->last_said && rlx_readback_is_yes(conv->turn->text, values->plain);
}

/* Holds the tools back and asks, when their values were not confirmed yet. */
bool rlx_conv_check_tools(struct rlx_conv *conv)
{
    struct rlx_conv_speech *speech = conv->turn->speech;
    struct values values = {.conv = conv};

    add_tools(&values);
    if (was_checked(conv, &values)) {
        values = (struct values){.conv = conv, .said = conv->last_said};
        add_tools(&values);
    }
    if (!values.written || !speech)
        return false;
    const char *question =
        talloc_asprintf(conv->scratch, "Let me read that back: %s. " QUESTION, values.written);
    if (!question || !rlx_conv_speech_add(conv, speech, question))
        return false;
    speech->closed = true;
    conv->tools_held = true;
    return true;
}

/* The callee's words after the question: true = it was the last thing that they heard, they said
 * yes, and the tools have been started. */
bool rlx_conv_check_reply(struct rlx_conv *conv)
{
    bool heard = conv->last_said && strstr(conv->last_said, QUESTION);
    struct values values = {.conv = conv};

    add_tools(&values);
    bool yes = heard && rlx_readback_is_yes(conv->turn->text, values.plain);

    conv->tools_held = false;
    if (yes)
        rlx_conv_tools_run(conv);
    else
        rlx_conv_tools_forget(conv);
    return yes;
}
