/* Calls while they live: dialing, progress, the stream's token, transcript rows, the end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "store/calls.h"
#include "store/agents_db.h"
#include "store/db.h"
#include "store/limits.h"
#include "store/usage.h"

static int exists(struct rlx_db *db, const char *call_id)
{
    int rows = 0;
    int err = RLX_RUN(db, RLX_Q_CALL_EXISTS, NULL, NULL, &rows, RLX_TEXT(call_id));

    return err ? err : rows ? 0 : RLX_ENOTFOUND;
}

static int status_event(struct rlx_db *db, const char *call_id, const char *status,
                        const char *reason, int64_t at_ms)
{
    json_t *data = json_pack("{s:s,s:s*}", "status", status, "reason", reason);
    char *text = data ? rlx_json_text(NULL, data, "{}") : NULL;
    int err = text ? rlx_db_event(db, call_id, "status", text, at_ms) : -ENOMEM;

    talloc_free(text);
    json_decref(data);
    return err;
}

/* ---- dialing ---- */

/* Custom fields stand beside a contact's own, which come first. */
static json_t *contact_of(const char *text)
{
    json_t *contact = text ? json_loads(text, 0, NULL) : json_null();
    json_t *custom = json_incref(json_object_get(contact, "custom_fields"));

    json_object_del(contact, "custom_fields");
    json_object_update_missing(contact, custom);
    json_decref(custom);
    return contact;
}

static int take_load(struct rlx_row *row, void *arg)
{
    json_t **callp = arg;
    json_t *call = json_loads(rlx_row_text(row, 0), 0, NULL);
    const char *agent = rlx_row_text(row, 1);

    if (!call)
        return -ENOMEM;
    *callp = call;
    json_object_set_new(call, "agent", agent ? json_loads(agent, 0, NULL) : json_null());
    /* The message is kept with its policy off, so that it can be switched on again. */
    const char *policy = json_string_value(json_object_get(json_object_get(call, "agent"), "voicemail_policy"));
    if (policy && strcmp(policy, "leave_message") != 0)
        json_object_set_new(json_object_get(call, "agent"), "voicemail_message", json_null());
    json_object_set_new(call, "transcripts", json_loads(rlx_row_text(row, 2), 0, NULL));
    json_object_set_new(call, "contact", contact_of(rlx_row_text(row, 3)));
    return 0;
}

int rlx_call_load(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, json_t **callp)
{
    json_t *call = NULL;

    (void)ctx;
    if (!store || !call_id || !callp)
        return -EINVAL;
    int err =
        RLX_ONCE(store, RLX_DB_READ, RLX_Q_CALL_LOAD, take_load, &call, NULL, RLX_TEXT(call_id));
    if (!err && !call)
        err = RLX_ENOTFOUND;
    if (err)
        json_decref(call);
    else
        *callp = call;
    return err;
}

int rlx_call_set_sid(struct rlx_store *store, const char *call_id, const char *twilio_sid)
{
    struct rlx_db *db;
    int rows = 0;

    if (!store || !call_id || !twilio_sid)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = exists(db, call_id);
    if (!err)
        err = RLX_RUN(db, RLX_Q_CALL_SET_SID, NULL, NULL, &rows, RLX_TEXT(call_id),
                      RLX_TEXT(twilio_sid), RLX_INT(rlx_wall_ms()));
    if (!err && !rows)
        err = RLX_ECONFLICT;
    if (!err)
        err = RLX_RUN(db, RLX_Q_ATTEMPT_END, NULL, NULL, NULL, RLX_TEXT(call_id),
                      RLX_TEXT("placed"), RLX_NULL, RLX_NULL);
    return rlx_db_end(db, err);
}

struct peek_out {
    TALLOC_CTX *ctx;
    char *text[3];
};

static int take_peek(struct rlx_row *row, void *arg)
{
    struct peek_out *out = arg;

    for (int i = 0; i < 3; i++) {
        const char *text = rlx_row_text(row, i);
        out->text[i] = talloc_strdup(out->ctx, text ? text : "");
        if (!out->text[i])
            return -ENOMEM;
    }
    return 0;
}

