#include "gateway/setup.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "call/phrases.h"
#include "call/prompt.h"
#include "call/template.h"
#include "provider/wish.h"
#include "store/calls.h"
#include "store/secrets.h"

static const char *text_or(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text && *text ? text : fallback;
}

static bool is_over(const char *status)
{
    static const char *const final[] = {"completed", "failed", "busy", "no-answer", "canceled"};

    for (size_t i = 0; status && i < sizeof final / sizeof final[0]; i++)
        if (!strcmp(status, final[i]))
            return true;
    return false;
}

/* The words up to the end of the greeting's first sentence hold the disclosure: they must be heard. */
static uint32_t disclosure_words(const char *greeting)
{
    const char *end = greeting + strcspn(greeting, ".!?");
    char *first = talloc_strndup(NULL, greeting, (size_t)(end - greeting));
    uint32_t words = first ? rlx_text_words(first) : 0;

    talloc_free(first);
    return words;
}

static int load_knowledge(struct rlx_call_setup *setup, struct rlx_store *store,
                          const json_t *agent)
{
    const char *agent_id = text_or(agent, "id", NULL);

    if (!agent_id)
        return 0;
    int err = rlx_known_load(&setup->known, store, agent_id,
                             text_or(agent, "knowledge_mode", "auto"));
    if (err)
        return err;
    setup->answer_texts = rlx_known_says(setup->known);
    setup->options.can_look_up = rlx_known_can_look_up(setup->known);
    return 0;
}

static void read_turn_settings(struct rlx_call_setup *setup, const json_t *call,
                               const json_t *agent, const json_t *options)
{
    struct rlx_turn_settings *settings = &setup->options.settings;
    const json_t *given = json_object_get(agent, "turn_settings");
    json_int_t limit_s = json_integer_value(json_object_get(options, "max_duration_s"));
    char *why = NULL;

    rlx_turn_settings_default(settings);
    if (!limit_s)
        limit_s = json_integer_value(json_object_get(agent, "max_duration_s"));
    if (json_is_object(given) && rlx_turn_settings_parse(settings, given, setup, &why))
        rlx_log(RLX_WARN, "call.turn_settings", "call_id=%s why=%s",
                text_or(call, "id", ""), why ? why : "");
    if (limit_s > 0)
        settings->max_duration_ms = (uint32_t)limit_s * 1000;
    if (settings->opt_out_key)
        setup->options.opt_out_key = (char)('0' + settings->opt_out_key);
}

static void read_voice(struct rlx_call_setup *setup, const json_t *agent)
{
    const json_t *voice = json_object_get(agent, "voice_settings");
    const char *id = text_or(voice, "voice_id", NULL);
    double speed = json_number_value(json_object_get(voice, "speed"));

    setup->voice = id ? talloc_strdup(setup, id) : NULL;
    setup->speed = speed > 0 ? speed : 1.0;
}

static void read_words(struct rlx_call_setup *setup, const json_t *agent, const json_t *options,
                       const json_t *variables)
{
    struct rlx_conv_options *conv = &setup->options;
    const char *greeting = text_or(options, "greeting", text_or(agent, "greeting", NULL));
    const char *goodbye = text_or(agent, "goodbye", NULL);
    const char *voicemail = text_or(agent, "voicemail_message", NULL);

    conv->greeting =
        greeting ? rlx_template_fill(setup, greeting, variables)
                 : talloc_asprintf(setup, "Hello, this is %s, an AI assistant. Is now a good time?",
                                   text_or(agent, "name", "your assistant"));
    conv->disclosure_words = disclosure_words(conv->greeting);
    conv->goodbye = goodbye ? rlx_template_fill(setup, goodbye, variables) : NULL;
    conv->voicemail = voicemail ? rlx_template_fill(setup, voicemail, variables) : NULL;
    conv->agent_first = !strcmp(text_or(agent, "first_speaker", "callee"), "agent");
}

static int read_call(struct rlx_call_setup *setup, struct rlx_store *store, const json_t *call)
{
    const json_t *agent = json_object_get(call, "agent");
    const json_t *options = json_object_get(call, "options");
    json_t *values = rlx_template_values(call);
    const json_t *tokens = json_object_get(agent, "max_tokens");
    const json_t *temperature = json_object_get(agent, "temperature");
    const char *model = text_or(options, "llm_model", text_or(agent, "llm_model", NULL));
    const char *language = text_or(agent, "language", NULL);

    setup->user_id = talloc_strdup(setup, text_or(call, "user_id", ""));
    setup->phone_number = talloc_strdup(setup, text_or(call, "phone_number", ""));
    setup->llm_model = model ? talloc_strdup(setup, model) : NULL;
    setup->language = language ? talloc_strdup(setup, language) : NULL;
    setup->temperature = temperature ? json_number_value(temperature) : 0.7;
    setup->max_tokens = tokens ? (uint32_t)json_integer_value(tokens) : 150;
    setup->wish = json_incref(json_object_get(agent, "providers"));
    read_voice(setup, agent);
    read_words(setup, agent, options, values);
    read_turn_settings(setup, call, agent, options);
    int err = load_knowledge(setup, store, agent);
    char *prompt = err ? NULL : rlx_template_fill(setup, text_or(agent, "prompt_text", ""), values);
    json_decref(values);
    if (err)
        return err;
    setup->system = rlx_prompt_system(setup, prompt,
                                      setup->known ? rlx_known_inline(setup->known) : NULL);
    return setup->system ? 0 : -ENOMEM;
}

static int drop_known(struct rlx_call_setup *setup)
{
    rlx_known_drop(setup->known);
    json_decref(setup->wish);
    return 0;
}

void rlx_call_setup_configure(struct rlx_call_setup *setup, struct rlx_store *store,
                              const struct rlx_config *server)
{
    const struct rlx_config *own = NULL, *chosen = NULL;
    int err = rlx_user_config(store, server, setup, setup->user_id, &own);

    if (err) { /* the server's keys are better than no call */
        rlx_log(RLX_WARN, "call.own_keys", "call_id=%s error=%s", setup->call_id, rlx_err_text(err));
        own = server;
    }
    if (rlx_config_wish(&chosen, setup, own, setup->wish))
        chosen = own;
    setup->wished = chosen != own;
    setup->config = chosen != server ? chosen : NULL;
}

int rlx_call_setup_load(struct rlx_call_setup **setupp, struct rlx_store *store, const char *call_id)
{
    struct rlx_call_setup *setup = talloc_zero(NULL, struct rlx_call_setup);
    json_t *call = NULL;
    int err = -ENOMEM;

    if (!setup)
        goto out;
    talloc_set_destructor(setup, drop_known);
    setup->call_id = talloc_strdup(setup, call_id);
    err = rlx_call_load(store, setup, call_id, &call);
    if (err)
        goto out;
    if (is_over(json_string_value(json_object_get(call, "status"))))
        err = RLX_ECONFLICT;
    else
        err = read_call(setup, store, call);
out:
    json_decref(call);
    if (err)
        talloc_free(setup);
    else
        *setupp = setup;
    return err;
}
