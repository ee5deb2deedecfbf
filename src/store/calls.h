/* Calls, what was said in them, what became of them. See store.h for results and threads. */
#ifndef RLX_STORE_CALLS_H
#define RLX_STORE_CALLS_H

#include "store/store.h"

/* True for a status that a call never leaves: completed, failed, busy, no-answer, canceled. */
bool rlx_call_is_over(const char *status);

/* ---- the API ---- */

/* Commits the call (status initiated) together with its dial job. options: {variables{}, greeting,
 * llm_model, max_duration_s, caller_id, purpose} as given. With an idempotency key seen before: the
 * same call's id, *createdp false, or RLX_ECONFLICT when it came with other values. */
int rlx_call_create(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *agent_id, const char *phone_number, const json_t *metadata,
                    const json_t *options, const char *idempotency_key, char **call_idp,
                    bool *createdp);
/* The call as in the API: …, embedded transcripts, and recording (path or null), latency summary.
 */
int rlx_call_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id, const char *call_id,
                 char **jsonp);
/* What a list is narrowed to; NULL = everything. */
struct rlx_calls_filter {
    const char *agent_id, *status, *outcome, *sentiment, *direction;
    const char *phone_number; /* a part of it, digits and + alone */
    const char *from, *to;    /* created_at: RFC 3339 in UTC with milliseconds; `to` is not included */
    const char *words;        /* in the transcript, without case */
};
/* Newest first; limit 1…200 (0 = 200). Rows carry no transcripts. filter may be NULL. */
int rlx_calls_list(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                   const struct rlx_calls_filter *filter, int limit, const char *cursor,
                   char **jsonp, char **next_cursorp, int64_t *totalp);
int rlx_call_transcripts(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                         const char *call_id, char **jsonp);
/* {call_id, status: pending|completed|failed, …} */
int rlx_call_analysis(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                      const char *call_id, char **jsonp);
/* The recording's file path, or the s3:// URL of its object; RLX_ENOTFOUND when there is none. */
int rlx_call_recording(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                       const char *call_id, char **pathp);

/* Removes a call that is over, with all that hangs on it; RLX_ECONFLICT while it is not. Its recording is erased by a job ("erase" a
 * file, "remove" an object);
 * *pathp (on ctx, NULL = none) names it. */
int rlx_call_delete(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                    const char *call_id, char **pathp);

/* What a hang-up needs: the status, the carrier's sid ("" = not known) and the control address of
 * the gateway that holds the call ("" = none). */
int rlx_call_control(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                     const char *call_id, char **statusp, char **sidp, char **control_urlp);
/* 0 when the call is the user's. */
int rlx_call_owned(struct rlx_store *store, const char *user_id, const char *call_id);

/* ---- dialing (worker) ---- */

/* Commits that a dial is about to be asked for, once per call. may_dial: nothing was asked yet, go
 * on. Else the call was asked for before: undecided (its fate must be looked up from since_ms on)
 * or decided (nothing is to be done). RLX_ECONFLICT: another attempt between the same numbers is
 * undecided; RLX_ELIMIT: the user has as many calls as he may have (store/limits.h); try later. */
struct rlx_dial_state {
    bool may_dial, undecided;
    int64_t since_ms;
    int tries;
};
int rlx_dial_begin(struct rlx_store *store, const char *call_id, const char *to, const char *from,
                   int64_t now_ms, struct rlx_dial_state *statep);
/* What is known of an attempt, without beginning one; RLX_ENOTFOUND when none was begun. */
int rlx_dial_look(struct rlx_store *store, const char *call_id, struct rlx_dial_state *statep);
/* Decides an attempt: placed, refused, not_sent (the request surely never reached the carrier: it
 * may be dialed again), or unknown (given up). */
int rlx_dial_end(struct rlx_store *store, const char *call_id, const char *state, int code,
                 const char *why);

/* Everything that a dial needs: {id, user_id, agent_id, phone_number, status, twilio_sid,
 * caller_id, max_duration_s, …, agent{…} or null, transcripts[{speaker, text, metadata}]}; the
 * caller drops the reference. Also what a gateway needs to run the call (agent = the whole agent
 * row, options, variables). */
int rlx_call_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, json_t **callp);
/* Keeps the sid and decides the attempt as placed; RLX_ECONFLICT when the call has another one or
 * the sid is another call's. */
int rlx_call_set_sid(struct rlx_store *store, const char *call_id, const char *twilio_sid);
/* The sid when known yet ("" = not), and the status: what POST /calls/outbound waits for. */
int rlx_call_peek(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, char **sidp,
                  char **statusp, char **reasonp);

