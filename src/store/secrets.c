#include "store/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "store/db.h"
#include "store/db_json.h"

#define KEYS_MAX 8
#define KEY_ID 17
#define SHOWN_FROM 12 /* a shorter value shows nothing of itself */
#define LABEL "relayx secrets"
#define SEALED_MAX RLX_SEALED_SIZE(RLX_SECRET_MAX)

static const struct {
    const char *name;
    enum rlx_setting setting;
} secrets[] = {
    {"twilio_account_sid", RLX_CFG_TWILIO_ACCOUNT_SID},
    {"twilio_auth_token", RLX_CFG_TWILIO_AUTH_TOKEN},
    {"twilio_phone_number", RLX_CFG_TWILIO_PHONE_NUMBER},
    {"cal_api_key", RLX_CFG_CAL_API_KEY},
    {"groq_api_key", RLX_CFG_GROQ_API_KEY},
    {"openai_api_key", RLX_CFG_OPENAI_API_KEY},
    {"deepgram_api_key", RLX_CFG_DEEPGRAM_API_KEY},
    {"assemblyai_api_key", RLX_CFG_ASSEMBLYAI_API_KEY},
    {"fish_audio_api_key", RLX_CFG_FISH_AUDIO_API_KEY},
};
#define SECRETS (sizeof secrets / sizeof secrets[0])

static size_t find(const char *name)
{
    size_t i = 0;

    while (i < SECRETS && strcmp(secrets[i].name, name) != 0)
        i++;
    return i;
}

bool rlx_secret_known(const char *name)
{
    return find(name) < SECRETS;
}

const char *rlx_secrets_why(void)
{
    return "this server can't keep keys: its operator must set SECRETS_KEY (e.g. from openssl rand "
           "-base64 48), the same for all its processes";
}

/* ---- keys ---- */

struct keys {
    uint8_t key[KEYS_MAX][RLX_SEAL_KEY];
    char id[KEYS_MAX][KEY_ID];
    size_t count;
};

/* Each part of SECRETS_KEY makes a key, and a name for it that tells nothing. */
static int keys_of(struct keys *keys, const struct rlx_config *config)
{
    const char *text = rlx_config_get(config, RLX_CFG_SECRETS_KEY);
    char hex[RLX_SHA256_HEX];

    keys->count = 0;
    for (const char *p = text; *p && keys->count < KEYS_MAX;) {
        size_t n = strcspn(p, ",");
        if (n) {
            uint8_t *key = keys->key[keys->count];
            rlx_hmac_sha256(key, p, n, LABEL, strlen(LABEL));
            rlx_sha256_hex(hex, key, RLX_SEAL_KEY);
            memcpy(keys->id[keys->count], hex, KEY_ID - 1);
            keys->id[keys->count++][KEY_ID - 1] = '\0';
        }
        p += n + (p[n] == ',');
    }
    return keys->count ? 0 : RLX_ECONFIG;
}

static const uint8_t *key_named(const struct keys *keys, const char *id)
{
    for (size_t i = 0; i < keys->count; i++)
        if (!strcmp(keys->id[i], id))
            return keys->key[i];
    return NULL;
}

static void place(char about[128], const char *user_id, const char *name)
{
    snprintf(about, 128, "%s\n%s", user_id, name);
}

static char *seal(TALLOC_CTX *ctx, const struct keys *keys, const char *user_id, const char *name,
                  const char *value)
{
    uint8_t sealed[SEALED_MAX];
    char about[128];
    size_t length = strlen(value);
    char *text = talloc_size(ctx, RLX_BASE64_SIZE(RLX_SEALED_SIZE(length)));

    place(about, user_id, name);
    if (!text || rlx_seal(sealed, keys->key[0], about, value, length)) {
        talloc_free(text);
        return NULL;
    }
    rlx_base64_encode(text, sealed, RLX_SEALED_SIZE(length));
    return text;
}

static int wipe(char *value)
{
    explicit_bzero(value, talloc_get_size(value));
    return 0;
}

/* The value on ctx; NULL when no key of ours opens it. */
static char *unseal(TALLOC_CTX *ctx, const struct keys *keys, const char *user_id, const char *name,
                    const char *key_id, const char *text)
{
    const uint8_t *key = key_named(keys, key_id);
    uint8_t sealed[SEALED_MAX];
    char about[128];
    ptrdiff_t length = rlx_base64_decode(sealed, sizeof sealed, text, strlen(text));

    if (!key || length < (ptrdiff_t)RLX_SEALED_SIZE(0))
        return NULL;
    size_t bytes = (size_t)length - RLX_SEALED_SIZE(0);
    char *value = talloc_zero_size(ctx, bytes + 1);
    if (!value)
        return NULL;
    talloc_set_destructor(value, wipe);
    place(about, user_id, name);
    if (rlx_unseal(value, key, about, sealed, (size_t)length)) {
        talloc_free(value);
        return NULL;
    }
    value[bytes] = '\0';
    return value;
}

