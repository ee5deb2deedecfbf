/* Counts of the API's own work, for GET /metrics in Prometheus' text format. Any thread. */
#ifndef RLX_API_METRICS_H
#define RLX_API_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/httpd.h"

struct rlx_metrics;

/* `routes` must outlive it. */
int rlx_metrics_create(struct rlx_metrics **metricsp, TALLOC_CTX *ctx,
                       const struct rlx_route *routes, size_t count)
    __attribute__((warn_unused_result));
/* One request: route NULL = none matched. */
void rlx_metrics_count(struct rlx_metrics *metrics, const struct rlx_route *route, int status,
                       uint64_t took_us);
/* Appends the requests' counts and times to text that talloc holds. NULL out of memory. */
char *rlx_metrics_requests(const struct rlx_metrics *metrics, char *text);
/* Appends what the process uses: memory, processor time, open files. */
char *rlx_metrics_process(char *text);

#endif
