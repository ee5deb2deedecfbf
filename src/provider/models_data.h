/* share/models.json as bytes. */
#ifndef RLX_PROVIDER_MODELS_DATA_H
#define RLX_PROVIDER_MODELS_DATA_H

#include <stddef.h>

extern const unsigned char rlx_models_data[];
extern const size_t rlx_models_data_length;

#endif
