/* The worker role: dials, analyses, embeds, and watches over calls. */
#ifndef RLX_WORKER_WORKER_H
#define RLX_WORKER_WORKER_H

#include "base/config.h"

/* Runs until SIGTERM or SIGINT. What is under way gets a few seconds to finish; what does not is
 * taken up by the next worker. Returns the process's exit status. */
int rlx_worker_main(struct rlx_config *config);

#endif
