/* What is checked before an operation's handler runs. The tables are made by openapi.py from docs/api. */
#ifndef RLX_API_DISPATCH_H
#define RLX_API_DISPATCH_H

#include "api/validate.h"
#include "base/httpd.h"

/* Classes of operations that are limited together (limits.h). */
enum rlx_rate {
    RLX_RATE_NONE,
    RLX_RATE_READ,
    RLX_RATE_WRITE,
    RLX_RATE_AUTH,
    RLX_RATE_HEAVY,
    RLX_RATE_ADDRESS, /* every request of an address */
    RLX_RATE_COUNT
};

enum rlx_place { RLX_IN_PATH, RLX_IN_QUERY, RLX_IN_HEADER };

enum rlx_media { RLX_MEDIA_JSON = 1, RLX_MEDIA_FORM = 2, RLX_MEDIA_CSV = 4 };

struct rlx_parameter {
    const char *name;
    enum rlx_place in;
    bool required;
    const struct rlx_schema *schema;
};

struct rlx_operation {
    const char *id;
    rlx_handler_h *handler;
    enum rlx_rate rate;
    const char *scope; /* what an API key must be allowed, "calls:write"; NULL = no authentication */
    bool ticket;       /* ?ticket= is taken too */
    const struct rlx_parameter *parameters;
    size_t parameter_count;
    unsigned media; /* that the body may have; 0 = there is none */
    bool body_required;
    const struct rlx_schema *body, *form;
};

/* The router's list, in the same order as the operations. */
extern const struct rlx_operation rlx_api_operations[];
extern const struct rlx_route rlx_api_routes[];
extern const size_t rlx_api_route_count;

/* The handler of every operation's route: authenticates, limits, checks the path's ids, the query and the body, and
 * then runs the operation's own. */
rlx_handler_h rlx_dispatch;
/* All of that but the body, for a body that is still to be read. */
rlx_handler_h rlx_dispatch_early;

#endif
