/* The Range header of RFC 9110 14.2. Pure. */
#ifndef RLX_API_RANGE_H
#define RLX_API_RANGE_H

#include <stdint.h>

enum rlx_range { RLX_RANGE_WHOLE, RLX_RANGE_PART, RLX_RANGE_BAD };

/* What to send of a body of `size` bytes. A header that is absent or not understood means the
 * whole. */
enum rlx_range rlx_range_parse(const char *header, uint64_t size, uint64_t *firstp,
                               uint64_t *lengthp);

#endif
