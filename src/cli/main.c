/* relayx: one program with roles. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/prepare.h"
#ifdef RLX_HAVE_API
#include "api/api.h"
#endif
#ifdef RLX_HAVE_GATEWAY
#include "gateway/gateway.h"
#endif
#ifdef RLX_HAVE_WORKER
#include "worker/worker.h"
#endif
#ifdef RLX_HAVE_PHONE
#include "phone/phone.h"
#endif

struct command {
    const char *name;
    const char *usage;
    const char *what;
    const char *example;
    int (*run)(struct rlx_config *config);
    bool keys;                /* needs the signing key */
    void (*flags)(FILE *out); /* lists its own flags in its --help; may be NULL */
};

static const struct command commands[] = {
    {"serve", "relayx serve [settings]",
     "run everything on this machine; prints one line that begins with `ready` when all answers",
     "relayx serve --data /var/lib/relayx --api-port 8000 --gateway-port 8001", rlx_cli_serve, true,
     NULL},
    {"demo", "relayx demo [--exit] [--json] [--script FILE] [--knowledge FILE] [--agent FILE]",
     "a real AI phone call with a simulated callee, all on this machine",
     "relayx demo --exit --json", rlx_cli_demo, false, NULL},
    {"call", "relayx call NUMBER --agent NAME [--api-url URL] [--token TOKEN] [--max-duration S]",
     "place a call and follow it live", "relayx call +12025550123 --agent \"Front desk\"",
     rlx_cli_call, false, NULL},
    {"login", "relayx login EMAIL [--api-url URL]",
     "log in to an API, so that `relayx call` needs no token",
     "relayx login ann@example.com --api-url http://127.0.0.1:8000", rlx_cli_login, false, NULL},
    {"doctor", "relayx doctor [settings]",
     "show the effective configuration, check what it names, say how to mend what is wrong",
     "relayx doctor --data /var/lib/relayx", rlx_cli_doctor, false, NULL},
    {"migrate", "relayx migrate [settings]", "bring the database up to date",
     "relayx migrate --database-url sqlite:/var/lib/relayx/relayx.db", rlx_cli_migrate, false,
     NULL},
    {"user", "relayx user add EMAIL | invite | limit EMAIL [NAME=VALUE]",
     "make a user (the password is asked for), a code to sign up with, or change what a user may do",
     "relayx user limit ann@example.com minutes_per_day=600 countries=US,CA", rlx_cli_user, false, NULL},
#ifdef RLX_HAVE_PHONE
    {"phone", "relayx phone serve|load [flags]",
     "the simulated telephone network alone: a Twilio double with a person at the other end",
     "relayx phone serve --port 8002 --callee callee.txt", rlx_phone_main, false, rlx_phone_help},
#endif
#ifdef RLX_HAVE_API
    {"api", "relayx api [settings]", "the REST API and the dashboard alone",
     "relayx api --api-port 8000", rlx_api_main, true, NULL},
#endif
#ifdef RLX_HAVE_GATEWAY
    {"gateway", "relayx gateway [settings]", "live calls alone",
     "relayx gateway --gateway-port 8001 --voice-gateway-url https://voice.example.com",
     rlx_gateway_main, true, NULL},
#endif
#ifdef RLX_HAVE_WORKER
    {"worker", "relayx worker [settings]", "background work alone: dialing, analysis",
     "relayx worker --database-url sqlite:/var/lib/relayx/relayx.db", rlx_worker_main, true, NULL},
#endif
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static void print_command(const struct command *command)
{
    printf("  %s\n      %s\n      e.g. %s\n", command->usage, command->what, command->example);
}

static int help(const struct command *command)
{
    puts("RelayX " RLX_VERSION ": AI phone calls\n\nUsage: relayx COMMAND [flags]\n");
    for (size_t i = 0; i < COMMANDS; i++)
        if (!command || command == &commands[i])
            print_command(&commands[i]);
    if (command && command->flags) {
        putchar('\n');
        command->flags(stdout);
    }
    puts("  relayx --help, relayx COMMAND --help, relayx --version\n");
    rlx_config_help(stdout);
    return 0;
}

static void set_up_log(const struct rlx_config *config)
{
    enum rlx_log_level level = RLX_INFO;

    if (rlx_log_level_parse(&level, rlx_config_get(config, RLX_CFG_LOG_LEVEL)))
        rlx_log(RLX_WARN, "log.level", "unknown=%s known=%s",
                rlx_config_get(config, RLX_CFG_LOG_LEVEL), "debug, info, warn, error");
    rlx_log_setup(level, rlx_config_bool(config, RLX_CFG_LOG_JSON));
}

static int run(const struct command *command, int argc, char **argv)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    struct rlx_config *config = NULL;
    char *why = NULL;
    int status = 2;

    int err = rlx_config_load(&config, ctx, argc, argv, &why);
    if (err) {
        rlx_cli_fail("%s", why ? why : rlx_err_text(err));
        goto out;
    }
    set_up_log(config);
    err = command->keys ? rlx_prepare_keys(config, ctx, &why) : 0;
    if (err) {
        rlx_cli_fail("%s", why ? why : rlx_err_text(err));
        status = 1;
        goto out;
    }
    status = command->run(config);
out:
    talloc_free(ctx);
    return status;
}

int main(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find(argv[1]) : NULL;

    signal(SIGPIPE, SIG_IGN);
    if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        help(argc > 2 ? find(argv[2]) : NULL);
        return argc < 2 ? 2 : 0;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("relayx " RLX_VERSION);
        return 0;
    }
    if (!command) {
        rlx_cli_fail("there is no command \"%s\"; `relayx --help` lists all", argv[1]);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
            return help(command);
    return run(command, argc - 2, argv + 2);
}
