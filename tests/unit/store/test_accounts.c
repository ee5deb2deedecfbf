#include "fixture.h"
#include "store/api_keys.h"
#include "store/keys.h"
#include "store/limits.h"
#include "store/secrets.h"
#include "store/usage.h"

#define DAY_MS (24 * 3600 * 1000LL)
#define NOON 1767268800000LL /* 2026-01-01T12:00:00Z */
#define SOME_ID "01890000-0000-7000-8000-000000000001"

static struct rlx_config *config_with(struct fixture *f, const char *secrets_key)
{
    struct rlx_config *config = NULL;
    char *none[] = {NULL}, *why = NULL;

    assert_int_equal(rlx_config_load(&config, f->ctx, 0, none, &why), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_SECRETS_KEY, secrets_key), 0);
    return config;
}

/* ---- users ---- */

static void profile(void **state)
{
    struct fixture *f = *state;
    json_t *fields = json_pack("{s:s,s:n}", "phone", "+12025550100", "name");
    char *json = NULL, *hash = NULL;
    bool admin = false;

    assert_int_equal(rlx_user_update(f->store, f->user, fields, NOON), 0);
    assert_int_equal(rlx_user_update(f->store, SOME_ID, fields, NOON), RLX_ENOTFOUND);
    json_decref(fields);
    assert_int_equal(rlx_user_get(f->store, f->ctx, f->user, &json), 0);
    json_t *user = parsed(json);
    assert_string_equal(field(user, "phone"), "+12025550100");
    assert_true(json_is_null(json_object_get(user, "name")));
    assert_true(json_is_null(json_object_get(user, "company")));
    json_decref(user);
    /* The first account is the administrator. */
    assert_int_equal(rlx_user_is_admin(f->store, f->user, &admin), 0);
    assert_true(admin);
    assert_int_equal(rlx_user_is_admin(f->store, f->other, &admin), 0);
    assert_false(admin);
    assert_int_equal(rlx_user_password(f->store, f->ctx, f->user, &hash), 0);
    assert_string_equal(hash, "x");
}

static void password(void **state)
{
    struct fixture *f = *state;
    char *user = NULL, *hash = NULL;

    assert_int_equal(rlx_session_create(f->store, f->user, "here", NOON), 0);
    assert_int_equal(rlx_session_create(f->store, f->user, "there", NOON), 0);
    assert_int_equal(rlx_session_create(f->store, f->other, "bobs", NOON), 0);
    /* Another user's session keeps nothing, and his own lives on. */
    assert_int_equal(rlx_user_password_set(f->store, f->user, "y", "here", 1), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "here", 1, &user), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "there", 1, &user), RLX_EAUTH);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "bobs", 1, &user), 0);
    assert_int_equal(rlx_user_password(f->store, f->ctx, f->user, &hash), 0);
    assert_string_equal(hash, "y");
    assert_int_equal(rlx_user_password_set(f->store, f->user, "z", NULL, 1), 0);
    assert_int_equal(rlx_session_user(f->store, f->ctx, "here", 1, &user), RLX_EAUTH);
    assert_int_equal(rlx_user_password_set(f->store, SOME_ID, "z", NULL, 1), RLX_ENOTFOUND);
}

static void invites(void **state)
{
    struct fixture *f = *state;
    char *id = NULL;

    assert_int_equal(rlx_invite_create(f->store, "i1", NULL, f->user, 1000, 2000), 0);
    assert_int_equal(rlx_invite_create(f->store, "i2", "Eve@example.com", NULL, 1000, 2000), 0);
    assert_int_equal(rlx_user_create_invited(f->store, f->ctx, "a@b.c", "x", NULL, "i0", 1500, &id),
                     RLX_EFORBIDDEN);
    assert_int_equal(rlx_user_create_invited(f->store, f->ctx, "a@b.c", "x", NULL, "i1", 2000, &id),
                     RLX_EFORBIDDEN);
    /* An address that is taken leaves the invitation as it was. */
    assert_int_equal(
        rlx_user_create_invited(f->store, f->ctx, "ann@example.com", "x", NULL, "i1", 1500, &id),
        RLX_ECONFLICT);
    assert_int_equal(rlx_user_create_invited(f->store, f->ctx, "a@b.c", "x", NULL, "i1", 1500, &id),
                     0);
    assert_int_equal(rlx_user_create_invited(f->store, f->ctx, "d@b.c", "x", NULL, "i1", 1500, &id),
                     RLX_EFORBIDDEN);
    assert_int_equal(rlx_user_create_invited(f->store, f->ctx, "d@b.c", "x", NULL, "i2", 1500, &id),
                     RLX_EFORBIDDEN);
    assert_int_equal(
        rlx_user_create_invited(f->store, f->ctx, "eve@example.com", "x", NULL, "i2", 1500, &id),
        0);
    assert_int_equal(rlx_accounts_expire(f->store, 2000), 0);
}