/* ---- verbs ---- */

int rlx_secret_put(struct rlx_store *store, const struct rlx_config *config, const char *user_id,
                   const char *name, const char *value, int64_t now_ms)
{
    struct keys keys;

    if (!store || !config || !user_id || !name || !value)
        return -EINVAL;
    size_t length = strlen(value);
    if (!rlx_secret_known(name) || !length || length > RLX_SECRET_MAX)
        return RLX_EINVAL;
    int err = keys_of(&keys, config);
    if (err)
        return err;
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *sealed = seal(tmp, &keys, user_id, name, value);
    const char *last4 = length < SHOWN_FROM ? "" : value + length - 4;
    for (const char *p = last4; *p; p++)
        if (*p < ' ' || *p > '~')
            last4 = ""; /* half a character would be no text */
    err = !sealed ? RLX_EINTERNAL
                  : RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_SECRET_PUT, NULL, NULL, NULL,
                             RLX_TEXT(user_id), RLX_TEXT(name), RLX_TEXT(keys.id[0]),
                             RLX_TEXT(sealed), RLX_TEXT(last4), RLX_INT(now_ms));
    talloc_free(tmp);
    explicit_bzero(&keys, sizeof keys);
    return err;
}

/* Rows of one user (or of the query for other keys): name, key id, sealed, user. */
struct row {
    char user_id[37], name[32], key_id[KEY_ID];
    char *sealed;
};
struct rows {
    TALLOC_CTX *ctx;
    struct row *items;
    size_t count;
    const char *user_id; /* NULL: it stands in the row */
};

static int take_row(struct rlx_row *row, void *arg)
{
    struct rows *rows = arg;
    int first = rows->user_id ? 0 : 1;
    struct row *items =
        talloc_realloc(rows->ctx, rows->items, struct row, (unsigned)rows->count + 1);

    if (!items)
        return -ENOMEM;
    rows->items = items;
    struct row *item = &items[rows->count++];
    snprintf(item->user_id, sizeof item->user_id, "%s",
             rows->user_id ? rows->user_id : rlx_row_text(row, 0));
    snprintf(item->name, sizeof item->name, "%s", rlx_row_text(row, first));
    snprintf(item->key_id, sizeof item->key_id, "%s", rlx_row_text(row, first + 1));
    item->sealed = talloc_strdup(rows->ctx, rlx_row_text(row, first + 2));
    return item->sealed ? 0 : -ENOMEM;
}

static int load(struct rlx_store *store, struct rows *rows)
{
    return RLX_ONCE(store, RLX_DB_READ, RLX_Q_SECRETS_GET, take_row, rows, NULL,
                    RLX_TEXT(rows->user_id));
}

static char *open_row(TALLOC_CTX *ctx, const struct keys *keys, const struct row *row)
{
    char *value = unseal(ctx, keys, row->user_id, row->name, row->key_id, row->sealed);

    if (!value)
        rlx_log(RLX_ERROR, "secret.closed", "name=%s key_id=%s why=%s", row->name, row->key_id,
                "SECRETS_KEY holds no key that opens it");
    return value;
}

int rlx_secret_get(struct rlx_store *store, const struct rlx_config *config, TALLOC_CTX *ctx,
                   const char *user_id, const char *name, char **valuep)
{
    struct rows rows = {.user_id = user_id};
    struct keys keys;

    if (!store || !config || !user_id || !name || !valuep)
        return -EINVAL;
    rows.ctx = talloc_new(NULL);
    int err = load(store, &rows);
    size_t i = 0;
    while (!err && i < rows.count && strcmp(rows.items[i].name, name) != 0)
        i++;
    if (!err && i == rows.count)
        err = RLX_ENOTFOUND;
    if (!err)
        err = keys_of(&keys, config);
    if (!err && !(*valuep = open_row(ctx, &keys, &rows.items[i])))
        err = RLX_ECONFIG;
    talloc_free(rows.ctx);
    explicit_bzero(&keys, sizeof keys);
    return err;
}

static int take_shown(struct rlx_row *row, void *arg)
{
    json_t *json =
        json_pack("{s:s,s:s,s:o}", "name", rlx_row_text(row, 0), "last4", rlx_row_text(row, 1),
                  "updated_at", rlx_json_time(rlx_row_int(row, 2)));

    return json_array_append_new(arg, json) ? -ENOMEM : 0;
}

