/* What a transcript proves: the facts that an analysis is held against. English. Pure; one thread
 * per object. */
#ifndef RLX_WORKER_EVIDENCE_H
#define RLX_WORKER_EVIDENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

struct rlx_evidence;

/* From a call as rlx_call_load gives it (borrowed: it must outlive the evidence). */
int rlx_evidence_create(struct rlx_evidence **evidencep, TALLOC_CTX *ctx, const json_t *call)
    __attribute__((warn_unused_result));

/* The callee said something. */
bool rlx_evidence_spoke(const struct rlx_evidence *e);
/* Whether the transcript, or what the gateway noted, supports an outcome of SPEC 3. */
bool rlx_evidence_supports(const struct rlx_evidence *e, const char *outcome);
/* Somebody answered, nobody spoke, and the call ended in the middle for a reason of ours: what that
 * was, as the end of a sentence (a constant text); else NULL. */
const char *rlx_evidence_our_failure(const struct rlx_evidence *e);
/* An outcome that stands whatever a model says (opted_out, transferred, voicemail, no_answer; other
 * for a failure of ours), or NULL. */
const char *rlx_evidence_certain(const struct rlx_evidence *e);
/* The outcome by rules alone; never NULL. */
const char *rlx_evidence_outcome(const struct rlx_evidence *e);

/* Words that tell a mood in what the callee said. */
bool rlx_evidence_positive(const struct rlx_evidence *e);
bool rlx_evidence_negative(const struct rlx_evidence *e);
/* The callee agreed / declined in some turn. */
bool rlx_evidence_said_yes(const struct rlx_evidence *e);
bool rlx_evidence_said_no(const struct rlx_evidence *e);

/* Every number and every name (a capital letter inside of the sentence) of the text was heard in
 * the call, or stands in the agent's name and prompt (names only). */
bool rlx_evidence_heard(const struct rlx_evidence *e, const char *sentence);
/* The text reports about a call: at least three words, and nobody is spoken to or speaks (you, I,
 * we): what small models write when they go on with the conversation instead. */
bool rlx_evidence_reports(const char *text);
/* The callee said it: a text, a number in digits or words, an e-mail address spoken with "at" and
 * "dot". */
bool rlx_evidence_callee_said(const struct rlx_evidence *e, const char *text);
bool rlx_evidence_callee_number(const struct rlx_evidence *e, double number);
/* At least one word of four letters or more of the text was said by the callee. */
bool rlx_evidence_touches(const struct rlx_evidence *e, const char *text);

/* Subjects that the callee raised ("pricing", "booking", …) as an array; the caller drops it. */
json_t *rlx_evidence_intents(const struct rlx_evidence *e);
/* Questions of the callee as they were said, at most five; the caller drops it. */
json_t *rlx_evidence_questions(const struct rlx_evidence *e);
/* Number of the callee's turns, and the first one's text ("" = none). */
size_t rlx_evidence_turns(const struct rlx_evidence *e, const char **firstp);

/* Bytes of the text, at most max, that end between two characters of UTF-8: for %.*s. */
int rlx_clip(const char *text, size_t max);

#endif
