/* What providers did for a user, and what it cost. See store.h for results and threads. */
#ifndef RLX_STORE_USAGE_H
#define RLX_STORE_USAGE_H

#include "store/store.h"

struct rlx_usage {
    const char *stage;           /* stt, llm, tts, embed, carrier */
    const char *provider, *model; /* "groq", "whisper-large-v3-turbo" */
    bool own;                    /* with the user's own key: it costs the operator nothing */
    int64_t requests;
    int64_t audio_ms;   /* stt: heard; carrier: talked, in whole minutes that were begun, as carriers bill */
    int64_t characters; /* tts */
    int64_t tokens_in, tokens_out;
};

/* Puts the whole usage of one occasion (`ref`: the call's id, or a UUID made for it): written again, it replaces what was there,
 * so that a repeated write changes nothing. user_id NULL: the call's. */
int rlx_usage_put(struct rlx_store *store, const char *ref, const char *user_id,
                  const struct rlx_usage *items, size_t count, int64_t now_ms);
/* The same from JSON: an array of {stage, provider, model, own, requests, audio_ms, characters, tokens_in, tokens_out}, zeros
 * left out. RLX_EINVAL when it is none. */
int rlx_usage_put_json(struct rlx_store *store, const char *ref, const char *user_id,
                       const char *json, int64_t now_ms);

/* The day in UTC as text, "2026-01-31". */
void rlx_usage_day(char day[25], int64_t wall_ms);

/* Sums by day, from and to inclusive: an array of {day, stage, provider, model, own, requests, audio_ms, …}; the caller drops
 * it. */
int rlx_usage_sums(struct rlx_store *store, const char *user_id, const char *from_day,
                   const char *to_day, json_t **jsonp);

struct rlx_db;
/* The call is over: how long the carrier had it, on the row that the dial made. Inside the caller's transaction. */
int rlx_db_usage_call_end(struct rlx_db *db, const char *call_id, int64_t ended_ms)
    __attribute__((warn_unused_result));

#endif