/* ---- keys and tickets ---- */

static void api_keys(void **state)
{
    struct fixture *f = *state;
    char user[37], *scopes = NULL;
    json_t *key = NULL, *list = NULL;

    assert_int_equal(rlx_api_key_create(f->store, f->user, "CI", "rlx_abcd", "k1",
                                        "calls:read agents:write", NOON, 0, &key),
                     0);
    char *id = talloc_strdup(f->ctx, field(key, "id"));
    assert_string_equal(field(key, "created_at"), "2026-01-01T12:00:00.000Z");
    assert_true(json_is_null(json_object_get(key, "expires_at")));
    assert_int_equal(json_array_size(json_object_get(key, "scopes")), 2);
    json_decref(key);
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "k1", NOON + 5, user, &scopes), 0);
    assert_string_equal(user, f->user);
    assert_string_equal(scopes, "calls:read agents:write");
    /* The last use is written once a minute. */
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "k1", NOON + 60004, user, &scopes), 0);
    assert_int_equal(rlx_api_keys_list(f->store, f->user, &list), 0);
    assert_string_equal(field(json_array_get(list, 0), "last_used_at"), "2026-01-01T12:00:00.005Z");
    json_decref(list);
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "k1", NOON + 60005, user, &scopes), 0);
    assert_int_equal(rlx_api_keys_list(f->store, f->user, &list), 0);
    assert_string_equal(field(json_array_get(list, 0), "last_used_at"), "2026-01-01T12:01:00.005Z");
    json_decref(list);
    assert_int_equal(rlx_api_keys_list(f->store, f->other, &list), 0);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "k2", NOON, user, &scopes), RLX_EAUTH);
    assert_int_equal(rlx_api_key_revoke(f->store, f->other, id, NOON), RLX_ENOTFOUND);
    assert_int_equal(rlx_api_key_revoke(f->store, f->user, id, NOON), 0);
    assert_int_equal(rlx_api_key_revoke(f->store, f->user, id, NOON), RLX_ENOTFOUND);
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "k1", NOON, user, &scopes), RLX_EAUTH);
}

static void api_keys_end(void **state)
{
    struct fixture *f = *state;
    char user[37], hash[16], *scopes = NULL;
    json_t *key = NULL;

    for (int i = 0; i < RLX_API_KEYS_MAX; i++) {
        snprintf(hash, sizeof hash, "e%d", i);
        assert_int_equal(rlx_api_key_create(f->store, f->user, "x", "rlx_", hash, "read", NOON,
                                            NOON + 1000, &key),
                         0);
        json_decref(key);
    }
    assert_int_equal(
        rlx_api_key_create(f->store, f->user, "x", "rlx_", "one", "read", NOON, 0, &key),
        RLX_ELIMIT);
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "e7", NOON + 999, user, &scopes), 0);
    assert_int_equal(rlx_api_key_use(f->store, f->ctx, "e7", NOON + 1000, user, &scopes),
                     RLX_EAUTH);
}

static void tickets(void **state)
{
    struct fixture *f = *state;
    char user[37];

    assert_int_equal(rlx_ticket_create(f->store, f->user, "t1", "/events", NOON), 0);
    assert_int_equal(rlx_ticket_use(f->store, "t1", "/events", NOON - 1, user), 0);
    assert_string_equal(user, f->user);
    assert_int_equal(rlx_ticket_use(f->store, "t1", "/events", NOON - 1, user), RLX_EAUTH);
    assert_int_equal(rlx_ticket_create(f->store, f->user, "t2", "/events", NOON), 0);
    assert_int_equal(rlx_ticket_use(f->store, "t2", "/events", NOON, user), RLX_EAUTH);
    /* One that was shown at the wrong door is gone. */
    assert_int_equal(rlx_ticket_create(f->store, f->user, "t3", "/events", NOON), 0);
    assert_int_equal(rlx_ticket_use(f->store, "t3", "/event", 1, user), RLX_EAUTH);
    assert_int_equal(rlx_ticket_use(f->store, "t3", "/events", 1, user), RLX_EAUTH);
    assert_int_equal(rlx_accounts_expire(f->store, NOON), 0);
}

