/* `relayx call` and `relayx login`. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/follow.h"

#define FOLLOW_S 7200
#define ANALYSIS_S 60

static bool is_number(const char *text)
{
    size_t digits = strspn(text + 1, "0123456789");

    return *text == '+' && text[1] >= '1' && text[1] <= '9' && digits >= 8 && digits <= 15 &&
           !text[1 + digits];
}

/* With --token as it is; else the kept login; else asks for one when there is a terminal. */
static struct rlx_client *open_client(const struct rlx_config *config, TALLOC_CTX *ctx,
                                      const char *url, const char *token)
{
    char *own = rlx_client_default_url(config, ctx), *why = NULL;
    char email[256];

    if (token)
        return rlx_client_create(ctx, url ? url : own, token);
    struct rlx_client *client = rlx_client_load(ctx, url);
    if (client)
        return client;
    if (!isatty(STDIN_FILENO)) {
        rlx_cli_fail("no login is kept: run `relayx login EMAIL` first, or give --token");
        return NULL;
    }
    fprintf(stderr, "e-mail: ");
    if (!fgets(email, sizeof email, stdin))
        return NULL;
    email[strcspn(email, "\r\n")] = '\0';
    char *password = rlx_cli_password(ctx, "password");
    client = rlx_client_create(ctx, url ? url : own, NULL);
    if (!password || !client)
        return NULL;
    if (rlx_client_login(client, email, password, &why) || rlx_client_save(client, &why)) {
        rlx_cli_fail("%s", why ? why : "the login failed");
        return NULL;
    }
    return client;
}

/* The id of the agent of this name (or with this id), on ctx. */
static char *find_agent(struct rlx_client *client, TALLOC_CTX *ctx, const char *name)
{
    json_t *agents = NULL, *agent;
    char *why = NULL, *id = NULL, *names = talloc_strdup(ctx, "");
    size_t i;

    if (rlx_client_ask(client, &agents, "GET", "/agents", NULL, &why)) {
        rlx_cli_fail("%s", why);
        return NULL;
    }
    json_array_foreach (agents, i, agent) {
        const char *own = json_string_value(json_object_get(agent, "id"));
        const char *title = json_string_value(json_object_get(agent, "name"));
        if (own && title && (!strcmp(own, name) || !strcasecmp(title, name)))
            id = talloc_strdup(ctx, own);
        names = talloc_asprintf_append(names, "%s\"%s\"", i ? ", " : "", title ? title : "");
    }
    json_decref(agents);
    if (!id)
        rlx_cli_fail("there is no agent \"%s\"; there %s", name,
                     *names ? talloc_asprintf(ctx, "are %s", names)
                            : "is none yet: make one in the dashboard or by POST /agents");
    return id;
}

static int place_and_follow(struct rlx_client *client, TALLOC_CTX *ctx, const char *number,
                            const char *agent_id, const char *max_duration)
{
    json_t *body = json_pack("{s:s, s:s}", "agent_id", agent_id, "phone_number", number);
    json_t *placed = NULL, *call = NULL, *analysis = NULL;
    char *why = NULL;
    int status = 1;

    if (max_duration)
        json_object_set_new(body, "max_duration_s", json_integer(strtol(max_duration, NULL, 10)));
    int err = rlx_client_ask(client, &placed, "POST", "/calls/outbound", body, &why);
    const char *id = json_string_value(json_object_get(placed, "call_id"));
    if (!err && id) {
        printf("call %s to %s\n", id, number);
        err = rlx_follow_call(client, &call, id, FOLLOW_S, stdout, &why);
    }
    if (err == -EINTR && id) {
        fputs("hanging up\n", stderr);
        err = rlx_client_ask(client, NULL, "POST", talloc_asprintf(ctx, "/calls/%s/hangup", id),
                             NULL, &why);
        if (!err)
            err = rlx_follow_call(client, &call, id, 30, stdout, &why);
    }
    if (!err && id)
        err = rlx_follow_analysis(client, &analysis, id, ANALYSIS_S, &why);
    if (err || !id) {
        rlx_cli_fail("%s", why ? why : "the API gave no call id");
    } else {
        const char *state = json_string_value(json_object_get(call, "status"));
        rlx_follow_print_analysis(analysis, stdout);
        status = state && !strcmp(state, "completed") ? 0 : 1;
    }
    json_decref(body);
    json_decref(placed);
    json_decref(call);
    json_decref(analysis);
    return status;
}

int rlx_cli_call(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(config);
    const char *words[1] = {NULL}, *agent = NULL, *url = NULL, *token = NULL, *duration = NULL;
    const struct rlx_cli_flag flags[] = {{"--agent", &agent, NULL},
                                         {"--api-url", &url, NULL},
                                         {"--token", &token, NULL},
                                         {"--max-duration", &duration, NULL},
                                         {NULL, NULL, NULL}};
    struct sigaction action = {.sa_handler = rlx_follow_interrupt};
    int status = 1;

    if (!rlx_cli_arguments(config, flags, words, 1, NULL))
        return 2;
    if (!words[0] || !is_number(words[0]) || !agent) {
        rlx_cli_fail("usage: relayx call +12025550123 --agent NAME (a number has a + and 8 to 15 "
                     "digits)");
        return 2;
    }
    sigaction(SIGINT, &action, NULL);
    struct rlx_client *client = open_client(config, ctx, url, token);
    char *id = client ? find_agent(client, ctx, agent) : NULL;
    if (id)
        status = place_and_follow(client, ctx, words[0], id, duration);
    talloc_free(ctx);
    return status;
}

int rlx_cli_login(struct rlx_config *config)
{
    TALLOC_CTX *ctx = talloc_new(config);
    const char *words[1] = {NULL}, *url = NULL;
    const struct rlx_cli_flag flags[] = {{"--api-url", &url, NULL}, {NULL, NULL, NULL}};
    char *why = NULL;

    if (!rlx_cli_arguments(config, flags, words, 1, NULL))
        return 2;
    if (!words[0]) {
        rlx_cli_fail("usage: relayx login EMAIL [--api-url URL]");
        return 2;
    }
    char *password = rlx_cli_password(ctx, "password");
    struct rlx_client *client =
        rlx_client_create(ctx, url ? url : rlx_client_default_url(config, ctx), NULL);
    int err = password && client ? rlx_client_login(client, words[0], password, &why) : RLX_EINVAL;
    if (!err)
        err = rlx_client_save(client, &why);
    if (err)
        rlx_cli_fail("%s", why ? why : "a password is needed (it is read from standard input)");
    else
        printf("logged in to %s\n", rlx_client_url(client));
    talloc_free(ctx);
    return err ? 1 : 0;
}