int rlx_secrets_list(struct rlx_store *store, const char *user_id, json_t **jsonp)
{
    if (!store || !user_id || !jsonp)
        return -EINVAL;
    json_t *array = json_array();
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_SECRETS_LIST, take_shown, array, NULL,
                       RLX_TEXT(user_id));
    if (err)
        json_decref(array);
    else
        *jsonp = array;
    return err;
}

int rlx_secret_delete(struct rlx_store *store, const char *user_id, const char *name)
{
    return rlx_db_user_change(store, RLX_Q_SECRET_DELETE, user_id, name);
}

/* ---- the user's configuration ---- */

static bool has(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (!strcmp(rows->items[i].name, name))
            return true;
    return false;
}

static bool twilio(const struct row *row)
{
    return !strncmp(row->name, "twilio_", 7);
}

static int overlay(struct rlx_config *copy, const struct rows *rows, const struct keys *keys)
{
    bool carrier = has(rows, "twilio_account_sid") && has(rows, "twilio_auth_token");
    int err = carrier ? rlx_config_override(copy, RLX_CFG_TWILIO_PHONE_NUMBER, "") : 0;

    for (size_t i = 0; !err && i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        size_t at = find(row->name);
        if (at == SECRETS || (twilio(row) && !carrier))
            continue;
        char *value = open_row(NULL, keys, row);
        err = value ? rlx_config_override(copy, secrets[at].setting, value) : RLX_ECONFIG;
        talloc_free(value);
    }
    return err;
}

int rlx_user_config(struct rlx_store *store, const struct rlx_config *config, TALLOC_CTX *ctx,
                    const char *user_id, const struct rlx_config **userp)
{
    struct rows rows = {.user_id = user_id};
    struct rlx_config *copy = NULL;
    struct keys keys;

    if (!store || !config || !user_id || !userp)
        return -EINVAL;
    rows.ctx = talloc_new(NULL);
    int err = load(store, &rows);
    *userp = config;
    if (err || !rows.count)
        goto out;
    err = keys_of(&keys, config);
    if (!err)
        err = rlx_config_copy(&copy, ctx, config);
    if (!err)
        err = overlay(copy, &rows, &keys);
    explicit_bzero(&keys, sizeof keys);
    if (err)
        talloc_free(copy);
    else
        *userp = copy;
out:
    talloc_free(rows.ctx);
    return err;
}

int rlx_call_config(struct rlx_store *store, const struct rlx_config *config, TALLOC_CTX *ctx,
                    const char *call_id, const struct rlx_config **userp)
{
    struct rlx_text_out out = {.ctx = NULL};

    if (!store || !config || !call_id || !userp)
        return -EINVAL;
    int err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_CALL_USER, rlx_row_take_text, &out, NULL,
                       RLX_TEXT(call_id));
    if (!err && !out.text)
        err = RLX_ENOTFOUND;
    if (!err)
        err = rlx_user_config(store, config, ctx, out.text, userp);
    talloc_free(out.text);
    return err;
}

/* ---- another key ---- */

static int reseal_one(struct rlx_store *store, const struct keys *keys, const struct row *row,
                      int *countp)
{
    TALLOC_CTX *tmp = talloc_new(NULL);
    char *value = open_row(tmp, keys, row);
    char *sealed = value ? seal(tmp, keys, row->user_id, row->name, value) : NULL;
    int err = 0;

    if (sealed)
        err = RLX_ONCE(store, RLX_DB_WRITE, RLX_Q_SECRET_RESEAL, NULL, NULL, NULL,
                       RLX_TEXT(row->user_id), RLX_TEXT(row->name), RLX_TEXT(row->key_id),
                       RLX_TEXT(keys->id[0]), RLX_TEXT(sealed));
    if (sealed && !err)
        ++*countp;
    talloc_free(tmp);
    return err;
}

int rlx_secrets_reseal(struct rlx_store *store, const struct rlx_config *config, int *countp)
{
    struct keys keys;
    int err = 0, before = -1;

    if (!store || !config || !countp)
        return -EINVAL;
    *countp = 0;
    if (keys_of(&keys, config))
        return 0;
    while (!err && before != *countp) { /* as long as it gets on */
        struct rows rows = {.ctx = talloc_new(NULL)};
        before = *countp;
        err = RLX_ONCE(store, RLX_DB_READ, RLX_Q_SECRETS_OTHER_KEY, take_row, &rows, NULL,
                       RLX_TEXT(keys.id[0]));
        for (size_t i = 0; !err && i < rows.count; i++)
            err = reseal_one(store, &keys, &rows.items[i], countp);
        talloc_free(rows.ctx);
    }
    explicit_bzero(&keys, sizeof keys);
    return err;
}