int rlx_call_peek(struct rlx_store *store, TALLOC_CTX *ctx, const char *call_id, char **sidp,
                  char **statusp, char **reasonp)
{
    struct peek_out out = {.ctx = ctx};

    if (!store || !call_id || !sidp || !statusp || !reasonp)
        return -EINVAL;
    int err =
        RLX_ONCE(store, RLX_DB_READ, RLX_Q_CALL_PEEK, take_peek, &out, NULL, RLX_TEXT(call_id));
    *sidp = out.text[0];
    *statusp = out.text[1];
    *reasonp = out.text[2];
    return err ? err : out.text[1] ? 0 : RLX_ENOTFOUND;
}

struct attempt {
    char state[16];
    int64_t started_ms;
    int tries;
};

static int take_attempt(struct rlx_row *row, void *arg)
{
    struct attempt *attempt = arg;

    memccpy(attempt->state, rlx_row_text(row, 0), 0, sizeof attempt->state - 1);
    attempt->started_ms = rlx_row_int(row, 1);
    attempt->tries = (int)rlx_row_int(row, 2);
    return 0;
}

int rlx_dial_begin(struct rlx_store *store, const char *call_id, const char *to, const char *from,
                   int64_t now_ms, struct rlx_dial_state *statep)
{
    struct attempt attempt = {0};
    struct rlx_db *db;

    if (!store || !call_id || !to || !from || !statep)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = rlx_db_lock(db, call_id); /* there may be no attempt's row yet */
    if (!err)
        err = RLX_RUN(db, RLX_Q_ATTEMPT_GET, take_attempt, &attempt, NULL, RLX_TEXT(call_id));
    *statep = (struct rlx_dial_state){.may_dial = true, .since_ms = now_ms, .tries = 1};
    if (!err && attempt.state[0] && strcmp(attempt.state, "not_sent") != 0) {
        statep->may_dial = false;
        statep->undecided = !strcmp(attempt.state, "undecided");
        statep->since_ms = attempt.started_ms;
        statep->tries = attempt.tries;
    } else if (!err && !(err = rlx_db_account_place(db, call_id, now_ms))) {
        /* RLX_ECONFLICT: another attempt between these numbers is undecided. */
        err = RLX_RUN(db, RLX_Q_ATTEMPT_BEGIN, NULL, NULL, NULL, RLX_TEXT(call_id), RLX_TEXT(to),
                      RLX_TEXT(from), RLX_INT(now_ms));
        statep->tries = attempt.tries + 1;
    }
    return rlx_db_end(db, err);
}

int rlx_dial_look(struct rlx_store *store, const char *call_id, struct rlx_dial_state *statep)
{
    struct attempt attempt = {0};

    if (!store || !call_id || !statep)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_ATTEMPT_GET, take_attempt, &attempt, NULL,
                       RLX_TEXT(call_id));
    *statep = (struct rlx_dial_state){
        .may_dial = !strcmp(attempt.state, "not_sent"),
        .undecided = !strcmp(attempt.state, "undecided"),
        .since_ms = attempt.started_ms,
        .tries = attempt.tries,
    };
    return err ? err : attempt.state[0] ? 0 : RLX_ENOTFOUND;
}

int rlx_dial_end(struct rlx_store *store, const char *call_id, const char *state, int code,
                 const char *why)
{
    if (!store || !call_id || !state)
        return -EINVAL;
    return RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_ATTEMPT_END, NULL, NULL, NULL, RLX_TEXT(call_id),
                    RLX_TEXT(state), RLX_INT(code), RLX_TEXT(why));
}

/* ---- progress ---- */

int rlx_call_progress(struct rlx_store *store, const char *call_id, const char *status)
{
    char now_text[RLX_TIME_TEXT];
    int64_t now_ms = rlx_wall_ms();
    struct rlx_db *db;
    int rows = 0;

    if (!store || !call_id || !status)
        return -EINVAL;
    rlx_time_text(now_text, now_ms);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = exists(db, call_id);
    if (!err)
        err = RLX_RUN(db, RLX_Q_CALL_PROGRESS, NULL, NULL, &rows, RLX_TEXT(call_id),
                      RLX_TEXT(status), RLX_TEXT(now_text), RLX_INT(now_ms));
    if (!err && rows)
        err = status_event(db, call_id, status, NULL, now_ms);
    return rlx_db_end(db, err);
}

