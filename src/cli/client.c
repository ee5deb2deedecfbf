#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/http.h"

#define TIMEOUT_MS 15000

struct rlx_client {
    char *url;
    char *token;
    char *refresh;
};

struct rlx_client *rlx_client_create(TALLOC_CTX *ctx, const char *url, const char *token)
{
    struct rlx_client *client = talloc_zero(ctx, struct rlx_client);

    if (!client)
        return NULL;
    client->url = talloc_strdup(client, url);
    for (size_t n = client->url ? strlen(client->url) : 0; n && client->url[n - 1] == '/'; n--)
        client->url[n - 1] = '\0';
    client->token = token ? talloc_strdup(client, token) : NULL;
    return client;
}

const char *rlx_client_url(const struct rlx_client *client)
{
    return client->url;
}

static int error_of(long status)
{
    switch (status) {
    case 401:
        return RLX_EAUTH;
    case 404:
        return RLX_ENOTFOUND;
    case 422:
        return RLX_EINVAL;
    default:
        return status < 400 ? 0 : RLX_EPROVIDER;
    }
}

/* "POST /agents: 422: a value is not valid (name: must not be empty)" */
static void explain(struct rlx_client *client, const char *method, const char *path, long status,
                    const json_t *json, char **whyp)
{
    const char *detail = json_string_value(json_object_get(json, "detail"));
    const json_t *field;
    size_t i;

    *whyp = talloc_asprintf(client, "%s %s: %ld: %s", method, path, status,
                            detail ? detail : "no explanation came");
    json_array_foreach (json_object_get(json, "fields"), i, field) {
        const char *name = json_string_value(json_object_get(field, "field"));
        const char *message = json_string_value(json_object_get(field, "message"));
        *whyp =
            talloc_asprintf_append(*whyp, " (%s: %s)", name ? name : "", message ? message : "");
    }
}

static int ask_once(struct rlx_client *client, json_t **jsonp, const char *method, const char *path,
                    const json_t *body, char **whyp)
{
    char *url = talloc_asprintf(client, "%s%s", client->url, path);
    json_t *json = NULL;
    long status = 0;
    int err =
        url ? rlx_http_json(&status, &json, method, url, client->token, body, TIMEOUT_MS) : -ENOMEM;

    if (err) {
        *whyp = err == -ECONNREFUSED
                    ? talloc_asprintf(client, "nothing answers at %s: is `relayx serve` running?",
                                      client->url)
                    : talloc_asprintf(client, "%s %s: %s", method, url, rlx_err_text(err));
    } else if ((err = error_of(status))) {
        explain(client, method, path, status, json, whyp);
    }
    talloc_free(url);
    if (!err && jsonp)
        *jsonp = json;
    else
        json_decref(json);
    return err;
}

static int renew(struct rlx_client *client)
{
    json_t *body = json_pack("{s:s}", "refresh_token", client->refresh), *json = NULL;
    char *why = NULL;

    TALLOC_FREE(client->token);
    int err = ask_once(client, &json, "POST", "/auth/refresh", body, &why);
    const char *token = json_string_value(json_object_get(json, "access_token"));
    if (!err && token)
        client->token = talloc_strdup(client, token);
    json_decref(body);
    json_decref(json);
    return err ? err : client->token ? 0 : RLX_EAUTH;
}

int rlx_client_ask(struct rlx_client *client, json_t **jsonp, const char *method, const char *path,
                   const json_t *body, char **whyp)
{
    int err = ask_once(client, jsonp, method, path, body, whyp);

    if (err == RLX_EAUTH && client->refresh && !renew(client))
        err = ask_once(client, jsonp, method, path, body, whyp);
    return err;
}

int rlx_client_login(struct rlx_client *client, const char *email, const char *password,
                     char **whyp)
{
    json_t *body = json_pack("{s:s, s:s}", "email", email, "password", password), *json = NULL;
    int err = body ? ask_once(client, &json, "POST", "/auth/login", body, whyp) : RLX_EINVAL;

    if (!err) {
        const char *token = json_string_value(json_object_get(json, "access_token"));
        const char *refresh = json_string_value(json_object_get(json, "refresh_token"));
        client->token = token ? talloc_strdup(client, token) : NULL;
        client->refresh = refresh ? talloc_strdup(client, refresh) : NULL;
        err = token ? 0 : RLX_EPROTO;
    }
    json_decref(body);
    json_decref(json);
    return err;
}

/* ---- the kept login ---- */

static char *login_file(TALLOC_CTX *ctx, bool make)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *folder = base && *base ? talloc_asprintf(ctx, "%s/relayx", base)
                   : home        ? talloc_asprintf(ctx, "%s/.config/relayx", home)
                                 : NULL;

    if (!folder)
        return NULL;
    for (char *p = make ? folder + 1 : NULL; p && (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(folder, 0700);
        *p = '/';
    }
    if (make)
        mkdir(folder, 0700);
    return talloc_asprintf(ctx, "%s/login.json", folder);
}

int rlx_client_save(struct rlx_client *client, char **whyp)
{
    TALLOC_CTX *ctx = talloc_new(NULL);
    char *path = login_file(ctx, true);
    json_t *json = json_pack("{s:s, s:s*}", "url", client->url, "refresh_token", client->refresh);
    int err = -ENOMEM;

    if (path && json) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        err = fd < 0 || json_dumpfd(json, fd, JSON_COMPACT) ? -errno : 0;
        if (fd >= 0)
            close(fd);
    }
    if (err)
        *whyp = talloc_asprintf(client, "the login can't be kept in %s: %s", path ? path : "$HOME",
                                rlx_err_text(err));
    json_decref(json);
    talloc_free(ctx);
    return err;
}

struct rlx_client *rlx_client_load(TALLOC_CTX *ctx, const char *url)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *path = login_file(tmp, false);
    json_t *json = path ? json_load_file(path, 0, NULL) : NULL;
    const char *kept = json_string_value(json_object_get(json, "url"));
    const char *refresh = json_string_value(json_object_get(json, "refresh_token"));
    struct rlx_client *client = NULL;

    if (kept && refresh && (!url || !strcmp(url, kept))) {
        client = rlx_client_create(ctx, kept, NULL);
        if (client)
            client->refresh = talloc_strdup(client, refresh);
    }
    json_decref(json);
    talloc_free(tmp);
    return client;
}

char *rlx_client_default_url(const struct rlx_config *config, TALLOC_CTX *ctx)
{
    const char *host = rlx_config_get(config, RLX_CFG_HOST);

    return talloc_asprintf(ctx, "http://%s:%ld", strcmp(host, "0.0.0.0") ? host : "127.0.0.1",
                           rlx_config_int(config, RLX_CFG_API_PORT));
}
