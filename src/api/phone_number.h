/* Phone numbers by libphonenumber's metadata. Any thread. */
#ifndef RLX_API_PHONE_NUMBER_H
#define RLX_API_PHONE_NUMBER_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True when a number of E.164 form can exist: its country code is one, and it is neither too short nor too long for it. A static
 * sentence in *whyp otherwise. *validp (optional): it also lies in an assigned range, which metadata may not know yet. */
bool rlx_phone_possible(const char *e164, bool *validp, const char **whyp);

#ifdef __cplusplus
}
#endif

#endif
