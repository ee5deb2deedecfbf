/* The load generator. Private to phone/. */
#ifndef RLX_PHONE_LOAD_H
#define RLX_PHONE_LOAD_H

#include "call.h"
#include "flags.h"

/* Places the calls, waits for their ends, prints the JSON report on standard output. `from` is the
 * caller's number. The exit status: 0 when every call was completed. */
int rlx_load_run(struct rlx_exchange *exchange, const struct rlx_phone_flags *flags,
                 const char *from);

#endif