/* ---- live calls (gateway) ---- */

/* The carrier's progress (queued, ringing, in-progress): moves only forward, never out of a final
 * status. */
int rlx_call_progress(struct rlx_store *store, const char *call_id, const char *status);
/* Takes the call for this gateway at the stream's `start`: consumes the stream token once
 * (RLX_EAUTH when it was consumed or is not the call's), sets in-progress, answered_at, gateway_id.
 */
int rlx_call_take(struct rlx_store *store, const char *call_id, const char *gateway_id,
                  const char *token_sha256, int64_t now_ms);
/* Remembers the current stream token. A retried webhook gives the same token: 0 again while it
 * lives; RLX_ECONFLICT when the call is over or another one lives, RLX_EAUTH when this one was
 * consumed already. */
int rlx_call_set_token(struct rlx_store *store, const char *call_id, const char *token_sha256,
                       int64_t expires_ms);

struct rlx_turn_row {
    char id[37]; /* UUID made by the writer: a repeated write is ignored */
    char call_id[37];
    uint32_t seq; /* order in the call */
    bool agent;   /* speaker: ai or user */
    const char *text;
    int64_t at_ms;        /* wall clock, when it began */
    const char *metadata; /* JSON object text */
};
/* Also makes the live event `transcript` (so do rlx_call_update_turn; every change of status makes
 * `status`). */
int rlx_call_append_turn(struct rlx_store *store, const struct rlx_turn_row *row);
/* Replaces text and metadata of a row (an agent's turn that was cut); "" withdraws the row: nothing
 * of it was heard. */
int rlx_call_update_turn(struct rlx_store *store, const char *row_id, const char *text,
                         const char *metadata);
int rlx_call_event(struct rlx_store *store, const char *call_id, const char *kind,
                   const char *data_json, int64_t at_ms);

/* The end: final status, reason, duration, recording path, summary of measurements; makes the
 * analysis job, all in one transaction. `owner` true (the gateway that held it) overrides an end
 * that somebody else wrote (gateway_lost, a status callback that was faster) and has the analysis
 * made again. Repeated: ignored. duration counts from answered_at. */
struct rlx_call_end {
    const char *status;  /* completed, failed, busy, no-answer, canceled */
    const char *reason;  /* e.g. "goodbye", "hangup", "gateway_lost", "stream_never_started" */
    const char *outcome; /* may be NULL */
    int64_t ended_ms;
    const char *recording; /* path or NULL */
    bool upload;           /* makes the job "upload" {call_id, path}, which moves the recording to S3 */
    const char *metrics;   /* JSON object or NULL */
    bool owner;
};
int rlx_call_end(struct rlx_store *store, const char *call_id, const struct rlx_call_end *end);
/* Marks the number do-not-call for the call's user. */
int rlx_dnc_add(struct rlx_store *store, const char *user_id, const char *phone_number,
                const char *source, const char *call_id);
int rlx_dnc_has(struct rlx_store *store, const char *user_id, const char *phone_number,
                bool *listedp);

/* Gateways tell that they live; calls of one that has been silent for lease_ms are closed as
 * failed, "gateway_lost" (what was said is kept). Called once a second from one thread. Only while
 * the store has been reachable for a whole lease. *closedp = how many. */
int rlx_gateway_beat(struct rlx_store *store, const char *gateway_id, const char *control_url,
                     int64_t now_ms);
/* Gateways that have told of themselves since then. */
int rlx_gateways_count(struct rlx_store *store, int64_t since_ms, int64_t *countp);
int rlx_gateway_leave(struct rlx_store *store, const char *gateway_id);
int rlx_calls_close_lost(struct rlx_store *store, int64_t now_ms, int64_t lease_ms, int *closedp);
/* Calls that were dialed but whose fate never came (no stream, no final status callback) for longer
 * than limit_ms. */
int rlx_calls_stale(struct rlx_store *store, TALLOC_CTX *ctx, int64_t now_ms, int64_t limit_ms,
                    json_t **callsp);

/* ---- events, for live views: newer than `after` (0 = from the start), oldest first ---- */
int rlx_call_events(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, int64_t after,
                    int limit, json_t **eventsp);

/* ---- analysis (worker) ---- */
int rlx_analysis_save(struct rlx_store *store, const char *call_id, const json_t *analysis);
int rlx_analysis_fail(struct rlx_store *store, const char *call_id, const char *why);

#endif
