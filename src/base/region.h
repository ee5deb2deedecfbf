/* The country of a phone number, by libphonenumber's metadata (library rlx_region). Any thread. */
#ifndef RLX_BASE_REGION_H
#define RLX_BASE_REGION_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RLX_REGION_TEXT 4

/* ISO 3166-1 alpha-2 ("US"; the countries of +1 are told apart) of an E.164 number, "" = unknown or of no country (satellite
 * telephones, +881). *premiump (may be NULL): a premium-rate or shared-cost number. */
void rlx_region_of(char region[RLX_REGION_TEXT], const char *e164, bool *premiump);

#ifdef __cplusplus
}
#endif

#endif
