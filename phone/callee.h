/* The callees that are registered: a script with its speech rendered beforehand. Any thread. */
#ifndef RLX_PHONE_CALLEE_H
#define RLX_PHONE_CALLEE_H

#include <jansson.h>
#include <talloc.h>

#include "script.h"
#include "voice.h"

struct rlx_callees;

/* Never changes once it is registered; shared by calls, counted. */
struct rlx_callee {
    struct rlx_script *script;
    struct rlx_sound **sounds; /* one per step, NULL where nothing is heard */
    const char *rendered_by;   /* "speech", "espeak-ng" or "none" */
    int references;
};

/* An empty registry; speech_url as in struct rlx_voice (copied). NULL out of memory. Freed after
 * all calls. */
struct rlx_callees *rlx_callees_create(TALLOC_CTX *ctx, const char *speech_url);

/* Parses and renders a script (blocking, seconds) and registers it for `number` (NULL: the script's
 * own, else the default); `files`: JSON object name → base64 of WAV files, may be NULL.
 * *descriptionp (optional) gets the JSON that POST /sim/callees answers. RLX_EINVAL or
 * RLX_EPROVIDER with a sentence in *whyp (on ctx); RLX_ELIMIT with 1000 callees; -ENOMEM. */
int rlx_callees_add(struct rlx_callees *callees, TALLOC_CTX *ctx, const char *number,
                    const char *script, const json_t *files, json_t **descriptionp, char **whyp)
    __attribute__((warn_unused_result));

/* Who answers this number: one more reference, to be put back. NULL when there is nobody and no
 * voice for the default. */
struct rlx_callee *rlx_callees_get(struct rlx_callees *callees, const char *number);
void rlx_callee_put(struct rlx_callee *callee);

json_t *rlx_callees_list(struct rlx_callees *callees);
void rlx_callees_forget(struct rlx_callees *callees);

/* Speaks text as the network's own announcement (TwiML Say). Blocking. */
int rlx_callees_announce(struct rlx_callees *callees, TALLOC_CTX *ctx, const char *text,
                         struct rlx_sound **soundp) __attribute__((warn_unused_result));

#endif
