/* Operations kept on disk: one JSON object a line, fsync'ed, in a file that its owner holds a lock on, so that what a dead process
 * left can be told from what a living one still writes (a process id can't: it may be given again).
 *
 * The owner keeps in memory what has to be done, and here a copy that outlives it: a line is added, and marked when it has been
 * carried out. One thread at a time.
 */
#ifndef RLX_GATEWAY_SPOOL_H
#define RLX_GATEWAY_SPOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <talloc.h>

struct rlx_spool;

/* Carries one operation out. False: it can't be done now, and must be kept. */
typedef bool rlx_spool_h(const json_t *operation, void *arg);

/* `dir` exists; `owner` is a name that no other process has. No file is made before something is added. Freeing keeps the file
 * when it holds something. */
int rlx_spool_create(struct rlx_spool **spoolp, TALLOC_CTX *ctx, const char *dir, const char *owner)
    __attribute__((warn_unused_result));
/* Keeps an operation (compact JSON, no line break); it is on disk when this returns 0. Negative errno. *atp: its place. */
int rlx_spool_add(struct rlx_spool *spool, const char *operation, off_t *atp)
    __attribute__((warn_unused_result));
/* The operation at that place, parsed; NULL when it can't be read. The caller drops it. */
json_t *rlx_spool_read(struct rlx_spool *spool, off_t at);
/* It was carried out: nobody will do it again. When nothing is left the file is removed. */
void rlx_spool_done(struct rlx_spool *spool, off_t at);
/* Lines that were added and not marked. */
size_t rlx_spool_count(const struct rlx_spool *spool);
/* Carries out what owners that are gone have left, in order, and removes their files. False when it stopped in between: what was
 * done is marked and not done again. */
bool rlx_spool_replay_orphans(struct rlx_spool *spool, rlx_spool_h *carry_out, void *arg);

#endif
