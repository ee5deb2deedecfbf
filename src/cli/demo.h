/* What the files of `relayx demo` share; nobody else includes it. */
#ifndef RLX_CLI_DEMO_H
#define RLX_CLI_DEMO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <talloc.h>

/* The files that are built in (NUL-terminated). */
extern const char rlx_demo_agent[], rlx_demo_knowledge[], rlx_demo_callee[];

/* Read and check a file that the user gives (NULL = the one that is built in); nothing is started or made. RLX_EINVAL with *whyp
 * on ctx: what is wrong, with an example. The script's text (on ctx when it is no constant) … */
int rlx_demo_read_callee(const char **textp, TALLOC_CTX *ctx, const char *file, char **whyp)
    __attribute__((warn_unused_result));
/* … the body of POST /agents, … */
int rlx_demo_read_agent(json_t **bodyp, TALLOC_CTX *ctx, const char *file, char **whyp)
    __attribute__((warn_unused_result));
/* … and what rlx_demo_read_knowledge makes of the file. */
int rlx_demo_read_entries(json_t **knowledgep, TALLOC_CTX *ctx, const char *file, char **whyp)
    __attribute__((warn_unused_result));

/* The demo's result: {status, call_id, median_first_audio_ms, p95_first_audio_ms, turns[], transcript[], analysis, recording,
 * phone}. `call` is the API's view of the call, `phone` the simulator's report (may be NULL), analysis may be NULL. One turn for
 * each of the callee's words that the agent had to answer:
 * {callee, agent, source, first_audio_ms, stt_ms, llm_ms, tts_ms, interrupted}. NULL when out of memory. */
json_t *rlx_demo_report(const json_t *call, const json_t *phone, const json_t *analysis);
/* True when the call completed and every turn was answered. */
bool rlx_demo_report_is_good(const json_t *report);
/* The turns and their times, for people. */
void rlx_demo_report_print(const json_t *report, FILE *out);

/* The knowledge file: an array of entries (or an object with one in "knowledge" or "entries"), each {title, content,
 * questions[]}; an entry without questions is a text. *knowledgep is an array of bodies for POST /api/knowledge, without the
 * agent. RLX_EINVAL with *whyp on ctx. */
int rlx_demo_read_knowledge(json_t **knowledgep, TALLOC_CTX *ctx, const char *text, char **whyp)
    __attribute__((warn_unused_result));

#endif
