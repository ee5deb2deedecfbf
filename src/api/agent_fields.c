#include "api/agent_fields.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "call/settings.h"
#include "call/template.h"
#include "provider/models.h"

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void complain(json_t *errors, const char *field, const char *message)
{
    json_array_append_new(errors, json_pack("{s:s,s:s}", "field", field, "message", message));
}

static void check_templates(json_t *errors, TALLOC_CTX *ctx, const json_t *fields)
{
    static const char *const names[] = {"prompt_text", "greeting", "goodbye", "voicemail_message"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *why = NULL;
        if (rlx_template_check(ctx, text_of(fields, names[i]), &why))
            complain(errors, names[i], why ? why : "holds a {{variable}} that is not known");
    }
}

static void check_turns(json_t *errors, TALLOC_CTX *ctx, const json_t *fields)
{
    const json_t *value = json_object_get(fields, "turn_settings");
    struct rlx_turn_settings settings;
    char *why = NULL;

    rlx_turn_settings_default(&settings);
    if (value && rlx_turn_settings_parse(&settings, value, ctx, &why))
        complain(errors, "turn_settings",
                 why ? why : "holds a setting that is not known or out of bounds");
}

/* True when an item before `end` has the same value. */
static bool is_twice(const json_t *items, size_t end, const char *name, const char *value)
{
    for (size_t i = 0; i < end; i++) {
        const char *other = text_of(json_array_get(items, i), name);
        if (other && !strcmp(other, value))
            return true;
    }
    return false;
}

static void check_extraction(json_t *errors, TALLOC_CTX *ctx, const json_t *fields)
{
    const json_t *items = json_object_get(fields, "extraction"), *item;
    size_t i;

    json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
        if (is_twice(items, i, "name", text_of(item, "name")))
            complain(errors, talloc_asprintf(ctx, "extraction[%zu].name", i), "is there twice");
    }
}

/* The fields that a tool of a type can't do without. */
static const struct {
    const char *type, *needs;
} NEEDS[] = {{"transfer", "phone_number"}, {"webhook", "name"}, {"webhook", "url"}};

/* Tools that the system brings; no webhook may take their names. */
static bool is_own_tool(const char *name)
{
    static const char *const names[] = {
        "end_call",
        "transfer",
        "transfer_call",
        "send_dtmf",
        "calendar_availability",
        "calendar_book",
        "send_sms",
        "mark_do_not_call",
        "schedule_callback",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void check_tool(json_t *errors, TALLOC_CTX *ctx, const json_t *tools, size_t at)
{
    const json_t *tool = json_array_get(tools, at);
    const char *type = text_of(tool, "type"), *name = text_of(tool, "name");
    const json_t *schema = json_object_get(tool, "parameters");
    bool webhook = type && !strcmp(type, "webhook");

    for (size_t i = 0; type && i < sizeof NEEDS / sizeof NEEDS[0]; i++)
        if (!strcmp(NEEDS[i].type, type) && !text_of(tool, NEEDS[i].needs))
            complain(errors, talloc_asprintf(ctx, "tools[%zu].%s", at, NEEDS[i].needs),
                     talloc_asprintf(ctx, "is needed by a tool of type %s", type));
    if (webhook && name && is_own_tool(name))
        complain(errors, talloc_asprintf(ctx, "tools[%zu].name", at),
                 "is the name of a built-in tool");
    if (webhook && name && is_twice(tools, at, "name", name))
        complain(errors, talloc_asprintf(ctx, "tools[%zu].name", at), "is there twice");
    if (type && !webhook && is_twice(tools, at, "type", type))
        complain(errors, talloc_asprintf(ctx, "tools[%zu].type", at), "is there twice");
    const char *kind = text_of(schema, "type");
    if (json_is_object(schema) && json_object_size(schema) &&
        (!kind || strcmp(kind, "object") != 0))
        complain(errors, talloc_asprintf(ctx, "tools[%zu].parameters", at),
                 "must be a JSON schema of type object");
}

static void check_voicemail(json_t *errors, const json_t *fields, const json_t *current)
{
    const char *policy = text_of(fields, "voicemail_policy");
    const json_t *message = json_object_get(fields, "voicemail_message");

    if (!message)
        message = json_object_get(current, "voicemail_message");
    if (policy && !strcmp(policy, "leave_message") && !json_is_string(message))
        complain(errors, "voicemail_policy", "leave_message needs a voicemail_message");
}

json_t *rlx_agent_fields_check(TALLOC_CTX *ctx, const json_t *fields, const json_t *current)
{
    json_t *errors = json_array();
    const json_t *tools = json_object_get(fields, "tools");

    check_templates(errors, ctx, fields);
    check_turns(errors, ctx, fields);
    check_extraction(errors, ctx, fields);
    for (size_t i = 0; i < json_array_size(tools); i++)
        check_tool(errors, ctx, tools, i);
    check_voicemail(errors, fields, current);
    return errors;
}

/* ---- warnings ---- */

static const json_t *either(const json_t *fields, const json_t *current, const char *name)
{
    const json_t *value = json_object_get(fields, name);

    return value ? value : json_object_get(current, name);
}

json_t *rlx_agent_warnings(const json_t *fields, const json_t *current)
{
    const char *model = json_string_value(either(fields, current, "llm_model"));
    const char *voice = text_of(either(fields, current, "voice_settings"), "voice_id");
    struct rlx_models *models = NULL;
    json_t *warnings = json_array();

    if (!warnings || rlx_models_create(&models, NULL))
        return warnings;
    if (model && !rlx_models_known(models, "llm", model))
        json_array_append_new(
            warnings,
            json_sprintf("llm_model: no provider knows \"%s\"; its default model is used", model));
    if (voice && !rlx_models_known(models, "tts", voice))
        json_array_append_new(
            warnings,
            json_sprintf(
                "voice_settings.voice_id: no provider knows \"%s\"; its default voice is used",
                voice));
    talloc_free(models);
    return warnings;
}
