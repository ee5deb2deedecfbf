/* Operations kept on disk while the store is away: one JSON object a line, fsync'ed, in a file that its owner holds a lock on, so
 * that what a dead process left can be told from what a living one still writes (a process id can't: it may be given again).
 * One thread. */
#ifndef RLX_GATEWAY_SPOOL_H
#define RLX_GATEWAY_SPOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

struct rlx_spool;

/* Carries one operation out. False: it can't be done now, and must be kept. */
typedef bool rlx_spool_h(const json_t *operation, void *arg);

/* `dir` exists; `owner` is a name that no other process has. No file is made before something is added. Freeing keeps the file
 * when it holds something. */
int rlx_spool_create(struct rlx_spool **spoolp, TALLOC_CTX *ctx, const char *dir, const char *owner)
    __attribute__((warn_unused_result));
/* Something waits in the own file: what comes now must go there too, to keep the order. */
bool rlx_spool_holds(const struct rlx_spool *spool);
/* Keeps an operation; it is on disk when this returns 0. Negative errno. */
int rlx_spool_add(struct rlx_spool *spool, const json_t *operation)
    __attribute__((warn_unused_result));
/* Carries out what the own file holds, in order, and removes it. False when it stopped in between: what was done is marked and
 * not done again. True when nothing is left. */
bool rlx_spool_replay(struct rlx_spool *spool, rlx_spool_h *carry_out, void *arg);
/* The same for files of owners that are gone. */
bool rlx_spool_replay_orphans(struct rlx_spool *spool, rlx_spool_h *carry_out, void *arg);

#endif
