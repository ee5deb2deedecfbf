/* `relayx serve`: every role as a child of this process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/supervisor.h"
#include "cli/cli.h"
#include "cli/prepare.h"
#include "store/store.h"
#ifdef RLX_HAVE_PROVIDER
#include "provider/recordings.h"
#endif

/* A gateway lets its calls finish; its own limit is ten minutes. */
#define GATEWAY_GRACE_MS 620000u
#define WORKER_GRACE_MS 15000u

struct serve {
    struct rlx_config *config;
    TALLOC_CTX *ctx;
    struct rlx_supervisor *supervisor;
    struct rlx_local_models *models;
    const char *program;
    const char *host;  /* where API and gateway listen */
    const char *reach; /* how they are reached from here */
    bool simulated;
    bool speech, llm, embed; /* which local models are run */
    char *why;
};

static const char *port_text(struct serve *s, enum rlx_setting setting)
{
    return talloc_asprintf(s->ctx, "%ld", rlx_config_int(s->config, setting));
}

static uint16_t port_of(const struct serve *s, enum rlx_setting setting)
{
    return (uint16_t)rlx_config_int(s->config, setting);
}

/* ---- before anything is started ---- */

static int check_port(struct serve *s, enum rlx_setting setting, const char *host, const char *flag)
{
    long port = rlx_config_int(s->config, setting);
    int err = port ? rlx_prepare_try_port(host, port) : -EINVAL;

    if (err == -EINVAL)
        s->why = talloc_asprintf(s->ctx, "port 0 can't be served: give one with %s", flag);
    else if (err)
        s->why = talloc_asprintf(s->ctx, "port %ld can't be used on %s (%s): give another with %s",
                                 port, host, rlx_err_text(err), flag);
    return err ? RLX_ECONFIG : 0;
}

static int check_ports(struct serve *s)
{
    int err = check_port(s, RLX_CFG_API_PORT, s->host, "--api-port");

    if (!err)
        err = check_port(s, RLX_CFG_GATEWAY_PORT, s->host, "--gateway-port");
    if (!err && s->simulated)
        err = check_port(s, RLX_CFG_PHONE_PORT, "127.0.0.1", "--phone-port");
    if (!err && s->speech)
        err = check_port(s, RLX_CFG_SPEECH_PORT, "127.0.0.1", "--speech-port");
    if (!err && s->llm)
        err = check_port(s, RLX_CFG_LLM_PORT, "127.0.0.1", "--llm-port");
    if (!err && s->embed)
        err = check_port(s, RLX_CFG_EMBED_PORT, "127.0.0.1", "--embed-port");
    return err;
}

/* Which local models are run: those that are wanted, are here, and are not served from somewhere
 * else. */
static int choose_models(struct serve *s)
{
    const struct rlx_config *config = s->config;
    const struct rlx_local_models *m = s->models;
    bool wanted = rlx_config_bool(config, RLX_CFG_LOCAL);
    bool cloud = rlx_config_is_set(config, RLX_CFG_OPENAI_API_KEY) ||
                 rlx_config_is_set(config, RLX_CFG_OPENAI_BASE_URL);

    if (wanted && cloud && !m->env_file && !rlx_config_is_set(config, RLX_CFG_LOCAL)) {
        rlx_log(RLX_WARN, "serve.no_local_models", "why=%s", "tools/setup models was not run");
        wanted = false;
        if (rlx_config_set(s->config, RLX_CFG_LOCAL, "false"))
            return -ENOMEM;
    }
    s->speech = wanted && !rlx_config_is_set(config, RLX_CFG_LOCAL_SPEECH_URL);
    s->llm = wanted && !rlx_config_is_set(config, RLX_CFG_LOCAL_LLM_URL);
    s->embed = wanted && !rlx_config_is_set(config, RLX_CFG_LOCAL_EMBED_URL);
    if ((s->speech && !(m->speech && m->stt_model && m->tts_voice)) ||
        (s->llm && !(m->llama_server && m->llm_model)) ||
        (s->embed && !(m->llama_server && m->embed_model))) {
        s->why = talloc_asprintf(
            s->ctx,
            "the local models are not complete (%s): `make build` or `tools/setup models` sets "
            "them "
            "up; or use providers alone with --no-local and OPENAI_API_KEY or OPENAI_BASE_URL",
            m->env_file ? m->env_file : "there is no models.env");
        return RLX_ECONFIG;
    }
    return 0;
}

