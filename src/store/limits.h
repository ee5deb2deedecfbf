/* What a user may do: protection against toll fraud and runaway cost. See store.h for results and threads. */
#ifndef RLX_STORE_LIMITS_H
#define RLX_STORE_LIMITS_H

#include "store/store.h"

/* Defaults where the operator has set nothing for a user (relayx user limit). */
#define RLX_LIMIT_CONCURRENT 100
#define RLX_LIMIT_MINUTES 6000 /* in a day, UTC */

struct rlx_account_limits {
    int concurrent_calls, minutes_per_day;
    char *countries;  /* "US,CA", "*" = all (and "premium": premium-rate numbers too); NULL = the caller ID's own country (US and CA together) */
    char *caller_ids; /* "+12025550100,…", "*" = all; NULL = the server's own number */
    int recording_days, transcript_days; /* kept for; 0 = for ever */
};

/* On ctx; defaults filled in. RLX_ENOTFOUND when there is no such user. */
int rlx_account_limits_get(struct rlx_store *store, TALLOC_CTX *ctx, const char *user_id,
                   struct rlx_account_limits *limits);
/* Changes what `fields` names: concurrent_calls, minutes_per_day, recording_days, transcript_days (integers), countries,
 * caller_ids (texts as above); null = back to the default. RLX_EINVAL for another name or kind. Values are the caller's to
 * check. */
int rlx_account_limits_set(struct rlx_store *store, const char *user_id, const json_t *fields);
/* {concurrent_calls, minutes_per_day, countries[] or null, caller_ids[] or null, recording_days, transcript_days,
 * used{concurrent_calls, minutes_today}}; the caller drops it. */
int rlx_account_limits_json(struct rlx_store *store, const char *user_id, int64_t now_ms, json_t **jsonp);

/* A call that somebody wants to place. */
struct rlx_account_limits_ask {
    const char *user_id;
    const char *call_id;   /* one that is to be dialed now (calls that only wait don't count); NULL: a new one (they do) */
    const char *region;    /* of the number, "US" (base/region.h); "" = unknown */
    bool premium;          /* a premium-rate number */
    const char *caller_id; /* asked for; NULL or "" = the server's own */
    const char *home;      /* the region of the server's own number, "" = unknown */
    const char *own_caller_id; /* the server's own number */
    bool simulated; /* the carrier is a simulator: any country and caller ID unless a list is set */
    bool own_carrier; /* dialed with the user's own carrier account: any caller ID */
    int64_t now_ms;
};

/* 0 = it may be placed. RLX_ELIMIT (concurrent calls, minutes: later it may) or RLX_EFORBIDDEN (country, caller ID,
 * premium), with the API's code in *codep (static) and a sentence in *whyp (on ctx). */
int rlx_account_limits_check(struct rlx_store *store, TALLOC_CTX *ctx, const struct rlx_account_limits_ask *ask,
                     const char **codep, char **whyp);

/* Whether an Idempotency-Key has come before: then the call is there, and no limit may refuse the answer about it. */
int rlx_idempotency_known(struct rlx_store *store, const char *user_id, const char *key,
                          bool *knownp);

struct rlx_db;
/* RLX_ELIMIT when the call's user has as many calls as he may have that were dialed and are not over. Inside the caller's
 * transaction, and no other one finds the same free place until it ends. */
int rlx_db_account_place(struct rlx_db *db, const char *call_id, int64_t now_ms)
    __attribute__((warn_unused_result));

#endif
