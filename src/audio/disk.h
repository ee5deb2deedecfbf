/* Files that are written by a thread: opening, writing and closing may wait for a disk, and the loop must not. One object and one
 * thread a process; operations are done in the order in which they were given. Used from one thread.
 */
#ifndef RLX_AUDIO_DISK_H
#define RLX_AUDIO_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_disk;
struct rlx_disk_file;

/* Starts the thread. At most max_bytes wait to be written. Freeing does what is queued, and ends it; files must be released. */
int rlx_disk_create(struct rlx_disk **diskp, TALLOC_CTX *ctx, size_t max_bytes)
    __attribute__((warn_unused_result));
/* Waits until all that was given is done (tests, the end). */
void rlx_disk_flush(struct rlx_disk *disk);

/* Creates a file (mode 0600) that does not exist yet; whether that went well is told later. -ENOMEM. */
int rlx_disk_open(struct rlx_disk_file **filep, struct rlx_disk *disk, const char *path)
    __attribute__((warn_unused_result));
/* Writes at an offset (copied). -ENOMEM; -ENOBUFS when too much waits, unless it must be. */
int rlx_disk_write(struct rlx_disk_file *file, uint64_t offset, const uint8_t *bytes, size_t length,
                   bool must) __attribute__((warn_unused_result));
/* The first error since it was last asked for, 0 = none. What was given after a write that failed is left out until it is asked:
 * a header never counts what is not there. A file that can't be opened takes nothing and tells so once more when it is closed. */
int rlx_disk_error(struct rlx_disk_file *file);
void rlx_disk_close(struct rlx_disk_file *file);
/* True when it is closed; *errp = what went wrong at last, opening and closing included. */
bool rlx_disk_closed(struct rlx_disk_file *file, int *errp);
/* The handle is given up (and the file closed when it is not yet). */
void rlx_disk_release(struct rlx_disk_file *file);

#endif
