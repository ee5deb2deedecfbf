/* Signed requests between our own processes (an API asks the gateway that holds a call to end it).
 *
 * Header X-RelayX-Control: "<unix seconds>.<hex HMAC-SHA256(key, method + "\n" + path + "\n" + seconds)>", key derived from
 * JWT_SECRET_KEY; valid for 30 s. Any thread.
 */
#ifndef RLX_BASE_CONTROL_H
#define RLX_BASE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#define RLX_CONTROL_HEADER "X-RelayX-Control"

/* The header's value, on ctx. */
char *rlx_control_sign(TALLOC_CTX *ctx, const char *jwt_secret, const char *method,
                       const char *path, int64_t now_ms);
bool rlx_control_check(const char *value, const char *jwt_secret, const char *method,
                       const char *path, int64_t now_ms);

#endif
