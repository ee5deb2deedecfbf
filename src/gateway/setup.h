/* What a gateway must know to run a call, loaded from the store in one go on a thread, then moved to the loop. */
#ifndef RLX_GATEWAY_SETUP_H
#define RLX_GATEWAY_SETUP_H

#include <stdint.h>
#include <talloc.h>

#include "call/conv.h"
#include "knowledge/known.h"
#include "provider/meter.h"
#include "provider/providers.h"
#include "store/store.h"

struct rlx_call_setup {
    char *call_id, *user_id, *phone_number;
    char *voice, *llm_model, *language; /* NULL = the provider's default */
    double speed, temperature;
    uint32_t max_tokens;
    char *system;                   /* the prompt's part that stays the same during the call */
    struct rlx_known *known;        /* what is looked up per turn; dropped with the setup */
    char **answer_texts;            /* what approved answers say, NULL-terminated: to be spoken into the cache beforehand */
    json_t *wish;                   /* providers that the agent names; NULL = none; dropped with the setup */
    const struct rlx_config *config; /* of the call's user and agent; NULL = the server's */
    bool wished;                     /* the agent's choice makes a difference */
    /* Whoever runs the call sets these; they outlive the setup. */
    struct rlx_meter *meter; /* counts what the providers do */
    const struct rlx_providers *providers;
    struct rlx_conv_options options; /* its strings live in the setup */
};

/* Blocking. *setupp is a parentless talloc context. RLX_ENOTFOUND, RLX_ECONFLICT when the call is over already, RLX_ESTORE. */
int rlx_call_setup_load(struct rlx_call_setup **setupp, struct rlx_store *store, const char *call_id)
    __attribute__((warn_unused_result));
/* Sets config: the user's own keys, the agent's own providers. Blocking. */
void rlx_call_setup_configure(struct rlx_call_setup *setup, struct rlx_store *store,
                              const struct rlx_config *server);

#endif
