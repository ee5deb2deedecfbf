/* What a call would find: the same look-up, shown. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "api/knowledge.h"
#include "base/clock.h"
#include "call/phrases.h"
#include "knowledge/find.h"
#include "provider/embed.h"

#define EMBED_MS 2000

static json_t *rounded(float value)
{
    return json_real(round((double)value * 1000) / 1000);
}

static bool is_given(const struct rlx_answer_match *match, const char *text)
{
    for (int i = 0; i < 3; i++)
        if (match->passages[i] == text)
            return true;
    return false;
}

static json_t *answer_json(const struct rlx_answer_match *match)
{
    if (!match->id)
        return json_null();
    bool fires = match->kind == RLX_ANSWER_FIRE;
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:s?}", "id", match->id, "text", match->text,
                     "spoken", fires, "near", match->kind == RLX_ANSWER_NEAR, "score",
                     rounded(match->score), "margin", rounded(match->margin), "why_not",
                     fires || !match->why || !*match->why ? NULL : match->why);
}

static json_t *passages_json(const struct rlx_found *found, const struct rlx_answer_match *match,
                             bool embedded)
{
    json_t *list = json_array();

    for (size_t i = 0; i < found->count; i++) {
        const struct rlx_found_passage *p = &found->passages[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:s, s:o, s:o, s:o, s:b}", "id", p->chunk->id, "title",
                            p->chunk->title, "chunk", p->chunk->number, "text", p->text, "score",
                            rounded(p->score), "similarity",
                            embedded ? rounded(p->similarity) : json_null(), "words",
                            p->words > 0 ? rounded(p->words) : json_null(), "given",
                            is_given(match, p->text)));
    }
    return list;
}

static json_t *texts_json(const char *const *texts)
{
    json_t *list = json_array();

    for (; *texts; texts++)
        json_array_append_new(list, json_string(*texts));
    return list;
}

static int look_up(json_t **answerp, struct rlx_request *req, struct rlx_api *api,
                   const struct rlx_known *known, const char *text)
{
    struct rlx_answers_query query = {.heard = text};
    struct rlx_answer_match match;
    struct rlx_found found;
    float *vector = NULL;
    size_t dim = 0;
    const char *bare = rlx_text_bare(req, text);
    uint64_t began_us = rlx_now_us();

    if (bare && *bare && !rlx_embed_blocking(&vector, &dim, req, api->config, &bare, 1, EMBED_MS)) {
        query.vector = vector;
        query.dim = dim;
    }
    uint64_t embedded_us = rlx_now_us();
    rlx_find(&found, req, known, text, vector, dim);
    rlx_known_match(known, &query, &found, &match);
    *answerp =
        json_pack("{s:s, s:b, s:f, s:f, s:o, s:o, s:o}", "query", text, "embedded", vector != NULL,
                  "embed_ms", (double)(embedded_us - began_us) / 1000, "search_ms",
                  (double)(rlx_now_us() - embedded_us) / 1000, "answer", answer_json(&match),
                  "passages", passages_json(&found, &match, vector != NULL), "always",
                  texts_json(rlx_known_inline(known)));
    return *answerp ? 0 : -ENOMEM;
}

void rlx_api_knowledge_search(struct rlx_request *req, void *arg)
{
    struct rlx_api *api = arg;
    const char *id = rlx_api_id(req, "agent_id");
    struct rlx_known *known = NULL;
    json_t *agent = NULL, *answer = NULL;

    if (!rlx_knowledge_agent(req, api, id, &agent))
        return;
    int err = rlx_known_load(&known, api->store, id,
                             json_string_value(json_object_get(agent, "knowledge_mode")));
    if (!err)
        err = look_up(&answer, req, api, known, rlx_request_query(req, "q"));
    if (err)
        rlx_api_reply_store(req, err, "knowledge");
    else
        rlx_reply_json(req, 200, answer);
    rlx_known_drop(known);
    json_decref(agent);
}
