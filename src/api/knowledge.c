/* An agent's knowledge: texts and approved answers. */
#include <errno.h>
#include <string.h>

#include "api/private.h"
#include "base/clock.h"
#include "base/log.h"
#include "call/phrases.h"
#include "provider/embed.h"
#include "store/agents.h"
#include "store/jobs.h"

#define EMBED_MS 2000
#define QUESTIONS_MAX 50
#define CONTENT_MAX 2000 /* bytes that are embedded */

void rlx_api_knowledge_list(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *cursor, *id = rlx_api_id(req, "agent_id"), *user = rlx_api_user(req);
    char *json = NULL, *next = NULL;
    int64_t total = 0;
    int limit;

    rlx_api_page_of(req, &limit, &cursor);
    int err = rlx_knowledge_list(api->store, req, user, id, limit, cursor, &json, &next, &total);
    if (err)
        rlx_api_reply_store(req, err, "agent");
    else
        rlx_api_reply_list(req, json, next, total);
}

/* The texts whose vectors are kept: the ways to ask (bare, as the matcher compares them) of an
 * answer, else title and content. */
static int embed(float **vectorsp, size_t *countp, size_t *dimp, struct rlx_request *req,
                 struct rlx_api *api, const json_t *fields)
{
    const json_t *asked = json_object_get(fields, "questions");
    const char *texts[QUESTIONS_MAX];
    size_t count = json_array_size(asked);
    TALLOC_CTX *tmp = talloc_new(req);

    for (size_t i = 0; i < count; i++)
        texts[i] = rlx_text_bare(tmp, json_string_value(json_array_get(asked, i)));
    const char *content = json_string_value(json_object_get(fields, "content"));
    if (!count)
        texts[count++] =
            talloc_asprintf(tmp, "%s. %.*s", json_string_value(json_object_get(fields, "title")),
                            rlx_utf8_clip(content, CONTENT_MAX), content);
    int err = 0;
    for (size_t i = 0; i < count; i++)
        if (!texts[i])
            err = -ENOMEM;
    if (!err)
        err = rlx_embed_blocking(vectorsp, dimp, req, api->config, texts, count, EMBED_MS);
    *countp = err ? 0 : count;
    talloc_free(tmp);
    return err;
}

static void embed_later(struct rlx_api *api, const char *json)
{
    json_t *row = json_loads(json, 0, NULL);
    const char *id = json_string_value(json_object_get(row, "id"));
    json_t *payload = json_pack("{s:s*}", "knowledge_id", id);
    char key[64];

    snprintf(key, sizeof key, "embed:%s", id ? id : "");
    int err = payload ? rlx_job_add(api->store, "embed", key, payload, rlx_wall_ms()) : -ENOMEM;
    if (err)
        rlx_log(RLX_WARN, "knowledge.embed_later", "error=%s", rlx_err_text(err));
    json_decref(payload);
    json_decref(row);
}

/* An entry with ways to ask is an answer, also when it does not say so. */
static bool answer_has_questions(struct rlx_request *req, json_t *fields)
{
    const char *type = json_string_value(json_object_get(fields, "source_type"));
    size_t count = json_array_size(json_object_get(fields, "questions"));

    if (!type && count) {
        json_object_set_new(fields, "source_type", json_string("answer"));
        type = "answer";
    }
    bool answer = type && !strcmp(type, "answer");

    if (answer == (count > 0))
        return true;
    const char *message = answer ? "are missing: an answer needs at least one way to ask"
                                 : "are only for an answer (source_type \"answer\")";
    rlx_api_invalid(req, "questions", message);
    return false;
}

void rlx_api_knowledge_create(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *user = rlx_api_user(req);
    float *vectors = NULL;
    size_t count = 0, dim = 0;
    char *json = NULL;

    json_t *fields = rlx_api_body(req);
    if (!answer_has_questions(req, fields))
        goto out;
    int err = rlx_agent_get(api->store, req, user,
                            json_string_value(json_object_get(fields, "agent_id")), &json);
    int embedded = err ? err : embed(&vectors, &count, &dim, req, api, fields);
    if (!err)
        err = rlx_knowledge_create(api->store, req, user, fields, vectors, count, dim, &json);
    if (err) {
        rlx_api_reply_store(req, err, "agent");
        goto out;
    }
    if (embedded &&
        embedded !=
            RLX_ENOTFOUND) /* RLX_ENOTFOUND: there is no embedding server, nothing to wait for */
        embed_later(api, json);
    rlx_api_reply_text(req, 201, json);
out:
    json_decref(fields);
}

void rlx_api_knowledge_delete(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "knowledge_id"), *user = rlx_api_user(req);

    int err = rlx_knowledge_delete(api->store, user, id);
    if (err)
        rlx_api_reply_store(req, err, "knowledge");
    else
        rlx_api_reply_message(req, "Knowledge deleted");
}
