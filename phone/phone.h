/* `relayx phone`: the simulated telephone network (README.md). */
#ifndef RLX_PHONE_PHONE_H
#define RLX_PHONE_PHONE_H

#include <stdio.h>

#include "base/config.h"

/* Runs `relayx phone [serve|load] …`: the words and flags that are no setting come from
 * rlx_config_rest. Blocks until SIGTERM or SIGINT (serve) or until the load is done. The process's
 * exit status. Call it from a process without other threads. */
int rlx_phone_main(struct rlx_config *config);
/* Its own flags with their meanings and defaults, for `relayx phone --help`. */
void rlx_phone_help(FILE *out);

#endif
