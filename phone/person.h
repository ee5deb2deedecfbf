/* The person (or machine) at the phone: performs a script frame by frame, by what is heard. No
 * clock of its own: one tick is 20 ms of the phone's. One thread; readers lock around it. */
#ifndef RLX_PHONE_PERSON_H
#define RLX_PHONE_PERSON_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

#include "callee.h"
#include "hear.h"

#define RLX_PHONE_FRAME 160 /* samples of 20 ms */
#define RLX_PHONE_FRAME_MS 20

struct rlx_utterance {
    const char *text; /* the script's */
    const char *kind; /* say, interrupt, mmhm, dtmf, voicemail, wav */
    uint64_t start_ms, end_ms;
};

struct rlx_person_timeout {
    unsigned line;
    const char *what;
    uint64_t at_ms;
};

struct rlx_person;

/* A key goes down (for the `dtmf` event). Called from inside a tick. */
typedef void rlx_person_key_h(char key, void *arg);

/* Both the callee and `hear` must outlive it. NULL out of memory. */
struct rlx_person *rlx_person_create(TALLOC_CTX *ctx, const struct rlx_callee *callee,
                                     const struct rlx_hear *hear, rlx_person_key_h *key, void *arg);

/* The next 20 ms of what the person says; silence is zeros. False when the person has hung up. */
bool rlx_person_tick(struct rlx_person *person, int16_t pcm[RLX_PHONE_FRAME]);

/* The words said so far, those being said included (their end is known beforehand). */
const struct rlx_utterance *rlx_person_words(const struct rlx_person *person, size_t *countp);
const struct rlx_person_timeout *rlx_person_timeouts(const struct rlx_person *person,
                                                     size_t *countp);
/* A machine: its greeting and beep are over. */
bool rlx_person_greeting_over(const struct rlx_person *person);

#endif
