/* Shows a call while it goes on, from the API's view of it. */
#ifndef RLX_CLI_FOLLOW_H
#define RLX_CLI_FOLLOW_H

#include <jansson.h>
#include <stdio.h>

#include "cli/client.h"

/* True for a status that does not change any more. */
bool rlx_call_status_is_final(const char *status);

/* Polls the call until it is over (at most limit_s seconds) and prints what is said to `out` (NULL = nothing), in colour on a
 * terminal. *callp gets its last state, the caller's reference. RLX_EINTERNAL when the limit is over, -EINTR after SIGINT, else
 * as rlx_client_ask. */
int rlx_follow_call(struct rlx_client *client, json_t **callp, const char *call_id, int limit_s,
                    FILE *out, char **whyp) __attribute__((warn_unused_result));
/* Waits for the analysis, at most limit_s seconds; *analysisp is the caller's reference (its `status` may be pending). */
int rlx_follow_analysis(struct rlx_client *client, json_t **analysisp, const char *call_id,
                        int limit_s, char **whyp) __attribute__((warn_unused_result));
/* A signal handler: the next or present wait of the two ends with -EINTR, once. */
void rlx_follow_interrupt(int number);

/* Prints an analysis for people. */
void rlx_follow_print_analysis(const json_t *analysis, FILE *out);

#endif
