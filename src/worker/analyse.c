/* The analysis job: the model's words held against the transcript, or the rules alone. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "provider/providers.h"
#include "store/calls.h"
#include "store/secrets.h"
#include "store/usage.h"
#include "worker/analysis.h"
#include "worker/tasks.h"

#define TRANSCRIPT_MAX 2500 /* characters: a small model's context */
#define ANSWER_TOKENS 400
#define TIMEOUT_MS 60000
#define MODEL_TRIES 2
#define STORE_TRIES 50

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* The user's own keys in the places of the server's; without them, or when they can't be read, the
 * server's. */
static const struct rlx_config *config_of(const struct rlx_task *task, TALLOC_CTX *ctx,
                                          const json_t *call, struct rlx_meter *meter)
{
    const struct rlx_config *config = task->config;

    if (rlx_user_config(task->store, task->config, ctx, text_of(call, "user_id"), &config))
        config = task->config;
    rlx_meter_own_keys(meter, task->config, config);
    return config;
}

/* What the analysis cost: an occasion of its own, since it may be made again. */
static void count(const struct rlx_task *task, const json_t *call, const struct rlx_meter *meter)
{
    char ref[RLX_UUID_TEXT];
    char *items = rlx_meter_json(NULL, meter);

    rlx_uuid(ref);
    int err =
        items ? rlx_usage_put_json(task->store, ref, text_of(call, "user_id"), items, rlx_wall_ms())
              : 0;
    if (err)
        rlx_log(RLX_WARN, "analysis.usage", "call_id=%s error=%s", text_of(call, "id"),
                rlx_err_text(err));
    talloc_free(items);
}

/* A model's usable answer, or NULL with the reason. */
static json_t *ask_model(const struct rlx_task *task, TALLOC_CTX *ctx, const json_t *call,
                         struct rlx_meter *meter, const char **whyp)
{
    const json_t *agent = json_object_get(call, "agent");
    char *messages = rlx_analysis_messages(ctx, call, TRANSCRIPT_MAX);
    const struct rlx_config *config = config_of(task, ctx, call, meter);
    bool cloud = *rlx_config_get(config, RLX_CFG_OPENAI_API_KEY) ||
                 *rlx_config_get(config, RLX_CFG_GROQ_API_KEY);
    char *schema = rlx_analysis_schema(ctx, json_object_get(agent, "extraction"), !cloud);
    const char *model = json_string_value(json_object_get(agent, "llm_model"));
    json_t *answer = NULL;

    *whyp = "out of memory";
    for (int i = 0; i < MODEL_TRIES && messages && schema; i++) {
        char *text = NULL, *why = NULL;
        int err = rlx_llm_blocking_metered(meter, &text, ctx, config, model, messages, schema,
                                           ANSWER_TOKENS, TIMEOUT_MS, &why);
        if (err) {
            *whyp = why ? why : rlx_err_text(err);
            break; /* the chain has tried every provider already */
        }
        if (!rlx_analysis_parse(&answer, text, whyp))
            return answer;
        rlx_log(RLX_INFO, "analysis.answer", "call_id=%s try=%d why=%s", text_of(call, "id"), i + 1,
                *whyp);
    }
    return NULL;
}

static json_t *analyse(const struct rlx_task *task, TALLOC_CTX *ctx, const json_t *call)
{
    const json_t *fields = json_object_get(json_object_get(call, "agent"), "extraction");
    struct rlx_evidence *evidence = NULL;
    const char *why = NULL;

    struct rlx_meter *meter = NULL;

    if (rlx_evidence_create(&evidence, ctx, call) || rlx_meter_create(&meter, ctx))
        return NULL;
    if (!rlx_evidence_spoke(evidence)) /* nothing for a model to read */
        return rlx_analysis_rules(evidence, fields);
    json_t *model = ask_model(task, ctx, call, meter, &why);
    count(task, call, meter);
    if (model) {
        json_t *checked = rlx_analysis_check(evidence, model, fields);
        json_decref(model);
        return checked;
    }
    json_t *rules = rlx_analysis_rules(evidence, fields);
    json_array_append_new(json_object_get(rules, "notes"),
                          json_sprintf("made without a model: %.*s", rlx_clip(why, 300), why));
    return rules;
}

static void save(const struct rlx_task *task, const char *call_id, const json_t *analysis)
{
    int err = analysis ? rlx_analysis_save(task->store, call_id, analysis)
                       : rlx_analysis_fail(task->store, call_id, "it could not be made");

    if (!err) {
        rlx_log(RLX_INFO, "analysis.saved", "call_id=%s method=%s outcome=%s", call_id,
                text_of(analysis, "method"), text_of(analysis, "outcome"));
        rlx_task_done(task);
    } else if (task->job->attempts < STORE_TRIES) {
        rlx_task_again(task, rlx_err_text(err), 2000);
    } else {
        rlx_task_dead(task, rlx_err_text(err));
    }
}

void rlx_task_analyse(const struct rlx_task *task)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    const char *call_id = text_of(task->job->payload, "call_id");
    json_t *call = NULL, *analysis = NULL;
    int err = rlx_call_load(task->store, ctx, call_id, &call);

    if (err == RLX_ENOTFOUND) {
        rlx_task_dead(task, "the call is gone");
    } else if (err) {
        rlx_task_again(task, rlx_err_text(err), 2000);
    } else {
        analysis = analyse(task, ctx, call);
        save(task, call_id, analysis);
    }
    json_decref(analysis);
    json_decref(call);
    talloc_free(ctx);
}
