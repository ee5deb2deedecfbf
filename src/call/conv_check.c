/* Tools that take a phone number, an e-mail, a date or a name: the values are read back, and the
 * tool runs on a "yes". */
#include "call/conv_internal.h"

#include <string.h>

#define QUESTION "Is that right?"
#define VALUES_MAX 200u /* longer values are no such thing: they are not read back */

static bool is_delicate(const char *name)
{
    static const char *const WORDS[] = {"phone", "email", "e_mail", "date", "name", "number"};

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (strcasestr(name, WORDS[i]))
            return true;
    return false;
}

/* The values of one call that want a check, joined; NULL when there are none. */
static char *delicate_values(struct rlx_conv *conv, const struct rlx_conv_tool *tool)
{
    json_t *arguments = json_loads(tool->arguments, 0, NULL), *value;
    char *values = NULL;
    const char *name;

    json_object_foreach (arguments, name, value) {
        const char *text = json_string_value(value);
        if (!text || !*text || strlen(text) > VALUES_MAX || !is_delicate(name))
            continue;
        values = talloc_asprintf(conv->scratch, "%s%s%s", values ? values : "", values ? ", " : "",
                                 text);
    }
    json_decref(arguments);
    return values;
}

static bool is_yes(struct rlx_conv *conv, const char *text)
{
    static const char *const YES[] = {"yes",
                                      "yeah",
                                      "yep",
                                      "yup",
                                      "right",
                                      "correct",
                                      "sure",
                                      "exactly",
                                      "okay",
                                      "ok",
                                      "that's right",
                                      "that is right",
                                      "that is correct",
                                      "that's correct"};
    const char *plain = rlx_text_plain(conv->scratch, text);

    for (size_t i = 0; plain && i < sizeof YES / sizeof YES[0]; i++) {
        size_t length = strlen(YES[i]);
        if (!strncmp(plain, YES[i], length) && (!plain[length] || plain[length] == ' '))
            return rlx_text_words(plain) <= 5;
    }
    return false;
}

/* The model has read the values back itself, and the callee's words said yes to it. */
static bool was_checked(struct rlx_conv *conv, const char *values)
{
    const char *said = conv->last_said ? rlx_text_plain(conv->scratch, conv->last_said) : NULL;
    const char *plain = rlx_text_plain(conv->scratch, values);

    return conv->asked && said && plain && strstr(said, plain) && is_yes(conv, conv->turn->text);
}

/* Holds the tools back and asks, when their values were not confirmed yet. */
bool rlx_conv_check_tools(struct rlx_conv *conv)
{
    struct rlx_conv_speech *speech = conv->turn->speech;
    char *all = NULL;

    for (unsigned i = 0; i < conv->tool_count; i++) {
        char *values = conv->tools[i].job ? NULL : delicate_values(conv, &conv->tools[i]);
        if (values && !was_checked(conv, values))
            all = talloc_asprintf(conv->scratch, "%s%s%s", all ? all : "", all ? ", " : "", values);
    }
    if (!all || !speech)
        return false;
    const char *question =
        talloc_asprintf(conv->scratch, "Let me read that back: %s. " QUESTION, all);
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
    bool yes = heard && is_yes(conv, conv->turn->text);

    conv->tools_held = false;
    if (yes)
        rlx_conv_tools_run(conv);
    else
        rlx_conv_tools_forget(conv);
    return yes;
}
