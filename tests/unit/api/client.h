/* An API in this process with a store of its own, and a small client. */
#ifndef RLX_TEST_API_CLIENT_H
#define RLX_TEST_API_CLIENT_H

#include <jansson.h>
#include <talloc.h>

#include "api/api.h"
#include "store/store.h"

struct client {
    TALLOC_CTX *ctx;
    struct rlx_config *config;
    struct rlx_api *api;
    struct rlx_store
        *store; /* a second view of the same database, for what the worker and the gateway write */
    char folder[64];
    char *token, *other_token; /* two users; NULL = none */
    char *user, *other;
};

/* An answer; everything lives on the client's context. */
struct answer {
    long status;
    char *body, *head; /* head: all header lines in lower case */
    json_t *json;      /* NULL when the body is none; dropped with the client */
};

int client_setup(void **state);
int client_teardown(void **state);

/* body: JSON text or NULL; token: NULL = none; headers: further lines separated by \n, or NULL. */
struct answer ask_as(struct client *c, const char *token, const char *method, const char *path,
                     const char *body, const char *headers);
struct answer ask(struct client *c, const char *method, const char *path, const char *body);

const char *text(const json_t *object, const char *name);

#endif
