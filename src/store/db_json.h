/* What verbs make JSON of. Private to src/store. */
#ifndef RLX_STORE_DB_JSON_H
#define RLX_STORE_DB_JSON_H

#include <jansson.h>
#include <stdint.h>

/* A time as the API shows it; 0 is null. */
json_t *rlx_json_time(int64_t wall_ms);

#endif
