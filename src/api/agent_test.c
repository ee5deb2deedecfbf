/* A text chat with an agent: the prompt, the knowledge and the tools of a call, its answer as server-sent events.
 *
 * The model is asked on a loop of the connection's own thread, which runs while the stream is read. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "call/phrases.h"
#include "call/prompt.h"
#include "call/template.h"
#include "call/tools.h"
#include "knowledge/find.h"
#include "provider/embed.h"
#include "provider/providers.h"
#include "provider/wish.h"
#include "store/agents.h"
#include "store/secrets.h"
#include "store/usage.h"

#define EMBED_MS 2000
#define HISTORY_CHARS 6000 /* as in a call */
#define TICK_MS 300
#define TURNS_MAX 100

struct chat {
    struct rlx_api *api;
    json_t *agent, *body, *values;
    const struct rlx_config *config; /* the user's */
    struct rlx_known *known;
    struct rlx_found found;
    struct rlx_answer_match match;
    uint64_t began_us;
    double embed_ms, search_ms;
    /* the model */
    uv_loop_t loop;
    bool has_loop;
    uv_timer_t tick;
    struct rlx_net *net;
    TALLOC_CTX *users; /* of the net */
    struct rlx_llm_job *job;
    struct rlx_meter *meter;
    char user_id[37];
    /* what goes out */
    char *out;
    size_t offset;
    char *said;
    const char *source;
    double first_ms;
    bool ended;
    char *place; /* among the live streams; NULL = none yet */
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static double since_ms(uint64_t began_us)
{
    uint64_t hundredths = (rlx_now_us() - began_us) / 10;

    return (double)hundredths / 100.0;
}

/* Takes data over. */
static void event(struct chat *chat, const char *kind, json_t *data)
{
    char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;

    if (text)
        chat->out = chat->out ? talloc_asprintf_append(chat->out, "event: %s\ndata: %s\n\n", kind, text)
                              : talloc_asprintf(chat, "event: %s\ndata: %s\n\n", kind, text);
    free(text);
    json_decref(data);
}

static void say(struct chat *chat, const char *text)
{
    if (chat->first_ms <= 0)
        chat->first_ms = since_ms(chat->began_us);
    chat->said = talloc_strdup_append(chat->said, text);
    event(chat, "token", json_pack("{s:s}", "text", text));
}

static void finish(struct chat *chat, const struct rlx_llm_usage *usage)
{
    json_t *timings = json_pack("{s:f,s:f,s:f,s:f}", "embed_ms", chat->embed_ms, "search_ms", chat->search_ms,
                                "first_token_ms", chat->first_ms, "total_ms", since_ms(chat->began_us));
    json_t *tokens = usage ? json_pack("{s:i,s:i}", "prompt", (int)usage->prompt_tokens, "completion",
                                       (int)usage->completion_tokens)
                           : json_null();

    event(chat, "done", json_pack("{s:s,s:s,s:o,s:o}", "text", chat->said, "source", chat->source, "timings",
                                  timings, "tokens", tokens));
    chat->ended = true;
}

/* ---- the model ---- */

static void llm_text(const char *text, void *arg)
{
    say(arg, text);
}

static void llm_tool(const char *id, const char *name, const char *arguments, void *arg)
{
    json_t *parsed = json_loads(arguments, 0, NULL);
    const char *words = text_of(parsed, "say");

    (void)id;
    if (*words)
        say(arg, words);
    event(arg, "tool", json_pack("{s:s,s:o}", "name", name, "arguments", parsed ? parsed : json_object()));
}

static void llm_done(int err, const struct rlx_llm_usage *usage, const char *why, void *arg)
{
    struct chat *chat = arg;

    chat->job = NULL;
    if (err) {
        event(chat, "error", json_pack("{s:s,s:s}", "detail", why && *why ? why : rlx_err_text(err), "code", "provider_failed"));
        chat->ended = true;
    } else {
        finish(chat, usage);
    }
}

static void tick(uv_timer_t *timer)
{
    (void)timer; /* it ends the wait */
}

/* Roles and texts of the body's messages. */
static struct rlx_prompt_turn *turns_of(struct chat *chat, size_t *countp)
{
    const json_t *messages = json_object_get(chat->body, "messages"), *message;
    struct rlx_prompt_turn *turns = talloc_array(chat, struct rlx_prompt_turn, TURNS_MAX);
    size_t i;

