/* An analysis of a call: by rules alone, or a model's with everything taken out that the transcript
 * does not bear. Pure. */
#ifndef RLX_WORKER_ANALYSIS_H
#define RLX_WORKER_ANALYSIS_H

#include <jansson.h>
#include <stdbool.h>
#include <talloc.h>

#include "worker/evidence.h"

/* {sentiment, outcome, summary, key_points[], intents[], follow_up, extracted{}, method: "rules",
 * notes[]}; the caller drops it. `fields`: the agent's extraction fields, may be NULL. */
json_t *rlx_analysis_rules(const struct rlx_evidence *e, const json_t *fields);

/* A model's answer as JSON: fences and prose around the object are taken off; types and enums are
 * checked. RLX_EJSON with a sentence in *whyp (static) when it can't be used. The caller drops
 * *modelp. */
int rlx_analysis_parse(json_t **modelp, const char *text, const char **whyp);

/* The model's analysis, corrected; the caller drops it. */
json_t *rlx_analysis_check(const struct rlx_evidence *e, const json_t *model, const json_t *fields);

/* The prompt (messages as JSON text) and the schema of the answer, on ctx. The transcript is cut in
 * its middle to max_chars. */
char *rlx_analysis_messages(TALLOC_CTX *ctx, const json_t *call, size_t max_chars);
char *rlx_analysis_schema(TALLOC_CTX *ctx, const json_t *fields, bool limits);

#endif
