#include "call/prompt.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FILLED_MAX 32768
#define VALUE_MAX 500
#define PATH_MAX_CHARS 128
#define KNOWLEDGE_MAX 8192

/* Short on purpose: a small model on a CPU reads some 150 tokens a second. */
static const char rules[] =
    "You are talking on the phone. Answer in one or two short sentences of plain words, without "
    "lists, symbols "
    "or emoji. Ask one thing at a time. Use only the facts you are given: never make up a price, a "
    "time, a name "
    "or a promise. When you do not know, say so and offer that someone calls back.";

/* Appends `length` bytes within the cap. */
static char *append(char *out, const char *text, size_t length, size_t cap)
{
    size_t have = out ? talloc_get_size(out) - 1 : 0;
    if (!out || have >= cap)
        return out;
    if (length > cap - have)
        length = cap - have;
    return talloc_strndup_append_buffer(out, text, length);
}

/* The value at a dotted path, or NULL. */
static const json_t *value_at(const json_t *variables, const char *path, size_t length)
{
    char copy[PATH_MAX_CHARS];
    if (length == 0 || length >= sizeof(copy))
        return NULL;
    memcpy(copy, path, length);
    copy[length] = '\0';
    const json_t *value = variables;
    char *rest = copy;
    for (char *name; value && (name = strsep(&rest, "."));)
        value = json_object_get(value, name);
    return value;
}

/* A value as text on one line: it comes from a contact list and must not look like a part of the
 * prompt. */
static char *value_text(TALLOC_CTX *ctx, const json_t *value)
{
    char *text;
    if (json_is_string(value))
        text = talloc_strndup(ctx, json_string_value(value), VALUE_MAX);
    else if (json_is_integer(value))
        text = talloc_asprintf(ctx, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        text = talloc_asprintf(ctx, "%.10g", json_real_value(value));
    else if (json_is_boolean(value))
        text = talloc_strdup(ctx, json_is_true(value) ? "yes" : "no");
    else
        text = talloc_strdup(ctx, "");
    size_t length = text ? strlen(text) : 0;
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)text[i]))
            text[i] = ' ';
    }
    /* The cap may have cut a character in half. */
    if (length == VALUE_MAX) {
        while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
            length--;
        if (length > 0 && (unsigned char)text[length - 1] >= 0xC0)
            length--;
        text[length] = '\0';
    }
    return text;
}

char *rlx_prompt_fill(TALLOC_CTX *ctx, const char *text, const json_t *variables)
{
    char *out = talloc_strdup(ctx, "");
    const char *at = text ? text : "";
    while (out && *at) {
        const char *open = strstr(at, "{{");
        const char *close = open ? strstr(open, "}}") : NULL;
        if (!close)
            return append(out, at, strlen(at), FILLED_MAX);
        out = append(out, at, (size_t)(open - at), FILLED_MAX);
        const char *name = open + 2;
        size_t length = (size_t)(close - name);
        while (length > 0 && isspace((unsigned char)*name))
            name++, length--;
        while (length > 0 && isspace((unsigned char)name[length - 1]))
            length--;
        char *value = value_text(ctx, value_at(variables, name, length));
        if (value)
            out = append(out, value, strlen(value), FILLED_MAX);
        talloc_free(value);
        at = close + 2;
    }
    return out;
}

/* Index of the first turn that is kept within max_chars; the last one always is. */
static size_t first_kept(const struct rlx_prompt_turn *turns, size_t count, size_t max_chars)
{
    size_t first = count, chars = 0;
    while (first > 0) {
        chars += strlen(turns[first - 1].content);
        if (first < count && chars > max_chars)
            break;
        first--;
    }
    return first;
}

static char *with_passages(TALLOC_CTX *ctx, const char *content, const char *const *passages)
{
    if (!passages || !passages[0])
        return talloc_strdup(ctx, content);
    char *out = talloc_strdup(ctx, "Facts for the answer:\n");
    for (; out && *passages; passages++) {
        out = append(out, "- ", 2, KNOWLEDGE_MAX);
        out = out ? append(out, *passages, strlen(*passages), KNOWLEDGE_MAX) : NULL;
        out = out ? append(out, "\n", 1, KNOWLEDGE_MAX) : NULL;
    }
    return out ? talloc_asprintf_append_buffer(out, "\nThe caller says: %s", content) : NULL;
}

/* Adds a message; neighbours of the same role become one, since many chat templates want roles to
 * alternate. */
static int add_message(json_t *messages, const char *role, const char *content)
{
    json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    const char *before = json_string_value(json_object_get(last, "role"));
    if (json_array_size(messages) > 1 && before && !strcmp(before, role)) {
        json_t *joined =
            json_sprintf("%s\n%s", json_string_value(json_object_get(last, "content")), content);
        return json_object_set_new(last, "content", joined);
    }
    return json_array_append_new(messages,
                                 json_pack("{s:s, s:s}", "role", role, "content", content));
}

/* A tool's result goes in as words of the user's side: a bare "tool" message is refused without the
 * call that it answers. */
static int add_turn(json_t *messages, TALLOC_CTX *tmp, const struct rlx_prompt_turn *turn,
                    const char *const *passages)
{
    char *content;
    if (!strcmp(turn->role, "tool"))
        content = talloc_asprintf(tmp, "[result] %s", turn->content);
    else
        content = with_passages(tmp, turn->content, passages);
    if (!content)
        return -1;
    return add_message(messages, strcmp(turn->role, "assistant") ? "user" : "assistant", content);
}

char *rlx_prompt_messages(TALLOC_CTX *ctx, const char *system, const struct rlx_prompt_turn *turns,
                          size_t count, const char *const *passages, size_t max_chars)
{
    char *out = NULL, *dumped = NULL;
    TALLOC_CTX *tmp = talloc_new(NULL);
    json_t *messages = json_pack("[{s:s, s:s}]", "role", "system", "content", system ? system : "");
    if (!tmp || !messages)
        goto out;
    size_t last_user = count;
    for (size_t i = 0; i < count; i++)
        last_user = strcmp(turns[i].role, "user") ? last_user : i;
    for (size_t i = first_kept(turns, count, max_chars); i < count; i++) {
        if (add_turn(messages, tmp, &turns[i], i == last_user ? passages : NULL))
            goto out;
    }
    dumped = json_dumps(messages, JSON_COMPACT);
    out = dumped ? talloc_strdup(ctx, dumped) : NULL;
out:
    free(dumped);
    json_decref(messages);
    talloc_free(tmp);
    return out;
}

char *rlx_prompt_system(TALLOC_CTX *ctx, const char *agent_prompt, const char *const *knowledge)
{
    bool own = agent_prompt && *agent_prompt;
    char *out = talloc_asprintf(ctx, "%s%s%s", own ? agent_prompt : "", own ? "\n\n" : "", rules);
    if (!out || !knowledge || !knowledge[0])
        return out;
    size_t cap = strlen(out) + KNOWLEDGE_MAX;
    out = append(out, "\n\nFacts:", 8, cap);
    for (; out && *knowledge; knowledge++) {
        out = append(out, "\n- ", 3, cap);
        out = out ? append(out, *knowledge, strlen(*knowledge), cap) : NULL;
    }
    return out;
}
