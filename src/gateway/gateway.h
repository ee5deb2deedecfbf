/* The gateway role: live calls. */
#ifndef RLX_GATEWAY_GATEWAY_H
#define RLX_GATEWAY_GATEWAY_H

#include "base/config.h"

/* Runs until SIGTERM or SIGINT, then takes no new calls and lets the running ones finish (a second signal, or ten minutes,
 * ends them). Returns the process's exit status. */
int rlx_gateway_main(struct rlx_config *config);

#endif
