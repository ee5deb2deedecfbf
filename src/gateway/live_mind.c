/* Speech to text, knowledge and the language model of one call: the conversation's jobs on the providers. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "call/phrases.h"
#include "call/tools.h"
#include "gateway/finder.h"
#include "gateway/live_private.h"

#define HISTORY_CHARS 6000
#define EMBED_LIMIT_MS 400 /* look-up must not hold up a turn: late = go on without vectors */

struct rlx_mind {
    struct rlx_live *live;
    LIST_HEAD(, job) jobs;
    struct rlx_answer_match exact; /* the newest match without embeddings: its event waits for the actions at hand */
};

struct job {
    LIST_ENTRY(job) link;
    struct rlx_mind *mind;
    uint32_t number;
    uint64_t started_ms;
    struct rlx_stt_job *stt;
    struct rlx_llm_job *llm;
    struct rlx_embed_job *embed;
    struct rlx_finder_job *find;
    char *heard; /* of a look-up */
    struct rlx_answers_query query;
};

static int job_end(struct job *job)
{
    rlx_stt_cancel(job->stt);
    rlx_llm_cancel(job->llm);
    rlx_embed_cancel(job->embed);
    rlx_finder_cancel(job->find);
    LIST_REMOVE(job, link);
    return 0;
}

int rlx_mind_create(struct rlx_mind **mindp, struct rlx_live *live)
{
    struct rlx_mind *mind = talloc_zero(live, struct rlx_mind);

    if (!mind)
        return -ENOMEM;
    mind->live = live;
    LIST_INIT(&mind->jobs);
    *mindp = mind;
    return 0;
}

static struct job *job_new(struct rlx_mind *mind, uint32_t number)
{
    struct job *job = talloc_zero(mind, struct job);

    if (!job)
        return NULL;
    job->mind = mind;
    job->number = number;
    job->started_ms = rlx_now_ms();
    LIST_INSERT_HEAD(&mind->jobs, job, link);
    talloc_set_destructor(job, job_end);
    return job;
}

void rlx_mind_cancel(struct rlx_mind *mind, uint32_t number)
{
    struct job *job;

    LIST_FOREACH(job, &mind->jobs, link) {
        if (job->number == number && number) {
            talloc_free(job);
            return;
        }
    }
}

/* ---- speech to text ---- */

static void stt_done(int err, const struct rlx_stt_result *result, const char *why, void *arg)
{
    struct job *job = arg;
    struct rlx_live *live = job->mind->live;
    struct rlx_conv_event event = {.kind = RLX_EV_STT, .job = job->number, .err = err};

    job->stt = NULL;
    if (err)
        rlx_log(RLX_WARN, "stt.failed", "call_id=%s why=%s", live->setup->call_id, why ? why : "");
    if (result) {
        event.stt.text = result->text;
        event.stt.voiced_ms = result->voiced_ms;
        event.stt.avg_logprob = result->avg_logprob;
        event.stt.took_ms = (uint32_t)(rlx_now_ms() - job->started_ms);
        event.stt.queue_ms = result->queue_ms;
    }
    talloc_free(job);
    rlx_live_input(live, &event);
}

/* A job that can't even be started fails like any other, but not before the actions at hand are done. */
static void fail_later(struct rlx_mind *mind, enum rlx_conv_event_kind kind, uint32_t number,
                       int err)
{
    struct rlx_conv_event event = {.kind = kind, .job = number, .err = err};

    rlx_live_input(mind->live, &event);
}

void rlx_mind_hear(struct rlx_mind *mind, const struct rlx_conv_action *action)
{
    struct rlx_live *live = mind->live;
    struct job *job = job_new(mind, action->job);
    struct rlx_stt_options options = {.language = live->setup->language,
                                      .prompt = action->stt.hint,
                                      .meter = live->setup->meter};
    size_t length;
    const uint8_t *ulaw =
        rlx_ears_slice(live->ears, action->stt.from_ms, action->stt.to_ms, &length);
    int err = job ? rlx_stt_start(&job->stt, live->setup->providers->stt, ulaw, length, &options,
                                  stt_done, job)
                  : -ENOMEM;

    if (err) {
        talloc_free(job);
        fail_later(mind, RLX_EV_STT, action->job, err);
    }
}

/* ---- knowledge ---- */

/* The answer's own conditions are judged here: a few vectors. Passages were found on a thread. */
static void match(struct job *job, const struct rlx_found *passages)
{
    struct rlx_live *live = job->mind->live;
    struct rlx_answer_match found;
    struct rlx_conv_event event = {
        .kind = RLX_EV_KNOWLEDGE,
        .job = job->number,
        .knowledge = {.match = &found, .took_ms = (uint32_t)(rlx_now_ms() - job->started_ms)},
    };

    rlx_known_match(live->setup->known, &job->query, passages, &found);
    rlx_log(RLX_DEBUG, "answer.match", "call_id=%s kind=%d score=%.3f margin=%.3f why=%s",
            live->setup->call_id, (int)found.kind, (double)found.score, (double)found.margin,
            found.why ? found.why : "");
    job->number = 0; /* done: nothing that follows may cancel, and free, it */
    rlx_live_input(live, &event);
}

