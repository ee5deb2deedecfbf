/* Runs programs as children: starts them, waits until they answer, restarts one that dies, stops them in order.
 *
 * One thread, one poll loop. While it runs, SIGCHLD, SIGTERM, SIGINT and SIGHUP are taken through a signalfd (SIGTERM and
 * SIGINT stop everything in order; a second one kills), so a process runs one supervisor and starts no thread before it.
 *
 * - Each child is a process group of its own, gets SIGTERM when the supervisor dies, and its group is killed after it.
 * - What a child prints (both streams) goes line by line to this process's standard error, labelled "name | line"; a JSON
 *   line gets a member "process" instead.
 * - A child that dies is started again: at once the first time, then after 0.5, 1, 2, 4, 5, 5 … s; a child that lived for
 *   30 s starts from the beginning. A child that dies 6 times before it ever answered ends the run.
 * - Orphans are reaped, so it may be process 1.
 */
#ifndef RLX_BASE_SUPERVISOR_H
#define RLX_BASE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

struct rlx_supervisor;

struct rlx_child {
    const char *name;
    const char *const *argv;  /* NULL-terminated; argv[0] is a path */
    const char *const *env;   /* "NAME=value" lines added to the environment, NULL-terminated; may be NULL */
    const char *ready_host;   /* an IPv4 address; NULL = 127.0.0.1 */
    uint16_t ready_port;      /* ready when GET http://host:port/path answers 200; 0 = ready when it has lived for 0.2 s */
    const char *ready_path;
    const char *after;        /* name of an earlier child that must be ready before this one's first start; may be NULL */
    unsigned grace_ms;        /* from SIGTERM to SIGKILL; 0 = 5 s */
    bool quiet;               /* its lines are dropped, except the last ones before an abnormal end */
};

/* All children that were added answered for the first time. May call rlx_supervisor_stop. */
typedef void rlx_supervisor_ready_h(void *arg);

/* The supervisor is a talloc child of ctx; it must not be freed while it runs. */
int rlx_supervisor_create(struct rlx_supervisor **supervisorp, TALLOC_CTX *ctx)
    __attribute__((warn_unused_result));

/* Adds a child (everything is copied); it starts with rlx_supervisor_run, in the order of adding. -EINVAL when the name
 * is taken, argv is empty or `after` names no earlier child. */
int rlx_supervisor_add(struct rlx_supervisor *supervisor, const struct rlx_child *child)
    __attribute__((warn_unused_result));

/* Changes the waits between restarts: the second one waits first_ms, each further one twice as long, up to max_ms. */
void rlx_supervisor_set_backoff(struct rlx_supervisor *supervisor, unsigned first_ms,
                                unsigned max_ms);

/* Runs until a signal or rlx_supervisor_stop, then stops the children in reverse order of adding. 0 after such a stop;
 * RLX_ECONFIG when a child could not be brought up (*namep is its name then), -errno when the loop can't be set up. */
int rlx_supervisor_run(struct rlx_supervisor *supervisor, rlx_supervisor_ready_h *ready, void *arg,
                       const char **namep) __attribute__((warn_unused_result));

/* Begins the ordered stop; from inside a callback. */
void rlx_supervisor_stop(struct rlx_supervisor *supervisor);

#endif
