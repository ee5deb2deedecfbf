#include "provider/llm_stream.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "provider/openai.h"
#include "provider/sse.h"

#define EVENT_MAX (256u << 10)
#define ARGUMENTS_MAX (64u << 10)
#define LATE_MAX (64u << 10)
#define CALLS_MAX 16

struct tool_call {
    json_int_t index;
    char *id, *name;
    struct rlx_bytes arguments;
};

struct rlx_llm_stream {
    struct rlx_llm_stream_handlers handlers;
    void *arg;
    struct rlx_sse *sse;
    struct tool_call calls[CALLS_MAX];
    size_t count;
    struct rlx_bytes late;
    bool begun, gave, in_tools, given_out, over;
    uint32_t prompt_tokens, completion_tokens;
    int err;
    const char *why;
    bool *freedp; /* set while a feed is on the stack */
};

static int destroy(struct rlx_llm_stream *s)
{
    if (s->freedp)
        *s->freedp = true;
    return 0;
}

static bool fail(struct rlx_llm_stream *s, int err, const char *why)
{
    s->err = err;
    s->why = why ? why : rlx_err_text(err);
    return false;
}

/* The following return false when the feed must stop: the stream was freed, or has failed. */

static bool give_text(struct rlx_llm_stream *s, const char *text)
{
    const bool *freedp = s->freedp;
    s->gave = true;
    s->handlers.text(text, s->arg);
    return !*freedp;
}

static bool give_tool(struct rlx_llm_stream *s, struct tool_call *call)
{
    const bool *freedp = s->freedp;
    if (!call->name)
        return true;
    if (rlx_bytes_add(&call->arguments, s, "", 1, ARGUMENTS_MAX + 1))
        return fail(s, -ENOMEM, NULL);
    const char *arguments = (const char *)call->arguments.data;
    s->gave = true;
    s->handlers.tool(call->id ? call->id : "call_0", call->name, *arguments ? arguments : "{}",
                     s->arg);
    return !*freedp;
}

/* The model is done: its tool calls are whole now. */
static bool give_out(struct rlx_llm_stream *s)
{
    if (s->given_out)
        return true;
    s->given_out = true;
    for (size_t i = 0; i < s->count; i++) {
        if (!give_tool(s, &s->calls[i]))
            return false;
    }
    if (!s->late.length)
        return true;
    if (rlx_bytes_add(&s->late, s, "", 1, LATE_MAX + 1))
        return fail(s, -ENOMEM, NULL);
    return give_text(s, (const char *)s->late.data);
}

/* Servers that leave the index out begin a call with a new id. */
static struct tool_call *find_call(struct rlx_llm_stream *s, const json_t *piece)
{
    const json_t *index = json_object_get(piece, "index");
    const char *id = json_string_value(json_object_get(piece, "id"));
    for (size_t i = s->count; i-- > 0;) {
        struct tool_call *call = &s->calls[i];
        bool other_id = id && *id && call->id && strcmp(id, call->id) != 0;
        if (json_is_integer(index) ? json_integer_value(index) == call->index && !other_id
                                   : !other_id)
            return call;
    }
    if (s->count == CALLS_MAX)
        return NULL;
    struct tool_call *call = &s->calls[s->count++];
    call->index = json_is_integer(index) ? json_integer_value(index) : (json_int_t)s->count;
    return call;
}

static bool keep_once(struct rlx_llm_stream *s, char **to, const json_t *text)
{
    const char *value = json_string_value(text);
    if (*to || !value || !*value)
        return true;
    *to = talloc_strdup(s, value);
    return *to || fail(s, -ENOMEM, NULL);
}

static bool take_piece(struct rlx_llm_stream *s, const json_t *piece)
{
    struct tool_call *call = find_call(s, piece);
    if (!call)
        return fail(s, RLX_ETOOBIG, "the model made too many tool calls at once");
    const json_t *function = json_object_get(piece, "function");
    const json_t *arguments = json_object_get(function, "arguments");
    if (!keep_once(s, &call->id, json_object_get(piece, "id")) ||
        !keep_once(s, &call->name, json_object_get(function, "name")))
        return false;
    int err = 0;
    if (json_is_string(arguments)) {
        err = rlx_bytes_add(&call->arguments, s, json_string_value(arguments),
                            json_string_length(arguments), ARGUMENTS_MAX);
    } else if (json_is_object(arguments)) { /* some servers give it parsed */
        char *text = json_dumps(arguments, JSON_COMPACT);
        err =
            text ? rlx_bytes_add(&call->arguments, s, text, strlen(text), ARGUMENTS_MAX) : -ENOMEM;
        free(text);
    }
    return !err || fail(s, err, "the model's tool arguments are too long");
}

static bool take_content(struct rlx_llm_stream *s, const json_t *content)
{
    const char *text = json_string_value(content);
    if (!text || !*text)
        return true;
    s->begun = true;
    if (!s->in_tools)
        return give_text(s, text);
    int err = rlx_bytes_add(&s->late, s, text, strlen(text), LATE_MAX);
    return !err || fail(s, err, "the model's text is too long");
}

