#include "call/prompt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