    *countp = 0;
    json_array_foreach ((json_t *)(uintptr_t)messages, i, message) {
        if (!turns || i == TURNS_MAX)
            break;
        turns[(*countp)++] = (struct rlx_prompt_turn){text_of(message, "role"), text_of(message, "content")};
    }
    return turns;
}

static char *prompt_of(struct chat *chat)
{
    const char *passages[4] = {NULL};
    size_t count;
    struct rlx_prompt_turn *turns = turns_of(chat, &count);
    char *prompt = rlx_template_fill(chat, text_of(chat->agent, "prompt_text"), chat->values);
    char *system = rlx_prompt_system(chat, prompt, chat->known ? rlx_known_inline(chat->known) : NULL);

    memcpy(passages, chat->match.passages, sizeof chat->match.passages);
    return turns && system ? rlx_prompt_messages(chat, system, turns, count, passages, HISTORY_CHARS) : NULL;
}

static int ask(struct chat *chat, char **whyp)
{
    static const struct rlx_llm_handlers handlers = {llm_text, llm_tool, llm_done};
    struct rlx_llm *llm = NULL;

    chat->users = talloc_new(NULL);
    int err = uv_loop_init(&chat->loop);
    if (err)
        return err;
    chat->has_loop = true;
    uv_timer_init(&chat->loop, &chat->tick);
    err = rlx_net_create(&chat->net, chat, &chat->loop);
    if (!err)
        err = rlx_llm_open(&llm, chat->users, chat->net, chat->config, whyp);
    if (err)
        return err;
    err = rlx_meter_create(&chat->meter, chat);
    if (err)
        return err;
    rlx_meter_own_keys(chat->meter, chat->api->config, chat->config);
    const struct rlx_llm_options options = {
        .meter = chat->meter,
        .model = *text_of(chat->body, "llm_model") ? text_of(chat->body, "llm_model") : text_of(chat->agent, "llm_model"),
        .messages = prompt_of(chat),
        .tools = rlx_tools_for(rlx_llm_name(llm)),
        .temperature = json_number_value(json_object_get(chat->agent, "temperature")),
        .max_tokens = (uint32_t)json_integer_value(json_object_get(chat->agent, "max_tokens")),
    };
    return options.messages ? rlx_llm_start(&chat->job, llm, &options, &handlers, chat) : -ENOMEM;
}

/* What the chat cost. */
static void count_usage(struct chat *chat)
{
    char ref[RLX_UUID_TEXT];
    char *items = rlx_meter_json(chat, chat->meter);

    rlx_uuid(ref);
    int err = items ? rlx_usage_put_json(chat->api->store, ref, chat->user_id, items, rlx_wall_ms()) : 0;
    if (err)
        rlx_log(RLX_WARN, "agent_test.usage", "error=%s", rlx_err_text(err));
}

static int chat_end(struct chat *chat)
{
    rlx_llm_cancel(chat->job);
    count_usage(chat);
    talloc_free(chat->users);
    if (chat->net)
        rlx_net_close(chat->net);
    if (chat->has_loop) {
        uv_close((uv_handle_t *)&chat->tick, NULL);
        uv_run(&chat->loop, UV_RUN_DEFAULT);
        TALLOC_FREE(chat->net);
        uv_loop_close(&chat->loop);
    }
    rlx_known_drop(chat->known);
    json_decref(chat->values);
    json_decref(chat->agent);
    json_decref(chat->body);
    if (chat->place)
        rlx_api_stream_close(chat->api, chat->place);
    return 0;
}

/* ---- the look-up ---- */

static bool is_question(const char *text)
{
    size_t length = strlen(text);

    return length && text[length - 1] == '?';
}

/* What the agent knows of the last words; as in a call. */
static int look_up(struct chat *chat, const char *text, const char *before)
{
    struct rlx_answers_query query = {.heard = text, .agent_asked = is_question(before)};
    const char *bare = rlx_text_bare(chat, text);
    float *vector = NULL;
    size_t dim = 0;
    uint64_t began_us = rlx_now_us();

    if (bare && *bare && !rlx_embed_blocking(&vector, &dim, chat, chat->config, &bare, 1, EMBED_MS)) {
        query.vector = vector;
        query.dim = dim;
    }
    chat->embed_ms = since_ms(began_us);
    began_us = rlx_now_us();
    rlx_find(&chat->found, chat, chat->known, text, vector, dim);
    rlx_known_match(chat->known, &query, &chat->found, &chat->match);
    chat->search_ms = since_ms(began_us);
    return 0;
}

static void tell_passages(struct chat *chat)
{
    json_t *list = json_array();

    for (size_t i = 0; i < 3 && chat->match.passages[i]; i++)
        json_array_append_new(list, json_string(chat->match.passages[i]));
    if (json_array_size(list))
        event(chat, "passages", json_pack("{s:O}", "passages", list));
    json_decref(list);
}

/* ---- the stream ---- */

static ssize_t chat_read(void *buffer, size_t size, void *arg)
{
    struct chat *chat = arg;

    if (!chat->out && !chat->ended) {
        uv_timer_start(&chat->tick, tick, TICK_MS, 0);
        uv_run(&chat->loop, UV_RUN_ONCE);
    }
    if (!chat->out)
        return chat->ended || atomic_load(&chat->api->stopping) ? RLX_STREAM_END : 0;
    size_t n = strlen(chat->out + chat->offset);
    n = n < size ? n : size;
    memcpy(buffer, chat->out + chat->offset, n);
    chat->offset += n;
    if (!chat->out[chat->offset]) {
        TALLOC_FREE(chat->out);
        chat->offset = 0;
    }
    return (ssize_t)n;
}

static void chat_done(void *arg)
{
    talloc_free(arg);
}

/* The agent, the values of its templates, and what it knows; an error as rlx_api_reply_store takes it. */
static int prepare(struct chat *chat, struct rlx_request *req)
{
    const char *id = rlx_api_id(req, "agent_id"), *user = rlx_api_user(req);
    char *json = NULL;
    int err = rlx_agent_get(chat->api->store, chat, user, id, &json);

    if (err)
        return err;
    snprintf(chat->user_id, sizeof chat->user_id, "%s", user);
    chat->agent = json_loads(json, 0, NULL);
    chat->body = rlx_api_body(req);
    json_t *call = json_pack("{s:O?,s:O}", "variables", json_object_get(chat->body, "variables"), "agent", chat->agent);
    chat->values = rlx_template_values(call);
    json_decref(call);
    chat->said = talloc_strdup(chat, "");
    err = rlx_user_config(chat->api->store, chat->api->config, chat, user, &chat->config);
    if (!err)
        err = rlx_config_wish(&chat->config, chat, chat->config, json_object_get(chat->agent, "providers"));
    return err ? err : rlx_known_load(&chat->known, chat->api->store, id, text_of(chat->agent, "knowledge_mode"));
}

/* Without messages it is the greeting's turn. */
static void greet(struct chat *chat)
{
    const char *greeting = text_of(chat->agent, "greeting");

    chat->source = "greeting";
    if (*greeting)
        say(chat, rlx_template_fill(chat, greeting, chat->values));
    else
        say(chat, talloc_asprintf(chat, "Hello, this is %s, an AI assistant. Is now a good time?",
                                  text_of(chat->agent, "name")));
    finish(chat, NULL);
}

static int answer(struct chat *chat, char **whyp)
{
    const json_t *messages = json_object_get(chat->body, "messages");
    size_t count = json_array_size(messages);

    if (!count) {
        greet(chat);
        return 0;
    }
    const char *before = count > 1 ? text_of(json_array_get(messages, count - 2), "content") : "";
    int err = look_up(chat, text_of(json_array_get(messages, count - 1), "content"), before);
    if (err)
        return err;
    tell_passages(chat);
    if (chat->match.kind == RLX_ANSWER_FIRE) {
        chat->source = "answer";
        event(chat, "answer", json_pack("{s:s,s:f}", "id", chat->match.id, "score", (double)chat->match.score));
        say(chat, chat->match.text);
        finish(chat, NULL);
        return 0;
    }
    chat->source = "llm";
    return ask(chat, whyp);
}

void rlx_api_agent_test(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    struct chat *chat = talloc_zero(NULL, struct chat); /* outlives the request */
    char *why = NULL;

    if (!chat) {
        rlx_reply_error(req, -ENOMEM, NULL);
        return;
    }
    chat->api = api;
    chat->began_us = rlx_now_us();
    talloc_set_destructor(chat, chat_end);
    if (!rlx_api_stream_open(req, api, &chat->place)) {
        talloc_free(chat);
        return;
    }
    int err = prepare(chat, req);
    if (!err)
        err = answer(chat, &why);
    if (err == RLX_ECONFIG)
        rlx_api_reply_code(req, 424, "not_configured", why ? why : "no language model is configured");
    else if (err)
        rlx_api_reply_store(req, err, "agent");
    if (err) {
        talloc_free(chat);
        return;
    }
    rlx_reply_header(req, "Cache-Control", "no-store");
    rlx_reply_header(req, "X-Accel-Buffering", "no");
    rlx_reply_stream(req, 200, "text/event-stream", chat_read, chat_done, chat);
}
