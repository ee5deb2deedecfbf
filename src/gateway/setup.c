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
#include "store/knowledge.h"
#include "store/calls.h"

/* Knowledge up to this size stands in the system prompt, where a prefix cache reads it once a call; more is looked up. */
#define INLINE_KNOWLEDGE 1500

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

/* What knowledge_mode makes of a row: "answers" takes approved answers alone, "passages" gives all to the model as facts, "off"
 * nothing, "auto" each as what it is. */
enum use { USE_NOT, USE_ANSWER, USE_PASSAGE };

static enum use use_of(const struct rlx_knowledge_row *row, const char *mode)
{
    bool answer = !strcmp(row->source_type, "answer");

    if (!strcmp(mode, "off"))
        return USE_NOT;
    if (!strcmp(mode, "passages"))
        return USE_PASSAGE;
    if (answer)
        return USE_ANSWER;
    return strcmp(mode, "answers") ? USE_PASSAGE : USE_NOT;
}

static int add_answer(struct rlx_call_setup *setup, const struct rlx_knowledge_row *row)
{
    size_t questions = 0;

    while (row->questions && row->questions[questions])
        questions++;
    return rlx_answers_add(setup->answers, row->id, row->title, row->content,
                           (const char *const *)row->questions, questions,
                           row->vector_count == questions ? row->vectors : NULL, row->dim);
}

/* *inlinep: passages that are few enough to stand in the prompt, NULL-terminated. */
static int add_knowledge(struct rlx_call_setup *setup, struct rlx_store *store,
                         const json_t *agent, const char ***inlinep)
{
    const char *agent_id = text_or(agent, "id", NULL);
    const char *mode = text_or(agent, "knowledge_mode", "auto");
    struct rlx_knowledge_row *rows = NULL;
    size_t count = 0, length = 0, in_prompt = 0, texts = 0;

    int err = agent_id ? rlx_knowledge_load(store, setup, agent_id, &rows, &count) : 0;
    if (err)
        return err;
    *inlinep = talloc_zero_array(setup, const char *, (unsigned)count + 1);
    setup->answer_texts = talloc_zero_array(setup, char *, (unsigned)count + 1);
    if (!*inlinep || !setup->answer_texts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        length += use_of(&rows[i], mode) == USE_PASSAGE ? strlen(rows[i].content) : 0;
    for (size_t i = 0; i < count && !err; i++) {
        enum use use = use_of(&rows[i], mode);
        if (use == USE_ANSWER) {
            setup->answer_texts[texts++] = rows[i].content;
            err = add_answer(setup, &rows[i]);
        } else if (use == USE_PASSAGE && length <= INLINE_KNOWLEDGE) {
            (*inlinep)[in_prompt++] = rows[i].content;
        } else if (use == USE_PASSAGE) {
            err = rlx_answers_add_passage(setup->answers, rows[i].id, rows[i].title,
                                          rows[i].content, rows[i].vectors, rows[i].dim);
        }
    }
    return err;
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
    const char **knowledge = NULL;

    setup->user_id = talloc_strdup(setup, text_or(call, "user_id", ""));
    setup->phone_number = talloc_strdup(setup, text_or(call, "phone_number", ""));
    setup->llm_model = model ? talloc_strdup(setup, model) : NULL;
    setup->language = language ? talloc_strdup(setup, language) : NULL;
    setup->temperature = temperature ? json_number_value(temperature) : 0.7;
    setup->max_tokens = tokens ? (uint32_t)json_integer_value(tokens) : 150;
    read_voice(setup, agent);
    read_words(setup, agent, options, values);
    read_turn_settings(setup, call, agent, options);
    int err = add_knowledge(setup, store, agent, &knowledge);
    char *prompt = err ? NULL : rlx_template_fill(setup, text_or(agent, "prompt_text", ""), values);
    json_decref(values);
    if (err)
        return err;
    setup->system = rlx_prompt_system(setup, prompt, knowledge);
    setup->options.can_look_up = rlx_answers_count(setup->answers) > 0;
    return setup->system ? 0 : -ENOMEM;
}

int rlx_call_setup_load(struct rlx_call_setup **setupp, struct rlx_store *store, const char *call_id)
{
    struct rlx_call_setup *setup = talloc_zero(NULL, struct rlx_call_setup);
    json_t *call = NULL;
    int err = -ENOMEM;

    if (!setup)
        goto out;
    setup->call_id = talloc_strdup(setup, call_id);
    err = rlx_answers_create(&setup->answers, setup);
    if (err)
        goto out;
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