static int migrate(struct serve *s)
{
    char *url = rlx_prepare_database(s->config, s->ctx);
    struct rlx_store *store = NULL;
    int applied = 0;

    if (rlx_prepare_is_production(s->config))
        return 0; /* `relayx migrate` is a step of its own there */
    int err = rlx_store_open(&store, s->ctx, url, &s->why);
    if (!err)
        err = rlx_store_migrate(store, &applied, &s->why);
    if (!err && applied)
        rlx_log(RLX_INFO, "store.migrated", "applied=%d", applied);
    talloc_free(store);
    return err;
}

/* A mistake in RECORDINGS_URL is told at once, not by a gateway that doesn't come up. */
static int check_recordings(struct serve *s)
{
#ifdef RLX_HAVE_PROVIDER
    char *directory = NULL;

    return rlx_recordings_directory(&directory, s->ctx, s->config, &s->why);
#else
    (void)s;
    return 0;
#endif
}

static int prepare(struct serve *s)
{
    int err = check_recordings(s);

    if (!err)
        err = rlx_prepare_keys(s->config, s->ctx, &s->why);
    s->simulated = rlx_prepare_is_simulated(s->config);
    s->models = rlx_prepare_models(s->config, s->ctx);
    s->program = rlx_prepare_program(s->ctx);
    if (!err && (!s->models || !s->program))
        err = -ENOMEM;
    if (!err && s->simulated)
        err = rlx_prepare_simulator(s->config, s->ctx, &s->why);
    if (!err)
        err = choose_models(s);
    if (!err)
        err = check_ports(s);
    if (!err && !rlx_config_is_set(s->config, RLX_CFG_VOICE_GATEWAY_URL)) {
        if (s->simulated)
            err = rlx_config_set(s->config, RLX_CFG_VOICE_GATEWAY_URL,
                                 talloc_asprintf(s->ctx, "http://%s:%s", s->reach,
                                                 port_text(s, RLX_CFG_GATEWAY_PORT)));
        else
            rlx_log(RLX_WARN, "serve.public_url", "what=%s mend=%s",
                    "VOICE_GATEWAY_URL is not set: the carrier will not reach this gateway",
                    "set it to the public https address that leads here");
    }
    if (!err)
        err = migrate(s);
    if (!err)
        err = rlx_config_export(s->config);
    return err;
}

/* ---- the children ---- */

static int add_speech(struct serve *s)
{
    const char *argv[] = {s->models->speech,
                          "--host",
                          "127.0.0.1",
                          "--port",
                          port_text(s, RLX_CFG_SPEECH_PORT),
                          "--models",
                          s->models->env_file,
                          NULL};
    struct rlx_child child = {.name = "speech",
                              .argv = argv,
                              .ready_port = port_of(s, RLX_CFG_SPEECH_PORT),
                              .ready_path = "/health"};

    return rlx_supervisor_add(s->supervisor, &child);
}

/* One thread: more of them spin against each other on a small machine. Two slots: a call's prompt
 * prefix stays cached while the worker analyses another call. */
static int add_llm(struct serve *s)
{
    const char *argv[] = {s->models->llama_server,
                          "-m",
                          s->models->llm_model,
                          "--host",
                          "127.0.0.1",
                          "--port",
                          port_text(s, RLX_CFG_LLM_PORT),
                          "-t",
                          "1",
                          "-c",
                          "8192",
                          "-np",
                          "2",
                          "--cache-ram",
                          "128",
                          "--jinja",
                          "--no-webui",
                          "--offline",
                          NULL};
    struct rlx_child child = {.name = "llm",
                              .argv = argv,
                              .ready_port = port_of(s, RLX_CFG_LLM_PORT),
                              .ready_path = "/health",
                              .quiet = true};

    return rlx_supervisor_add(s->supervisor, &child);
}

