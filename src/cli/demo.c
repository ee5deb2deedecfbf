/* `relayx demo`: the whole product on this machine, with a simulated callee. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/http.h"
#include "cli/cli.h"
#include "cli/demo.h"
#include "cli/follow.h"
#include "cli/prepare.h"

#define READY_MS 180000
#define RENDER_MS 120000
#define CALL_S 300
#define ANALYSIS_S 90
#define NUMBER "+12025550123"
#define LOG_TAIL 4000

struct demo {
    struct rlx_config *config;
    TALLOC_CTX *ctx;
    bool exit, json, verbose;
    const char *script, *knowledge, *agent; /* files, NULL = built in */
    const char *callee;                     /* the script's text */
    json_t *agent_body, *entries;           /* what is sent to the API */
    FILE *out;                              /* for people; stderr with --json */
    pid_t pid;
    int pipe;
    char *log;
    struct rlx_client *client;
    char *email, *password;
    char *number;
    char *why;
};

static int fail(struct demo *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct demo *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    d->why = talloc_vasprintf(d->ctx, format, args);
    va_end(args);
    return RLX_EINTERNAL;
}

/* ---- the children ---- */

/* Free ports for all that are not given, and a directory of its own when none is. */
static int choose(struct demo *d)
{
    static const enum rlx_setting ports[] = {RLX_CFG_API_PORT,   RLX_CFG_GATEWAY_PORT,
                                             RLX_CFG_PHONE_PORT, RLX_CFG_SPEECH_PORT,
                                             RLX_CFG_LLM_PORT,   RLX_CFG_EMBED_PORT};
    char folder[] = "/tmp/relayx-demo-XXXXXX", text[8];
    int err = 0;

    if (!rlx_config_is_set(d->config, RLX_CFG_DATA))
        err = mkdtemp(folder) ? rlx_config_set(d->config, RLX_CFG_DATA, folder) : -errno;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0] && !err; i++) {
        if (rlx_config_is_set(d->config, ports[i]))
            continue;
        snprintf(text, sizeof text, "%u", rlx_prepare_free_port());
        err = rlx_config_set(d->config, ports[i], text);
    }
    if (!err)
        err = rlx_config_set(d->config, RLX_CFG_SIMULATOR, "true");
    if (!err)
        err = rlx_config_set(d->config, RLX_CFG_SIGNUP, "open");
    if (!err)
        err = rlx_config_make_dirs(d->config, d->ctx, &d->why);
    return err ? err : rlx_config_export(d->config);
}

