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

/* A number as people write it ("(020) 7946 0018", "tel:+44...") to E.164 (20 bytes are enough). `region` ("US") is whose
 * national numbers are meant, or NULL. False with a static sentence in *whyp when it is none, or not possible. */
bool rlx_phone_e164(const char *text, const char *region, char e164[20], const char **whyp);
/* True for the two letters of a region that has a numbering plan. */
bool rlx_phone_region(const char *region);

#ifdef __cplusplus
}
#endif

#endif