static int add_embed(struct serve *s)
{
    const char *argv[] = {s->models->llama_server,
                          "-m",
                          s->models->embed_model,
                          "--host",
                          "127.0.0.1",
                          "--port",
                          port_text(s, RLX_CFG_EMBED_PORT),
                          "-t",
                          "1",
                          "--embedding",
                          "--pooling",
                          "mean",
                          "-c",
                          "512",
                          "-b",
                          "512",
                          "-ub",
                          "512",
                          "-np",
                          "1",
                          "--cache-ram",
                          "0",
                          "--no-webui",
                          "--offline",
                          NULL};
    struct rlx_child child = {.name = "embed",
                              .argv = argv,
                              .ready_port = port_of(s, RLX_CFG_EMBED_PORT),
                              .ready_path = "/health",
                              .quiet = true};

    return rlx_supervisor_add(s->supervisor, &child);
}

static int add_phone(struct serve *s)
{
    const char *argv[] = {s->program, "phone", "serve", NULL};
    /* Its control routes have no authentication: never on a public address. */
    const char *env[] = {"RELAYX_HOST=127.0.0.1", NULL};
    struct rlx_child child = {.name = "phone",
                              .argv = argv,
                              .env = env,
                              .ready_port = port_of(s, RLX_CFG_PHONE_PORT),
                              .ready_path = "/health"};

    return rlx_supervisor_add(s->supervisor, &child);
}

static int add_role(struct serve *s, const char *name, enum rlx_setting port, unsigned grace_ms)
{
    const char *argv[] = {s->program, name, NULL};
    struct rlx_child child = {.name = name,
                              .argv = argv,
                              .ready_host = s->reach,
                              .ready_port = port == RLX_CFG_COUNT ? 0 : port_of(s, port),
                              .ready_path = "/health",
                              .grace_ms = grace_ms};

    return rlx_supervisor_add(s->supervisor, &child);
}

/* In the order of starting; they are stopped in the reverse one: no new calls, the calls drain,
 * then what they used. */
static int add_children(struct serve *s)
{
    int err = s->speech ? add_speech(s) : 0;

    if (!err && s->llm)
        err = add_llm(s);
    if (!err && s->embed)
        err = add_embed(s);
    if (!err && s->simulated)
        err = add_phone(s);
    if (!err)
        err = add_role(s, "api", RLX_CFG_API_PORT, 0);
    if (!err)
        err = add_role(s, "gateway", RLX_CFG_GATEWAY_PORT, GATEWAY_GRACE_MS);
    if (!err)
        err = add_role(s, "worker", RLX_CFG_COUNT, WORKER_GRACE_MS);
    return err;
}

static void tell_ready(void *arg)
{
    const struct serve *s = arg;

    printf("ready api=http://%s:%u gateway=http://%s:%u", s->reach, port_of(s, RLX_CFG_API_PORT),
           s->reach, port_of(s, RLX_CFG_GATEWAY_PORT));
    if (s->simulated)
        printf(" phone=http://127.0.0.1:%u", port_of(s, RLX_CFG_PHONE_PORT));
    printf(" dashboard=http://%s:%u/ data=%s\n", s->reach, port_of(s, RLX_CFG_API_PORT),
           rlx_config_get(s->config, RLX_CFG_DATA));
    fflush(stdout);
}

int rlx_cli_serve(struct rlx_config *config)
{
    struct serve s = {.config = config, .ctx = talloc_new(config)};
    const char *failed = NULL;
    int err;

    if (!rlx_cli_arguments(config, NULL, NULL, 0, NULL))
        return 2;
    s.host = rlx_config_get(config, RLX_CFG_HOST);
    s.reach =
        strcmp(s.host, "0.0.0.0") != 0 && strcmp(s.host, "localhost") != 0 && !strchr(s.host, ':')
            ? s.host
            : "127.0.0.1";
    err = prepare(&s);
    if (!err)
        err = rlx_supervisor_create(&s.supervisor, s.ctx);
    if (!err)
        err = add_children(&s);
    if (!err)
        err = rlx_supervisor_run(s.supervisor, tell_ready, &s, &failed);
    if (err && failed)
        rlx_cli_fail("%s could not be started: see its lines above", failed);
    else if (err)
        rlx_cli_fail("%s", s.why ? s.why : rlx_err_text(err));
    talloc_free(s.ctx);
    return err ? 1 : 0;
}