/* ---- limits ---- */

static int check(struct fixture *f, struct rlx_account_limits_ask ask, const char **codep)
{
    char *why = NULL;

    ask.user_id = f->user;
    ask.home = ask.home ? ask.home : "US";
    ask.own_caller_id = "+12025550100";
    ask.now_ms = NOON;
    *codep = "";
    return rlx_account_limits_check(f->store, f->ctx, &ask, codep, &why);
}

static void set(struct fixture *f, const char *name, json_t *value)
{
    json_t *fields = json_pack("{s:o}", name, value);

    assert_int_equal(rlx_account_limits_set(f->store, f->user, fields), 0);
    json_decref(fields);
}

static void limit_countries(void **state)
{
    struct fixture *f = *state;
    const char *code;

    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "US"}, &code), 0);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "CA"}, &code), 0);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "JM"}, &code),
                     RLX_EFORBIDDEN);
    assert_string_equal(code, "country_not_allowed");
    assert_int_equal(
        check(f, (struct rlx_account_limits_ask){.region = "JM", .simulated = true}, &code), 0);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "DE", .home = ""}, &code),
                     0);
    assert_int_equal(
        check(f, (struct rlx_account_limits_ask){.region = "US", .premium = true}, &code),
        RLX_EFORBIDDEN);
    assert_string_equal(code, "premium_number");
    set(f, "countries", json_string("DE,FR"));
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "FR"}, &code), 0);
    assert_int_equal(
        check(f, (struct rlx_account_limits_ask){.region = "US", .simulated = true}, &code),
        RLX_EFORBIDDEN);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = ""}, &code),
                     RLX_EFORBIDDEN);
    set(f, "countries", json_string("*"));
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = ""}, &code), 0);
    struct rlx_account_limits_ask premium = {.region = "US", .premium = true};
    assert_int_equal(check(f, premium, &code), RLX_EFORBIDDEN);
    set(f, "countries", json_string("*,premium"));
    assert_int_equal(check(f, premium, &code), 0);
    set(f, "countries", json_null());
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "FR"}, &code),
                     RLX_EFORBIDDEN);
}

static void limit_caller(void **state)
{
    struct fixture *f = *state;
    const char *code;
    struct rlx_account_limits_ask ask = {.region = "US", .caller_id = "+12025550177"};

    assert_int_equal(check(f, ask, &code), RLX_EFORBIDDEN);
    assert_string_equal(code, "caller_id_not_allowed");
    ask.own_carrier = true;
    assert_int_equal(check(f, ask, &code), 0);
    ask.own_carrier = false;
    ask.simulated = true;
    assert_int_equal(check(f, ask, &code), 0);
    set(f, "caller_ids", json_string("+12025550178"));
    assert_int_equal(check(f, ask, &code), RLX_EFORBIDDEN);
    set(f, "caller_ids", json_string("+12025550178,+12025550177"));
    ask.simulated = false;
    assert_int_equal(check(f, ask, &code), 0);
    ask.caller_id = "+12025550100";
    assert_int_equal(check(f, ask, &code), 0);
}