int rlx_call_take(struct rlx_store *store, const char *call_id, const char *gateway_id,
                  const char *token_sha256, int64_t now_ms)
{
    char now_text[RLX_TIME_TEXT];
    struct rlx_db *db;
    int rows = 0;

    if (!store || !call_id || !gateway_id || !token_sha256)
        return -EINVAL;
    rlx_time_text(now_text, now_ms);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_CALL_TAKE, NULL, NULL, &rows, RLX_TEXT(call_id), RLX_TEXT(gateway_id),
                  RLX_TEXT(token_sha256), RLX_INT(now_ms), RLX_TEXT(now_text));
    if (!err && !rows)
        err = RLX_EAUTH;
    if (!err)
        err = status_event(db, call_id, "in-progress", NULL, now_ms);
    return rlx_db_end(db, err);
}

struct token {
    char sha256[RLX_SHA256_HEX];
    bool used, found, over;
    int64_t expires_ms;
};

static int take_token(struct rlx_row *row, void *arg)
{
    struct token *token = arg;
    const char *sha256 = rlx_row_text(row, 0);

    token->found = true;
    memccpy(token->sha256, sha256 ? sha256 : "", 0, sizeof token->sha256 - 1);
    token->used = rlx_row_int(row, 1) != 0;
    token->expires_ms = rlx_row_int(row, 2);
    token->over = !rlx_row_int(row, 3);
    return 0;
}

int rlx_call_set_token(struct rlx_store *store, const char *call_id, const char *token_sha256,
                       int64_t expires_ms)
{
    struct token token = {0};
    struct rlx_db *db;

    if (!store || !call_id || !token_sha256)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = RLX_RUN(db, RLX_Q_CALL_TOKEN_GET, take_token, &token, NULL, RLX_TEXT(call_id));
    if (!err && !token.found)
        err = RLX_ENOTFOUND;
    bool live = token.sha256[0] && !token.used && token.expires_ms > rlx_wall_ms();
    bool same = !strcmp(token.sha256, token_sha256);
    if (!err && (token.over || (live && !same)))
        err = RLX_ECONFLICT;
    if (!err && same && token.used)
        err = RLX_EAUTH; /* a consumed token never lives again */
    if (!err && !live)
        err = RLX_RUN(db, RLX_Q_CALL_TOKEN_SET, NULL, NULL, NULL, RLX_TEXT(call_id),
                      RLX_TEXT(token_sha256), RLX_INT(expires_ms));
    return rlx_db_end(db, err);
}

/* ---- what is said ---- */

int rlx_call_append_turn(struct rlx_store *store, const struct rlx_turn_row *row)
{
    char at[RLX_TIME_TEXT];
    struct rlx_db *db;
    int rows = 0;

    if (!store || !row || !row->text)
        return -EINVAL;
    rlx_time_text(at, row->at_ms);
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    struct rlx_text_out event = {0};
    err = RLX_RUN(db, RLX_Q_TURN_APPEND, NULL, NULL, &rows, RLX_TEXT(row->id),
                  RLX_TEXT(row->call_id), RLX_TEXT(row->agent ? "ai" : "user"), RLX_TEXT(row->text),
                  RLX_TEXT(at), RLX_TEXT(row->metadata ? row->metadata : "{}"), RLX_INT(row->seq));
    if (!err && rows)
        err = RLX_RUN(db, RLX_Q_TURN_EVENT_GET, rlx_row_take_text, &event, NULL, RLX_TEXT(row->id));
    if (!err && event.text)
        err = rlx_db_event(db, row->call_id, "transcript", event.text, rlx_wall_ms());
    talloc_free(event.text);
    return rlx_db_end(db, err);
}

struct updated {
    char call_id[37];
    char *json;
};

static int take_updated(struct rlx_row *row, void *arg)
{
    struct updated *updated = arg;

    memccpy(updated->call_id, rlx_row_text(row, 0), 0, sizeof updated->call_id);
    updated->json = talloc_strdup(NULL, rlx_row_text(row, 1));
    return updated->json ? 0 : -ENOMEM;
}

