/* Speech to text as the gateway does it, waited for. */
#include <errno.h>
#include <stdio.h>

#include "base/config.h"
#include "base/err.h"
#include "provider/providers.h"
#include "turns.h"

#define TIMEOUT_MS 20000

struct rlx_turns_ear {
    uv_loop_t loop;
    struct rlx_net *net;
    struct rlx_config *config;
    struct rlx_providers *providers;
};

struct answer {
    struct rlx_turns_text *text;
    bool done;
    int err;
};

static int close_ear(struct rlx_turns_ear *ear)
{
    TALLOC_FREE(ear->providers);
    if (ear->net) {
        rlx_net_close(ear->net);
        uv_run(&ear->loop, UV_RUN_DEFAULT);
        TALLOC_FREE(ear->net);
    }
    uv_loop_close(&ear->loop);
    return 0;
}

int rlx_turns_ear_create(struct rlx_turns_ear **earp, TALLOC_CTX *ctx, const char *base_url)
{
    struct rlx_turns_ear *ear = talloc_zero(ctx, struct rlx_turns_ear);
    char *why = NULL;
    char *argv[] = {talloc_asprintf(ear, "--local-speech-url=%s", base_url),
                    talloc_strdup(ear, "--stt-providers=local"),
                    talloc_strdup(ear, "--llm-providers=local"),
                    talloc_strdup(ear, "--tts-providers=local"), NULL};

    if (!ear || !argv[0] || !argv[1] || !argv[2] || !argv[3] || uv_loop_init(&ear->loop))
        return -ENOMEM;
    talloc_set_destructor(ear, close_ear);
    int err = rlx_net_create(&ear->net, ear, &ear->loop);
    if (!err)
        err = rlx_config_load(&ear->config, ear, 4, argv, &why);
    if (!err)
        err = rlx_providers_create(&ear->providers, ear, ear->net, ear->config, &why);
    if (err) {
        fprintf(stderr, "rlx-turns: %s\n", why ? why : rlx_err_text(err));
        talloc_free(ear);
        return err;
    }
    *earp = ear;
    return 0;
}

static void on_text(int err, const struct rlx_stt_result *result, const char *why, void *arg)
{
    struct answer *answer = arg;

    answer->done = true;
    answer->err = err;
    if (err) {
        fprintf(stderr, "rlx-turns: speech to text failed: %s\n", why ? why : "");
        return;
    }
    answer->text->text = talloc_strdup(answer->text, result->text);
    answer->text->voiced_ms = result->voiced_ms;
    answer->text->avg_logprob = result->avg_logprob;
    answer->text->took_ms = result->took_ms;
}

int rlx_turns_hear(struct rlx_turns_text **textp, TALLOC_CTX *ctx, struct rlx_turns_ear *ear,
                   const uint8_t *ulaw, size_t length)
{
    const struct rlx_stt_options options = {.language = "en", .timeout_ms = TIMEOUT_MS};
    struct answer answer = {.text = talloc_zero(ctx, struct rlx_turns_text)};
    struct rlx_stt_job *job;

    int err = answer.text ? rlx_stt_start(&job, ear->providers->stt, ulaw, length, &options,
                                          on_text, &answer)
                          : -ENOMEM;
    while (!err && !answer.done)
        uv_run(&ear->loop, UV_RUN_ONCE);
    if (!err)
        err = answer.err ? answer.err : answer.text->text ? 0 : -ENOMEM;
    if (err)
        talloc_free(answer.text);
    else
        *textp = answer.text;
    return err;
}