static void limit_calls(void **state)
{
    struct fixture *f = *state;
    struct rlx_dial_state dial;
    const char *code;

    set(f, "concurrent_calls", json_integer(2));
    char *one = fixture_call(f), *two = fixture_call(f);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "US"}, &code), RLX_ELIMIT);
    assert_string_equal(code, "concurrent_calls_limit");
    /* To be dialed: only those count that were dialed, and not the call itself. */
    struct rlx_account_limits_ask ask = {.region = "US", .call_id = one};
    set(f, "concurrent_calls", json_integer(1));
    assert_int_equal(check(f, ask, &code), 0);
    assert_int_equal(rlx_dial_begin(f->store, two, "+12025550123", "+12025550100", NOON, &dial), 0);
    assert_int_equal(check(f, ask, &code), RLX_ELIMIT);
    assert_int_equal(rlx_dial_begin(f->store, one, "+12025550124", "+12025550100", NOON, &dial),
                     RLX_ELIMIT);
    const struct rlx_call_end end = {.status = "failed", .reason = "x", .ended_ms = NOON};
    assert_int_equal(rlx_call_end(f->store, two, &end), 0);
    assert_int_equal(check(f, ask, &code), 0);
    assert_int_equal(rlx_dial_begin(f->store, one, "+12025550124", "+12025550100", NOON, &dial), 0);
}

static void limit_minutes(void **state)
{
    struct fixture *f = *state;
    struct rlx_usage used = {.stage = "carrier", .provider = "twilio", .audio_ms = 59999};
    json_t *json = NULL;
    const char *code;

    set(f, "minutes_per_day", json_integer(1));
    assert_int_equal(rlx_usage_put(f->store, SOME_ID, f->user, &used, 1, NOON), 0);
    assert_int_equal(rlx_usage_put(f->store, f->agent, f->user, &used, 1, NOON - DAY_MS), 0);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "US"}, &code), 0);
    used.audio_ms = 60000;
    assert_int_equal(rlx_usage_put(f->store, SOME_ID, f->user, &used, 1, NOON), 0);
    assert_int_equal(check(f, (struct rlx_account_limits_ask){.region = "US"}, &code), RLX_ELIMIT);
    assert_string_equal(code, "minutes_per_day_limit");
    assert_int_equal(rlx_account_limits_json(f->store, f->user, NOON, &json), 0);
    const json_t *now = json_object_get(json, "used");
    assert_int_equal(json_integer_value(json_object_get(now, "minutes_today")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "minutes_per_day")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "concurrent_calls")),
                     RLX_LIMIT_CONCURRENT);
    assert_true(json_is_null(json_object_get(json, "countries")));
    json_decref(json);
}

static void limit_fields(void **state)
{
    struct fixture *f = *state;
    struct rlx_account_limits limits;
    json_t *fields = json_pack("{s:i,s:s}", "recording_days", 30, "countries", "US");

    assert_int_equal(rlx_account_limits_set(f->store, SOME_ID, fields), RLX_ENOTFOUND);
    assert_int_equal(rlx_account_limits_set(f->store, f->user, fields), 0);
    json_object_set_new(fields, "wings", json_integer(2));
    assert_int_equal(rlx_account_limits_set(f->store, f->user, fields), RLX_EINVAL);
    json_decref(fields);
    assert_int_equal(rlx_account_limits_get(f->store, f->ctx, f->user, &limits), 0);
    assert_int_equal(limits.recording_days, 30);
    assert_int_equal(limits.transcript_days, 0);
    assert_int_equal(limits.minutes_per_day, RLX_LIMIT_MINUTES);
    assert_string_equal(limits.countries, "US");
    assert_null(limits.caller_ids);
    assert_int_equal(rlx_account_limits_get(f->store, f->ctx, SOME_ID, &limits), RLX_ENOTFOUND);
}

/* ---- secrets ---- */