int rlx_call_update_turn(struct rlx_store *store, const char *row_id, const char *text,
                         const char *metadata)
{
    struct updated updated = {0};
    struct rlx_db *db;

    if (!store || !row_id || !text)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = *text ? RLX_RUN(db, RLX_Q_TURN_UPDATE, take_updated, &updated, NULL, RLX_TEXT(row_id),
                          RLX_TEXT(text), RLX_TEXT(metadata))
                : RLX_RUN(db, RLX_Q_TURN_WITHDRAW, take_updated, &updated, NULL, RLX_TEXT(row_id));
    if (!err && !updated.json)
        err = RLX_ENOTFOUND;
    if (!err)
        err = rlx_db_event(db, updated.call_id, "transcript", updated.json, rlx_wall_ms());
    talloc_free(updated.json);
    return rlx_db_end(db, err);
}

int rlx_call_event(struct rlx_store *store, const char *call_id, const char *kind,
                   const char *data_json, int64_t at_ms)
{
    struct rlx_db *db;

    if (!store || !call_id || !kind)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    return rlx_db_end(db, rlx_db_event(db, call_id, kind, data_json, at_ms));
}

/* ---- the end ---- */

static int analyse_job(struct rlx_db *db, const char *call_id, int64_t run_at_ms)
{
    char job_id[RLX_UUID_TEXT], key[64], payload[80];

    rlx_uuid(job_id);
    snprintf(key, sizeof key, "analyse:%s", call_id);
    snprintf(payload, sizeof payload, "{\"call_id\":\"%s\"}", call_id);
    return RLX_RUN(db, RLX_Q_JOB_AGAIN, NULL, NULL, NULL, RLX_TEXT(job_id), RLX_TEXT("analyse"),
                   RLX_TEXT(key), RLX_TEXT(payload), RLX_INT(run_at_ms));
}

static int upload_job(struct rlx_db *db, const char *call_id, const char *path)
{
    char job_id[RLX_UUID_TEXT], key[64];
    json_t *payload = json_pack("{s:s, s:s}", "call_id", call_id, "path", path);
    char *text = payload ? rlx_json_text(NULL, payload, "{}") : NULL;
    int err = -ENOMEM;

    rlx_uuid(job_id);
    snprintf(key, sizeof key, "upload:%s", call_id);
    if (text)
        err = RLX_RUN(db, RLX_Q_JOB_ADD, NULL, NULL, NULL, RLX_TEXT(job_id), RLX_TEXT("upload"),
                      RLX_TEXT(key), RLX_TEXT(text), RLX_INT(rlx_wall_ms()));
    json_decref(payload);
    talloc_free(text);
    return err;
}

int rlx_db_call_end(struct rlx_db *db, const char *call_id, const struct rlx_call_end *end)
{
    char ended[RLX_TIME_TEXT];
    int rows = 0;

    rlx_time_text(ended, end->ended_ms);
    int err = RLX_RUN(db, RLX_Q_CALL_END, NULL, NULL, &rows, RLX_TEXT(call_id),
                      RLX_TEXT(end->status), RLX_TEXT(end->reason), RLX_TEXT(end->outcome),
                      RLX_TEXT(ended), RLX_INT(end->ended_ms), RLX_TEXT(end->recording),
                      RLX_TEXT(end->metrics), RLX_BOOL(end->owner));
    if (!err && rows)
        err = rlx_db_stats_end(db, call_id);
    if (!err && rows)
        err = rlx_db_usage_call_end(db, call_id, end->ended_ms);
    if (!err && rows)
        err = status_event(db, call_id, end->status, end->reason, end->ended_ms);
    if (!err && rows)
        err = analyse_job(db, call_id, rlx_wall_ms());
    if (!err && rows && end->recording && end->upload)
        err = upload_job(db, call_id, end->recording);
    return err;
}

int rlx_call_end(struct rlx_store *store, const char *call_id, const struct rlx_call_end *end)
{
    struct rlx_db *db;

    if (!store || !call_id || !end || !end->status)
        return -EINVAL;
    int err = rlx_db_begin(store, RLX_DB_WRITE, &db);
    if (err)
        return err;
    err = exists(db, call_id);
    if (!err)
        err = rlx_db_call_end(db, call_id, end);
    return rlx_db_end(db, err);
}
