/* Structured log: one line of key=value (or one JSON object) per event, on standard error.
 *
 *     rlx_log(RLX_INFO, "call.started", "call_id=%s to=%s", id, number);
 *
 * The format string is a list of key=%… pairs separated by single spaces; a value that holds spaces or quotes is quoted.
 * Secrets never go in; transcripts only where the caller asks for it. Any thread; a line is written with one write().
 */
#ifndef RLX_BASE_LOG_H
#define RLX_BASE_LOG_H

#include <stdbool.h>

enum rlx_log_level { RLX_DEBUG, RLX_INFO, RLX_WARN, RLX_ERROR };

/* Sets the lowest level that is written (default RLX_INFO) and whether lines are JSON. Call before threads start. */
void rlx_log_setup(enum rlx_log_level lowest, bool json);

/* A level by name ("debug", "info", "warn", "error"); 0 or RLX_EINVAL. */
int rlx_log_level_parse(enum rlx_log_level *levelp, const char *name);

/* Writes one line: time, level, event, then the pairs. Lines over 2 KB are cut. */
void rlx_log(enum rlx_log_level level, const char *event, const char *pairs, ...)
    __attribute__((format(printf, 3, 4)));

#endif