static void found_passages(const struct rlx_found *passages, void *arg)
{
    struct job *job = arg;

    job->find = NULL;
    match(job, passages);
    talloc_free(job);
}

/* False when nothing is to be waited for: there are no passages, or they can't be looked for. */
static bool find(struct job *job)
{
    struct rlx_live *live = job->mind->live;
    size_t chunks;

    rlx_known_chunks(live->setup->known, &chunks);
    return chunks &&
           !rlx_finder_start(&job->find, live->env->loop, live->setup->known, job->heard,
                             job->query.vector, job->query.dim, found_passages, job);
}

static void embed_done(int err, const float *vectors, size_t count, size_t dim, const char *why,
                       void *arg)
{
    struct job *job = arg;

    job->embed = NULL;
    if (err)
        rlx_log(RLX_WARN, "embed.failed", "call_id=%s why=%s", job->mind->live->setup->call_id,
                why ? why : "");
    if (!err && count) {
        job->query.vector = talloc_memdup(job, vectors, dim * sizeof *vectors);
        job->query.dim = job->query.vector ? dim : 0;
    }
    if (find(job))
        return;
    match(job, NULL);
    talloc_free(job);
}

void rlx_mind_look_up(struct rlx_mind *mind, const struct rlx_conv_action *action)
{
    struct rlx_embed *embed = mind->live->setup->providers->embed;
    struct job *job = job_new(mind, action->job);
    struct rlx_conv_event event = {.kind = RLX_EV_KNOWLEDGE, .job = action->job};

    if (!job || !mind->live->setup->known) {
        talloc_free(job);
        rlx_live_input(mind->live, &event);
        return;
    }
    job->heard = talloc_strdup(job, action->text);
    job->query = (struct rlx_answers_query){
        .heard = job->heard,
        .agent_asked = action->lookup.agent_asked,
    };
    for (int i = 0; i < 2; i++) /* the look-up may outlive the action */
        job->query.recent[i] = talloc_strdup(job, action->lookup.recent[i]);
    const char *bare = rlx_text_bare(job, action->text);
    if (embed && bare && *bare &&
        !rlx_embed_start(&job->embed, embed, &bare, 1, EMBED_LIMIT_MS, embed_done, job))
        return;
    if (find(job))
        return;
    /* without embeddings: the exact match only, given after the actions at hand */
    rlx_known_match(mind->live->setup->known, &job->query, NULL, &mind->exact);
    event.knowledge.match = &mind->exact;
    talloc_free(job);
    rlx_live_input(mind->live, &event);
}

/* ---- the model ---- */

static void llm_text(const char *text, void *arg)
{
    struct job *job = arg;
    struct rlx_conv_event event = {.kind = RLX_EV_LLM_TEXT, .job = job->number, .text = text};

    rlx_live_input(job->mind->live, &event);
}

static void llm_tool(const char *id, const char *name, const char *arguments, void *arg)
{
    struct job *job = arg;
    struct rlx_conv_event event = {
        .kind = RLX_EV_LLM_TOOL,
        .job = job->number,
        .tool = {.id = id, .name = name, .arguments = arguments},
    };

    rlx_live_input(job->mind->live, &event);
}

static void llm_done(int err, const struct rlx_llm_usage *usage, const char *why, void *arg)
{
    struct job *job = arg;
    struct rlx_live *live = job->mind->live;
    struct rlx_conv_event event = {.kind = RLX_EV_LLM_DONE, .job = job->number, .err = err};

    (void)usage;
    job->llm = NULL;
    if (err)
        rlx_log(RLX_WARN, "llm.failed", "call_id=%s why=%s", live->setup->call_id, why ? why : "");
    talloc_free(job);
    rlx_live_input(live, &event);
}

static const struct rlx_llm_handlers llm_handlers = {llm_text, llm_tool, llm_done};

void rlx_mind_think(struct rlx_mind *mind, const struct rlx_conv_action *action)
{
    struct rlx_live *live = mind->live;
    struct job *job = job_new(mind, action->job);
    size_t turns;
    const struct rlx_prompt_turn *history = rlx_conv_history(live->conv, &turns);
    int err = -ENOMEM;

    if (job) {
        struct rlx_llm_options options = {
            .model = live->setup->llm_model,
            .messages = rlx_prompt_messages(job, live->setup->system, history, turns,
                                            action->llm.passages, HISTORY_CHARS),
            .tools = rlx_tools_for(rlx_llm_name(live->setup->providers->llm)),
            .temperature = live->setup->temperature,
            .max_tokens = live->setup->max_tokens,
            .meter = live->setup->meter,
        };
        if (options.messages)
            err = rlx_llm_start(&job->llm, live->setup->providers->llm, &options, &llm_handlers, job);
    }
    if (err) {
        talloc_free(job);
        fail_later(mind, RLX_EV_LLM_DONE, action->job, err);
    }
}

void rlx_mind_warm(struct rlx_mind *mind)
{
    struct rlx_live *live = mind->live;
    char *messages = rlx_prompt_messages(mind, live->setup->system, NULL, 0, NULL, HISTORY_CHARS);

    rlx_llm_warm(live->setup->providers->llm, live->setup->llm_model, messages);
    rlx_stt_warm(live->setup->providers->stt);
    rlx_tts_warm(live->setup->providers->tts);
    talloc_free(messages);
}
