/* An agent's knowledge: texts and approved answers. */
#include "api/knowledge.h"

#include <errno.h>
#include <string.h>

#include "extract/chunk.h"
#include "knowledge/embed.h"
#include "store/agents.h"
#include "store/knowledge.h"

#define EMBED_MS 2000
#define EMBED_AT_ONCE 50 /* texts: an answer has at most so many ways to ask */
#define EMBED_CHUNKS 4

void rlx_api_knowledge_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor, *id = rlx_api_id(req, "agent_id"), *user = rlx_api_user(req);
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_knowledge_list(api->store, req, user, id, rlx_request_query(req, "q"), limit,
                                 cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_list(req, json, next, total);
}

void rlx_api_knowledge_get(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    char *json = NULL;
    int err = rlx_knowledge_get(api->store, req, rlx_api_user(req), rlx_api_id(req, "knowledge_id"),
                                &json);

    if (err)
        rlx_api_reply_store(req, err, "knowledge");
    else
        rlx_api_reply_text(req, 200, json);
}

bool rlx_knowledge_agent(struct rlx_request *req, struct rlx_api *api, const char *agent_id,
                         json_t **agentp)
{
    char *json = NULL;
    int err = rlx_agent_get(api->store, req, rlx_api_user(req), agent_id, &json);

    if (err)
        rlx_api_reply_store(req, err, "agent");
    else if (agentp)
        *agentp = json_loads(json, 0, NULL);
    return !err;
}

/* ---- writing ---- */

static const char *text_of(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));

    return text ? text : "";
}

/* Vectors of a small entry; a large one, or one that can't be embedded now, is left to the worker.
 */
static void embed_small(struct rlx_knowledge_parts *parts, struct rlx_request *req,
                        struct rlx_api *api, const json_t *entry)
{
    const json_t *questions = json_object_get(entry, "questions");
    const char **texts = NULL;
    float *vectors = NULL;
    size_t count = 0, dim = 0;

    if (json_array_size(questions) > EMBED_AT_ONCE ||
        (!json_array_size(questions) && parts->chunk_count > EMBED_CHUNKS))
        return;
    int err = rlx_knowledge_texts(&texts, &count, req, text_of(entry, "title"), questions,
                                  parts->chunks, parts->chunk_count);
    if (!err && count)
        err = rlx_knowledge_vectors(&vectors, &dim, req, api->config, texts, count, EMBED_MS);
    if (err || !count)
        return;
    parts->vectors = vectors;
    parts->vector_count = count;
    parts->dim = dim;
}

void rlx_knowledge_write(struct rlx_request *req, struct rlx_api *api, const char *id,
                         const json_t *entry)
{
    const char *user = rlx_api_user(req);
    struct rlx_knowledge_parts parts = {.chunks = NULL};
    char **chunks = NULL, *json = NULL;
    int err = rlx_chunks_make(&chunks, &parts.chunk_count, req, text_of(entry, "content"));

    parts.chunks = chunks;
    if (!err)
        embed_small(&parts, req, api, entry);
    if (!err)
        err = id ? rlx_knowledge_update(api->store, req, user, id, entry, &parts, &json)
                 : rlx_knowledge_create(api->store, req, user, entry, &parts, &json);
    if (err == RLX_ETOOBIG)
        rlx_api_invalid(req, "content",
                        "would make the agent's knowledge larger than 10000 passages of 150 words");
    else if (err)
        rlx_api_reply_store(req, err, id ? "knowledge" : "agent");
    else
        rlx_api_reply_text(req, id ? 200 : 201, json);
}

void rlx_knowledge_take(struct rlx_request *req, struct rlx_api *api, const json_t *body,
                        const char *source_type, const char *source_url,
                        const struct rlx_extracted *extracted, const char *fallback)
{
    const char *title = text_of(body, "title");

    if (!title[strspn(title, " \t\r\n")])
        title = extracted->title ? extracted->title : fallback;
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s*}", "agent_id", text_of(body, "agent_id"),
                              "title", title, "content", extracted->text, "source_type",
                              source_type, "source_url", source_url);
    if (entry)
        rlx_knowledge_write(req, api, NULL, entry);
    else
        rlx_api_invalid(req, "title", "must be a text");
    json_decref(entry);
}

/* An entry with ways to ask is an answer, also when it does not say so. */
static bool answer_has_questions(struct rlx_request *req, json_t *entry)
{
    const char *type = json_string_value(json_object_get(entry, "source_type"));
    size_t count = json_array_size(json_object_get(entry, "questions"));

    if ((!type || !strcmp(type, "manual")) && count) {
        json_object_set_new(entry, "source_type", json_string("answer"));
        type = "answer";
    }
    bool answer = type && !strcmp(type, "answer");

    if (answer == (count > 0))
        return true;
    rlx_api_invalid(req, "questions",
                    answer ? "an answer needs at least one way to ask"
                           : "only an answer (source_type \"answer\") has ways to ask");
    return false;
}

void rlx_api_knowledge_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    json_t *entry = rlx_api_body(req);

    if (answer_has_questions(req, entry) &&
        rlx_knowledge_agent(req, api, text_of(entry, "agent_id"), NULL))
        rlx_knowledge_write(req, api, NULL, entry);
    json_decref(entry);
}

void rlx_api_knowledge_update(struct rlx_request *req, void *arg)
{
    static const char *const kept[] = {"title", "content", "source_type", "questions"};
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "knowledge_id");
    json_t *entry = rlx_api_body(req), *old = NULL;
    char *json = NULL;
    int err = rlx_knowledge_get(api->store, req, rlx_api_user(req), id, &json);

    if (err) {
        rlx_api_reply_store(req, err, "knowledge");
        goto out;
    }
    old = json_loads(json, 0, NULL);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (!json_object_get(entry, kept[i]))
            json_object_set(entry, kept[i], json_object_get(old, kept[i]));
    if (answer_has_questions(req, entry))
        rlx_knowledge_write(req, api, id, entry);
out:
    json_decref(old);
    json_decref(entry);
}

void rlx_api_knowledge_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    int err = rlx_knowledge_delete(api->store, rlx_api_user(req), rlx_api_id(req, "knowledge_id"));

    if (err)
        rlx_api_reply_store(req, err, "knowledge");
    else
        rlx_api_reply_message(req, "Knowledge deleted");
}
