#include "client.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

static int json_destructor(json_t **holder)
{
    json_decref(*holder);
    return 0;
}

static int dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static char *read_all(struct client *c, int fd)
{
    char *all = talloc_strdup(c->ctx, "");
    char piece[4096];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) > 0)
        all = talloc_strndup_append_buffer(all, piece, (size_t)n);
    return all;
}

struct answer ask_as(struct client *c, const char *token, const char *method, const char *path,
                     const char *body, const char *headers)
{
    struct answer answer = {0};
    int fd = dial(rlx_api_port(c->api));
    char *request =
        talloc_asprintf(c->ctx, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", method, path);

    if (token)
        request = talloc_asprintf_append(request, "Authorization: Bearer %s\r\n", token);
    if (body)
        request = talloc_asprintf_append(request, "%sContent-Length: %zu\r\n",
                                         headers && strcasestr(headers, "content-type")
                                             ? ""
                                             : "Content-Type: application/json\r\n",
                                         strlen(body));
    for (const char *p = headers; p && *p;) {
        size_t n = strcspn(p, "\n");
        request = talloc_asprintf_append(request, "%.*s\r\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
    request = talloc_asprintf_append(request, "\r\n%s", body ? body : "");
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    char *all = read_all(c, fd), *end = strstr(all, "\r\n\r\n");
    close(fd);
    assert_non_null(end);
    answer.head = talloc_strndup(c->ctx, all, (size_t)(end - all) + 2);
    for (char *p = answer.head; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    answer.status = strtol(all + 9, NULL, 10);
    answer.body = end + 4;
    json_t **holder = talloc(c->ctx, json_t *);
    answer.json = *holder = json_loads(answer.body, JSON_DECODE_ANY, NULL);
    talloc_set_destructor(holder, json_destructor);
    return answer;
}

struct answer ask(struct client *c, const char *method, const char *path, const char *body)
{
    return ask_as(c, c->token, method, path, body, NULL);
}

const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value ? value : "";
}

static char *account(struct client *c, const char *email, char **idp)
{
    char *body = talloc_asprintf(
        c->ctx, "{\"email\":\"%s\",\"password\":\"test123\",\"name\":\"N\"}", email);
    struct answer made = ask_as(c, NULL, "POST", "/auth/signup", body, NULL);

    assert_int_equal(made.status, 201);
    *idp = talloc_strdup(c->ctx, text(made.json, "user_id"));
    struct answer in = ask_as(c, NULL, "POST", "/auth/login", body, NULL);
    assert_int_equal(in.status, 200);
    return talloc_strdup(c->ctx, text(in.json, "access_token"));
}

int client_setup(void **state)
{
    struct client *c = talloc_zero(NULL, struct client);
    char *why = NULL;

    rlx_log_setup(RLX_ERROR, false);
    c->ctx = talloc_new(c);
    snprintf(c->folder, sizeof c->folder, "/tmp/relayx-test-XXXXXX");
    assert_non_null(mkdtemp(c->folder));
    char *argv[] = {(char *)"--data",     c->folder, (char *)"--api-port", (char *)"0",
                    (char *)"--no-local", NULL};
    if (rlx_config_load(&c->config, c->ctx, 5, argv, &why))
        fail_msg("%s", why);
    if (rlx_api_start(&c->api, c->ctx, c->config, &why))
        fail_msg("%s", why);
    if (rlx_store_start(&c->store, c->ctx, c->config, &why))
        fail_msg("%s", why);
    c->token = account(c, "ann@example.com", &c->user);
    c->other_token = account(c, "bob@example.com", &c->other);
    *state = c;
    return 0;
}

int client_teardown(void **state)
{
    struct client *c = *state;
    char *command[] = {(char *)"rm", (char *)"-rf", c->folder, NULL};

    talloc_free(c->ctx);
    pid_t child = fork();
    if (!child) {
        execvp(command[0], command);
        _exit(1);
    }
    talloc_free(c);
    return 0;
}
