/* Sums over a user's calls. See store.h for results and threads. */
#ifndef RLX_STORE_ANALYTICS_H
#define RLX_STORE_ANALYTICS_H

#include "store/store.h"

struct rlx_period {
    const char *agent_id; /* NULL = all */
    const char *from, *to; /* RFC 3339 in UTC with milliseconds; `to` is not included */
};

/* {calls, answered, completed, failed, busy, no_answer, canceled, live, answer_rate, talk_s, avg_duration, outcomes{},
 * sentiments{}}; rates from 0 to 1, null without calls. The caller drops each result. */
int rlx_analytics_summary(struct rlx_store *store, const char *user_id,
                          const struct rlx_period *period, json_t **jsonp);
/* [{date, calls, answered, completed, talk_s}], days in UTC that have calls. */
int rlx_analytics_days(struct rlx_store *store, const char *user_id,
                       const struct rlx_period *period, json_t **jsonp);
/* {outcomes{name: n}, sentiments{}, statuses{}}. */
int rlx_analytics_outcomes(struct rlx_store *store, const char *user_id,
                           const struct rlx_period *period, json_t **jsonp);
/* [{agent_id, name, calls, answered, completed, positive, answer_rate, talk_s, avg_duration}], busiest first. */
int rlx_analytics_agents(struct rlx_store *store, const char *user_id,
                         const struct rlx_period *period, json_t **jsonp);
/* {turns, endpoint_ms, stt_ms, lookup_ms, llm_ms, tts_ms, first_audio_ms: {count, p50, p90, p95, p99, max} or null} of the
 * agent's turns in the newest 2000 answered calls. */
int rlx_analytics_latency(struct rlx_store *store, const char *user_id,
                          const struct rlx_period *period, json_t **jsonp);

#endif
