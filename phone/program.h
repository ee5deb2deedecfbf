/* A call's program: the TwiML that a webhook answers, step by step. Private to phone/. */
#ifndef RLX_PHONE_PROGRAM_H
#define RLX_PHONE_PROGRAM_H

#include "call.h"
#include "form.h"

/* Runs an answered call to its end, on the call's thread. */
void rlx_program_run(struct rlx_call *call);

/* The parameters of every webhook of the call, a context of its own; the lock is held. (call.c) */
struct rlx_form *rlx_call_form(struct rlx_call *call);

#endif