static bool take_choice(struct rlx_llm_stream *s, const json_t *choice)
{
    const json_t *delta = json_object_get(choice, "delta"), *piece;
    const json_t *reason = json_object_get(choice, "finish_reason");
    size_t i;
    json_array_foreach(json_object_get(delta, "tool_calls"), i, piece)
    {
        s->begun = true;
        s->in_tools = true;
        if (!take_piece(s, piece))
            return false;
    }
    if (!take_content(s, json_object_get(delta, "content")))
        return false;
    return json_is_string(reason) ? give_out(s) : true;
}

static uint32_t count_of(const json_t *usage, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(usage, key));
    return value > 0 && value < UINT32_MAX ? (uint32_t)value : 0;
}

static void take_usage(struct rlx_llm_stream *s, const json_t *event)
{
    const json_t *usage = json_object_get(event, "usage");
    if (!json_is_object(usage))
        usage = json_object_get(json_object_get(event, "x_groq"), "usage");
    if (!json_is_object(usage))
        return;
    s->prompt_tokens = count_of(usage, "prompt_tokens");
    s->completion_tokens = count_of(usage, "completion_tokens");
}

static bool take_event(struct rlx_llm_stream *s, const json_t *event, const char *text,
                       size_t length)
{
    if (!json_is_object(event))
        return fail(s, RLX_EPROTO, "an event of the model's answer is no JSON object");
    const json_t *error = json_object_get(event, "error");
    if (error && !json_is_null(error)) {
        const char *message = rlx_provider_message(s, text, length);
        return fail(s, RLX_EPROVIDER, message ? message : "the model's answer holds an error");
    }
    take_usage(s, event);
    return take_choice(s, json_array_get(json_object_get(event, "choices"), 0));
}

static bool on_event(const char *data, size_t length, void *arg)
{
    struct rlx_llm_stream *s = arg;
    if (length == 6 && !memcmp(data, "[DONE]", 6)) {
        if (give_out(s))
            s->over = true;
        return false;
    }
    json_t *event = json_loadb(data, length, 0, NULL);
    bool going_on = take_event(s, event, data, length);
    json_decref(event);
    return going_on;
}

int rlx_llm_stream_create(struct rlx_llm_stream **streamp, TALLOC_CTX *ctx,
                          const struct rlx_llm_stream_handlers *handlers, void *arg)
{
    struct rlx_llm_stream *s = talloc_zero(ctx, struct rlx_llm_stream);
    if (!s)
        return -ENOMEM;
    s->handlers = *handlers;
    s->arg = arg;
    s->why = "";
    talloc_set_destructor(s, destroy);
    int err = rlx_sse_create(&s->sse, s, EVENT_MAX, on_event, s);
    if (err) {
        talloc_free(s);
        return err;
    }
    *streamp = s;
    return 0;
}

static int result(struct rlx_llm_stream *s, int sse_err)
{
    s->freedp = NULL;
    if (!s->err && sse_err < 0)
        fail(s, sse_err,
             sse_err == RLX_ETOOBIG ? "an event of the model's answer is too long" : NULL);
    if (!s->err && s->over && !s->gave)
        fail(s, RLX_EEMPTY, "the model answered nothing");
    if (s->err)
        return s->err;
    return s->over ? RLX_LLM_OVER : 0;
}

int rlx_llm_stream_feed(struct rlx_llm_stream *s, const void *bytes, size_t length)
{
    bool freed = false;
    if (s->err)
        return s->err;
    if (s->over)
        return RLX_LLM_OVER;
    s->freedp = &freed;
    int err = rlx_sse_feed(s->sse, bytes, length);
    return freed ? RLX_LLM_FREED : result(s, err);
}

/* A clean end without [DONE] is an end too: not all servers send it. */
int rlx_llm_stream_end(struct rlx_llm_stream *s)
{
    bool freed = false;
    if (s->err)
        return s->err;
    if (s->over)
        return RLX_LLM_OVER;
    s->freedp = &freed;
    int err = rlx_sse_end(s->sse);
    if (!freed && !s->err && err >= 0 && give_out(s))
        s->over = true;
    return freed ? RLX_LLM_FREED : result(s, err);
}

const char *rlx_llm_stream_why(const struct rlx_llm_stream *s)
{
    return s->why;
}

bool rlx_llm_stream_begun(const struct rlx_llm_stream *s)
{
    return s->begun;
}

bool rlx_llm_stream_gave(const struct rlx_llm_stream *s)
{
    return s->gave;
}

void rlx_llm_stream_usage(const struct rlx_llm_stream *s, uint32_t *promptp, uint32_t *completionp)
{
    *promptp = s->prompt_tokens;
    *completionp = s->completion_tokens;
}