static void secrets(void **state)
{
    struct fixture *f = *state;
    struct rlx_config *config = config_with(f, "a key that is long enough, surely so"),
                      *none = config_with(f, ""), *later = config_with(f, "another");
    char *value = NULL;
    json_t *list = NULL;

    assert_int_equal(
        rlx_secret_put(f->store, none, f->user, "cal_api_key", "cal_live_12345678", NOON),
        RLX_ECONFIG);
    assert_int_equal(rlx_secret_put(f->store, config, f->user, "shoe_size", "44", NOON),
                     RLX_EINVAL);
    assert_int_equal(
        rlx_secret_put(f->store, config, f->user, "cal_api_key", "cal_live_12345678", NOON), 0);
    assert_int_equal(rlx_secret_put(f->store, config, f->user, "groq_api_key", "short", NOON), 0);
    assert_int_equal(rlx_secret_get(f->store, config, f->ctx, f->user, "cal_api_key", &value), 0);
    assert_string_equal(value, "cal_live_12345678");
    assert_int_equal(rlx_secret_get(f->store, config, f->ctx, f->other, "cal_api_key", &value),
                     RLX_ENOTFOUND);
    assert_int_equal(rlx_secret_get(f->store, later, f->ctx, f->user, "cal_api_key", &value),
                     RLX_ECONFIG);
    assert_int_equal(rlx_secrets_list(f->store, f->user, &list), 0);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(field(json_array_get(list, 0), "last4"), "5678");
    assert_string_equal(field(json_array_get(list, 0), "updated_at"), "2026-01-01T12:00:00.000Z");
    assert_string_equal(field(json_array_get(list, 1), "last4"), "");
    json_decref(list);
    assert_int_equal(rlx_secret_delete(f->store, f->other, "cal_api_key"), RLX_ENOTFOUND);
    assert_int_equal(rlx_secret_delete(f->store, f->user, "cal_api_key"), 0);
    assert_int_equal(rlx_secret_delete(f->store, f->user, "cal_api_key"), RLX_ENOTFOUND);
}

