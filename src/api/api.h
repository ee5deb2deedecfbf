/* The REST API and the dashboard's files: SPEC 3. A thread per connection; handlers are plain
 * blocking code. */
#ifndef RLX_API_API_H
#define RLX_API_API_H

#include <stdint.h>
#include <talloc.h>

#include "base/config.h"

struct rlx_api;

/* Opens the store (migrates it), loads the signing key and serves on RELAYX_HOST:RELAYX_API_PORT (0
 * = any free port). It is a talloc child of ctx; freeing it stops the server and waits for running
 * handlers. *whyp (on ctx) says what is wrong. */
int rlx_api_start(struct rlx_api **apip, TALLOC_CTX *ctx, struct rlx_config *config, char **whyp)
    __attribute__((warn_unused_result));
/* The port that is served. */
uint16_t rlx_api_port(const struct rlx_api *api);
/* Takes no new connections; ends live streams. */
void rlx_api_quiesce(struct rlx_api *api);

/* The role: runs until SIGTERM or SIGINT. Returns the process's exit status. */
int rlx_api_main(struct rlx_config *config);

#endif