static int start_serve(struct demo *d)
{
    char *program = rlx_prepare_program(d->ctx);
    pid_t parent = getpid();
    int ends[2], log;

    d->log = rlx_config_path(d->config, d->ctx, "serve.log");
    log = open(d->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!program || log < 0 || pipe2(ends, O_CLOEXEC))
        return fail(d, "%s can't be written: %s", d->log, rlx_err_text(-errno));
    d->pid = fork();
    if (d->pid == 0) {
        setpgid(0, 0); /* Ctrl-C is ours: the children are stopped in order */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            _exit(127);
        dup2(ends[1], STDOUT_FILENO);
        if (!d->verbose)
            dup2(log, STDERR_FILENO);
        execl(program, program, "serve", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    close(log);
    d->pipe = ends[0];
    return d->pid < 0 ? fail(d, "no process can be started: %s", rlx_err_text(-errno)) : 0;
}

/* Waits for the line that begins with "ready". */
static int wait_ready(struct demo *d)
{
    uint64_t end = rlx_now_ms() + READY_MS;
    char text[4096] = "";
    size_t length = 0;

    for (uint64_t now; (now = rlx_now_ms()) < end;) {
        struct pollfd p = {.fd = d->pipe, .events = POLLIN};
        int got = poll(&p, 1, (int)(end - now));
        if (got < 0) {
            fail(d, "interrupted");
            return -EINTR;
        }
        if (!got)
            continue;
        ssize_t n = read(d->pipe, text + length, sizeof text - 1 - length);
        if (n <= 0)
            return fail(d, "the services did not start; %s tells why", d->log);
        length += (size_t)n;
        text[length] = '\0';
        if (!strncmp(text, "ready", 5) && strchr(text, '\n'))
            return 0;
    }
    return fail(d, "the services were not ready within %d s; %s tells more", READY_MS / 1000,
                d->log);
}

static void stop_serve(struct demo *d)
{
    if (d->pid > 0) {
        kill(d->pid, SIGTERM);
        while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    d->pid = 0;
}

static void print_log_tail(const struct demo *d)
{
    FILE *file = d->log && !d->verbose ? fopen(d->log, "re") : NULL;
    char text[LOG_TAIL + 1];

    if (!file)
        return;
    if (fseek(file, -LOG_TAIL, SEEK_END))
        rewind(file);
    text[fread(text, 1, LOG_TAIL, file)] = '\0';
    fprintf(stderr, "---- the end of %s ----\n%s----\n", d->log, text);
    fclose(file);
}

/* ---- user, agent, knowledge, callee ---- */

/* All files are read before anything is started. */
static int read_files(struct demo *d)
{
    int err = rlx_demo_read_callee(&d->callee, d->ctx, d->script, &d->why);

    if (!err)
        err = rlx_demo_read_agent(&d->agent_body, d->ctx, d->agent, &d->why);
    if (!err)
        err = rlx_demo_read_entries(&d->entries, d->ctx, d->knowledge, &d->why);
    return err;
}

static int make_user(struct demo *d)
{
    char *url = rlx_client_default_url(d->config, d->ctx);
    char hex[RLX_UUID_TEXT];

    rlx_uuid(hex);
    d->email = talloc_asprintf(d->ctx, "demo-%s@example.com", hex + 24);
    d->password = rlx_random_token(d->ctx, 12);
    d->client = rlx_client_create(d->ctx, url, NULL);
    json_t *body =
        json_pack("{s:s, s:s, s:s}", "email", d->email, "password", d->password, "name", "Demo");
    int err = rlx_client_ask(d->client, NULL, "POST", "/auth/signup", body, &d->why);
    json_decref(body);
    return err ? err : rlx_client_login(d->client, d->email, d->password, &d->why);
}

static int make_agent(struct demo *d, char **idp)
{
    json_t *made = NULL;

    int err = rlx_client_ask(d->client, &made, "POST", "/agents", d->agent_body, &d->why);
    const char *id = json_string_value(json_object_get(made, "id"));
    *idp = id ? talloc_strdup(d->ctx, id) : NULL;
    json_decref(made);
    return err ? err : *idp ? 0 : fail(d, "POST /agents gave no id");
}

static int make_knowledge(struct demo *d, const char *agent_id)
{
    json_t *body;
    int err = 0;
    size_t i;

    json_array_foreach (d->entries, i, body) {
        if (err)
            break;
        json_object_set_new(body, "agent_id", json_string(agent_id));
        err = rlx_client_ask(d->client, NULL, "POST", "/api/knowledge", body, &d->why);
    }
    return err;
}

/* The callee's speech is rendered now, so that it takes no processor time during the call. */
static int make_callee(struct demo *d)
{
    char *url = talloc_asprintf(d->ctx, "http://127.0.0.1:%ld/sim/callees",
                                rlx_config_int(d->config, RLX_CFG_PHONE_PORT));
    json_t *reply = NULL;
    long status = 0;

    json_t *body = json_pack("{s:s, s:s}", "number", NUMBER, "script", d->callee);
    int err = rlx_http_json(&status, &reply, "POST", url, NULL, body, RENDER_MS);
    if (err)
        err = fail(d, "%s: %s", url, rlx_err_text(err));
    else if (status != 201) {
        const char *error = json_string_value(json_object_get(reply, "error"));
        err = fail(d, "%s: %s", d->script ? d->script : "the callee's script",
                   error ? error : "it was not taken");
    }
    json_decref(body);
    json_decref(reply);
    return err;
}

/* ---- the call ---- */

static int place(struct demo *d, const char *agent_id, char **call_idp)
{
    json_t *body = json_pack("{s:s, s:s}", "agent_id", agent_id, "phone_number", NUMBER);
    json_t *placed = NULL;

    int err = rlx_client_ask(d->client, &placed, "POST", "/calls/outbound", body, &d->why);
    const char *id = json_string_value(json_object_get(placed, "call_id"));
    *call_idp = id ? talloc_strdup(d->ctx, id) : NULL;
    json_decref(body);
    json_decref(placed);
    return err ? err : *call_idp ? 0 : fail(d, "POST /calls/outbound gave no call_id");
}

/* The simulator's report of the call; NULL when it knows none. */
static json_t *ask_phone(struct demo *d, const json_t *call)
{
    const char *sid = json_string_value(json_object_get(call, "twilio_sid"));
    char *url = talloc_asprintf(d->ctx, "http://127.0.0.1:%ld/sim/calls/%s",
                                rlx_config_int(d->config, RLX_CFG_PHONE_PORT), sid ? sid : "");
    json_t *report = NULL;
    long status = 0;

    if (!sid || rlx_http_json(&status, &report, "GET", url, NULL, NULL, 5000) || status != 200) {
        json_decref(report);
        return NULL;
    }
    return report;
}

static int run_call(struct demo *d, const char *agent_id, json_t **reportp)
{
    json_t *call = NULL, *analysis = NULL, *phone;
    char *id;

    int err = place(d, agent_id, &id);
    if (!err)
        err = rlx_follow_call(d->client, &call, id, CALL_S, d->out, &d->why);
    if (!err)
        err = rlx_follow_analysis(d->client, &analysis, id, ANALYSIS_S, &d->why);
    phone = err ? NULL : ask_phone(d, call);
    if (!err)
        *reportp = rlx_demo_report(call, phone, analysis);
    json_decref(call);
    json_decref(analysis);
    json_decref(phone);
    return err ? err : *reportp ? 0 : -ENOMEM;
}

static void show(struct demo *d, const json_t *report)
{
    const char *recording = json_string_value(json_object_get(report, "recording"));

    rlx_demo_report_print(report, d->out);
    rlx_follow_print_analysis(json_object_get(report, "analysis"), d->out);
    fprintf(d->out, "recording: %s\ndashboard: %s/  (log in as %s with %s)\n",
            recording ? recording : "none", rlx_client_url(d->client), d->email, d->password);
    if (d->json) {
        json_dumpf(report, stdout, JSON_INDENT(1));
        putchar('\n');
        fflush(stdout);
    }
}

static int run(struct demo *d, json_t **reportp)
{
    char *agent_id;
    uint64_t start = rlx_now_ms();

    fputs("starting the services (speech, language model, phone, API, gateway, worker) …\n",
          d->out);
    int err = choose(d);
    if (!err)
        err = start_serve(d);
    if (!err)
        err = wait_ready(d);
    if (!err)
        err = make_user(d);
    if (!err)
        err = make_agent(d, &agent_id);
    if (!err)
        err = make_knowledge(d, agent_id);
    if (!err)
        err = make_callee(d);
    if (err)
        return err;
    fprintf(d->out, "ready after %.1f s; calling %s\n\n", (double)(rlx_now_ms() - start) / 1000,
            NUMBER);
    return run_call(d, agent_id, reportp);
}

/* Without --exit the services stay up for a look around. */
static void stay(struct demo *d)
{
    sigset_t set;
    int number;

    fputs("everything keeps running; press Ctrl-C to stop\n", d->out);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigwait(&set, &number);
}

int rlx_cli_demo(struct rlx_config *config)
{
    struct demo d = {.config = config, .ctx = talloc_new(config), .pipe = -1};
    const struct rlx_cli_flag flags[] = {{"--exit", NULL, &d.exit},
                                         {"--json", NULL, &d.json},
                                         {"--verbose", NULL, &d.verbose},
                                         {"--script", &d.script, NULL},
                                         {"--knowledge", &d.knowledge, NULL},
                                         {"--agent", &d.agent, NULL},
                                         {NULL, NULL, NULL}};
    struct sigaction action = {.sa_handler = rlx_follow_interrupt};
    json_t *report = NULL;
    int status = 1;

    if (!rlx_cli_arguments(config, flags, NULL, 0, NULL))
        return 2;
    if (read_files(&d)) {
        rlx_cli_fail("%s", d.why ? d.why : "out of memory");
        status = 2;
        goto out;
    }
    d.out = d.json ? stderr : stdout;
    setvbuf(d.out, NULL, _IOLBF, 0);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    int err = run(&d, &report);
    if (err) {
        if (err != -EINTR)
            print_log_tail(&d);
        rlx_cli_fail("%s", d.why ? d.why : rlx_err_text(err));
    } else {
        show(&d, report);
        status = rlx_demo_report_is_good(report) ? 0 : 1;
        if (!d.exit)
            stay(&d);
    }
    stop_serve(&d);
out:
    json_decref(d.agent_body);
    json_decref(d.entries);
    json_decref(report);
    talloc_free(d.ctx);
    return status;
}
