/* The commands of `relayx`. Each gets the loaded configuration and returns the process's exit status: 0, 1 for what went
 * wrong, 2 for a command line that is not understood. */
#ifndef RLX_CLI_CLI_H
#define RLX_CLI_CLI_H

#include <stdbool.h>

#include "base/config.h"

int rlx_cli_serve(struct rlx_config *config);
int rlx_cli_call(struct rlx_config *config);
int rlx_cli_login(struct rlx_config *config);
int rlx_cli_demo(struct rlx_config *config);
int rlx_cli_doctor(struct rlx_config *config);
int rlx_cli_migrate(struct rlx_config *config);
int rlx_cli_user(struct rlx_config *config);

/* The commands' own flags. */
struct rlx_cli_flag {
    const char *name;   /* "--agent" */
    const char **valuep; /* takes a value; or */
    bool *setp;          /* is a switch */
};
/* Reads the arguments that are no settings: flags (a table that ends with a NULL name) and at most `max` words, whose number
 * goes to *countp. False when something is unknown; it has been said on standard error then. */
bool rlx_cli_arguments(const struct rlx_config *config, const struct rlx_cli_flag *flags,
                       const char **words, int max, int *countp);

/* Writes "relayx: " and a sentence to standard error; returns 1. */
int rlx_cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A password: asked for without echo on a terminal, else the first line of standard input. On ctx; NULL at its end. */
char *rlx_cli_password(TALLOC_CTX *ctx, const char *prompt);

#endif