static void secrets_rotate(void **state)
{
    struct fixture *f = *state;
    struct rlx_config *old = config_with(f, "old"), *both = config_with(f, "new,old"),
                      *new = config_with(f, "new");
    char *value = NULL;
    int count = 0;

    assert_int_equal(rlx_secret_put(f->store, old, f->user, "cal_api_key", "abc", NOON), 0);
    assert_int_equal(rlx_secret_get(f->store, both, f->ctx, f->user, "cal_api_key", &value), 0);
    assert_string_equal(value, "abc");
    /* A key that opens nothing moves nothing, and does not go on for ever. */
    assert_int_equal(rlx_secrets_reseal(f->store, new, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(rlx_secrets_reseal(f->store, both, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rlx_secret_get(f->store, new, f->ctx, f->user, "cal_api_key", &value), 0);
    assert_string_equal(value, "abc");
}

static void user_config(void **state)
{
    struct fixture *f = *state;
    struct rlx_config *config = config_with(f, "k");
    const struct rlx_config *user = NULL;

    assert_int_equal(rlx_config_override(config, RLX_CFG_TWILIO_ACCOUNT_SID, "ACserver"), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_TWILIO_PHONE_NUMBER, "+12025550100"), 0);
    assert_int_equal(rlx_user_config(f->store, config, f->ctx, f->user, &user), 0);
    assert_ptr_equal(user, config);
    assert_int_equal(rlx_secret_put(f->store, config, f->user, "twilio_account_sid", "ACown", NOON),
                     0);
    assert_int_equal(rlx_secret_put(f->store, config, f->user, "openai_api_key", "sk-1", NOON), 0);
    /* Half of an account is none. */
    assert_int_equal(rlx_user_config(f->store, config, f->ctx, f->user, &user), 0);
    assert_string_equal(rlx_config_get(user, RLX_CFG_TWILIO_ACCOUNT_SID), "ACserver");
    assert_string_equal(rlx_config_get(user, RLX_CFG_OPENAI_API_KEY), "sk-1");
    assert_int_equal(rlx_secret_put(f->store, config, f->user, "twilio_auth_token", "t", NOON), 0);
    assert_int_equal(rlx_user_config(f->store, config, f->ctx, f->user, &user), 0);
    assert_string_equal(rlx_config_get(user, RLX_CFG_TWILIO_ACCOUNT_SID), "ACown");
    assert_string_equal(rlx_config_get(user, RLX_CFG_TWILIO_PHONE_NUMBER), "");
    assert_string_equal(rlx_config_get(config, RLX_CFG_TWILIO_ACCOUNT_SID), "ACserver");
}

static void keys(void **state)
{
    struct fixture *f = *state;
    struct rlx_config *config = config_with(f, "");
    char *why = NULL;

    assert_int_equal(
        rlx_config_override(config, RLX_CFG_DATABASE_URL, "postgresql://db.example/relayx"), 0);
    assert_int_equal(rlx_config_override(config, RLX_CFG_JWT_SECRET_KEY, ""), 0);
    assert_int_equal(rlx_keys_load(config, f->ctx, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "JWT_SECRET_KEY must be set"));
    assert_int_equal(
        rlx_config_override(config, RLX_CFG_JWT_SECRET_KEY, "0123456789abcdef0123456789abcdef"), 0);
    assert_int_equal(rlx_keys_load(config, f->ctx, &why), 0);
    assert_string_equal(rlx_config_get(config, RLX_CFG_SECRETS_KEY), "");
    assert_int_equal(
        rlx_config_override(config, RLX_CFG_SECRETS_KEY, "0123456789abcdef0123456789abcdef,short"),
        0);
    assert_int_equal(rlx_keys_load(config, f->ctx, &why), RLX_ECONFIG);
    assert_non_null(strstr(why, "SECRETS_KEY is too short"));
}

/* ---- usage ---- */

static int64_t sum_of(struct fixture *f, const char *from, const char *to, const char *name)
{
    json_t *sums = NULL, *item;
    int64_t sum = 0;
    size_t i;

    assert_int_equal(rlx_usage_sums(f->store, f->user, from, to, &sums), 0);
    json_array_foreach (sums, i, item)
        sum += json_integer_value(json_object_get(item, name));
    json_decref(sums);
    return sum;
}

static void usage(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "[{\"stage\":\"llm\",\"provider\":\"groq\",\"model\":\"m\","
                               "\"requests\":3,\"tokens_in\":100,\"tokens_out\":20},"
                               "{\"stage\":\"tts\",\"provider\":\"local\",\"characters\":50}]";

    char *call = fixture_call(f);
    assert_int_equal(rlx_usage_put_json(f->store, call, NULL, text, NOON), 0);
    assert_int_equal(rlx_usage_put_json(f->store, call, NULL, text, NOON + DAY_MS), 0);
    assert_int_equal(sum_of(f, "2026-01-01", "2026-01-31", "tokens_in"), 100);
    assert_int_equal(sum_of(f, "2026-01-01", "2026-01-01", "characters"), 50);
    assert_int_equal(sum_of(f, "2026-01-02", "2026-01-31", "requests"), 0);
    /* The same day's sums grow by another occasion. */
    assert_int_equal(rlx_usage_put_json(f->store, SOME_ID, f->user, text, NOON), 0);
    assert_int_equal(sum_of(f, "2026-01-01", "2026-01-01", "requests"), 6);
    assert_int_equal(rlx_usage_put_json(f->store, SOME_ID, f->user, "[{}]", NOON), RLX_EINVAL);
    assert_int_equal(rlx_usage_put_json(f->store, SOME_ID, f->user, "x", NOON), RLX_EINVAL);
    assert_int_equal(rlx_usage_put_json(f->store, SOME_ID, NULL, text, NOON), RLX_ENOTFOUND);
}

/* The dial counts the call, its end the minutes, however often it is written. */
static void usage_carrier(void **state)
{
    struct fixture *f = *state;
    const struct rlx_usage dial = {.stage = "carrier", .provider = "twilio", .requests = 1};
    struct rlx_call_end end = {.status = "completed", .reason = "x"};
    char *call = fixture_call(f);
    char day[RLX_TIME_TEXT];
    int64_t now_ms = rlx_wall_ms();

    rlx_usage_day(day, now_ms);
    assert_int_equal(rlx_usage_put(f->store, call, f->user, &dial, 1, now_ms), 0);
    assert_int_equal(rlx_call_set_token(f->store, call, "t", now_ms + 9000), 0);
    assert_int_equal(rlx_call_take(f->store, call, "g", "t", now_ms), 0);
    end.ended_ms = now_ms + 61000;
    assert_int_equal(rlx_call_end(f->store, call, &end), 0);
    end.owner = true;
    assert_int_equal(rlx_call_end(f->store, call, &end), 0);
    assert_int_equal(sum_of(f, day, day, "audio_ms"), 120000);
    assert_int_equal(sum_of(f, day, day, "requests"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(profile),         TEST(password),      TEST(invites),
        TEST(api_keys),        TEST(api_keys_end),  TEST(tickets),
        TEST(limit_countries), TEST(limit_caller),  TEST(limit_calls),
        TEST(limit_minutes),   TEST(limit_fields),  TEST(secrets),
        TEST(secrets_rotate),  TEST(user_config),   TEST(keys),
        TEST(usage),           TEST(usage_carrier),
    };

    return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
