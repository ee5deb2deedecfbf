/* The gateway role: live calls. */
#ifndef RLX_GATEWAY_GATEWAY_H
#define RLX_GATEWAY_GATEWAY_H

#include "base/config.h"

/* Runs until SIGTERM or SIGINT. Then /health answers 503, so that a balancer sends no more, and the process stays until the calls
 * that run or ring are over (a second signal, or ten minutes, ends them). What still comes meanwhile is answered: nobody who
 * picked up is dropped. Returns the process's exit status. */
int rlx_gateway_main(struct rlx_config *config);

#endif
